"""Under which column key the sealed values of the database are: read off their tokens.

Token: ``DC 01 | codec 1 | key id u32 | …`` (store-format.md, section 5). Nothing is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import LargeBinary, Table, column, func, select, table

from app.db.encrypted_types import EncryptedType
from app.db.times import utc_now
from app.models import Base

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.keys import RootKeys

KEY_ID = slice(0, 4)
FRESH_SECONDS = 600


@dataclass(frozen=True, slots=True)
class TokenCount:
    """``former``: values that are still sealed under a column key that seals no more."""

    active: int
    former: int
    at: datetime


class ColumnTokens:
    """Reads every sealed column once; what it counted holds for ten minutes."""

    def __init__(
        self, uow: UnitOfWork, roots: RootKeys, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._uow = uow
        self._roots = roots
        self._clock = clock
        self._last: TokenCount | None = None

    def count(self) -> TokenCount:
        """All sealed values, by whether they are at the active column key."""
        now = self._clock()
        last = self._last
        if last is None or (now - last.at).total_seconds() > FRESH_SECONDS:
            last = self._last = self._counted(now)
        return last

    def _counted(self, now: datetime) -> TokenCount:
        active_id = self._roots.active("columns").version[KEY_ID]
        active = former = 0
        for where in Base.metadata.sorted_tables:
            for key_id, number in self._of_table(where).items():
                if key_id == active_id:
                    active += number
                else:
                    former += number
        return TokenCount(active, former, now)

    def _of_table(self, where: Table) -> dict[bytes, int]:
        """By key id; one short read transaction a column."""
        found: dict[bytes, int] = {}
        for sealed in where.columns:
            if not isinstance(sealed.type, EncryptedType):
                continue
            raw = table(where.name, column(sealed.name, LargeBinary))
            key_id = func.substr(raw.c[sealed.name], 4, 4, type_=LargeBinary).label("key_id")
            chosen = (
                select(key_id, func.count())
                .where(raw.c[sealed.name].is_not(None))
                .group_by(key_id)
            )
            with self._uow.read_rows() as connection:
                for name, number in connection.execute(chosen):
                    found[bytes(name)] = found.get(bytes(name), 0) + number
        return found
