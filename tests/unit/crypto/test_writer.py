"""The writer: known answers, sizes, pieces, sinks and sources that misbehave."""

import hashlib
import io
import tracemalloc
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.buffers import BufferPool
from app.crypto.chunking import MOST_CHUNKS, ChunkPolicy, Geometry
from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobWriter, SealedFacts, seal_bytes, seal_stream
from app.errors import EncryptionError
from tests.vectors.independent_reader import open_blob

DEK = SecretKey(bytes(range(32)))
FILE_ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
CONTEXT = BlobContext(file_id=FILE_ID, role=Role.ORIGINAL, key_version_id=b"\xaa" * 16)
CHUNK = 4096
SMALL = ChunkPolicy(single_chunk_limit=CHUNK, stream_chunk=CHUNK)
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 257 * CHUNK]


def pattern(size: int) -> bytes:
    """Bytes that differ from chunk to chunk."""
    return b"".join(number.to_bytes(4) for number in range(-(-size // 4)))[:size]


def written(plain: bytes, policy: ChunkPolicy, size: int | None, piece: int) -> bytes:
    sink = io.BytesIO()
    writer = BlobWriter(sink, DEK, CONTEXT, policy, size)
    for start in range(0, len(plain), piece):
        writer.write(plain[start : start + piece])
    check_facts(writer.finish(), sink.getvalue(), len(plain))
    return sink.getvalue()


def streamed(plain: bytes, policy: ChunkPolicy) -> bytes:
    sink = io.BytesIO()
    facts = seal_stream(io.BytesIO(plain), sink, DEK, CONTEXT, policy, size=len(plain))
    check_facts(facts, sink.getvalue(), len(plain))
    return sink.getvalue()


def check_facts(facts: SealedFacts, blob: bytes, size: int) -> None:
    assert facts.header.context == CONTEXT
    assert facts.enc_size == len(blob)
    assert facts.plain_size == size
    assert facts.header_tag == facts.header.header_tag == blob[96:128]
    assert facts.final_tag == blob[-16:]
    assert facts.header.pack() == blob[:128]


def opened(blob: bytes) -> bytes:
    return open_blob(blob, DEK.reveal(), FILE_ID, Role.ORIGINAL)


@pytest.fixture
def known_salt(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = b"\x55" * 28 + b"\x77" * 7
    monkeypatch.setattr("app.crypto.blob_header.os.urandom", lambda length: fixed[:length])


@pytest.mark.usefixtures("known_salt")
def test_the_known_answers_of_one_chunk() -> None:
    blob, facts = seal_bytes(b"hello darkroom", DEK, CONTEXT)
    assert facts.header_tag.hex() == (
        "283e42c96948de1924a145332d3418ad6ccfd825e762f1d69fa5c214e6e7e6b8"
    )
    assert blob[128:].hex() == "e97cd56ce74996b56169448c3a8bb52b4be31b9e507057c7c42ffdec8da5"
    empty, _ = seal_bytes(b"", DEK, CONTEXT)
    assert empty[128:].hex() == "657ed48a043ef818aea749aa503889a3"
    assert len(empty) == 144


@pytest.mark.usefixtures("known_salt")
def test_the_known_answer_of_two_chunks() -> None:
    context = BlobContext(
        file_id=FILE_ID, role=Role.THUMBNAIL, variant=320, key_version_id=b"\xaa" * 16
    )
    blob, facts = seal_bytes(bytes(4096) + b"tail", DEK, context, SMALL)
    assert facts.header_tag.hex() == (
        "b1a9c0ef05f6b776caf882f7bff0211d76eada60b423e0c63601e4df65663f04"
    )
    assert hashlib.sha256(blob).hexdigest() == (
        "07bc8ec58bed9b3f45f9566b5d97962d0035df1f343bf86d1a5f556e48cfb0de"
    )


@pytest.mark.usefixtures("known_salt")
@pytest.mark.parametrize("size", SIZES)
def test_all_ways_of_writing_give_the_same_bytes(size: int) -> None:
    plain = pattern(size)
    wanted, facts = seal_bytes(plain, DEK, CONTEXT, SMALL)
    check_facts(facts, wanted, size)
    assert streamed(plain, SMALL) == wanted
    for piece in (1000, CHUNK, CHUNK + 1, 10 * CHUNK, max(size, 1)):
        assert written(plain, SMALL, size, piece) == wanted
        assert written(plain, SMALL, None, piece) == wanted


@pytest.mark.parametrize("size", SIZES)
def test_the_independent_reader_opens_every_size(size: int) -> None:
    plain = pattern(size)
    assert opened(seal_bytes(plain, DEK, CONTEXT, SMALL)[0]) == plain
    assert opened(streamed(plain, SMALL)) == plain
    assert opened(written(plain, SMALL, None, 1777)) == plain


@pytest.mark.parametrize("size", [0, 20_000, 5 * 2**20, 5 * 2**20 + 1])
def test_the_default_policy_from_every_entrance(size: int) -> None:
    plain = pattern(size)
    wanted = ChunkPolicy().chunk_size(size)
    for blob in (
        seal_bytes(plain, DEK, CONTEXT)[0],
        streamed(plain, ChunkPolicy()),
        written(plain, ChunkPolicy(), None, 2**20),
    ):
        assert int.from_bytes(blob[12:16]) == wanted
        assert opened(blob) == plain


@given(
    st.integers(0, 4 * CHUNK), st.lists(st.integers(0, 3 * CHUNK), max_size=8), st.booleans()
)
def test_any_cut_into_pieces(size: int, cuts: list[int], size_is_known: bool) -> None:
    plain = pattern(size)
    sink = io.BytesIO()
    writer = BlobWriter(sink, DEK, CONTEXT, SMALL, size if size_is_known else None)
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), size], strict=True):
        writer.write(memoryview(plain)[start : max(start, stop)])
    if max([0, *cuts]) <= size:
        writer.finish()
        assert opened(sink.getvalue()) == plain


@given(st.integers(0, 30_000), st.integers(CHUNK, 20_000), st.integers(CHUNK, 20_000))
def test_any_policy(size: int, limit: int, stream_chunk: int) -> None:
    plain = pattern(size)
    policy = ChunkPolicy(limit, stream_chunk)
    assert opened(seal_bytes(plain, DEK, CONTEXT, policy)[0]) == plain
    assert opened(streamed(plain, policy)) == plain
    assert opened(written(plain, policy, None, 999)) == plain


def test_two_runs_share_neither_salt_nor_ciphertext() -> None:
    first, second = (seal_bytes(b"hello darkroom", DEK, CONTEXT)[0] for _ in range(2))
    assert first[60:95] != second[60:95]
    assert first[128:] != second[128:]


@pytest.mark.parametrize("buffer", [bytearray(pattern(9000)), memoryview(pattern(9000))])
def test_other_buffers_than_bytes(buffer: bytearray | memoryview) -> None:
    assert opened(seal_bytes(buffer, DEK, CONTEXT, SMALL)[0]) == pattern(9000)


def test_an_announced_size_is_kept() -> None:
    writer = BlobWriter(io.BytesIO(), DEK, CONTEXT, SMALL, size=10)
    writer.write(b"12345")
    with pytest.raises(EncryptionError):
        writer.finish()
    writer = BlobWriter(io.BytesIO(), DEK, CONTEXT, SMALL, size=10)
    with pytest.raises(EncryptionError):
        writer.write(b"12345678901")


def test_a_finished_writer_takes_nothing_more() -> None:
    sink = io.BytesIO()
    writer = BlobWriter(sink, DEK, CONTEXT, SMALL)
    writer.write(b"x")
    writer.finish()
    blob = sink.getvalue()
    with pytest.raises(EncryptionError):
        writer.write(b"y")
    with pytest.raises(EncryptionError):
        writer.finish()
    assert sink.getvalue() == blob


class TricklingSource(io.BytesIO):
    """Gives at most 7 bytes at once, like a socket."""

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        return super().readinto(buffer[:7])


def test_a_source_that_trickles_is_read_on() -> None:
    sink = io.BytesIO()
    seal_stream(TricklingSource(pattern(9000)), sink, DEK, CONTEXT, SMALL, size=9000)
    assert opened(sink.getvalue()) == pattern(9000)


def test_a_source_that_ends_early_is_refused() -> None:
    with pytest.raises(EncryptionError):
        seal_stream(io.BytesIO(pattern(8999)), io.BytesIO(), DEK, CONTEXT, SMALL, size=9000)


def test_what_follows_the_announced_size_is_left_unread() -> None:
    source, sink = io.BytesIO(pattern(9000)), io.BytesIO()
    seal_stream(source, sink, DEK, CONTEXT, SMALL, size=5000)
    assert source.tell() == 5000
    assert opened(sink.getvalue()) == pattern(5000)


class ShortSink(io.BytesIO):
    """Takes half of everything, like a raw file on a full disk."""

    def write(self, data: memoryview | bytes, /) -> int:  # type: ignore[override]
        return super().write(memoryview(data)[: len(data) // 2])


def test_a_sink_that_takes_less_is_noticed() -> None:
    with pytest.raises(EncryptionError):
        seal_stream(io.BytesIO(b"x"), ShortSink(), DEK, CONTEXT, SMALL, size=1)
    with pytest.raises(EncryptionError):
        BlobWriter(ShortSink(), DEK, CONTEXT, SMALL, size=1)


def test_a_file_beyond_the_limits_is_refused_before_anything_is_written() -> None:
    sink = io.BytesIO()
    too_large = MOST_CHUNKS * CHUNK + 1
    with pytest.raises(EncryptionError):
        seal_stream(io.BytesIO(), sink, DEK, CONTEXT, SMALL, size=too_large)
    with pytest.raises(EncryptionError):
        BlobWriter(sink, DEK, CONTEXT, SMALL, size=too_large)
    assert sink.getvalue() == b""


def test_a_stream_that_grows_beyond_the_limits_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.crypto.chunking.MOST_CHUNKS", 3)
    assert Geometry.of_plain(3 * CHUNK, CHUNK).count == 3
    writer = BlobWriter(io.BytesIO(), DEK, CONTEXT, SMALL)
    writer.write(bytes(3 * CHUNK))
    with pytest.raises(EncryptionError):
        writer.write(b"x")


class Nowhere:
    def write(self, data: memoryview | bytes, /) -> int:
        return len(data)


def peak(plain: bytes, policy: ChunkPolicy) -> int:
    source = io.BytesIO(plain)
    tracemalloc.start()
    try:
        seal_stream(source, Nowhere(), DEK, CONTEXT, policy, size=len(plain))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_finished_writer_gives_its_buffers_back(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = BufferPool()
    monkeypatch.setattr("app.crypto.writer.POOL", pool)
    size = 300_000
    lent = []
    monkeypatch.setattr(pool, "give_back", lent.append)
    writer = BlobWriter(Nowhere(), DEK, CONTEXT, size=size)
    for _ in range(2):
        writer.write(bytes(size // 2))
    assert lent == []
    writer.finish()
    assert len(lent) == 2
    assert min(map(len, lent)) >= size


@pytest.mark.parametrize("size", [1, 300_000, 6_000_000, 2**20 * 6])
def test_what_comes_whole_is_not_copied_first(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """One buffer is taken, for ciphertext; the blob opens as any other."""
    pool, sink, plain = BufferPool(), io.BytesIO(), bytes(range(256)) * (size // 256 + 1)
    monkeypatch.setattr("app.crypto.writer.POOL", pool)
    taken, take = [], pool.take
    monkeypatch.setattr(pool, "take", lambda length: taken.append(length) or take(length))
    writer = BlobWriter(sink, DEK, CONTEXT, size=size)
    writer.write(plain[:size])
    facts = writer.finish()
    assert len(taken) == 1
    assert facts.plain_size == size
    assert opened(sink.getvalue()) == plain[:size]


@pytest.fixture
def no_spare_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.crypto.writer.POOL", BufferPool(most_idle=0))


@pytest.mark.usefixtures("no_spare_buffers")
def test_the_buffers_are_as_small_as_the_file() -> None:
    assert peak(bytes(300), ChunkPolicy()) < 16 * 1024


@pytest.mark.usefixtures("no_spare_buffers")
@pytest.mark.parametrize(
    ("chunk", "bound"),
    [
        (128 * 1024, 2 * 128 * 1024),  # one chunk of plaintext and one of ciphertext
        (256 * 1024, 256 * 1024 + 2 * 1024 * 1024),  # and two batches, where a thread writes
    ],
)
def test_the_buffers_do_not_grow_with_the_file(chunk: int, bound: int) -> None:
    policy = ChunkPolicy(stream_chunk=chunk)
    for size in (6 * 2**20, 20 * 2**20):
        assert peak(bytes(size), policy) < bound + 32 * 1024
