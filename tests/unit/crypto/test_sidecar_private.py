"""The private part of a sidecar."""

import json

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.crypto.aead import open_private, seal_private
from app.crypto.keys import SecretKey, generate_key
from app.errors import DecryptionFailed

KEY = SecretKey(bytes(range(32)))
AAD = b'{"v":1}'
TEXT = b'{"name":"sparrow.jpg"}'


def test_what_is_sealed_is_opened_but_for_the_padding() -> None:
    opened = open_private(KEY, seal_private(KEY, TEXT, AAD), AAD)
    assert opened.rstrip(b" ") == TEXT
    assert json.loads(opened) == {"name": "sparrow.jpg"}


@pytest.mark.parametrize(
    ("length", "padded"), [(0, 0), (1, 256), (255, 256), (256, 256), (257, 512), (512, 512)]
)
def test_the_length_is_a_multiple_of_256(length: int, padded: int) -> None:
    sealed = seal_private(KEY, b"x" * length, AAD)
    assert len(sealed) == 12 + padded + 16
    assert open_private(KEY, sealed, AAD) == b"x" * length + b" " * (padded - length)


def test_the_bytes_are_nonce_ciphertext_tag() -> None:
    sealed = seal_private(KEY, TEXT, AAD)
    opened = AESGCM(KEY.reveal()).decrypt(sealed[:12], sealed[12:], AAD)
    assert opened == TEXT.ljust(256)


def test_every_sealing_has_a_nonce_of_its_own() -> None:
    assert len({seal_private(KEY, TEXT, AAD)[:12] for _ in range(100)}) == 100


def test_every_damage_is_noticed() -> None:
    sealed = seal_private(KEY, TEXT, AAD)
    for place in range(len(sealed)):
        touched = bytearray(sealed)
        touched[place] ^= 0x80
        with pytest.raises(DecryptionFailed):
            open_private(KEY, bytes(touched), AAD)
    for length in (0, 1, 12, 27, 28, len(sealed) - 1):
        with pytest.raises(DecryptionFailed):
            open_private(KEY, sealed[:length], AAD)


def test_another_key_or_another_entry_does_not_open() -> None:
    sealed = seal_private(KEY, TEXT, AAD)
    with pytest.raises(DecryptionFailed):
        open_private(generate_key(), sealed, AAD)
    with pytest.raises(DecryptionFailed):
        open_private(KEY, sealed, AAD + b" ")
