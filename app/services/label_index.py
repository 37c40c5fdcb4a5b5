"""The blind index by which pictures are found by label, where a collection's owner wants it.

A token is an HMAC under the root key ``blind`` over table, column, collection and class id,
cut to 8 bytes. Which collection has an index stands in its schema's row; what the index
tells to who reads the database stands in docs/threat-model.md and where it is switched on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.crypto.blind_index import blind_index
from app.crypto.keys import SecretKey
from app.models import LabelToken
from app.models.label_schema import TOKEN_BYTES

if TYPE_CHECKING:
    from app.services.keys import RootKeys

ROOT: Final = "blind"
#: Ids in one ``IN``: far below SQLite's 32,766 variables.
_BATCH: Final = 1000


class LabelIndex:
    """Computes tokens, writes and removes them in the caller's transaction."""

    def __init__(self, roots: RootKeys) -> None:
        self._roots = roots

    def current(self, collection_id: UUID, label_id: UUID) -> bytes:
        """What a new row keeps."""
        return _token(self._roots.active(ROOT).key, collection_id, label_id)

    def candidates(self, collection_id: UUID, label_ids: Iterable[UUID]) -> list[bytes]:
        """What a row of any of these classes may hold: one for each version of the key."""
        keys = self._roots.all(ROOT).values()
        return [_token(key, collection_id, label) for label in label_ids for key in keys]

    def move(
        self,
        session: Session,
        collection_id: UUID,
        image_id: UUID,
        seen: Mapping[UUID, int],
    ) -> None:
        """By class: 1, the picture has it from now on, or -1, it has it no more."""
        gone = [label for label, step in seen.items() if step < 0]
        come = [label for label, step in seen.items() if step > 0]
        if gone:
            session.execute(
                delete(LabelToken).where(
                    LabelToken.collection_id == collection_id,
                    LabelToken.token.in_(self.candidates(collection_id, gone)),
                    LabelToken.image_id == image_id,
                )
            )
        self.add(session, collection_id, [(image_id, label) for label in come])

    def move_all(
        self,
        session: Session,
        collection_id: UUID,
        seen: Mapping[UUID, Mapping[UUID, int]],
    ) -> None:
        """As `move`, by pictures: one statement a class that went, one for all that came."""
        gone: dict[UUID, list[UUID]] = {}
        come: list[tuple[UUID, UUID]] = []
        for image_id, steps in seen.items():
            for label, step in steps.items():
                if step > 0:
                    come.append((image_id, label))
                else:
                    gone.setdefault(label, []).append(image_id)
        for label, image_ids in gone.items():
            tokens = self.candidates(collection_id, [label])
            for start in range(0, len(image_ids), _BATCH):
                session.execute(
                    delete(LabelToken).where(
                        LabelToken.collection_id == collection_id,
                        LabelToken.token.in_(tokens),
                        LabelToken.image_id.in_(image_ids[start : start + _BATCH]),
                    )
                )
        self.add(session, collection_id, come)

    def add(
        self, session: Session, collection_id: UUID, pairs: Sequence[tuple[UUID, UUID]]
    ) -> None:
        """Pictures and classes that they have; what is there already stays."""
        if not pairs:
            return
        dialect = session.get_bind().dialect.name
        make = postgresql.insert if dialect == "postgresql" else sqlite.insert
        tokens = {label: self.current(collection_id, label) for _, label in pairs}
        rows = [
            {"collection_id": collection_id, "token": tokens[label], "image_id": image_id}
            for image_id, label in pairs
        ]
        session.execute(make(LabelToken).on_conflict_do_nothing(), rows)


def _token(key: SecretKey, collection_id: UUID, label_id: UUID) -> bytes:
    return blind_index(
        key,
        b"annotations",
        b"label",
        collection_id.bytes,
        label_id.bytes,
        length=TOKEN_BYTES,
    )
