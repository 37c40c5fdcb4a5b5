"""Message authentication: HMAC-SHA-256 for signed addresses, the audit chain, ETags.

Parts are length-prefixed before they are authenticated, so that no two different lists of
parts give the same bytes: ``u32(len(part)) || part`` for each, big endian.
"""

from __future__ import annotations

import hmac
import struct
from typing import Final
from uuid import UUID

from app.crypto.context import Role
from app.crypto.keys import SecretKey

MAC_BYTES: Final = 32

_LENGTH = struct.Struct(">I")
_ROLE_VARIANT_REVISION = struct.Struct(">BII")


def length_prefixed(*parts: bytes) -> bytes:
    """``u32(len) || part`` of every part, joined."""
    return b"".join([_LENGTH.pack(len(part)) + part for part in parts])


def sign(key: SecretKey, *parts: bytes) -> bytes:
    """The 32-byte MAC of a list of parts."""
    return hmac.digest(key.reveal(), length_prefixed(*parts), "sha256")


def verify(key: SecretKey, signature: bytes, *parts: bytes) -> bool:
    """Whether ``signature`` is the whole MAC of these parts; in constant time."""
    return hmac.compare_digest(sign(key, *parts), signature)


def blob_etag(
    key: SecretKey, file_id: UUID, role: Role, variant: int, content_rev: int
) -> bytes:
    """The ETag's 32 bytes: HMAC(k_etag, file_id || role u8 || variant u32 || content_rev u32).

    It holds nothing of the file key, so a rotation does not change it.
    """
    tail = _ROLE_VARIANT_REVISION.pack(role, variant, content_rev)
    return hmac.digest(key.reveal(), file_id.bytes + tail, "sha256")
