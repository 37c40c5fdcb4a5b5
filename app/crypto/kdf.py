"""Key derivation: HKDF-SHA-256 (RFC 5869), the master key's purposes, a blob's subkeys.

``hmac.digest`` is one call into OpenSSL and costs half of a ``HKDF`` object; the test
compares it with that object and with the vectors of the RFC.
"""

from __future__ import annotations

import hmac
from typing import Final
from uuid import UUID

from app.crypto.keys import SecretKey

HASH_BYTES: Final = 32


def hkdf_extract(salt: bytes, ikm: bytes) -> bytes:
    """PRK = HMAC-SHA-256(key=salt, msg=ikm), 32 bytes; an empty salt is 32 zero bytes."""
    return hmac.digest(salt or bytes(HASH_BYTES), ikm, "sha256")


def hkdf_expand(prk: bytes, info: bytes, length: int = HASH_BYTES) -> bytes:
    """``length`` bytes (at most 255 * 32) out of a PRK; raises ValueError beyond that."""
    if not 0 < length <= 255 * HASH_BYTES:
        raise ValueError("HKDF gives 1 to 8160 bytes")
    block = output = b""
    counter = 0
    while len(output) < length:
        counter += 1
        block = hmac.digest(prk, block + info + bytes((counter,)), "sha256")
        output += block
    return output[:length]


def hkdf(ikm: bytes, *, salt: bytes = b"", info: bytes, length: int = HASH_BYTES) -> bytes:
    """Extract, then expand."""
    return hkdf_expand(hkdf_extract(salt, ikm), info, length)


class MasterKey:
    """ENCRYPTION_KEY, used for three purposes and no others.

    ``vaultwrap`` wraps every value of the vault, ``check`` tells a foreign key at start
    (its bytes are stored in the store's marker), ``backup`` seals backups. ``id`` is the
    first 8 hex characters of ``check``: it names the master in a vault value's
    content type. Info: ``darkroom/master/<purpose>/v1``, empty salt.
    """

    __slots__ = ("backup", "check", "id", "vaultwrap")

    def __init__(self, key: SecretKey) -> None:
        prk = hkdf_extract(b"", key.reveal())
        self.vaultwrap = _purpose(prk, b"vaultwrap")
        self.check = _purpose(prk, b"check")
        self.backup = _purpose(prk, b"backup")
        self.id = self.check.reveal()[:4].hex()

    def __repr__(self) -> str:
        return f"<MasterKey {self.id}>"


def _purpose(prk: bytes, name: bytes) -> SecretKey:
    return SecretKey(hkdf_expand(prk, b"darkroom/master/" + name + b"/v1"))


class BlobSubkeys:
    """The keys of one encryption run: PRK = HMAC-SHA-256(key=salt, msg=DEK).

    ``scope`` is bytes 8..11 of the header (version, suite, role, flags), ``file_id`` its 16
    bytes. The DEK itself never touches a cipher, so all roles of one image may share it.
    """

    __slots__ = ("_prk", "_tail")

    def __init__(self, dek: SecretKey, salt: bytes, scope: bytes, file_id: bytes) -> None:
        self._prk = hmac.digest(salt, dek.reveal(), "sha256")
        # The counter byte: 32 bytes are the first block of HKDF-Expand.
        self._tail = b"\x00" + scope + file_id + b"\x01"

    def derive(self, label: bytes) -> bytes:
        """k_label (32 bytes) for ``header``, ``content`` or ``sidecar``."""
        return hmac.digest(self._prk, b"darkroom/v1/" + label + self._tail, "sha256")


def blob_subkey(
    dek: SecretKey, salt: bytes, label: str, scope: bytes, file_id: UUID
) -> SecretKey:
    """One subkey of a blob; ``scope`` is bytes 8..11 of its header."""
    subkeys = BlobSubkeys(dek, salt, scope, file_id.bytes)
    return SecretKey(subkeys.derive(label.encode("ascii")))
