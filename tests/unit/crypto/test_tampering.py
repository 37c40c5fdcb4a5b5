"""Whatever is touched in a blob, nothing of the damaged chunk comes out."""

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.blob_header import header_tag, subkeys_of
from app.crypto.chunking import ChunkCipher, ChunkPolicy
from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.stream import open_bytes, seal_bytes
from app.errors import DecryptionFailed
from tests.unit.crypto.test_blob_header import layout_in_the_docstring

DEK = SecretKey(bytes(range(32)))
FILE_ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
CONTEXT = BlobContext(
    file_id=FILE_ID, role=Role.FRAME, variant=120, key_version_id=b"\xaa" * 16, content_rev=3
)
CHUNK, STEP = 4096, 4096 + 16
SMALL = ChunkPolicy(single_chunk_limit=CHUNK, stream_chunk=CHUNK)
PLAIN = b"".join(bytes((number,)) * CHUNK for number in range(4)) + b"tail"
BLOB = seal_bytes(PLAIN, DEK, CONTEXT, SMALL)[0]
FIELDS = {name: (offset, length) for offset, length, name in layout_in_the_docstring()}


def opens(blob: bytes, role: Role = Role.FRAME, variant: int = 120) -> bytes:
    return open_bytes(blob, DEK, file_id=FILE_ID, role=role, variant=variant)


def refuses(blob: bytes) -> None:
    with pytest.raises(DecryptionFailed) as caught:
        opens(blob)
    assert str(caught.value) == "Decryption failed - invalid key or corrupted data"


def chunk(index: int, blob: bytes = BLOB) -> bytes:
    return blob[128 + index * STEP : 128 + (index + 1) * STEP]


def rebuilt(*chunks: bytes) -> bytes:
    return BLOB[:128] + b"".join(chunks)


def test_the_untouched_blob_opens() -> None:
    assert opens(BLOB) == PLAIN
    assert opens(rebuilt(*(chunk(index) for index in range(5)))) == PLAIN


@pytest.mark.parametrize("name", FIELDS)
def test_every_bit_of_every_header_field_is_bound(name: str) -> None:
    offset, length = FIELDS[name]
    for bit in range(8 * length):
        touched = bytearray(BLOB)
        touched[offset + bit // 8] ^= 1 << (bit % 8)
        refuses(bytes(touched))


@pytest.mark.parametrize("name", [name for name in FIELDS if name != "header_tag"])
def test_the_header_is_in_the_aad_even_where_its_tag_is_right(name: str) -> None:
    """Sign a changed header with the right key: the chunks still refuse."""
    offset, _ = FIELDS[name]
    touched = bytearray(BLOB)
    touched[offset + FIELDS[name][1] - 1] ^= 0x10
    subkeys = subkeys_of(bytes(touched), DEK)
    touched[96:128] = header_tag(subkeys, bytes(touched))
    with pytest.raises(DecryptionFailed):
        open_bytes(
            bytes(touched),
            DEK,
            file_id=UUID(bytes=bytes(touched[16:32])),
            role=touched[10],  # type: ignore[arg-type]
            variant=int.from_bytes(touched[56:60]),
        )


@given(st.integers(128, len(BLOB) - 1), st.integers(1, 255))
def test_every_byte_after_the_header_is_bound(place: int, change: int) -> None:
    touched = bytearray(BLOB)
    touched[place] ^= change
    refuses(bytes(touched))


@pytest.mark.parametrize("index", range(5))
def test_every_chunk_and_every_tag_is_bound(index: int) -> None:
    for place in (128 + index * STEP, 128 + index * STEP + len(chunk(index)) - 1):
        touched = bytearray(BLOB)
        touched[place] ^= 0x01
        refuses(bytes(touched))


@given(st.integers(0, len(BLOB) - 1))
def test_every_cut_is_noticed(length: int) -> None:
    refuses(BLOB[:length])


@pytest.mark.parametrize("count", range(5))
def test_a_cut_at_a_chunk_boundary_is_noticed(count: int) -> None:
    refuses(rebuilt(*(chunk(index) for index in range(count))))


@given(st.binary(min_size=1, max_size=2 * STEP))
def test_everything_behind_the_end_is_noticed(more: bytes) -> None:
    refuses(BLOB + more)


@given(st.permutations(range(4)))
def test_chunks_in_another_order_are_noticed(order: list[int]) -> None:
    moved = rebuilt(*(chunk(index) for index in order), chunk(4))
    if order == sorted(order):
        assert opens(moved) == PLAIN
    else:
        refuses(moved)


@pytest.mark.parametrize("index", range(4))
def test_a_chunk_twice_or_left_out_is_noticed(index: int) -> None:
    chunks = [chunk(number) for number in range(5)]
    refuses(rebuilt(*chunks[:index], chunks[index], *chunks[index:]))
    refuses(rebuilt(*chunks[:index], *chunks[index + 1 :]))


def test_a_chunk_of_another_run_is_noticed() -> None:
    other = seal_bytes(PLAIN, DEK, CONTEXT, SMALL)[0]
    for index in range(5):
        chunks = [chunk(number) for number in range(5)]
        chunks[index] = chunk(index, other)
        refuses(rebuilt(*chunks))
    refuses(other[:128] + BLOB[128:])


@pytest.mark.parametrize(
    ("role", "variant"), [(Role.ORIGINAL, 0), (Role.FRAME, 121), (Role.THUMBNAIL, 120)]
)
def test_one_role_or_variant_does_not_pass_as_another(role: Role, variant: int) -> None:
    context = BlobContext(
        file_id=FILE_ID, role=role, variant=variant, key_version_id=b"\xaa" * 16
    )
    other = seal_bytes(PLAIN, DEK, context, SMALL)[0]
    assert opens(other, role, variant) == PLAIN
    refuses(other)
    refuses(BLOB[:128] + other[128:])
    refuses(other[:128] + BLOB[128:])


def forged(*pieces: bytes, flags: Callable[[int], bool], start: int = 0) -> bytes:
    """A blob of these chunks under the right keys, as a wrong writer would make it."""
    packed = BLOB[:128]
    cipher = ChunkCipher(subkeys_of(packed, DEK), packed)
    blob = packed
    for index, piece in enumerate(pieces):
        sealed = bytearray(len(piece) + 16)
        cipher.seal_into(start + index, flags(index), piece, memoryview(sealed))
        blob += sealed
    return blob


def test_what_only_a_wrong_writer_makes_is_refused() -> None:
    full = bytes(CHUNK)
    assert opens(forged(full, b"tail", flags=lambda index: index == 1)) == full + b"tail"
    refuses(forged(full, b"", flags=lambda index: index == 1))
    refuses(forged(full, b"tail", flags=lambda index: False))
    refuses(forged(full, b"tail", flags=lambda index: True))
    refuses(forged(full, b"tail", flags=lambda index: index == 0))
    refuses(forged(b"tail", flags=lambda index: True, start=1))
    refuses(forged(full[:-1], b"tail", flags=lambda index: index == 1))
    refuses(forged(full + b"x", flags=lambda index: True))


def test_the_header_tag_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(ours: bytes, theirs: bytes) -> bool:
        compared.append((ours, theirs))
        return ours == theirs

    monkeypatch.setattr("app.crypto.reader.hmac.compare_digest", compare)
    opens(BLOB)
    assert compared == [(BLOB[96:128], BLOB[96:128])]
