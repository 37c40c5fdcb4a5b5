"""What still opens of a damaged blob. Never in the way of a request: `BlobReader` refuses.

Every chunk is verified as anywhere else; what does not verify is a hole, and no byte of it
is handed out. The header may be mended before that: a header is right when the key made it,
so whatever guess its tag confirms is the header that was written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from app.crypto.blob_header import (
    HEADER_BYTES,
    NONCE_PREFIX,
    SALT,
    BlobHeader,
    is_genuine,
    parse_header,
    subkeys_of,
)
from app.crypto.chunking import TAG_BYTES, ChunkCipher, Geometry
from app.crypto.keys import SecretKey
from app.crypto.source import PreadSource
from app.errors import DecryptionFailed, StoreUnavailable

KeyOf = Callable[[BlobHeader], SecretKey | None]
"""The key that a header names, None if there is none."""


@dataclass(frozen=True, slots=True, repr=False)
class Piece:
    """The plaintext from ``start`` to before ``stop``; ``data`` None: it is lost."""

    start: int
    stop: int
    data: bytes | None


def mended_header(
    raw: bytes, claims: tuple[BlobHeader, ...], key_of: KeyOf
) -> tuple[BlobHeader, SecretKey]:
    """The header that was written, and its key; raises `DecryptionFailed`.

    Tried are the bytes as they are, what a sidecar claims (``claims``: without salt and
    nonce prefix, which only the blob has), and every single bit of the 1024 turned.
    """
    for header in _candidates(raw, claims):
        key = key_of(header)
        if key is not None and is_genuine(header, key):
            return header, key
    raise DecryptionFailed(operation="salvage.header")


def _candidates(raw: bytes, claims: tuple[BlobHeader, ...]) -> Iterator[BlobHeader]:
    whole = raw.ljust(HEADER_BYTES, b"\x00")
    yield from _parsed(whole)
    for claim in claims:
        packed = bytearray(claim.pack())
        packed[SALT], packed[NONCE_PREFIX] = whole[SALT], whole[NONCE_PREFIX]
        yield from _parsed(bytes(packed))
    for bit in range(HEADER_BYTES * 8):
        turned = bytearray(whole)
        turned[bit // 8] ^= 1 << bit % 8
        yield from _parsed(bytes(turned))


def _parsed(raw: bytes) -> Iterator[BlobHeader]:
    try:
        yield parse_header(raw)
    except DecryptionFailed:
        return


def salvaged(
    source: PreadSource, header: BlobHeader, key: SecretKey, plain_size: int | None
) -> Iterator[Piece]:
    """Every chunk of a blob in turn, opened or lost.

    ``plain_size`` in bytes, as a sidecar tells it; without it the end is where the final
    chunk opens, or else where the bytes end. A chunk that is cut short is lost whole.
    """
    packed = header.pack()
    cipher = ChunkCipher(subkeys_of(packed, key), packed)
    if plain_size is not None:
        yield from _of_known_size(source, cipher, header.chunk_size, plain_size)
    else:
        yield from _up_to_the_end(source, cipher, header.chunk_size)


def _of_known_size(
    source: PreadSource, cipher: ChunkCipher, chunk_size: int, plain_size: int
) -> Iterator[Piece]:
    geometry = Geometry.of_plain(plain_size, chunk_size)
    for index in range(geometry.count):
        length, last = geometry.plain_length(index), geometry.is_last(index)
        sealed = _read(source, geometry.offset(index), length + TAG_BYTES)
        start = index * chunk_size
        yield Piece(start, start + length, _opened(cipher, index, last, sealed, length))


def _up_to_the_end(
    source: PreadSource, cipher: ChunkCipher, chunk_size: int
) -> Iterator[Piece]:
    step = chunk_size + TAG_BYTES
    for index, offset in enumerate(range(HEADER_BYTES, source.size, step)):
        sealed = _read(source, offset, step)
        length, start = max(0, len(sealed) - TAG_BYTES), index * chunk_size
        data = _opened(cipher, index, False, sealed, length)
        final = None if data is not None else _opened(cipher, index, True, sealed, length)
        yield Piece(start, start + length, data if final is None else final)
        if final is not None:
            return


def _read(source: PreadSource, offset: int, length: int) -> bytes:
    """What can be had of these bytes; a sector that the disk does not give out is a hole."""
    buffer, done = bytearray(length), 0
    with suppress(StoreUnavailable):
        while done < length:
            taken = source.pread_into(memoryview(buffer)[done:], offset + done)
            if taken <= 0:
                break
            done += taken
    return bytes(buffer[:done])


def _opened(
    cipher: ChunkCipher, index: int, last: bool, sealed: bytes, length: int
) -> bytes | None:
    if len(sealed) != length + TAG_BYTES:
        return None
    try:
        return cipher.open(index, last, sealed)
    except DecryptionFailed:
        return None
