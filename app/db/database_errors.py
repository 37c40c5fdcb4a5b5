"""What the database says, in words of the error tree and without a value of a row.

The text of a driver's error may quote the row (PostgreSQL's DETAIL): none of it is kept
but the name of a constraint.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from app.errors import Conflict, DarkroomError, DatabaseUnavailable, StoreFull

# Primary result codes: https://www.sqlite.org/rescode.html
_SQLITE_FULL = 13
_SQLITE_UNAVAILABLE = {
    5: "busy",
    6: "locked",
    8: "read-only",
    10: "I/O error",
    11: "damaged",
    14: "cannot be opened",
    15: "locked",
    26: "not a database",
}
_OTHER_RELEASE = "it is of another release; start this one, or run flask db upgrade"
_SQLITE_SCHEMA = ("no such column: ", "no such table: ")
_SQLITE_EXTENDED = {1032: "its file was moved away or replaced"}
# SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_PG_FULL = "53100"
_PG_UNAVAILABLE = {
    "55P03": "locked",
    "40001": "busy",
    "40P01": "busy",
    "53300": "too many connections",
    "25006": "read-only",
    "42P01": _OTHER_RELEASE,
    "42703": _OTHER_RELEASE,
}
_CONFLICTS = ("unique", "foreign_key")


def translate(error: BaseException) -> DarkroomError | None:
    """The error of the tree for one of SQLAlchemy or a driver; None where there is none."""
    if isinstance(error, exc.StatementError):
        inner = error.orig
        if isinstance(inner, DarkroomError):
            return inner
        if isinstance(error, exc.IntegrityError) and inner is not None:
            return _broken_rule(inner)
        if inner is not None:
            return _driver_error(inner, connection_lost=isinstance(error, exc.OperationalError))
    if isinstance(error, exc.TimeoutError):
        return _unavailable("no connection is free")
    if isinstance(error, sqlite3.Error):
        return _driver_error(error, connection_lost=False)
    return None


def _driver_error(error: BaseException, *, connection_lost: bool) -> DarkroomError | None:
    if isinstance(error, sqlite3.Error):
        extended = getattr(error, "sqlite_errorcode", 0)
        code = extended & 0xFF
        reason = _SQLITE_EXTENDED.get(extended) or _SQLITE_UNAVAILABLE.get(code)
        if str(error).startswith(_SQLITE_SCHEMA):  # of its code, 1, are many other errors
            reason = _OTHER_RELEASE
        full = code == _SQLITE_FULL
    else:
        state = getattr(error, "sqlstate", None)
        full, reason = state == _PG_FULL, _PG_UNAVAILABLE.get(state or "")
        if reason is None and (state is None or state[:2] in ("08", "57")) and connection_lost:
            reason = "down"
    if full:
        return StoreFull("The database has no space left", operation="database")
    return _unavailable(reason) if reason else None


def _unavailable(reason: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"The database is not available: {reason}",
        operation="database",
        details={"reason": reason},
    )


def _broken_rule(error: BaseException) -> DarkroomError:
    kind, name = _rule(error)
    kind_of = Conflict if kind in _CONFLICTS else DarkroomError
    return kind_of(
        "The change breaks a rule of the database",
        operation="database.write",
        details={"rule": kind, "constraint": name},
    )


def _rule(error: BaseException) -> tuple[str, str]:
    """(unique, foreign_key, check, not_null or other; the constraint's name or columns)."""
    state = getattr(error, "sqlstate", None)
    if state is not None:
        kinds = {
            "23505": "unique",
            "23503": "foreign_key",
            "23514": "check",
            "23502": "not_null",
        }
        diagnosis = getattr(error, "diag", None)
        name = getattr(diagnosis, "constraint_name", None)
        return kinds.get(state, "other"), name or getattr(diagnosis, "column_name", None) or ""
    # "UNIQUE constraint failed: tags.id": SQLite names columns or constraints, no values.
    found = re.fullmatch(r"([A-Z ]+?) constraint failed(?:: ([\w., ]+))?", str(error))
    if found is None:
        return "other", ""
    kind = found[1].lower().replace(" ", "_")
    return ("unique" if kind == "primary_key" else kind), found[2] or ""


@contextmanager
def translated() -> Iterator[None]:
    """Errors of the database leave the block as errors of the tree, without their cause."""
    try:
        yield
    except (exc.SQLAlchemyError, sqlite3.Error) as error:
        known = translate(error)
        if known is None:
            raise
        raise known from None
