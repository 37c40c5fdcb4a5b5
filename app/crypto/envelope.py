"""Key wrapping: AES key wrap with padding (RFC 5649), 40 bytes for a 32-byte key."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from app.crypto.keys import KEY_BYTES, SecretKey
from app.errors import DecryptionFailed

WRAPPED_BYTES: Final = KEY_BYTES + 8
TWICE_WRAPPED_BYTES: Final = WRAPPED_BYTES + 8


def wrap_key(wrapping: SecretKey, key: SecretKey) -> bytes:
    """``key`` sealed under ``wrapping``: 40 bytes, the same for the same pair.

    The wrap binds no reference and no version; the header tag of the blob commits to the
    key, so a wrapped key that was moved opens nothing.
    """
    return aes_key_wrap_with_padding(wrapping.reveal(), key.reveal())


def unwrap_key(wrapping: SecretKey, wrapped: bytes) -> SecretKey:
    """The key that `wrap_key` sealed; raises `DecryptionFailed` for anything else."""
    if len(wrapped) != WRAPPED_BYTES:
        raise DecryptionFailed(operation="key.unwrap")
    try:
        raw = aes_key_unwrap_with_padding(wrapping.reveal(), wrapped)
    except (InvalidUnwrap, ValueError):
        raise DecryptionFailed(operation="key.unwrap") from None
    if len(raw) != KEY_BYTES:
        raise DecryptionFailed(operation="key.unwrap")
    return SecretKey(raw)


def wrap_again(kek: SecretKey, wrapped: bytes) -> bytes:
    """A wrapped key wrapped once more, under a key encryption key: 48 bytes for 40."""
    return aes_key_wrap_with_padding(kek.reveal(), wrapped)


def unwrap_once(kek: SecretKey, twice: bytes) -> bytes:
    """What was given to `wrap_again`, still wrapped; raises `DecryptionFailed`."""
    if len(twice) != TWICE_WRAPPED_BYTES:
        raise DecryptionFailed(operation="key.unwrap")
    try:
        wrapped = aes_key_unwrap_with_padding(kek.reveal(), twice)
    except (InvalidUnwrap, ValueError):
        raise DecryptionFailed(operation="key.unwrap") from None
    if len(wrapped) != WRAPPED_BYTES:
        raise DecryptionFailed(operation="key.unwrap")
    return wrapped
