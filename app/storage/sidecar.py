"""The sidecar of an original: ``<stored name>.enc.meta``, section 2 of the store format.

::

    {"v":1,"file_id":"<uuid>","role":"original","file_type":"image","mime_type":"image/jpeg",
     "key_reference":"file-<uuid>","mode":"direct",
     "entries":[{"generation":1,"content_rev":0,"key_version":"<32 hex>","chunk_size":5242880,
                 "enc_size":N,"plain_size":M,"header_tag":"<base64 32>",
                 "final_tag":"<base64 16>","wrapped_dek":null,"private":"<base64>"}]}

It is stored as canonical JSON of at most 8 KiB. Whatever deviates by one byte is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from uuid import UUID

from app.crypto.blob_header import BlobHeader
from app.crypto.keys import SecretKey
from app.storage import canonical
from app.storage.canonical import Json
from app.storage.private_facts import PrivateFacts, open_facts, seal_facts
from app.storage.sidecar_entry import SidecarEntry, WrappedDek
from app.storage.sidecar_fields import UUID_FORM, fields_of, integer, invalid, matching

__all__ = [
    "MAX_BYTES",
    "PrivateFacts",
    "PublicFacts",
    "Sidecar",
    "SidecarEntry",
    "WrappedDek",
    "invalid",
    "parse",
]

MAX_BYTES = 8 * 1024
_FILE_TYPE = re.compile(r"(?:image|video)\Z")
_MODE = re.compile(r"(?:direct|envelope)\Z")
_MIME_TYPE = re.compile(r"(?:image|video)/[a-z0-9][a-z0-9.+-]{0,62}\Z")
_FIELDS = frozenset(
    ["v", "file_id", "role", "file_type", "mime_type", "key_reference", "mode", "entries"]
)


@dataclass(frozen=True, slots=True)
class PublicFacts:
    """What a sidecar shows of the file itself: nothing but its kind."""

    file_type: str
    mime_type: str
    mode: str = "direct"


@dataclass(frozen=True, slots=True)
class Sidecar:
    """One entry, or two while the blob is being replaced."""

    file_id: UUID
    public: PublicFacts
    entries: tuple[SidecarEntry, ...]

    def encode(self) -> bytes:
        """The canonical bytes; ``SidecarInvalid`` if no reader would accept them."""
        raw = canonical.encode(self._to_json())
        parse(raw)
        return raw

    def _to_json(self) -> dict[str, Json]:
        return {
            "v": 1,
            "file_id": str(self.file_id),
            "role": "original",
            "file_type": self.public.file_type,
            "mime_type": self.public.mime_type,
            "key_reference": f"file-{self.file_id}",
            "mode": self.public.mode,
            "entries": [entry.to_json() for entry in self.entries],
        }

    def _aad(self, entry: SidecarEntry) -> bytes:
        """This sidecar with this one entry, without ``private`` and ``wrapped_dek``."""
        alone = entry.to_json()
        del alone["private"], alone["wrapped_dek"]
        return canonical.encode(self._to_json() | {"entries": [alone]})

    def with_entry(
        self, entry: SidecarEntry, facts: PrivateFacts, dek: SecretKey, header: BlobHeader
    ) -> Sidecar:
        """This sidecar and one entry more, whose private part is sealed here."""
        private = seal_facts(facts, dek, header, self._aad(entry))
        return replace(self, entries=(*self.entries, replace(entry, private=private)))

    def entry_of(self, header: BlobHeader) -> SidecarEntry:
        """The entry of the blob with this header; ``SidecarInvalid`` if there is none."""
        for entry in self.entries:
            if entry.header_tag == header.header_tag:
                return entry
        raise invalid("The sidecar knows nothing of this blob.")

    def open_private(
        self, entry: SidecarEntry, dek: SecretKey, header: BlobHeader
    ) -> PrivateFacts:
        """The sealed facts of an entry; ``DecryptionFailed`` if anything was touched."""
        return open_facts(entry.private, dek, header, self._aad(entry))


def parse(raw: bytes) -> Sidecar:
    """The sidecar in these bytes; ``SidecarInvalid`` unless they are exactly canonical."""
    if len(raw) > MAX_BYTES:
        raise invalid("The sidecar is longer than 8 KiB.")
    try:
        value = canonical.decode(raw)
    except ValueError:
        raise invalid("The sidecar is not canonical JSON.") from None
    named = fields_of(value, _FIELDS)
    file_id = UUID(matching(named["file_id"], UUID_FORM))
    public = PublicFacts(
        file_type=matching(named["file_type"], _FILE_TYPE),
        mime_type=matching(named["mime_type"], _MIME_TYPE),
        mode=matching(named["mode"], _MODE),
    )
    wanted = (1, "original", f"file-{file_id}")
    if (integer(named["v"]), named["role"], named["key_reference"]) != wanted:
        raise invalid()
    return Sidecar(file_id, public, _entries(named["entries"], public.mode))


def _entries(value: Json, mode: str) -> tuple[SidecarEntry, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= 2:
        raise invalid("A sidecar has one entry or two.")
    entries = tuple(SidecarEntry.from_json(item) for item in value)
    if len({entry.header_tag for entry in entries}) != len(entries):
        raise invalid("Two entries of the sidecar speak of one blob.")
    if any((entry.wrapped_dek is None) != (mode == "direct") for entry in entries):
        raise invalid("The sidecar's entries do not fit its mode.")
    return entries
