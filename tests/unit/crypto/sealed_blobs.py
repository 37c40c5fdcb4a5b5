"""Blobs for the tests of the reader: one key, one file, small chunks."""

import os
from pathlib import Path
from uuid import UUID

from app.crypto.chunking import ChunkPolicy
from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobReader, MemorySource, read_header, seal_bytes

DEK = SecretKey(bytes(range(32)))
FILE_ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
CONTEXT = BlobContext(
    file_id=FILE_ID, role=Role.THUMBNAIL, variant=320, key_version_id=b"\xaa" * 16
)
CHUNK = 4096
SMALL = ChunkPolicy(single_chunk_limit=CHUNK, stream_chunk=CHUNK)
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 257 * CHUNK]


def pattern(size: int) -> bytes:
    return b"".join(number.to_bytes(4) for number in range(-(-size // 4)))[:size]


def sealed(size: int, policy: ChunkPolicy = SMALL) -> bytes:
    return seal_bytes(pattern(size), DEK, CONTEXT, policy)[0]


class FileSource:
    """A blob on the disk, as the store opens it; counts its reads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDONLY)
        facts = os.fstat(self.fd)
        self.size = facts.st_size
        self.identity = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns)
        self.reads: list[tuple[int, int]] = []

    def pread_into(self, buffer: memoryview, offset: int, /) -> int:
        self.reads.append((offset, len(buffer)))
        return os.preadv(self.fd, [buffer], offset)


def reader_of(blob: bytes) -> BlobReader:
    source = MemorySource(blob)
    header = read_header(source)
    return BlobReader(source, header, DEK, file_id=FILE_ID, role=Role.THUMBNAIL, variant=320)


def file_reader(source: FileSource) -> BlobReader:
    header = read_header(source)
    return BlobReader(source, header, DEK, file_id=FILE_ID, role=Role.THUMBNAIL, variant=320)
