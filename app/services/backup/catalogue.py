"""What a backup holds of each picture: its sealed files, by the hash of what is in them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of the store; ``tag`` is the header tag in hex, empty for a sidecar."""

    key: str
    sha256: str
    size: int
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Holding:
    """One picture, or the directory. ``rows`` are its lines of ``file_keys`` at the moment
    its files were opened, where they differ from the database's copy. ``sound`` False: it
    was damaged already, and is kept as it lay.
    """

    id: UUID
    files: tuple[StoredFile, ...]
    rows: tuple[tuple[Any, ...], ...] = ()
    sound: bool = True

    def to_json(self) -> dict[str, Any]:
        files = [[one.key, one.sha256, one.size, one.tag] for one in self.files]
        rows = [list(row) for row in self.rows]
        return {"id": str(self.id), "files": files, "rows": rows, "sound": self.sound}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Holding:
        return cls(
            id=UUID(value["id"]),
            files=tuple(StoredFile(*one) for one in value["files"]),
            rows=tuple(tuple(row) for row in value["rows"]),
            sound=bool(value["sound"]),
        )


@dataclass(frozen=True, slots=True)
class ExportedKey:
    """One version of one reference of the vault, wrapped under the backup's key."""

    reference: str
    version: str
    value: bytes = field(repr=False)
    enabled: bool
    current: bool
    expires_on: datetime | None

    def to_json(self) -> list[Any]:
        expires = self.expires_on.isoformat() if self.expires_on is not None else None
        value = base64.b64encode(self.value).decode("ascii")
        return [self.reference, self.version, value, self.enabled, self.current, expires]

    @classmethod
    def from_json(cls, line: list[Any]) -> ExportedKey:
        reference, version, value, enabled, current, expires = line
        moment = datetime.fromisoformat(expires) if expires is not None else None
        raw = base64.b64decode(value, validate=True)
        return cls(reference, version, raw, enabled, current, moment)
