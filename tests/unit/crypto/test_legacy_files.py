"""Files of the older programs: known answers, every damage is one error, bounded memory."""

from __future__ import annotations

import io
import os
import tracemalloc

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.keys import SecretKey
from app.crypto.legacy_cbc import (
    HexSource,
    is_sealed_text,
    is_text_form,
    open_cbc,
    open_cbc_head,
    open_text,
)
from app.crypto.legacy_gcm import open_gcm
from app.errors import DecryptionFailed
from tests.fixtures.older_files import cbc, cbc_text, gcm

KEY = SecretKey(b"0123456789abcdef0123456789ABCDEF")
IV = bytes(range(16))
KEYS = st.binary(min_size=32, max_size=32).map(SecretKey)


def opened(sealed: bytes, key: SecretKey = KEY) -> bytes:
    plain = io.BytesIO()
    open_cbc(io.BytesIO(sealed), key, plain)
    return plain.getvalue()


def opened_gcm(sealed: bytes, key: SecretKey) -> bytes:
    plain = io.BytesIO()
    open_gcm(io.BytesIO(sealed), len(sealed), key, plain)
    return plain.getvalue()


def test_a_known_answer_of_openssl() -> None:
    # printf 'hello darkroom' | openssl enc -aes-256-cbc -K <hex of KEY> -iv 00..0f
    sealed = IV + bytes.fromhex("6761ff9f9a9c0987c52faf1678911139")
    assert opened(sealed) == b"hello darkroom"
    assert open_text(f"{IV.hex()}:{sealed[16:].hex()}", KEY) == b"hello darkroom"
    assert cbc(b"hello darkroom", KEY, IV) == sealed


def test_a_known_answer_of_the_gcm_specification() -> None:
    # McGrew and Viega, The Galois/Counter Mode of Operation, appendix B, test case 14
    sealed = bytes(12) + bytes.fromhex(
        "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"
    )
    assert opened_gcm(sealed, SecretKey(bytes(32))) == bytes(16)


@given(st.binary(max_size=200), KEYS)
def test_what_was_sealed_is_opened(plain: bytes, key: SecretKey) -> None:
    assert opened(cbc(plain, key), key) == plain
    assert open_text(cbc_text(plain, key), key) == plain
    assert open_text(cbc_text(plain, key).upper() + "\n", key) == plain
    assert opened_gcm(gcm(plain, key), key) == plain


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 262143, 262144, 262145, 700000])
def test_pieces_of_every_length(size: int) -> None:
    plain = os.urandom(size)
    assert opened(cbc(plain, KEY)) == plain
    assert opened_gcm(gcm(plain, KEY), KEY) == plain
    text = io.BytesIO(cbc_text(plain, KEY).encode() + b"\n")
    out = io.BytesIO()
    open_cbc(HexSource(text), KEY, out)
    assert out.getvalue() == plain


@pytest.mark.parametrize("cut", [0, 1, 15, 16, 17, 31, 33, 47])
def test_a_cut_file_is_one_error(cut: int) -> None:
    whole = cbc(b"x" * 40, KEY, IV)
    with pytest.raises(DecryptionFailed) as failure:
        opened(whole[:cut])
    assert failure.value.message == "Decryption failed - invalid key or corrupted data"
    assert failure.value.__cause__ is None


@given(st.data())
def test_any_change_of_a_tagged_file_is_refused(data: st.DataObject) -> None:
    sealed = bytearray(gcm(b"some content of a picture", KEY))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DecryptionFailed):
        opened_gcm(bytes(sealed), KEY)


@pytest.mark.parametrize("cut", [0, 1, 11, 12, 27, 28, 40])
def test_a_cut_tagged_file_is_refused(cut: int) -> None:
    with pytest.raises(DecryptionFailed):
        opened_gcm(gcm(b"some content of a picture", KEY)[:cut], KEY)


def test_a_file_that_shrinks_while_it_is_read_is_refused() -> None:
    sealed = gcm(b"some content", KEY)
    with pytest.raises(DecryptionFailed):
        open_gcm(io.BytesIO(sealed[:-4]), len(sealed), KEY, io.BytesIO())


@pytest.mark.parametrize(
    "text",
    ["", "car", ":", "00" * 16 + ":", "00" * 16 + ":00", "zz" * 16 + ":" + "00" * 16,
     "00" * 15 + ":" + "00" * 16, "00" * 16 + ":" + "00" * 17, "٠٠" * 16 + ":" + "00" * 16],
)  # fmt: skip
def test_what_is_no_sealed_text(text: str) -> None:
    assert not is_sealed_text(text)
    with pytest.raises(DecryptionFailed):
        open_text(text, KEY)


@pytest.mark.parametrize("body", ["zz", "0", "00é"])
def test_a_text_file_that_is_no_hex(body: str) -> None:
    with pytest.raises(DecryptionFailed):
        open_cbc(HexSource(io.BytesIO(f"{IV.hex()}:{body}".encode())), KEY, io.BytesIO())
    with pytest.raises(DecryptionFailed):
        open_cbc(HexSource(io.BytesIO(body.encode())), KEY, io.BytesIO())


def test_the_head_tells_what_it_would_be() -> None:
    plain = b"\x89PNG\r\n\x1a\n" + os.urandom(5000)
    sealed = cbc(plain, KEY)
    assert open_cbc_head(sealed[: 16 + 4096], KEY) == plain[:4096]
    assert open_cbc_head(sealed[:30], KEY) == b""
    assert is_text_form(cbc_text(plain, KEY).encode()[:40])
    assert not is_text_form(sealed)
    with pytest.raises(DecryptionFailed):
        open_cbc_head(sealed[:15], KEY)


def test_a_wrong_key_passes_the_padding_now_and_then() -> None:
    """Why the padding proves nothing: it is about one key in 256."""
    sealed = cbc(b"a picture would be here" * 9, KEY)
    passed = 0
    for _ in range(3000):
        try:
            opened(sealed, SecretKey(os.urandom(32)))
        except DecryptionFailed:
            continue
        passed += 1
    assert 1 <= passed <= 60


class Nowhere:
    """Counts what it is given and keeps none of it."""

    size = 0

    def write(self, data: bytes, /) -> int:
        self.size += len(data)
        return len(data)


class Repeated:
    """A long file that is not in memory: ``head``, then zeros."""

    def __init__(self, head: bytes, size: int) -> None:
        self.head, self.left = head, size

    def read(self, size: int, /) -> bytes:
        if self.head:
            taken, self.head = self.head[:size], self.head[size:]
            return taken
        taken = min(size, self.left)
        self.left -= taken
        return bytes(taken)


def test_memory_does_not_grow_with_the_file() -> None:
    sink, size = Nowhere(), 64 << 20
    tracemalloc.start()
    try:
        with pytest.raises(DecryptionFailed):
            open_cbc(Repeated(IV, size), KEY, sink)
        with pytest.raises(DecryptionFailed):
            open_gcm(Repeated(bytes(12), size), size, KEY, sink)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sink.size > size
    assert peak < 4 << 20


def test_the_helper_writes_what_others_write() -> None:
    raw = gcm(b"content", KEY)
    assert AESGCM(KEY.reveal()).decrypt(raw[:12], raw[12:], None) == b"content"
