"""Blind indexes: equal values are found without being readable.

What leaks: that two rows hold the same value, and how often. It is for values that are
unique (an e-mail address, a picture's hash) or where a person switched it on knowingly.
"""

from __future__ import annotations

import hmac
from uuid import UUID

from app.crypto.keys import SecretKey
from app.crypto.mac import MAC_BYTES, sign


def blind_index(key: SecretKey, *parts: bytes, length: int = MAC_BYTES) -> bytes:
    """HMAC-SHA-256 over the length-prefixed parts, cut to ``length`` (1 to 32) bytes.

    The parts say where the value stands before they say what it is: table, column,
    collection id, value. A label index is cut to 8 bytes; candidates are then decrypted
    and compared. Raises ValueError for an impossible length.
    """
    if not 1 <= length <= MAC_BYTES:
        raise ValueError("a blind index has 1 to 32 bytes")
    return sign(key, *parts)[:length]


def dedupe_index(key: SecretKey, collection_id: UUID, sha256: bytes) -> bytes:
    """HMAC(k_blind, ``dedupe`` || collection id || SHA-256): finds a duplicate picture.

    All three have fixed lengths, so they are joined without prefixes.
    """
    if len(sha256) != 32:
        raise ValueError("a SHA-256 digest has 32 bytes")
    return hmac.digest(key.reveal(), b"dedupe" + collection_id.bytes + sha256, "sha256")
