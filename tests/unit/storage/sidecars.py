"""Sidecars to look at and to tamper with: of one generation, and of two."""

from __future__ import annotations

from uuid import UUID

from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.stream import SealedFacts, seal_bytes
from app.storage.sidecar import PublicFacts, Sidecar, SidecarEntry
from tests.unit.storage.pictures import Picture

IMAGE = UUID("00112233-4455-4677-8899-aabbccddeeff")


DEK = SecretKey(bytes(range(32)))


FACTS = Picture(b"content").private


def sealed(plain: bytes = b"x" * 5000, generation: int = 1) -> SealedFacts:
    context = BlobContext(
        file_id=IMAGE,
        role=Role.ORIGINAL,
        generation=generation,
        key_version_id=bytes([0xA0 + generation]) * 16,
    )
    return seal_bytes(plain, DEK, context)[1]


BLOB = sealed()


NEXT = sealed(generation=2)


ONE = Sidecar(IMAGE, PublicFacts("image", "image/jpeg"), ()).with_entry(
    SidecarEntry.of_blob(BLOB), FACTS, DEK, BLOB.header
)


TWO = ONE.with_entry(SidecarEntry.of_blob(NEXT), FACTS, DEK, NEXT.header)
