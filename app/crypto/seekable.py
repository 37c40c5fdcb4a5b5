"""The plaintext of a blob as a file object, for decoders that seek."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class VerifiedPlaintext(Protocol):
    """What `BlobReader` offers: a verified length and verified byte ranges."""

    @property
    def plain_size(self) -> int: ...

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]: ...


class BlobFile(io.RawIOBase):
    """Read-only and seekable; every byte it gives was verified first.

    Unlike most raw files it fills the buffer unless the end is reached: Pillow takes a
    short read for a truncated picture. Reading raises `DecryptionFailed`.
    """

    def __init__(self, plaintext: VerifiedPlaintext) -> None:
        super().__init__()
        self._plaintext = plaintext
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        self._refuse_closed()
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to a place, which may lie beyond the end; ValueError before the start."""
        self._refuse_closed()
        position = self._origin(whence) + offset
        if position < 0:
            raise ValueError("a position cannot be negative")
        self._position = position
        return position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        self._refuse_closed()
        view = memoryview(buffer).cast("B")
        filled = 0
        stop = self._position + len(view)
        for piece in self._plaintext.chunks(self._position, stop):
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
        self._position += filled
        return filled

    def readall(self) -> bytes:
        self._refuse_closed()
        rest = b"".join(self._plaintext.chunks(self._position))
        self._position += len(rest)
        return rest

    def _origin(self, whence: int) -> int:
        if whence == os.SEEK_SET:
            return 0
        if whence == os.SEEK_CUR:
            return self._position
        if whence == os.SEEK_END:
            return self._plaintext.plain_size
        raise ValueError("whence is 0, 1 or 2")

    def _refuse_closed(self) -> None:
        if self.closed:
            raise ValueError("the file is closed")
