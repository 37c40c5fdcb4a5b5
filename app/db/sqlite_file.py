"""The file of an SQLite database, which has to stay the one that it was.

SQLite goes on writing to a file that was moved away, and makes an empty one in its place for
the next connection: then half of the threads see no tables, and what the others write is
not where anybody looks for it.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

_CANNOT_OPEN = 14  # SQLITE_CANTOPEN, https://www.sqlite.org/rescode.html
_MOVED = 1032  # SQLITE_READONLY_DBMOVED


class DatabaseFile:
    """Made with an engine; remembers the file that its first connection opened.

    ``make``: the file may be made, by us, for its owner alone (WAL and index inherit its
    mode). Else it has to be there already.
    """

    def __init__(self, path: str, *, make: bool) -> None:
        self._path = Path(path)
        self._make = make
        self._known: tuple[int, int] | None = None

    def before_connecting(self) -> None:
        """Make the file if that may be; sqlite3.OperationalError unless it is the one."""
        if self._make and self._known is None:
            self._create()
        else:
            self.check()

    def after_connecting(self) -> None:
        self._known = self._known or self._found()

    def check(self) -> None:
        """Raise sqlite3.OperationalError unless the file is still in its place."""
        found = self._found()
        if found is None and self._known is None:
            raise _error(_CANNOT_OPEN, "unable to open database file")
        if self._known is not None and found != self._known:
            raise _error(_MOVED, "the database file was moved or replaced")

    def _found(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _create(self) -> None:
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError:  # it is there, or SQLite will say what is wrong
            return


def _error(code: int, text: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error
