"""A sidecar against its blob and its row."""

from __future__ import annotations

from typing import Any

from app.errors import (
    BlobNotFound,
    DecryptionFailed,
    ForeignBlob,
    SidecarInvalid,
    StoreUnavailable,
)
from app.services.verification.blobs import Blob
from app.services.verification.findings import Damage, Flawed
from app.services.verification.rows import Expected
from app.storage.encrypted_store import EncryptedStore
from app.storage.sidecar import PrivateFacts, Sidecar, SidecarEntry


def sidecar_of(store: EncryptedStore, expected: Expected) -> Sidecar:
    """The sidecar of a picture, if it is one and speaks of this picture; raises Flawed."""
    path = expected.image.path
    try:
        sidecar = store.sidecar_at(path)
    except BlobNotFound:
        raise Flawed(Damage.SIDECAR_MISSING) from None
    except ForeignBlob:
        raise Flawed(Damage.SIDECAR_DAMAGED, "a link, folder or pipe") from None
    except SidecarInvalid as refusal:
        raise Flawed(Damage.SIDECAR_DAMAGED, refusal.message) from None
    except StoreUnavailable as trouble:
        store.blobs.check()
        raise Flawed(Damage.UNREADABLE, trouble.message) from None
    if sidecar.file_id != expected.id:
        raise Flawed(Damage.SIDECAR_ANOTHERS)
    return sidecar


def compare(sidecar: Sidecar, blob: Blob, expected: Expected) -> PrivateFacts:
    """Raise Flawed unless it has an entry for the blob, which opens and says what the row
    says."""
    entry = next((e for e in sidecar.entries if e.header_tag == blob.header.header_tag), None)
    if entry is None:
        raise Flawed(Damage.SIDECAR_ANOTHERS, "it has no entry for this file")
    if _numbers(entry) != _numbers_of(blob):
        raise Flawed(Damage.SIDECAR_DAMAGED, "its numbers are not those of the file")
    try:
        facts = sidecar.open_private(entry, blob.key, blob.header)
    except (DecryptionFailed, SidecarInvalid):
        raise Flawed(Damage.SIDECAR_DAMAGED, "its sealed part does not open") from None
    differing = ", ".join(_differences(sidecar, facts, expected))
    if differing:
        raise Flawed(Damage.SIDECAR_DIFFERS, differing)
    return facts


def _numbers(entry: SidecarEntry) -> tuple[Any, ...]:
    return (
        entry.generation,
        entry.content_rev,
        entry.key_version,
        entry.chunk_size,
        entry.enc_size,
        entry.plain_size,
        entry.final_tag,
    )


def _numbers_of(blob: Blob) -> tuple[Any, ...]:
    header = blob.header
    return (
        header.generation,
        header.content_rev,
        header.key_version_id,
        header.chunk_size,
        blob.enc_size,
        blob.plain_size,
        blob.final_tag,
    )


def _differences(sidecar: Sidecar, facts: PrivateFacts, expected: Expected) -> list[str]:
    """The names of what differs, none of the values. What a picture may change is left out."""
    image, card, meta = expected.image, expected.card or {}, expected.meta or {}
    told = {
        "kind": (sidecar.public.file_type, image.kind),
        "type": (sidecar.public.mime_type, image.mime_type),
        "name": (facts.filename, card.get("name", facts.filename)),
        "width": (facts.width, card.get("width", facts.width)),
        "height": (facts.height, card.get("height", facts.height)),
        "provenance": (facts.provenance, expected.provenance),
        "sha256": (facts.sha256, meta.get("sha256", facts.sha256)),
        "md5": (facts.md5, meta.get("md5", facts.md5)),
    }
    return [name for name, (one, other) in told.items() if one != other]
