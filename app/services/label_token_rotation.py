"""Tokens of label indexes computed again under the present root key, some rows at a time.

Until a row has its turn it is found by the older version: a search tries all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import delete, func, select

from app.models import LabelClass, LabelToken
from app.services.label_index import LabelIndex

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.keys.root_keys import RootKeys

_ROWS: Final = 500


class LabelTokenRotation:
    """Every class of every collection that has tokens; opens nothing sealed."""

    def __init__(self, uow: UnitOfWork, roots: RootKeys) -> None:
        self._uow = uow
        self._index = LabelIndex(roots)

    def run(self) -> Iterator[int]:
        """After each transaction: how many rows are new."""
        for collection_id, label_id in self._classes():
            while changed := self._change_some(collection_id, label_id):
                yield changed

    def left(self) -> int:
        """How many rows are not what the active version gives."""
        count = 0
        for collection_id, label_id in self._classes():
            with self._uow.read_rows() as connection:
                old = self._old(collection_id, label_id)
                wanted = select(func.count()).where(
                    LabelToken.collection_id == collection_id, LabelToken.token.in_(old)
                )
                count += connection.scalar(wanted) or 0
        return count

    def _classes(self) -> list[tuple[UUID, UUID]]:
        indexed = select(LabelToken.collection_id).distinct()
        wanted = select(LabelClass.collection_id, LabelClass.id).where(
            LabelClass.collection_id.in_(indexed)
        )
        with self._uow.read_rows() as connection:
            return [(row.collection_id, row.id) for row in connection.execute(wanted)]

    def _old(self, collection_id: UUID, label_id: UUID) -> list[bytes]:
        new = self._index.current(collection_id, label_id)
        every = self._index.candidates(collection_id, [label_id])
        return [token for token in every if token != new]

    def _change_some(self, collection_id: UUID, label_id: UUID) -> int:
        old = self._old(collection_id, label_id)
        if not old:
            return 0
        chosen = (LabelToken.collection_id == collection_id, LabelToken.token.in_(old))
        with self._uow.write() as session:
            ids = session.scalars(
                select(LabelToken.image_id).where(*chosen).distinct().limit(_ROWS)
            ).all()
            self._index.add(session, collection_id, [(id_, label_id) for id_ in ids])
            session.execute(delete(LabelToken).where(*chosen, LabelToken.image_id.in_(ids)))
        return len(ids)
