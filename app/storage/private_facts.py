"""What a sidecar keeps sealed: the facts of a file that never change."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from uuid import UUID

from app.crypto.aead import PRIVATE_BLOCK_BYTES, open_private, seal_private
from app.crypto.blob_header import BlobHeader
from app.crypto.kdf import blob_subkey
from app.crypto.keys import SecretKey
from app.storage.canonical import Json
from app.storage.sidecar_fields import UUID_FORM, fields_of, integer, invalid, matching

# Bytes of padded JSON: so that two entries, with wrapped DEKs, fit into 8 KiB of sidecar.
MAX_PRIVATE = 8 * PRIVATE_BLOCK_BYTES

_TEXT = re.compile(r".*\Z", re.DOTALL)
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_MD5 = re.compile(r"[0-9a-f]{32}\Z")
_PROVENANCE = re.compile(r"(?:sealed|legacy-cbc-unverified)\Z")


@dataclass(frozen=True, slots=True, repr=False)
class PrivateFacts:
    """The JSON object inside ``private``; each field is a key of it.

    Times are RFC 3339 (``taken_at`` without a zone, as cameras write it), sizes are in
    pixels, hashes in hex, over the plaintext. ``uploaded_from`` is where it came from (an
    address or ``import``). It never shows itself in a repr.
    """

    filename: str
    owner_id: UUID
    collection_id: UUID
    uploaded_at: str
    sha256: str
    md5: str
    taken_at: str | None = None
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    uploaded_from: str | None = None
    provenance: str = "sealed"

    def __repr__(self) -> str:
        return "<PrivateFacts>"

    def encode(self) -> bytes:
        """UTF-8 JSON; ``SidecarInvalid`` if it is too long or not what ``decode`` accepts."""
        named = {field.name: getattr(self, field.name) for field in fields(self)} | {
            "owner_id": str(self.owner_id),
            "collection_id": str(self.collection_id),
        }
        text = json.dumps(named, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        try:
            raw = text.encode()
        except UnicodeEncodeError:
            raise invalid("The name of a file is not valid text.") from None
        if len(raw) > MAX_PRIVATE:
            raise invalid("The name of a file is too long for its sidecar.")
        self.decode(raw)
        return raw

    @classmethod
    def decode(cls, raw: bytes) -> PrivateFacts:
        """From opened bytes, padding and all; ``SidecarInvalid``."""
        try:
            value: Json = json.loads(raw)
        except (ValueError, RecursionError):
            raise invalid("The sealed part of a sidecar is not JSON.") from None
        named = fields_of(value, frozenset(field.name for field in fields(cls)))
        return cls(
            filename=matching(named["filename"], _TEXT),
            owner_id=UUID(matching(named["owner_id"], UUID_FORM)),
            collection_id=UUID(matching(named["collection_id"], UUID_FORM)),
            uploaded_at=matching(named["uploaded_at"], _TEXT),
            sha256=matching(named["sha256"], _SHA256),
            md5=matching(named["md5"], _MD5),
            taken_at=_optional_text(named["taken_at"]),
            width=_optional_count(named["width"]),
            height=_optional_count(named["height"]),
            duration_ms=_optional_count(named["duration_ms"]),
            uploaded_from=_optional_text(named["uploaded_from"]),
            provenance=matching(named["provenance"], _PROVENANCE),
        )


def _optional_text(value: Json) -> str | None:
    return None if value is None else matching(value, _TEXT)


def _optional_count(value: Json) -> int | None:
    return None if value is None else integer(value)


def seal_facts(facts: PrivateFacts, dek: SecretKey, header: BlobHeader, aad: bytes) -> bytes:
    """``private`` of the entry for the blob with this header; padded to 256 bytes."""
    return seal_private(_sidecar_key(dek, header), facts.encode(), aad)


def open_facts(sealed: bytes, dek: SecretKey, header: BlobHeader, aad: bytes) -> PrivateFacts:
    """The facts; ``DecryptionFailed`` if anything of entry or sidecar was touched."""
    return PrivateFacts.decode(open_private(_sidecar_key(dek, header), sealed, aad))


def _sidecar_key(dek: SecretKey, header: BlobHeader) -> SecretKey:
    return blob_subkey(dek, header.salt, "sidecar", header.scope, header.file_id)
