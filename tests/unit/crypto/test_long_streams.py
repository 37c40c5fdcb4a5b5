"""Large files are written and read by a thread meanwhile: same bytes, same errors, no trace."""

import hashlib
import io
import threading
from collections.abc import Iterator
from itertools import islice
from uuid import UUID

import pytest

from app.crypto.chunking import ChunkPolicy
from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobReader, MemorySource, read_header, seal_bytes, seal_stream
from app.errors import DecryptionFailed, EncryptionError, StoreFull, StoreUnavailable
from tests.vectors.independent_reader import open_blob

DEK = SecretKey(bytes(range(32)))
FILE_ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
CONTEXT = BlobContext(file_id=FILE_ID, role=Role.ORIGINAL, key_version_id=b"\xaa" * 16)
CHUNK, STEP = 256 * 1024, 256 * 1024 + 16
LEAST_CHUNKS = 16
POLICY = ChunkPolicy(single_chunk_limit=CHUNK, stream_chunk=CHUNK)
SIZE = (LEAST_CHUNKS + 4) * CHUNK + 77
PLAIN = hashlib.shake_128(b"a long stream").digest(SIZE)
BLOB = seal_bytes(PLAIN, DEK, CONTEXT, POLICY)[0]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Disk:
    """A source outside of the crypto room that notes who reads and can fail at a place."""

    identity: tuple[int, ...] = ()

    def __init__(self, blob: bytes, fails_from: int | None = None) -> None:
        self._inside = MemorySource(blob)
        self.size = self._inside.size
        self.readers: set[str] = set()
        self.furthest = 0
        self._fails_from = fails_from

    def pread_into(self, buffer: memoryview, offset: int, /) -> int:
        self.readers.add(threading.current_thread().name)
        self.furthest = max(self.furthest, offset if offset < self.size - STEP else 0)
        if self._fails_from is not None and self._fails_from <= offset < self.size - STEP:
            raise StoreUnavailable("The store cannot be read")
        return self._inside.pread_into(buffer, offset)


class Sink:
    """Notes who writes; can fail at the n-th write, or take less than it was given."""

    def __init__(self, fails_at: int | None = None, takes_less_at: int | None = None) -> None:
        self.blob = bytearray()
        self.writers: set[str] = set()
        self._writes = 0
        self._fails_at, self._takes_less_at = fails_at, takes_less_at

    def write(self, data: memoryview | bytes, /) -> int:
        self.writers.add(threading.current_thread().name)
        self._writes += 1
        if self._writes == self._fails_at:
            raise StoreFull("No space is left")
        self.blob += data
        return len(data) - (self._writes == self._takes_less_at)


def reader_of(disk: Disk) -> BlobReader:
    header = read_header(disk)
    return BlobReader(disk, header, DEK, file_id=FILE_ID, role=Role.ORIGINAL)


def test_a_long_file_is_written_by_a_thread_and_opens() -> None:
    sink = Sink()
    facts = seal_stream(io.BytesIO(PLAIN), sink, DEK, CONTEXT, POLICY, size=SIZE)
    assert sink.writers == {"write-behind"}
    assert open_blob(bytes(sink.blob), DEK.reveal(), FILE_ID, Role.ORIGINAL) == PLAIN
    assert facts.enc_size == len(sink.blob)
    assert facts.plain_size == SIZE
    assert facts.final_tag == sink.blob[-16:]
    assert facts.header_tag == sink.blob[96:128]


@pytest.mark.parametrize(
    ("size", "policy"),
    [
        ((LEAST_CHUNKS - 1) * CHUNK, POLICY),
        (SIZE, ChunkPolicy(CHUNK - 1, CHUNK - 1)),
        (4 * CHUNK, ChunkPolicy()),
    ],
)
def test_short_files_and_small_chunks_cost_no_thread(size: int, policy: ChunkPolicy) -> None:
    sink = Sink()
    seal_stream(io.BytesIO(PLAIN[:size]), sink, DEK, CONTEXT, policy, size=size)
    assert sink.writers == {threading.current_thread().name}
    disk = Disk(bytes(sink.blob))
    assert b"".join(reader_of(disk).chunks()) == PLAIN[:size]
    assert disk.readers == {threading.current_thread().name}


@pytest.mark.parametrize("write", [1, 2, 3, 4, 5, 6])
def test_an_error_of_the_sink_comes_out(write: int) -> None:
    with pytest.raises(StoreFull):
        seal_stream(io.BytesIO(PLAIN), Sink(fails_at=write), DEK, CONTEXT, POLICY, size=SIZE)


def test_nothing_more_is_sealed_once_the_sink_has_failed() -> None:
    source = io.BytesIO(PLAIN)
    with pytest.raises(StoreFull):
        seal_stream(source, Sink(fails_at=1), DEK, CONTEXT, POLICY, size=SIZE)
    assert source.tell() <= 16 * CHUNK


@pytest.mark.parametrize("write", [1, 2, 6])
def test_a_sink_that_takes_less_is_noticed(write: int) -> None:
    sink = Sink(takes_less_at=write)
    with pytest.raises(EncryptionError):
        seal_stream(io.BytesIO(PLAIN), sink, DEK, CONTEXT, POLICY, size=SIZE)


def test_a_source_that_ends_early_is_noticed() -> None:
    with pytest.raises(EncryptionError):
        seal_stream(io.BytesIO(PLAIN[:-1]), Sink(), DEK, CONTEXT, POLICY, size=SIZE)


def test_a_long_range_is_read_ahead_and_is_the_slice() -> None:
    disk = Disk(BLOB)
    reader = reader_of(disk)
    assert b"".join(reader.chunks()) == PLAIN
    assert disk.readers == {threading.current_thread().name, "read-ahead"}
    assert b"".join(reader.chunks(5, SIZE - 5)) == PLAIN[5 : SIZE - 5]
    assert reader.read_all() == PLAIN
    reader.verify()


def test_a_look_at_the_start_costs_no_thread() -> None:
    disk = Disk(BLOB)
    pieces = reader_of(disk).chunks()
    assert next(pieces) + next(pieces) == PLAIN[: 2 * CHUNK]
    assert disk.readers == {threading.current_thread().name}


def test_an_abandoned_stream_ends_its_thread_and_reads_no_further() -> None:
    disk = Disk(BLOB)
    pieces = reader_of(disk).chunks()
    for index in range(4):
        assert next(pieces) == PLAIN[index * CHUNK : (index + 1) * CHUNK]
    pieces.close()
    assert disk.furthest <= 128 + 10 * STEP


def test_damage_in_the_middle_ends_the_stream_there() -> None:
    blob = bytearray(BLOB)
    blob[128 + 10 * STEP + 5] ^= 1
    pieces = reader_of(Disk(bytes(blob))).chunks()
    came = b"".join(islice(pieces, 10))
    with pytest.raises(DecryptionFailed):
        next(pieces)
    assert came == PLAIN[: 10 * CHUNK]
    with pytest.raises(DecryptionFailed):
        reader_of(Disk(bytes(blob))).verify()


def test_an_io_error_in_the_middle_is_one() -> None:
    pieces = reader_of(Disk(BLOB, fails_from=128 + 10 * STEP)).chunks()
    came = b"".join(islice(pieces, 10))
    with pytest.raises(StoreUnavailable):
        next(pieces)
    assert came == PLAIN[: 10 * CHUNK]


def test_two_streams_of_one_reader_do_not_disturb_each_other() -> None:
    reader = reader_of(Disk(BLOB))
    pairs = zip(reader.chunks(), reader.chunks(CHUNK), strict=False)
    for index, (one, other) in enumerate(pairs):
        assert one == PLAIN[index * CHUNK : (index + 1) * CHUNK]
        assert other == PLAIN[(index + 1) * CHUNK : (index + 2) * CHUNK]
