"""Keys of the older programs, in the forms in which people wrote them down.

Read for import only. A typed key is not 256 random bits, so nothing new is sealed under it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from enum import StrEnum
from typing import Final

from app.crypto.keys import KEY_BYTES, SecretKey
from app.errors import EncryptionError

MAX_SECRETS: Final = 64 * 1024 * 1024
"""Bytes of a secrets file: some 300,000 keys."""
_HEX = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


class KeyForm(StrEnum):
    """How the text of the old key was turned into 32 bytes; tried in this order."""

    UTF8 = "utf8"
    HEX = "hex"
    SHA256 = "sha256"


def possible_forms(text: str) -> tuple[KeyForm, ...]:
    """The forms that a text of this length and alphabet can have."""
    fits = {
        KeyForm.UTF8: len(text.encode("utf-8", "replace")) == KEY_BYTES,
        KeyForm.HEX: _HEX.fullmatch(text) is not None,
        KeyForm.SHA256: bool(text),
    }
    return tuple(form for form, fit in fits.items() if fit)


def legacy_key(text: str, form: KeyForm) -> SecretKey:
    """The 32 bytes that ``text`` means; ``EncryptionError`` where it cannot mean any."""
    if form not in possible_forms(text):
        raise EncryptionError(
            "The old key does not have this form: utf8 is 32 characters, hex is 64"
            " hexadecimal digits, sha256 is any text.",
            operation="legacy.key",
        )
    if form is KeyForm.HEX:
        return SecretKey(bytes.fromhex(text))
    raw = text.encode("utf-8", "replace")
    return SecretKey(raw if form is KeyForm.UTF8 else hashlib.sha256(raw).digest())


def read_secrets(raw: bytes) -> dict[str, SecretKey]:
    """The keys of a flat secrets file by their reference, disabled ones too.

    ``{"file-<id>": {"value": "<base64 of 32 bytes>", …}}`` or ``{"file-<id>": "<base64>"}``.
    ``EncryptionError`` for anything else, without a word of what it holds.
    """
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not document:
        raise EncryptionError(
            "The secrets file is not one JSON object with a key for each reference.",
            operation="legacy.secrets",
        )
    return {reference: _secret(value) for reference, value in document.items()}


def _secret(value: object) -> SecretKey:
    coded = value.get("value") if isinstance(value, dict) else value
    try:
        key = base64.b64decode(coded, validate=True) if isinstance(coded, str) else b""
        return SecretKey(key)
    except (binascii.Error, ValueError, EncryptionError):
        raise EncryptionError(
            "A value of the secrets file is not the base64 of 32 bytes.",
            operation="legacy.secrets",
        ) from None
