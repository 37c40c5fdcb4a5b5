"""The file ``.darkroom-store`` that tells a store from an empty or a foreign folder.

Canonical JSON: ``{"check":"<64 hex>","store_id":"<uuid>","v":1}``. ``check`` is what HKDF
gives for the master key's purpose ``check``: it tells a wrong key even when the database is
gone, and opens nothing.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from app.errors import BlobNotFound, EncryptionError, StoreUnavailable
from app.storage import canonical
from app.storage.interface import BlobStore
from app.storage.object_names import MARKER
from app.storage.sidecar_fields import UUID_FORM, fields_of, integer, invalid, matching

MAX_BYTES = 1024
CHECK_BYTES = 32
_CHECK = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class StoreMarker:
    """``check`` is 32 bytes."""

    store_id: UUID
    check: bytes

    def encode(self) -> bytes:
        return canonical.encode(
            {"v": 1, "store_id": str(self.store_id), "check": self.check.hex()}
        )


def parse(raw: bytes) -> StoreMarker:
    """The marker in these bytes; ``SidecarInvalid`` unless they are exactly canonical."""
    try:
        value = canonical.decode(raw)
    except ValueError:
        raise invalid("The store's marker is not canonical JSON.") from None
    named = fields_of(value, frozenset({"v", "store_id", "check"}))
    if integer(named["v"]) != 1:
        raise invalid("The store's marker is of an unknown version.")
    return StoreMarker(
        store_id=UUID(matching(named["store_id"], UUID_FORM)),
        check=bytes.fromhex(matching(named["check"], _CHECK)),
    )


def write_marker(blobs: BlobStore, marker: StoreMarker, *, replace: bool = False) -> None:
    """Mark a new store; ``BlobExists`` if it is marked. ``replace``: under a new master."""
    blobs.put(MARKER, marker.encode(), replace=replace)


def read_marker(blobs: BlobStore) -> StoreMarker | None:
    """None where there is none; ``SidecarInvalid`` if it was touched."""
    try:
        raw = blobs.read(MARKER, MAX_BYTES)
    except BlobNotFound:
        return None
    return parse(raw)


def verify_marker(
    marker: StoreMarker | None, checks: Iterable[bytes], store_id: UUID | None = None
) -> StoreMarker:
    """The marker, if this is the store that the database knows and one of our keys made it.

    ``checks`` are the check values of the current and the former master keys, ``store_id``
    is the database's, None where it is gone. Raises ``StoreUnavailable`` for a missing or
    foreign store and ``EncryptionError`` for a foreign key.
    """
    if marker is None:
        raise StoreUnavailable(
            "The store is not there: its marker file .darkroom-store is missing."
            " Is its file system mounted?",
            operation="store.marker",
        )
    if store_id is not None and marker.store_id != store_id:
        raise StoreUnavailable(
            "This store belongs to another installation than the database.",
            operation="store.marker",
        )
    if not any(hmac.compare_digest(marker.check, check) for check in checks):
        raise EncryptionError(
            "ENCRYPTION_KEY is not the key that this store was made with.",
            operation="store.marker",
        )
    return marker
