"""Column tokens: their bytes, their bindings, their keys."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.aead import TOKEN_MARK, TOKEN_OVERHEAD, ColumnCipher
from app.crypto.keys import SecretKey, generate_key
from app.errors import DecryptionFailed, EncryptionError

OLD, NEW = b"\x01" * 16, b"\x02" * 16
KEYS = {OLD: SecretKey(bytes(range(32))), NEW: SecretKey(bytes(range(32, 64)))}
CIPHER = ColumnCipher(KEYS, NEW)
CONTEXT = "annotations.label"


@given(st.integers(0, 255), st.text(min_size=1), st.binary(max_size=600))
def test_what_is_sealed_is_opened(codec: int, context: str, payload: bytes) -> None:
    if "\ud800" <= max(context) <= "\udfff":
        return
    token = CIPHER.seal(codec, context, payload)
    assert CIPHER.open(context, token) == (codec, payload)
    assert len(token) == len(payload) + TOKEN_OVERHEAD


def test_the_token_is_as_the_format_says() -> None:
    token = CIPHER.seal(7, CONTEXT, b"a sparrow")
    assert token[:2] == b"\xdc\x01" == TOKEN_MARK
    assert token[2] == 7
    assert token[3:7] == NEW[:4] == CIPHER.active_key_id == ColumnCipher.key_id(token)
    aad = (
        b"\x00\x00\x00\x0fdarkroom/col/v1"
        b"\x00\x00\x00\x11annotations.label"
        b"\x00\x00\x00\x07" + token[:7]
    )
    opened = AESGCMSIV(KEYS[NEW].reveal()).decrypt(token[7:19], token[19:], aad)
    assert opened == b"a sparrow"


def test_the_docstring_shows_the_layout_of_a_token() -> None:
    rows = re.findall(r"^ +(\d+) +(\d+|\.\.)  (\w+)", ColumnCipher.__doc__ or "", re.MULTILINE)
    assert rows == [
        ("0", str(len(TOKEN_MARK)), "mark"),
        ("2", "1", "codec"),
        ("3", "4", "key_id"),
        ("7", "12", "nonce"),
        (str(TOKEN_OVERHEAD - 16), "..", "sealed"),
    ]


def test_equal_payloads_give_different_tokens() -> None:
    tokens = {CIPHER.seal(1, CONTEXT, b"same") for _ in range(100)}
    assert len({token[7:19] for token in tokens}) == 100


def test_a_token_opens_in_no_other_context() -> None:
    token = CIPHER.seal(1, CONTEXT, b"a sparrow")
    for other in ("annotations.box", "annotations.labels", "", "Annotations.label"):
        with pytest.raises(DecryptionFailed):
            CIPHER.open(other, token)


def test_every_flipped_bit_is_noticed() -> None:
    token = CIPHER.seal(1, CONTEXT, b"a sparrow")
    for bit in range(8 * len(token)):
        touched = bytearray(token)
        touched[bit // 8] ^= 1 << (bit % 8)
        with pytest.raises(DecryptionFailed):
            CIPHER.open(CONTEXT, bytes(touched))


def test_every_cut_and_every_addition_is_noticed() -> None:
    token = CIPHER.seal(1, CONTEXT, b"a sparrow")
    for length in range(len(token)):
        with pytest.raises(DecryptionFailed):
            CIPHER.open(CONTEXT, token[:length])
    with pytest.raises(DecryptionFailed):
        CIPHER.open(CONTEXT, token + b"\x00")


@pytest.mark.parametrize("value", [b"", b"a sparrow", b"\xdc\x01", b"\xdc\x02" + bytes(60)])
def test_what_is_no_token_is_refused(value: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        CIPHER.open(CONTEXT, value)
    with pytest.raises(DecryptionFailed):
        ColumnCipher.key_id(value)


def test_a_former_key_still_opens() -> None:
    token = ColumnCipher(KEYS, OLD).seal(1, CONTEXT, b"a sparrow")
    assert CIPHER.open(CONTEXT, token) == (1, b"a sparrow")


def test_an_unknown_key_id_is_refused_without_a_trial() -> None:
    token = ColumnCipher({OLD: KEYS[NEW]}, OLD).seal(1, CONTEXT, b"a sparrow")
    only_new = ColumnCipher({NEW: KEYS[NEW]}, NEW)
    with pytest.raises(DecryptionFailed):
        only_new.open(CONTEXT, token)


def test_a_key_under_the_id_of_another_does_not_open() -> None:
    token = ColumnCipher({OLD: generate_key()}, OLD).seal(1, CONTEXT, b"a sparrow")
    with pytest.raises(DecryptionFailed):
        CIPHER.open(CONTEXT, token)


def test_keys_that_cannot_be_told_apart_are_refused() -> None:
    twin = OLD[:4] + b"\x09" * 12
    with pytest.raises(EncryptionError, match="ambiguous"):
        ColumnCipher({OLD: generate_key(), twin: generate_key()}, OLD)
    with pytest.raises(EncryptionError, match="ambiguous"):
        ColumnCipher({OLD: generate_key()}, NEW)
    with pytest.raises(EncryptionError, match="16 bytes"):
        ColumnCipher({b"short": generate_key()}, b"short")


def test_a_cipher_shows_no_key() -> None:
    assert repr(CIPHER) == "<ColumnCipher of 2 keys>"


def test_one_cipher_serves_many_threads() -> None:
    def work(number: int) -> bool:
        payload = number.to_bytes(4) * (number % 50)
        tokens = [CIPHER.seal(number % 256, CONTEXT, payload) for _ in range(50)]
        return all(CIPHER.open(CONTEXT, token) == (number % 256, payload) for token in tokens)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(64)))
