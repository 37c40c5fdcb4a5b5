"""A backup that was opened: its manifest verified, its parts read as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.crypto.backup_key import BackupKey
from app.crypto.envelope import unwrap_key
from app.crypto.keys import SecretKey
from app.db.portable import Line
from app.errors import BlobNotFound, DecryptionFailed, NotFound
from app.services.backup.catalogue import ExportedKey, Holding
from app.services.backup.locks import Locks
from app.services.backup.manifest import (
    GENERATIONS,
    MANIFEST,
    Body,
    Head,
    damaged,
    folder_of,
    is_generation,
    object_key,
    open_body,
    read_head,
    unlock,
)
from app.services.backup.parts import read_part
from app.storage.archive import Archive
from app.storage.interface import BlobHandle

DATABASE, VAULT, CATALOGUE = "database", "vault", "catalogue"
PARTS = (DATABASE, VAULT, CATALOGUE)


def part_key(name: str, part: str) -> str:
    """Where a part of the backup ``name`` lies."""
    return f"{folder_of(name)}{part}.part"


def generations(archive: Archive) -> tuple[dict[str, list[str]], list[str]]:
    """All folders of backups with their keys, and the names of the complete ones, oldest
    first. What is not ours is passed over.
    """
    folders: dict[str, list[str]] = {}
    for key in archive.keys(GENERATIONS):
        name, _, file = key.removeprefix(GENERATIONS).partition("/")
        if is_generation(name) and file:
            folders.setdefault(name, []).append(key)
    complete = [name for name in sorted(folders) if folder_of(name) + MANIFEST in folders[name]]
    return folders, complete


def open_backup(archive: Archive, locks: Locks, name: str | None = None) -> OpenedBackup:
    """The newest complete backup, or the one of this name (NotFound).

    EncryptionError for a wrong key, DecryptionFailed for a manifest that was touched.
    """
    chosen = name
    if chosen is None:
        _, complete = generations(archive)
        chosen = complete[-1] if complete else ""
    if not is_generation(chosen):
        raise no_backup(named=name is not None)
    try:
        head, sealed = read_head(archive, chosen)
    except BlobNotFound:
        raise no_backup(named=name is not None) from None
    key = unlock(head, locks)
    return OpenedBackup(archive, head, open_body(head, sealed, key), key)


def no_backup(*, named: bool) -> NotFound:
    what = "of this name" if named else "that is complete"
    return NotFound(f"There is no backup {what} in this place.", operation="backup.open")


@dataclass(frozen=True, slots=True)
class OpenedBackup:
    """Reading anything that was touched, cut or swapped raises DecryptionFailed."""

    archive: Archive
    head: Head
    body: Body
    key: BackupKey

    @property
    def name(self) -> str:
        return self.head.name

    def database(self) -> Iterator[Line]:
        """The lines of `app.db.portable`."""
        return self._part(DATABASE)

    def holdings(self) -> Iterator[Holding]:
        """Every picture, and the directory."""
        lines = self._part(CATALOGUE)
        next(lines, None)  # the columns of file_keys
        for line in lines:
            try:
                yield Holding.from_json(line)
            except (KeyError, ValueError, TypeError):
                raise damaged() from None

    def key_columns(self) -> list[Any]:
        """What the rows of a holding are: names and kinds."""
        first = next(self._part(CATALOGUE), None)
        if not isinstance(first, dict) or "columns" not in first:
            raise damaged()
        return list(first["columns"])

    def vault(self) -> Iterator[ExportedKey]:
        """Every key, in the order in which a vault takes them: the current one last."""
        for line in self._part(VAULT):
            try:
                yield ExportedKey.from_json(line)
            except (ValueError, TypeError):
                raise damaged() from None

    def unwrapped(self, exported: ExportedKey) -> SecretKey:
        return unwrap_key(self.key.part("wrap"), exported.value)

    def object(self, sha256: str) -> BlobHandle:
        """A sealed file; BlobNotFound. Its hash is for the caller to compare."""
        return self.archive.open(object_key(sha256))

    def _part(self, name: str) -> Iterator[Any]:
        part = self.body.parts.get(name)
        if part is None:
            raise damaged()
        try:
            yield from read_part(
                self.archive, part_key(self.name, name), part, self.key.part(name), self.head.id
            )
        except BlobNotFound:
            raise DecryptionFailed(operation="backup.part") from None


class BackupKeys:
    """The keys of a backup as a KeySource: in memory, still wrapped, opened one by one."""

    def __init__(self, opened: OpenedBackup) -> None:
        self._opened = opened
        every = list(opened.vault())
        self._all = {(one.reference, one.version) for one in every}
        self._keys = {(one.reference, one.version): one for one in every if one.enabled}

    def find(self, file_id: UUID, version: bytes) -> SecretKey | None:
        """None for a key that the backup does not hold, or only as one out of use."""
        found = self._keys.get((f"file-{file_id}", version.hex()))
        return self._opened.unwrapped(found) if found is not None else None

    def roots(self, name: str) -> dict[bytes, SecretKey]:
        """All versions of a root key."""
        return {
            bytes.fromhex(one.version): self._opened.unwrapped(one)
            for (reference, _), one in self._keys.items()
            if reference == f"root-{name}"
        }

    def has(self, file_id: UUID, version: bytes) -> bool:
        """Whether the backup holds this key at all, be it out of use."""
        return (f"file-{file_id}", version.hex()) in self._all

    def __len__(self) -> int:
        return len(self._all)
