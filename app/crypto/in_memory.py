"""Whole blobs in memory: thumbnails, records and other small ones."""

from __future__ import annotations

import io
from uuid import UUID

from app.crypto.blob_header import new_header
from app.crypto.chunking import TAG_BYTES, ChunkCipher, ChunkPolicy, Geometry
from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.reader import BlobReader, read_header
from app.crypto.source import MemorySource
from app.crypto.writer import DEFAULT_POLICY, SealedFacts


def seal_bytes(
    plain: bytes | bytearray | memoryview,
    key: SecretKey,
    context: BlobContext,
    policy: ChunkPolicy = DEFAULT_POLICY,
) -> tuple[bytes, SealedFacts]:
    """A whole blob, and what is known of it."""
    view = memoryview(plain).cast("B")
    geometry = Geometry.of_plain(len(view), policy.chunk_size(len(view)))
    header, packed, subkeys = new_header(context, geometry.chunk_size, key)
    cipher = ChunkCipher(subkeys, packed)
    blob = _zeros(geometry.sealed_size)
    with blob.getbuffer() as sealed:
        sealed[: len(packed)] = packed
        for index in range(geometry.count):
            begin = index * geometry.chunk_size
            length = geometry.plain_length(index)
            offset = geometry.offset(index)
            cipher.seal_into(
                index,
                geometry.is_last(index),
                view[begin : begin + length],
                sealed[offset : offset + length + TAG_BYTES],
            )
        final_tag = bytes(sealed[-TAG_BYTES:])
    facts = SealedFacts(header, geometry.sealed_size, len(view), header.header_tag, final_tag)
    return blob.getvalue(), facts


def _zeros(size: int) -> io.BytesIO:
    """A writable buffer whose ``getvalue`` is bytes without a copy of them."""
    buffer = io.BytesIO()
    buffer.seek(size - 1)
    buffer.write(b"\x00")
    return buffer


def open_bytes(
    sealed: bytes | bytearray | memoryview,
    key: SecretKey,
    *,
    file_id: UUID,
    role: Role,
    variant: int = 0,
) -> bytes:
    """The plaintext of a blob in memory; raises `DecryptionFailed`."""
    source = MemorySource(sealed)
    header = read_header(source)
    reader = BlobReader(source, header, key, file_id=file_id, role=role, variant=variant)
    return reader.read_all()
