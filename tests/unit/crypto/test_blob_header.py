"""The header: its layout, its known tag, and every header that is refused."""

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.blob_header import (
    HEADER_BYTES,
    LAYOUT,
    MAGIC,
    BlobHeader,
    header_tag,
    new_header,
    parse_header,
    subkeys_of,
)
from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.errors import DecryptionFailed

DEK = SecretKey(bytes(range(32)))
FILE_ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
CONTEXT = BlobContext(file_id=FILE_ID, role=Role.ORIGINAL, key_version_id=b"\xaa" * 16)
KNOWN = BlobHeader(
    chunk_size=4096,
    file_id=FILE_ID,
    role=Role.ORIGINAL,
    generation=1,
    key_version_id=b"\xaa" * 16,
    content_rev=0,
    variant=0,
    salt=b"\x55" * 28,
    nonce_prefix=b"\x77" * 7,
    header_tag=bytes.fromhex(
        "283e42c96948de1924a145332d3418ad6ccfd825e762f1d69fa5c214e6e7e6b8"
    ),
)
U32 = st.integers(0, 2**32 - 1)


def layout_in_the_docstring() -> list[tuple[int, int, str]]:
    rows = re.findall(r"^ +(\d+) +(\d+)  (\w+) ", BlobHeader.__doc__ or "", re.MULTILINE)
    return [(int(offset), int(length), name) for offset, length, name in rows]


def test_the_docstring_shows_the_layout_of_the_header() -> None:
    rows = layout_in_the_docstring()
    lengths = [length for _, length, _ in rows]
    assert [offset for offset, _, _ in rows] == [sum(lengths[:n]) for n in range(len(rows))]
    assert sum(lengths) == HEADER_BYTES == LAYOUT.size
    assert lengths == [
        {"s": int(count or 1), "B": 1, "I": 4}[kind]
        for count, kind in re.findall(r"(\d*)([sBI])", LAYOUT.format)
    ]


def test_every_field_stands_where_the_docstring_says() -> None:
    packed = KNOWN.pack()
    stands = {
        name: packed[start : start + size] for start, size, name in layout_in_the_docstring()
    }
    assert stands == {
        "magic": b"\x89DKRM\r\n\x1a",
        "version": b"\x01",
        "suite": b"\x01",
        "role": b"\x01",
        "flags": b"\x00",
        "chunk_size": b"\x00\x00\x10\x00",
        "file_id": FILE_ID.bytes,
        "generation": b"\x00\x00\x00\x01",
        "key_version_id": b"\xaa" * 16,
        "content_rev": bytes(4),
        "variant": bytes(4),
        "salt": b"\x55" * 28,
        "nonce_prefix": b"\x77" * 7,
        "zero": b"\x00",
        "header_tag": KNOWN.header_tag,
    }


def test_the_known_header_tag() -> None:
    packed = KNOWN.pack()
    assert header_tag(subkeys_of(packed, DEK), packed) == KNOWN.header_tag


@given(
    st.integers(4096, 64 * 1024 * 1024),
    st.uuids(),
    st.sampled_from(Role),
    st.integers(1, 2**32 - 1),
    st.binary(min_size=16, max_size=16),
    U32,
    U32,
    st.binary(min_size=28, max_size=28),
    st.binary(min_size=7, max_size=7),
    st.binary(min_size=32, max_size=32),
)
def test_what_is_packed_is_parsed(
    chunk_size: int,
    file_id: UUID,
    role: Role,
    generation: int,
    key_version_id: bytes,
    content_rev: int,
    variant: int,
    salt: bytes,
    nonce_prefix: bytes,
    tag: bytes,
) -> None:
    numbered = role in (Role.THUMBNAIL, Role.FRAME, Role.UPLOAD_PART)
    header = BlobHeader(
        chunk_size,
        file_id,
        role,
        generation,
        key_version_id,
        content_rev,
        variant if numbered else 0,
        salt,
        nonce_prefix,
        tag,
    )
    packed = header.pack()
    assert parse_header(packed) == header
    assert parse_header(packed).pack() == packed
    assert header.scope == packed[8:12]


def test_a_new_header_is_signed_and_says_what_the_context_says() -> None:
    header, packed, subkeys = new_header(CONTEXT, 8192, DEK)
    assert header.context == CONTEXT
    assert header.chunk_size == 8192
    assert parse_header(packed) == header
    assert header_tag(subkeys, packed) == header.header_tag


def test_every_run_has_its_own_salt_and_nonce_prefix() -> None:
    headers = [new_header(CONTEXT, 4096, DEK)[0] for _ in range(50)]
    assert len({header.salt for header in headers}) == 50
    assert len({header.nonce_prefix for header in headers}) == 50


def altered(offset: int, value: bytes) -> bytes:
    packed = bytearray(KNOWN.pack())
    packed[offset : offset + len(value)] = value
    return bytes(packed)


IMPOSSIBLE = {
    "no bytes": b"",
    "one byte short": KNOWN.pack()[:-1],
    "one byte long": KNOWN.pack() + b"\x00",
    "magic of a PNG": altered(0, b"\x89PNG\r\n\x1a\n"),
    "newlines translated": altered(5, b"\n\x1a\n"),
    "high bit stripped": altered(0, b"\x09"),
    "version 0": altered(8, b"\x00"),
    "version 2": altered(8, b"\x02"),
    "suite 0": altered(9, b"\x00"),
    "suite 2": altered(9, b"\x02"),
    "role 0": altered(10, b"\x00"),
    "role 8": altered(10, b"\x08"),
    "role 255": altered(10, b"\xff"),
    **{f"flag {bit}": altered(11, bytes((1 << bit,))) for bit in range(8)},
    "chunk size 0": altered(12, bytes(4)),
    "chunk size under 4 KiB": altered(12, (4095).to_bytes(4)),
    "chunk size over 64 MiB": altered(12, (64 * 1024 * 1024 + 1).to_bytes(4)),
    "chunk size of 4 GiB": altered(12, b"\xff" * 4),
    "generation 0": altered(32, bytes(4)),
    "an original with a variant": altered(56, (1).to_bytes(4)),
    "a zero byte that is not": altered(95, b"\x01"),
}


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_an_impossible_header_is_refused_before_any_key_is_known(name: str) -> None:
    with pytest.raises(DecryptionFailed):
        parse_header(IMPOSSIBLE[name])


@pytest.mark.parametrize("role", list(Role))
def test_only_sizes_frames_and_parts_have_a_variant(role: Role) -> None:
    raw = bytearray(altered(56, (7).to_bytes(4)))
    raw[10] = role
    if role in (Role.THUMBNAIL, Role.FRAME, Role.UPLOAD_PART):
        assert parse_header(bytes(raw)).variant == 7
    else:
        with pytest.raises(DecryptionFailed):
            parse_header(bytes(raw))


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_and_nothing_else_happens(raw: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        parse_header(raw)


@given(st.binary(min_size=120, max_size=120))
def test_bytes_after_the_magic_parse_or_are_refused(rest: bytes) -> None:
    try:
        header = parse_header(MAGIC + rest)
    except DecryptionFailed:
        return
    assert header.pack() == MAGIC + rest
