"""Blind indexes computed again under the present root key, some rows at a time.

Until a row has its turn it is found by the older version: whoever looks tries all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update
from sqlalchemy.exc import IntegrityError

from app.crypto.blind_index import dedupe_index
from app.db.session import UnitOfWork
from app.errors import DecryptionFailed
from app.models import Image, User
from app.services.email_index import EmailIndex
from app.services.keys.root_keys import RootKeys
from app.services.label_token_rotation import LabelTokenRotation

_ROWS = 200
_INDEXES = {
    User: (User.id, User.email, User.email_index),
    Image: (Image.id, Image.collection_id, Image.meta, Image.dedupe),
}


class BlindRotation:
    """The index of e-mail addresses, the one that finds the same file in a collection, and
    those by which pictures are found by label."""

    def __init__(self, uow: UnitOfWork, roots: RootKeys) -> None:
        self._uow = uow
        self._roots = roots
        self._emails = EmailIndex(roots)
        self._labels = LabelTokenRotation(uow, roots)

    def run(self) -> Iterator[tuple[int, int]]:
        """After each transaction: how many indexes are new, and how many could not be."""
        for model in (User, Image):
            after: UUID | None = UUID(int=0)
            while after is not None:
                changed, failed, after = self._change_some(model, after)
                yield changed, failed
        for changed in self._labels.run():
            yield changed, 0

    def left(self) -> int:
        """How many indexes are not what the active version gives; reads every row."""
        count = self._labels.left()
        for model, columns in _INDEXES.items():
            after: UUID | None = UUID(int=0)
            while after is not None:
                with self._uow.read_rows() as connection:
                    rows = connection.execute(_page(model, columns, after)).all()
                count += sum(self._is_behind(model, row) for row in rows)
                after = rows[-1].id if len(rows) == _ROWS else None
        return count

    def _is_behind(self, model: type[Any], row: Row[Any]) -> bool:
        """A row that does not open cannot be told; those are what a verification finds."""
        try:
            return self._fresh(model, row) is not None
        except DecryptionFailed:
            return True

    def _change_some(self, model: type[Any], after: UUID) -> tuple[int, int, UUID | None]:
        changed = failed = 0
        with self._uow.write() as session:
            rows = session.execute(_page(model, _INDEXES[model], after)).all()
            for row in rows:
                try:
                    fresh = self._fresh(model, row)
                    if fresh is not None:
                        with session.begin_nested():
                            session.execute(_set(model, row.id, fresh))
                        changed += 1
                except (DecryptionFailed, IntegrityError):
                    failed += 1
        return changed, failed, rows[-1].id if len(rows) == _ROWS else None

    def _fresh(self, model: type[Any], row: Row[Any]) -> bytes | None:
        """The index under the active version; None where the row has it, or has none."""
        if model is User:
            index = self._emails.current(row.email.of(row.id))
            return index if index != row.email_index else None
        if row.dedupe is None or row.meta is None:
            return None
        sha256 = bytes.fromhex(row.meta.of(row.id)["sha256"])
        index = dedupe_index(self._roots.active("blind").key, row.collection_id, sha256)
        return index if index != row.dedupe else None


def _page(model: type[Any], columns: Any, after: UUID) -> Any:
    return select(*columns).where(model.id > after).order_by(model.id).limit(_ROWS)


def _set(model: type[Any], row_id: UUID, index: bytes) -> Any:
    name = "email_index" if model is User else "dedupe"
    return (
        update(model)
        .where(model.id == row_id)
        .values({name: index})
        .execution_options(synchronize_session=False)
    )
