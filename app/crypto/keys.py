"""Secret keys: made, read from the configuration, and kept out of sight.

Nothing else in the program holds key bytes under a plain ``bytes`` name for longer than
one call: what travels is a `SecretKey`.
"""

from __future__ import annotations

import hmac
import os
import re
from typing import Final, NoReturn, Self

from app.errors import EncryptionError

KEY_BYTES: Final = 32

_NOT_CONFIGURED = "ENCRYPTION_KEY not configured"
_WRONG_FORM = "Key must be exactly 32 bytes (64 hex characters)"
_SIXTY_FOUR_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


class SecretKey:
    """A 256-bit key that shows itself only to `reveal`.

    It prints as ``<SecretKey>``, refuses to be pickled, compares in constant time and has
    no hash, so that it never becomes the key of a dictionary. Copies are the object itself.

    Raises `EncryptionError` when it is not given exactly 32 bytes.
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise EncryptionError(_WRONG_FORM, operation="key.create")
        self._raw = bytes(raw)

    def reveal(self) -> bytes:
        """The 32 bytes; only for handing them to a cipher, a MAC or a wrap."""
        return self._raw

    def __repr__(self) -> str:
        return "<SecretKey>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretKey):
            return NotImplemented
        return hmac.compare_digest(self._raw, other._raw)

    __hash__ = None  # type: ignore[assignment]

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __getstate__(self) -> NoReturn:
        raise TypeError("a SecretKey cannot be pickled")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a SecretKey cannot be pickled")


def generate_key() -> SecretKey:
    """A new key from the operating system's random source."""
    return SecretKey(os.urandom(KEY_BYTES))


def parse_master_key(text: str | None) -> SecretKey:
    """Read ENCRYPTION_KEY (64 hex characters, space around them is ignored).

    Raises `EncryptionError`: ``ENCRYPTION_KEY not configured`` when there is none, ``Key
    must be exactly 32 bytes (64 hex characters)`` for anything else that is not a key.
    """
    written = (text or "").strip()
    if not written:
        raise EncryptionError(_NOT_CONFIGURED, operation="key.parse")
    if not _SIXTY_FOUR_HEX.fullmatch(written):
        raise EncryptionError(_WRONG_FORM, operation="key.parse")
    return SecretKey(bytes.fromhex(written))
