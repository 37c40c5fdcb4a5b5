"""The manifest: the last file of a backup, without which the rest is not one.

Canonical JSON ``{"body": "<base64>", "head": {…}}``. The head tells, in clear, what is needed
to open the body: ids, time, and which key locks it. The body is a sealed blob (role 07, the
export) that repeats the head, so that nothing of it can be changed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from app.crypto.backup_key import BackupKey
from app.crypto.context import BlobContext, Role
from app.crypto.stream import open_bytes, seal_bytes
from app.errors import DarkroomError, DecryptionFailed, StoreError
from app.services.backup.locks import Locks
from app.storage import canonical
from app.storage.archive import Archive
from app.storage.canonical import Json

FORMAT: Final = 1
MOST_BYTES: Final = 64 * 1024 * 1024
GENERATIONS: Final = "generations/"
OBJECTS: Final = "objects/"
MANIFEST: Final = "manifest.json"
NO_VERSION: Final = bytes(16)
_NAME = re.compile(r"[0-9]{8}T[0-9]{12}Z-[0-9a-f]{32}\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """One sealed file of a backup; sizes in bytes, both hashes in hex."""

    size: int
    sha256: str
    tag: str


@dataclass(frozen=True, slots=True)
class Body:
    """What a complete backup says of itself.

    ``rows``: how many of each table; ``gone``: pictures that were destroyed while it was
    made; ``revision``: of the database's schema; ``damaged`` and ``missing`` are counts of
    pictures whose files were so already.
    """

    parts: Mapping[str, Part]
    rows: Mapping[str, int]
    revision: str
    images: int
    blobs: int
    bytes: int
    keys: int
    gone: tuple[UUID, ...] = ()
    damaged: int = 0
    missing: int = 0
    finished_at: str = ""

    def to_json(self) -> dict[str, Any]:
        parts = {
            name: {"size": part.size, "sha256": part.sha256, "tag": part.tag}
            for name, part in self.parts.items()
        }
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {
            "parts": parts,
            "rows": dict(self.rows),
            "gone": [str(one) for one in self.gone],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Body:
        named = {name: value[name] for name in cls.__slots__}
        named["parts"] = {name: Part(**part) for name, part in value["parts"].items()}
        named["gone"] = tuple(UUID(one) for one in value["gone"])
        return cls(**named)


@dataclass(frozen=True, slots=True)
class Head:
    """What may be read without a key."""

    id: UUID
    store_id: UUID
    at: datetime
    lock: Mapping[str, str]
    locked: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """The folder of the backup: sorts as time does, to the microsecond."""
        return f"{self.at.astimezone(UTC):%Y%m%dT%H%M%S%fZ}-{self.id.hex}"

    def to_json(self) -> dict[str, Any]:
        return {
            "v": FORMAT,
            "id": str(self.id),
            "store_id": str(self.store_id),
            "at": self.at.astimezone(UTC).isoformat(),
            "lock": dict(self.lock),
            "locked": base64.b64encode(self.locked).decode("ascii"),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Head:
        if value["v"] != FORMAT:
            raise StoreError(
                "This backup was made by a later release of Darkroom.", operation="backup.open"
            )
        return cls(
            id=UUID(value["id"]),
            store_id=UUID(value["store_id"]),
            at=datetime.fromisoformat(value["at"]),
            lock=value["lock"],
            locked=base64.b64decode(value["locked"], validate=True),
        )


def folder_of(name: str) -> str:
    """The prefix of the keys of a backup."""
    return f"{GENERATIONS}{name}/"


def is_generation(name: str) -> bool:
    return _NAME.match(name) is not None


def object_key(sha256: str) -> str:
    """Where a sealed file of the store lies in every backup that holds it."""
    return f"{OBJECTS}{sha256[:2]}/{sha256}"


def write_manifest(archive: Archive, head: Head, body: Body, key: BackupKey) -> None:
    """Complete a backup: everything else of it has to be there."""
    plain = canonical.encode({"head": head.to_json(), "body": body.to_json()})
    context = BlobContext(file_id=head.id, role=Role.JOB_RESULT, key_version_id=NO_VERSION)
    sealed, _ = seal_bytes(plain, key.part("manifest"), context)
    document: dict[str, Json] = {
        "head": head.to_json(),
        "body": base64.b64encode(sealed).decode("ascii"),
    }
    archive.put(folder_of(head.name) + MANIFEST, canonical.encode(document), replace=True)


def read_head(archive: Archive, name: str) -> tuple[Head, bytes]:
    """The head and the sealed body; DecryptionFailed for what is none of this folder."""
    raw = archive.read(folder_of(name) + MANIFEST, MOST_BYTES)
    try:
        document: Any = canonical.decode(raw)
        head = Head.from_json(document["head"])
        sealed = base64.b64decode(document["body"], validate=True)
    except DarkroomError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError):
        raise damaged() from None
    if head.name != name:
        raise damaged()
    return head, sealed


def open_body(head: Head, sealed: bytes, key: BackupKey) -> Body:
    """The body; DecryptionFailed if anything of head or body was touched."""
    plain = open_bytes(sealed, key.part("manifest"), file_id=head.id, role=Role.JOB_RESULT)
    try:
        document: Any = canonical.decode(plain)
        if document["head"] != head.to_json():
            raise damaged()
        return Body.from_json(document["body"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise damaged() from None


def unlock(head: Head, locks: Locks) -> BackupKey:
    """The key of a backup; EncryptionError for a missing or wrong lock."""
    try:
        return BackupKey.unlocked(locks.of(head.lock), head.locked)
    except (KeyError, ValueError, TypeError):
        raise damaged() from None


def damaged() -> DecryptionFailed:
    return DecryptionFailed(operation="backup.open")
