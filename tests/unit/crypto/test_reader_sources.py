"""The reader and the files under it: short reads, errors, cuts, and little memory."""

import os
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.crypto.buffers import BufferPool
from app.crypto.chunking import ChunkPolicy
from app.crypto.context import Role
from app.crypto.stream import BlobReader, MemorySource, open_bytes, read_header
from app.errors import DecryptionFailed, StoreUnavailable
from tests.unit.crypto.sealed_blobs import (
    CHUNK,
    DEK,
    FILE_ID,
    FileSource,
    file_reader,
    pattern,
    sealed,
)


class FailingSource(MemorySource):
    """The disk gives up after the header."""

    def pread_into(self, buffer: memoryview, offset: int, /) -> int:
        if offset:
            raise StoreUnavailable("The store cannot be read")
        return super().pread_into(buffer, offset)


class OutsideSource:
    """Like `MemorySource`, but the reader cannot look inside; reads in small pieces."""

    identity: tuple[int, ...] = ()

    def __init__(self, source: MemorySource, at_most: int) -> None:
        self._source, self._at_most = source, at_most
        self.size = source.size

    def pread_into(self, buffer: memoryview, offset: int, /) -> int:
        return self._source.pread_into(buffer[: self._at_most], offset)


def test_short_reads_are_read_on() -> None:
    source = OutsideSource(MemorySource(sealed(2 * CHUNK)), at_most=100)
    header = read_header(source)
    reader = BlobReader(source, header, DEK, file_id=FILE_ID, role=Role.THUMBNAIL, variant=320)
    assert reader.read_all() == pattern(2 * CHUNK)


def test_an_io_error_is_not_taken_for_damage() -> None:
    source = OutsideSource(FailingSource(sealed(CHUNK)), at_most=10**6)
    header = read_header(source)
    reader = BlobReader(source, header, DEK, file_id=FILE_ID, role=Role.THUMBNAIL, variant=320)
    with pytest.raises(StoreUnavailable):
        reader.read_all()


def test_a_file_that_was_cut_while_it_was_read_is_damaged(on_disk: FileSource) -> None:
    reader = file_reader(on_disk)
    assert reader.plain_size == 5 * CHUNK + 100
    os.truncate(on_disk.path, 128)
    with pytest.raises(DecryptionFailed):
        next(reader.chunks())


@pytest.fixture
def no_spare_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.crypto.reader.POOL", BufferPool(most_idle=0))


@pytest.mark.usefixtures("no_spare_buffers")
@pytest.mark.parametrize("start", [0, 1])
def test_nothing_but_two_chunks_of_plaintext_is_in_memory(tmp_path: Path, start: int) -> None:
    chunk = 64 * 1024
    path = tmp_path / "blob"
    path.write_bytes(sealed(40 * chunk, ChunkPolicy(CHUNK, chunk)))
    source = FileSource(path)
    tracemalloc.start()
    try:
        total = sum(len(piece) for piece in file_reader(source).chunks(start))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        os.close(source.fd)
    assert total == 40 * chunk - start
    assert peak < 3 * chunk + 16 * 1024  # one sealed, two opened


@pytest.mark.usefixtures("no_spare_buffers")
def test_the_buffer_is_as_small_as_the_file(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(sealed(300, ChunkPolicy(64 * 1024 * 1024, CHUNK)))
    source = FileSource(path)
    tracemalloc.start()
    try:
        assert file_reader(source).read_all() == pattern(300)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        os.close(source.fd)
    assert peak < 16 * 1024


def test_readers_of_one_file_work_side_by_side(on_disk: FileSource) -> None:
    def read(_: int) -> bytes:
        return b"".join(file_reader(on_disk).chunks())

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(read, range(64))) == {pattern(5 * CHUNK + 100)}


def test_a_blob_in_memory_opens_in_one_call() -> None:
    blob = sealed(3 * CHUNK)
    for buffer in (blob, bytearray(blob), memoryview(blob)):
        opened = open_bytes(buffer, DEK, file_id=FILE_ID, role=Role.THUMBNAIL, variant=320)
        assert opened == pattern(3 * CHUNK)
