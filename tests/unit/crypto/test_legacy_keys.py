"""The old key as people wrote it down, and the secrets file of one of the programs."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from app.crypto.legacy_keys import KeyForm, legacy_key, possible_forms, read_secrets
from app.errors import EncryptionError

TYPED = "0123456789abcdef0123456789ABCDEF"
HEX = "ab" * 32


def test_each_form_of_a_text() -> None:
    assert possible_forms(TYPED) == (KeyForm.UTF8, KeyForm.SHA256)
    assert possible_forms(HEX) == (KeyForm.HEX, KeyForm.SHA256)
    assert possible_forms("ä" * 16) == (KeyForm.UTF8, KeyForm.SHA256)
    assert possible_forms("a phrase") == (KeyForm.SHA256,)
    assert possible_forms("") == ()
    assert legacy_key(TYPED, KeyForm.UTF8).reveal() == TYPED.encode()
    assert legacy_key(HEX, KeyForm.HEX).reveal() == bytes.fromhex(HEX)
    digest = hashlib.sha256(b"a phrase").digest()
    assert legacy_key("a phrase", KeyForm.SHA256).reveal() == digest


@pytest.mark.parametrize(
    ("text", "form"),
    [(HEX, KeyForm.UTF8), (TYPED, KeyForm.HEX), ("", KeyForm.SHA256), ("g" * 64, KeyForm.HEX)],
)
def test_a_text_that_cannot_have_the_form(text: str, form: KeyForm) -> None:
    with pytest.raises(EncryptionError) as refused:
        legacy_key(text, form)
    assert not text or text not in str(refused.value)


def coded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def test_the_secrets_file_of_the_document() -> None:
    key = bytes(range(32))
    document = {
        "file-123": {
            "value": coded(key),
            "content_type": "application/octet-stream",
            "enabled": False,
            "created_on": "2025-02-27T00:00:00Z",
            "expires_on": "2025-03-27T00:00:00Z",
        },
        "file-9": coded(bytes(32)),
    }
    keys = read_secrets(json.dumps(document).encode())
    assert list(keys) == ["file-123", "file-9"]
    assert keys["file-123"].reveal() == key


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b"{}", b"nonsense", b"[" * 100000, b'{"a": 1}', b'{"a": {"value": 7}}',
     b'{"a": "c2hvcnQ="}', b'{"a": "not base64!"}', b'{"a": {}}', b"\xff\xfe"],
)  # fmt: skip
def test_what_is_no_secrets_file(document: bytes) -> None:
    with pytest.raises(EncryptionError) as refused:
        read_secrets(document)
    assert "c2hvcnQ" not in str(refused.value)
    assert refused.value.__cause__ is None
