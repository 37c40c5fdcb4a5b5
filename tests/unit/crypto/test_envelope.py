"""Wrapped keys: RFC 5649, and one error for every damage."""

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.envelope import WRAPPED_BYTES, unwrap_key, wrap_key
from app.crypto.keys import SecretKey, generate_key
from app.errors import DecryptionFailed

WRAPPING = SecretKey(bytes(range(32)))


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_what_is_wrapped_is_unwrapped(wrapping: bytes, key: bytes) -> None:
    wrapped = wrap_key(SecretKey(wrapping), SecretKey(key))
    assert len(wrapped) == WRAPPED_BYTES
    assert unwrap_key(SecretKey(wrapping), wrapped) == SecretKey(key)


def test_a_known_answer() -> None:
    # Made with `openssl enc -id-aes256-wrap-pad`, see docs/store-format.md.
    wrapped = wrap_key(WRAPPING, SecretKey(bytes(range(32, 64))))
    assert wrapped.hex() == (
        "92f48c52045c08050ec796a5a91c5ddaf7c61cbdc940adc8d3dc8a144f6161a8c5d3299e325f1750"
    )


def test_another_key_does_not_unwrap() -> None:
    with pytest.raises(DecryptionFailed, match="Decryption failed"):
        unwrap_key(generate_key(), wrap_key(WRAPPING, generate_key()))


def test_every_flipped_bit_is_noticed() -> None:
    wrapped = wrap_key(WRAPPING, generate_key())
    for bit in range(8 * len(wrapped)):
        touched = bytearray(wrapped)
        touched[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(DecryptionFailed):
            unwrap_key(WRAPPING, bytes(touched))


@pytest.mark.parametrize("length", [0, 1, 8, 16, 24, 32, 39, 41, 48, 400])
def test_another_length_is_refused(length: int) -> None:
    with pytest.raises(DecryptionFailed):
        unwrap_key(WRAPPING, bytes(length))


@pytest.mark.parametrize("length", [25, 31, 33 - 8, 30])
def test_a_wrapped_value_that_is_no_key_is_refused(length: int) -> None:
    wrapped = aes_key_wrap_with_padding(WRAPPING.reveal(), bytes(length))
    with pytest.raises(DecryptionFailed):
        unwrap_key(WRAPPING, wrapped)
