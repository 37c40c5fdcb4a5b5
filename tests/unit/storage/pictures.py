"""Pictures to put into a store, and where their keys come from."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from app.crypto.context import Role
from app.crypto.keys import SecretKey, generate_key
from app.errors import KeyNotFound
from app.storage.encrypted_store import EncryptedStore, Floor, OpenBlob
from app.storage.object_paths import ObjectPath, new_stored_name
from app.storage.sidecar import PrivateFacts, PublicFacts

MARKED = b"\x89SECRET-PIXELS-5f1e\x89"
SECRET_NAME = "grandmother's passport.jpg"
PUBLIC = PublicFacts("image", "image/jpeg")


@dataclass
class Keys:
    """A ``KeySource`` of a dictionary; it remembers what it was asked for."""

    known: dict[tuple[UUID, bytes], SecretKey] = field(default_factory=dict)
    asked: list[tuple[UUID, bytes]] = field(default_factory=list)

    def key(self, file_id: UUID, version: bytes, /) -> SecretKey:
        self.asked.append((file_id, version))
        try:
            return self.known[file_id, version]
        except KeyError:
            raise KeyNotFound("no such key") from None


@dataclass
class Picture:
    """One image with its key and its place."""

    content: bytes
    image_id: UUID = field(default_factory=uuid4)
    dek: SecretKey = field(default_factory=generate_key)
    version: bytes = b"\xaa" * 16
    now_ms: int = 1_700_000_000_000
    path: ObjectPath = field(init=False)

    def __post_init__(self) -> None:
        name = new_stored_name("image", "jpg", self.now_ms)
        self.path = ObjectPath("c-abc", self.image_id, name)

    @property
    def private(self) -> PrivateFacts:
        return PrivateFacts(
            filename=SECRET_NAME,
            owner_id=UUID(int=1),
            collection_id=UUID(int=2),
            uploaded_at="2026-11-22T03:36:00Z",
            taken_at="2026-11-21T12:00:00",
            width=4000,
            height=3000,
            sha256=hashlib.sha256(self.content).hexdigest(),
            md5=hashlib.md5(self.content, usedforsecurity=False).hexdigest(),
        )

    def floor(self, generation: int = 1, content_rev: int = 0) -> Floor:
        return Floor(generation, content_rev, frozenset({self.version}))

    def seal_into(self, store: EncryptedStore) -> None:
        store.seal_original(
            self.path,
            self.image_id,
            self.dek,
            self.version,
            io.BytesIO(self.content),
            len(self.content),
            PUBLIC,
            self.private,
        )


def opened(store: EncryptedStore, picture: Picture, floor: Floor | None = None) -> OpenBlob:
    floor = floor or picture.floor()
    return store.open(picture.path.original, picture.image_id, Role.ORIGINAL, 0, floor)


def content(store: EncryptedStore, picture: Picture) -> bytes:
    with opened(store, picture) as blob:
        return blob.reader.read_all()


def derived(store: EncryptedStore, picture: Picture, variant: int = 320) -> str:
    store.seal_derivative(
        picture.path,
        picture.image_id,
        picture.dek,
        picture.version,
        Role.THUMBNAIL,
        variant,
        b"thumb " + MARKED,
    )
    return picture.path.thumbnail(variant)
