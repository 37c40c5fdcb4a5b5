"""The reader: every size, every range, and never an unverified byte."""

import os
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.chunking import ChunkPolicy
from app.crypto.context import Role
from app.crypto.keys import generate_key
from app.crypto.stream import BlobReader, MemorySource, read_header, seal_bytes
from app.errors import DecryptionFailed
from tests.unit.crypto.sealed_blobs import (
    CHUNK,
    CONTEXT,
    DEK,
    FILE_ID,
    SIZES,
    SMALL,
    FileSource,
    file_reader,
    pattern,
    reader_of,
    sealed,
)


@pytest.mark.parametrize("size", SIZES)
def test_every_size_comes_back(size: int) -> None:
    reader = reader_of(sealed(size))
    assert reader.plain_size == size
    assert reader.read_all() == pattern(size)
    assert b"".join(reader.chunks()) == pattern(size)
    reader.verify()


@pytest.mark.parametrize("size", SIZES)
def test_a_file_on_the_disk_comes_back(size: int, tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(sealed(size))
    source = FileSource(tmp_path / "blob")
    reader = file_reader(source)
    assert b"".join(reader.chunks()) == pattern(size)
    assert reader.plain_size == size
    reader.verify()
    os.close(source.fd)


def test_the_reader_obeys_the_header_and_not_the_policy() -> None:
    for policy in (ChunkPolicy(), SMALL, ChunkPolicy(CHUNK, 5000), ChunkPolicy(8192, 10_001)):
        assert reader_of(sealed(30_000, policy)).read_all() == pattern(30_000)


BLOBS = {size: sealed(size) for size in (0, 1, CHUNK, 3 * CHUNK, 3 * CHUNK + 5)}
BOUND = st.integers(0, 4 * CHUNK)


@given(st.sampled_from(list(BLOBS)), BOUND, st.none() | BOUND)
def test_a_range_is_the_slice(size: int, start: int, stop: int | None) -> None:
    assert b"".join(reader_of(BLOBS[size]).chunks(start, stop)) == pattern(size)[start:stop]


@given(st.sampled_from(list(BLOBS)), st.lists(st.tuples(BOUND, BOUND), max_size=6))
def test_one_reader_gives_many_ranges(size: int, ranges: list[tuple[int, int]]) -> None:
    reader = reader_of(BLOBS[size])
    for start, stop in ranges:
        assert b"".join(reader.chunks(start, stop)) == pattern(size)[start:stop]


@pytest.mark.parametrize(("start", "stop"), [(-1, None), (0, -1), (-5, -1)])
def test_a_negative_bound_is_an_error(start: int, stop: int | None) -> None:
    with pytest.raises(ValueError, match="negative"):
        next(reader_of(BLOBS[CHUNK]).chunks(start, stop))


def test_a_range_reads_only_the_chunks_it_touches(on_disk: FileSource) -> None:
    reader = file_reader(on_disk)
    assert reader.plain_size == 5 * CHUNK + 100
    on_disk.reads.clear()
    assert (
        b"".join(reader.chunks(CHUNK + 10, CHUNK + 20))
        == pattern(3 * CHUNK)[CHUNK + 10 : CHUNK + 20]
    )
    assert on_disk.reads == [(128 + CHUNK + 16, CHUNK + 16)]


def test_the_first_next_verifies_the_final_chunk_and_the_first_wanted_one(
    on_disk: FileSource,
) -> None:
    reader = file_reader(on_disk)
    on_disk.reads.clear()
    pieces = reader.chunks(0, 2 * CHUNK)
    assert on_disk.reads == []
    next(pieces)
    step = CHUNK + 16
    assert on_disk.reads == [(128 + 5 * step, 116), (128, step)]


def test_the_length_is_verified_once_a_file(on_disk: FileSource) -> None:
    assert file_reader(on_disk).plain_size == 5 * CHUNK + 100
    on_disk.reads.clear()
    again = file_reader(on_disk)
    assert again.plain_size == 5 * CHUNK + 100
    assert b"".join(again.chunks()) == pattern(5 * CHUNK + 100)
    assert len(on_disk.reads) == 1 + 6


def test_a_file_that_changed_is_verified_again(on_disk: FileSource) -> None:
    assert file_reader(on_disk).plain_size == 5 * CHUNK + 100
    on_disk.identity = (*on_disk.identity[:3], on_disk.identity[3] + 1)
    on_disk.reads.clear()
    assert file_reader(on_disk).plain_size == 5 * CHUNK + 100
    assert len(on_disk.reads) == 2


def test_a_cut_file_does_not_profit_from_the_verdict_on_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "blob"
    path.write_bytes(sealed(5 * CHUNK + 100))
    whole = FileSource(path)
    assert file_reader(whole).plain_size == 5 * CHUNK + 100
    os.close(whole.fd)
    os.truncate(path, 128 + 2 * (CHUNK + 16))
    cut = FileSource(path)
    with pytest.raises(DecryptionFailed):
        _ = file_reader(cut).plain_size
    os.close(cut.fd)


def test_a_small_blob_is_opened_once_for_its_length_and_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(sealed(2000, ChunkPolicy()))
    source = FileSource(tmp_path / "blob")
    reader = file_reader(source)
    assert reader.plain_size == 2000
    assert b"".join(reader.chunks(5, 50)) == pattern(2000)[5:50]
    assert reader.read_all() == pattern(2000)
    assert len(source.reads) == 2
    os.close(source.fd)


@pytest.mark.parametrize(
    "asked",
    [
        {"file_id": uuid4(), "role": Role.THUMBNAIL, "variant": 320},
        {"file_id": FILE_ID, "role": Role.ORIGINAL, "variant": 320},
        {"file_id": FILE_ID, "role": Role.FRAME, "variant": 320},
        {"file_id": FILE_ID, "role": Role.THUMBNAIL, "variant": 640},
        {"file_id": FILE_ID, "role": Role.THUMBNAIL},
    ],
)
def test_only_what_was_asked_for_is_opened(asked: dict[str, object]) -> None:
    source = MemorySource(sealed(100))
    with pytest.raises(DecryptionFailed):
        BlobReader(source, read_header(source), DEK, **asked)  # type: ignore[arg-type]


def test_another_key_does_not_open() -> None:
    source = MemorySource(sealed(100))
    header = read_header(source)
    with pytest.raises(DecryptionFailed):
        BlobReader(
            source, header, generate_key(), file_id=FILE_ID, role=Role.THUMBNAIL, variant=320
        )


def test_chunks_before_the_damage_come_and_nothing_of_it() -> None:
    blob = bytearray(sealed(5 * CHUNK))
    blob[128 + 2 * (CHUNK + 16) + 3000] ^= 1
    pieces = reader_of(bytes(blob)).chunks()
    assert next(pieces) + next(pieces) == pattern(2 * CHUNK)
    with pytest.raises(DecryptionFailed):
        next(pieces)


def test_after_a_damage_the_rest_can_still_be_read() -> None:
    blob = bytearray(sealed(5 * CHUNK))
    blob[128 + 2 * (CHUNK + 16)] ^= 1
    reader = reader_of(bytes(blob))
    with pytest.raises(DecryptionFailed):
        b"".join(reader.chunks())
    assert b"".join(reader.chunks(3 * CHUNK)) == pattern(5 * CHUNK)[3 * CHUNK :]
    with pytest.raises(DecryptionFailed):
        b"".join(reader.chunks(2 * CHUNK, 2 * CHUNK + 1))


def test_a_failure_carries_nothing_of_the_plaintext() -> None:
    blob = bytearray(seal_bytes(b"a secret marker " * 100, DEK, CONTEXT)[0])
    blob[-1] ^= 1
    with pytest.raises(DecryptionFailed) as caught:
        reader_of(bytes(blob)).read_all()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "marker" not in repr(vars(caught.value))
