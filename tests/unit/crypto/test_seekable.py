"""The plaintext as a file: like a file of the same bytes, but verified."""

import io
import os
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.chunking import ChunkPolicy
from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobFile, BlobReader, MemorySource, read_header, seal_bytes
from app.errors import DecryptionFailed

DEK = SecretKey(bytes(range(32)))
FILE_ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
CONTEXT = BlobContext(file_id=FILE_ID, role=Role.ORIGINAL, key_version_id=b"\xaa" * 16)
CHUNK = 4096
SMALL = ChunkPolicy(single_chunk_limit=CHUNK, stream_chunk=CHUNK)
PLAIN = b"".join(number.to_bytes(4) for number in range(3 * CHUNK))[: 2 * CHUNK + 77]
BLOB = seal_bytes(PLAIN, DEK, CONTEXT, SMALL)[0]


def opened(blob: bytes = BLOB) -> BlobFile:
    source = MemorySource(blob)
    header = read_header(source)
    return BlobReader(source, header, DEK, file_id=FILE_ID, role=Role.ORIGINAL).as_file()


STEPS = st.one_of(
    st.tuples(st.just("read"), st.integers(0, 6000), st.just(0)),
    st.tuples(st.just("seek"), st.integers(0, 12_000), st.just(os.SEEK_SET)),
    st.tuples(st.just("seek"), st.integers(-5000, 5000), st.just(os.SEEK_CUR)),
    st.tuples(st.just("seek"), st.integers(-9000, 3000), st.just(os.SEEK_END)),
    st.tuples(st.just("readall"), st.just(0), st.just(0)),
)


def take(file: io.IOBase, step: tuple[str, int, int]) -> object:
    action, number, whence = step
    if action == "read":
        return file.read(number)  # type: ignore[attr-defined]
    if action == "readall":
        return file.read()  # type: ignore[attr-defined]
    if whence != os.SEEK_SET and _target(file, number, whence) < 0:
        return None
    return file.seek(number, whence)


def _target(file: io.IOBase, number: int, whence: int) -> int:
    return number + (file.tell() if whence == os.SEEK_CUR else len(PLAIN))


@given(st.lists(STEPS, max_size=20))
def test_it_behaves_like_a_file_of_the_same_bytes(steps: list[tuple[str, int, int]]) -> None:
    ours, theirs = opened(), io.BytesIO(PLAIN)
    for step in steps:
        assert take(ours, step) == take(theirs, step)
        assert ours.tell() == theirs.tell()


def test_a_read_fills_the_buffer_across_chunks() -> None:
    file = opened()
    file.seek(CHUNK - 10)
    buffer = bytearray(CHUNK + 20)
    assert file.readinto(buffer) == CHUNK + 20
    assert buffer == PLAIN[CHUNK - 10 : 2 * CHUNK + 10]
    assert file.readinto(buffer) == 67
    assert file.readinto(buffer) == 0


def test_a_buffered_reader_and_lines_work_on_it() -> None:
    with io.BufferedReader(opened()) as file:
        assert file.peek(4)[:4] == PLAIN[:4]
        assert file.read() == PLAIN


def test_it_is_readable_seekable_and_not_writable() -> None:
    file = opened()
    assert file.readable()
    assert file.seekable()
    assert not file.writable()


def test_a_place_before_the_start_is_refused() -> None:
    file = opened()
    with pytest.raises(ValueError, match="negative"):
        file.seek(-1)
    with pytest.raises(ValueError, match="whence"):
        file.seek(0, 7)
    assert file.tell() == 0


def test_a_closed_file_gives_nothing() -> None:
    file = opened()
    file.close()
    for attempt in (file.tell, file.readall, lambda: file.seek(0), lambda: file.read(1)):
        with pytest.raises(ValueError, match="closed"):
            attempt()


def test_closing_it_leaves_the_reader_open() -> None:
    source = MemorySource(BLOB)
    reader = BlobReader(source, read_header(source), DEK, file_id=FILE_ID, role=Role.ORIGINAL)
    with reader.as_file() as file:
        assert file.read(3) == PLAIN[:3]
    assert reader.read_all() == PLAIN


def test_damage_is_an_error_and_not_a_short_file() -> None:
    blob = bytearray(BLOB)
    blob[128 + CHUNK + 16] ^= 1
    file = opened(bytes(blob))
    assert file.read(CHUNK) == PLAIN[:CHUNK]
    with pytest.raises(DecryptionFailed):
        file.read(1)
    assert file.tell() == CHUNK


def test_a_cut_blob_has_no_length() -> None:
    file = opened(BLOB[: 128 + CHUNK + 16])
    with pytest.raises(DecryptionFailed):
        file.seek(0, os.SEEK_END)
    with pytest.raises(DecryptionFailed):
        file.read(1)
