"""Rows that may not fit, written apart: what is odd about one record costs no other one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from app.errors import InvalidInput
from app.services.rebuild.report import Tally

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: What rows say that a database, or whoever reads them later, takes for impossible.
_ODD = (IntegrityError, DataError, InvalidInput, LookupError, ValueError, TypeError)
_ODD_KINDS = (*_ODD, AttributeError, OverflowError)


class Unusable(Exception):
    """Nothing of it was written."""


@contextmanager
def apart(session: Session, tally: Tally) -> Iterator[None]:
    """All of what the block writes and counts as rows, or ``Unusable`` and none of it.

    A database that is full or away ends the whole work, as anywhere.
    """
    rows, stand_ins = tally.rows.copy(), tally.stand_ins.copy()
    try:
        with session.begin_nested():
            yield
    except (*_ODD_KINDS, StatementError) as error:
        if isinstance(error, DBAPIError) and not isinstance(error, _ODD):
            raise
        tally.rows, tally.stand_ins = rows, stand_ins
        raise Unusable from None  # its text may quote what was sealed
