"""How a blob is cut into chunks, and how one chunk is sealed and opened."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.crypto.blob_header import (
    HEADER_BYTES,
    LARGEST_CHUNK,
    NONCE_PREFIX,
    SMALLEST_CHUNK,
)
from app.crypto.kdf import BlobSubkeys
from app.errors import DecryptionFailed, EncryptionError

TAG_BYTES: Final = 16
MOST_CHUNKS: Final = 2**32 - 1
MOST_BYTES: Final = 16 * 2**40

# A thread that reads or writes meanwhile pays from here on; it takes about 1 MiB at once.
_LEAST_CHUNK: Final = 256 * 1024
_LEAST_CHUNKS: Final = 16
_BATCH_BYTES: Final = 1024 * 1024

_COUNTER = struct.Struct(">IB")


@dataclass(frozen=True, slots=True)
class ChunkPolicy:
    """How new blobs are cut (sizes in bytes); readers obey the header instead.

    A blob up to ``single_chunk_limit`` is one chunk. A larger one is cut at
    ``stream_chunk``: small enough that a byte range is cheap to verify, large enough (from
    256 KiB) that the cipher releases the interpreter's lock.
    """

    single_chunk_limit: int = 5 * 1024 * 1024
    stream_chunk: int = 256 * 1024

    def __post_init__(self) -> None:
        whole_in_one = SMALLEST_CHUNK <= self.single_chunk_limit <= LARGEST_CHUNK
        if not (whole_in_one and SMALLEST_CHUNK <= self.stream_chunk <= LARGEST_CHUNK):
            raise EncryptionError("A chunk holds 4 KiB to 64 MiB", operation="blob.policy")

    def chunk_size(self, total: int) -> int:
        """The header's chunk_size of a blob with ``total`` bytes of plaintext."""
        if total > self.single_chunk_limit:
            return self.stream_chunk
        return max(SMALLEST_CHUNK, -(-total // SMALLEST_CHUNK) * SMALLEST_CHUNK)


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the chunks of one blob lie: ``count`` of them, ``last`` bytes in the final one.

    Chunk i starts at ``128 + i * (chunk_size + 16)``: no index is needed.
    """

    chunk_size: int
    count: int
    last: int

    @classmethod
    def of_plain(cls, size: int, chunk_size: int) -> Geometry:
        """Of ``size`` bytes of plaintext; raises `EncryptionError` beyond the limits."""
        count = max(1, -(-size // chunk_size))
        if size < 0 or size > MOST_BYTES or count > MOST_CHUNKS:
            raise EncryptionError("A file is too large to be sealed", operation="blob.seal")
        return cls(chunk_size, count, size - (count - 1) * chunk_size)

    @classmethod
    def of_sealed(cls, size: int, chunk_size: int) -> Geometry:
        """Of a blob of ``size`` bytes; raises `DecryptionFailed` if none has that size.

        Refused are a body that is shorter than a tag, an empty final chunk after data, and
        what lies beyond the limits.
        """
        body, step = size - HEADER_BYTES, chunk_size + TAG_BYTES
        count = max(1, -(-body // step))
        last = body - (count - 1) * step - TAG_BYTES
        geometry = cls(chunk_size, count, last)
        too_much = count > MOST_CHUNKS or geometry.plain_size > MOST_BYTES
        if last < 0 or (last == 0 and count > 1) or too_much:
            raise DecryptionFailed(operation="blob.geometry")
        return geometry

    @property
    def plain_size(self) -> int:
        return (self.count - 1) * self.chunk_size + self.last

    @property
    def sealed_size(self) -> int:
        return HEADER_BYTES + self.plain_size + self.count * TAG_BYTES

    @property
    def widest(self) -> int:
        """Plaintext bytes of the largest chunk there is: what a buffer must hold."""
        return self.chunk_size if self.count > 1 else self.last

    def is_last(self, index: int) -> bool:
        return index == self.count - 1

    def plain_length(self, index: int) -> int:
        return self.last if self.is_last(index) else self.chunk_size

    def offset(self, index: int) -> int:
        """Of the chunk's first sealed byte, from the start of the blob."""
        return HEADER_BYTES + index * (self.chunk_size + TAG_BYTES)

    def place(self, first: int, after: int) -> tuple[int, int]:
        """(offset, length) of the sealed chunks first to after - 1, which lie in a row."""
        plain = (after - first - 1) * self.chunk_size + self.plain_length(after - 1)
        return self.offset(first), plain + (after - first) * TAG_BYTES

    def batch(self, count: int) -> int:
        """How many of ``count`` chunks a helping thread takes at once; 0: it would not pay.

        Smaller chunks than 256 KiB hold the interpreter's lock, and few chunks do not repay
        the thread.
        """
        if count < _LEAST_CHUNKS or self.chunk_size < _LEAST_CHUNK:
            return 0
        return max(1, _BATCH_BYTES // self.chunk_size)

    def touched(self, start: int, stop: int) -> tuple[int, int]:
        """(first, after): the chunks that hold the plaintext bytes start to stop - 1."""
        return start // self.chunk_size, -(-stop // self.chunk_size)

    def cuts(self, start: int, stop: int) -> Iterator[tuple[int, int]]:
        """(begin, end) within each chunk that is touched by the plaintext start..stop."""
        for index in range(*self.touched(start, stop)):
            base = index * self.chunk_size
            yield max(start - base, 0), min(stop - base, self.chunk_size)


class ChunkCipher:
    """Seals and opens single chunks of one blob, in any order and from any thread.

    Nonce = nonce_prefix 7 || index u32 || last u8; AAD = the whole header; a sealed chunk
    is ciphertext || 16-byte tag.
    """

    __slots__ = ("_aead", "_header", "_prefix")

    def __init__(self, subkeys: BlobSubkeys, packed_header: bytes) -> None:
        self._aead = AESGCM(subkeys.derive(b"content"))
        self._header = packed_header
        self._prefix = packed_header[NONCE_PREFIX]

    def seal_into(
        self, index: int, last: bool, plain: bytes | memoryview, out: memoryview
    ) -> None:
        """Seal into ``out``, which is exactly 16 bytes longer than ``plain``."""
        nonce = self._prefix + _COUNTER.pack(index, last)
        self._aead.encrypt_into(nonce, plain, self._header, out)

    def open(self, index: int, last: bool, sealed: bytes | memoryview) -> bytes:
        """The plaintext; raises `DecryptionFailed`.

        A new object on purpose: ``decrypt_into`` leaves unverified plaintext in the
        caller's buffer when the tag is wrong.
        """
        nonce = self._prefix + _COUNTER.pack(index, last)
        try:
            return self._aead.decrypt(nonce, sealed, self._header)
        except InvalidTag:
            raise DecryptionFailed(operation="blob.chunk") from None
