"""Chunk sizes and geometry."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.chunking import MOST_BYTES, MOST_CHUNKS, ChunkPolicy, Geometry
from app.errors import DecryptionFailed, EncryptionError

KIB, MIB = 1024, 1024 * 1024
SIZES = st.integers(0, 10 * MIB)
CHUNKS = st.integers(4 * KIB, 64 * MIB)


@pytest.mark.parametrize(
    ("total", "chunk_size"),
    [
        (0, 4 * KIB),
        (1, 4 * KIB),
        (4 * KIB, 4 * KIB),
        (4 * KIB + 1, 8 * KIB),
        (200_000, 200_704),
        (5 * MIB - 1, 5 * MIB),
        (5 * MIB, 5 * MIB),
        (5 * MIB + 1, 256 * KIB),
        (2**40, 256 * KIB),
    ],
)
def test_small_files_are_one_chunk_and_large_ones_are_cut(total: int, chunk_size: int) -> None:
    assert ChunkPolicy().chunk_size(total) == chunk_size


@pytest.mark.parametrize(
    ("limit", "stream"),
    [(4095, 4096), (4096, 4095), (64 * MIB + 1, 4096), (4096, 64 * MIB + 1), (0, 4096)],
)
def test_a_policy_that_no_header_can_hold_is_refused(limit: int, stream: int) -> None:
    with pytest.raises(EncryptionError):
        ChunkPolicy(limit, stream)


@given(SIZES, CHUNKS)
def test_the_size_of_the_blob_gives_the_geometry(size: int, chunk_size: int) -> None:
    geometry = Geometry.of_plain(size, chunk_size)
    assert geometry.plain_size == size
    assert Geometry.of_sealed(geometry.sealed_size, chunk_size) == geometry
    assert sum(geometry.plain_length(i) for i in range(geometry.count)) == size
    assert geometry.widest == max(geometry.plain_length(i) for i in (0, geometry.count - 1))


@given(st.integers(0, 200_000), st.integers(4096, 9000))
def test_a_sealed_size_is_possible_or_refused(sealed: int, chunk_size: int) -> None:
    try:
        geometry = Geometry.of_sealed(sealed, chunk_size)
    except DecryptionFailed:
        return
    assert geometry.sealed_size == sealed
    assert geometry == Geometry.of_plain(geometry.plain_size, chunk_size)


@pytest.mark.parametrize(
    "sealed",
    [
        0,
        127,
        128,  # no chunk
        143,  # a chunk shorter than its tag
        128 + 4112 + 1,
        128 + 4112 + 15,  # a second chunk shorter than its tag
        128 + 4112 + 16,  # an empty final chunk after data
        128 + 2 * 4112 + 16,
    ],
)
def test_an_impossible_size_is_refused(sealed: int) -> None:
    with pytest.raises(DecryptionFailed):
        Geometry.of_sealed(sealed, 4096)


def test_an_empty_file_is_144_bytes() -> None:
    assert Geometry.of_plain(0, 4096).sealed_size == 144
    assert Geometry.of_sealed(144, 4096) == Geometry(4096, count=1, last=0)


def test_a_chunks_place_is_arithmetic() -> None:
    geometry = Geometry.of_plain(3 * 4096 + 5, 4096)
    assert [geometry.offset(i) for i in range(4)] == [128, 128 + 4112, 128 + 8224, 128 + 12336]


def test_a_file_has_at_most_16_tib_and_two_to_the_32_minus_1_chunks() -> None:
    assert Geometry.of_plain(MOST_BYTES, 8192).plain_size == MOST_BYTES
    assert Geometry.of_plain(MOST_CHUNKS * 4096, 4096).count == MOST_CHUNKS
    for size, chunk_size in [
        (MOST_BYTES + 1, 8192),
        (MOST_CHUNKS * 4096 + 1, 4096),
        (-1, 4096),
    ]:
        with pytest.raises(EncryptionError):
            Geometry.of_plain(size, chunk_size)
    for count, last, chunk_size in [(2**31, 8193, 8192), (2**32, 1, 4096)]:
        sealed = Geometry(chunk_size, count, last).sealed_size
        with pytest.raises(DecryptionFailed):
            Geometry.of_sealed(sealed, chunk_size)


@given(SIZES, st.integers(4096, 8192), st.data())
def test_cuts_cover_a_range_exactly_once(size: int, chunk: int, data: st.DataObject) -> None:
    geometry = Geometry.of_plain(min(size, 40_000), chunk)
    start = data.draw(st.integers(0, geometry.plain_size))
    stop = data.draw(st.integers(start, geometry.plain_size))
    first, after = geometry.touched(start, stop)
    cuts = list(geometry.cuts(start, stop))
    assert len(cuts) == max(after - first, 0)
    covered = [
        index * chunk + place
        for index, (begin, end) in zip(range(first, after), cuts, strict=True)
        for place in range(begin, end)
    ]
    assert covered == list(range(start, stop))
