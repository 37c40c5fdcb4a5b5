"""MACs, ETags and blind indexes against their formulas."""

import hashlib
import hmac
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.blind_index import blind_index, dedupe_index
from app.crypto.context import Role
from app.crypto.keys import SecretKey, generate_key
from app.crypto.mac import blob_etag, length_prefixed, sign, verify

RAW = bytes(range(32))
KEY = SecretKey(RAW)
FILE_ID = UUID("00112233-4455-6677-8899-aabbccddeeff")
PARTS = st.lists(st.binary(max_size=8), max_size=4)


def hmac_sha256(message: bytes) -> bytes:
    return hmac.new(RAW, message, hashlib.sha256).digest()


def test_parts_are_length_prefixed() -> None:
    assert length_prefixed(b"ab", b"", b"c") == (
        b"\x00\x00\x00\x02ab\x00\x00\x00\x00\x00\x00\x00\x01c"
    )


@given(PARTS, PARTS)
def test_different_parts_never_give_the_same_bytes(a: list[bytes], b: list[bytes]) -> None:
    assert (length_prefixed(*a) == length_prefixed(*b)) == (a == b)


def test_a_signature_is_the_hmac_of_the_parts() -> None:
    assert sign(KEY, b"ab", b"c") == hmac_sha256(b"\x00\x00\x00\x02ab\x00\x00\x00\x01c")


def test_only_the_whole_signature_of_these_parts_verifies() -> None:
    signature = sign(KEY, b"ab", b"c")
    assert verify(KEY, signature, b"ab", b"c")
    assert not verify(KEY, signature, b"a", b"bc")
    assert not verify(KEY, signature[:16], b"ab", b"c")
    assert not verify(KEY, b"", b"ab", b"c")
    assert not verify(KEY, bytes(32), b"ab", b"c")
    assert not verify(generate_key(), signature, b"ab", b"c")


def test_an_etag_is_the_hmac_of_id_role_variant_and_revision() -> None:
    wanted = hmac_sha256(FILE_ID.bytes + b"\x02" + b"\x00\x00\x01\x40" + b"\x00\x00\x00\x05")
    assert blob_etag(KEY, FILE_ID, Role.THUMBNAIL, 320, 5) == wanted


def test_a_blind_index_is_a_cut_signature() -> None:
    parts = (b"users", b"email", b"", b"a@example.org")
    assert blind_index(KEY, *parts) == sign(KEY, *parts)
    assert blind_index(KEY, *parts, length=8) == sign(KEY, *parts)[:8]
    assert blind_index(KEY, *parts) != blind_index(generate_key(), *parts)


@pytest.mark.parametrize("length", [-1, 0, 33])
def test_an_impossible_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="1 to 32"):
        blind_index(KEY, b"x", length=length)


def test_a_duplicate_is_found_by_collection_and_hash() -> None:
    digest = hashlib.sha256(b"a picture").digest()
    assert dedupe_index(KEY, FILE_ID, digest) == hmac_sha256(b"dedupe" + FILE_ID.bytes + digest)
    with pytest.raises(ValueError, match="32 bytes"):
        dedupe_index(KEY, FILE_ID, digest[:16])
