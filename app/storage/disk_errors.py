"""What the operating system says, in the words of the error tree."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from types import TracebackType

from app.errors import BlobExists, BlobNotFound, StoreError, StoreFull, StoreUnavailable

# EFBIG is what a limit on file sizes answers.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# A link or a folder in the place of a file: not of our making, so never followed.
_FOREIGN = frozenset({errno.ELOOP, errno.EISDIR})


def from_os_error(error: OSError, operation: str) -> StoreError:
    """The ``StoreError`` for what a system call refused.

    Whatever is not known to be a missing, taken or foreign name or a full disk (EIO, EROFS,
    ESTALE, ENODEV, EACCES, EMFILE, ...) is the medium's trouble and may pass: a 503. The
    text of the error holds a path and is not passed on; its number is.
    """
    number = error.errno or 0
    name = errno.errorcode.get(number, "unknown")
    details = {"errno": name}
    if number == errno.ENOENT:
        return BlobNotFound("There is no such blob.", operation=operation)
    if number == errno.EEXIST:
        return BlobExists("A blob with this name exists.", operation=operation)
    if number in _FULL:
        return StoreFull(
            "The store is full: no space is left.", operation=operation, details=details
        )
    if number == errno.ENOTDIR:  # what a link in the place of a folder answers
        return StoreUnavailable(
            "A folder of the store was replaced by a link or a file.",
            operation=operation,
            details=details,
        )
    if number in _FOREIGN:
        return StoreError(
            "The store holds a link or a folder where a blob belongs.",
            operation=operation,
            details=details,
        )
    return StoreUnavailable(
        f"The store cannot be used now ({name}).", operation=operation, details=details
    )


def close_quietly(descriptor: int) -> None:
    """Give a descriptor back; -1 is none.

    What had to reach the disk was synced before, and Linux closes even where it complains:
    such an error tells nothing and must not undo what succeeded.
    """
    if descriptor >= 0:
        with suppress(OSError):
            os.close(descriptor)


class StoreErrors:
    """``with StoreErrors("blob.open"):`` lets no bare OSError out.

    A class and not a generator: it lies on the path of every thumbnail.
    """

    __slots__ = ("_operation",)

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError):
            raise from_os_error(error, self._operation) from None
