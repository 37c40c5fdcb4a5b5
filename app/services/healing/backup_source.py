"""A backup as a source of sound blobs and keys."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from uuid import UUID

from app.crypto.keys import SecretKey
from app.errors import BlobNotFound
from app.services.backup.opened import BackupKeys, OpenedBackup
from app.storage.interface import BlobHandle


class BackupSource:
    """Its catalogue and keys are read once, when they are first asked for; memory grows with
    the number of pictures."""

    def __init__(self, opened: OpenedBackup) -> None:
        self._opened = opened

    def expect(self, keys: Collection[str]) -> None:
        del keys

    def open(self, key: str) -> BlobHandle:
        sha256 = self._objects.get(key)
        if sha256 is None:
            raise BlobNotFound("The backup has no such file.", operation="heal.source")
        return self._opened.object(sha256)

    def check(self) -> None:
        """It was opened under its key, and every part verifies when it is read."""

    def key(self, file_id: UUID, version: bytes) -> SecretKey | None:
        return self._keys.find(file_id, version)

    @cached_property
    def _objects(self) -> dict[str, str]:
        return {one.key: one.sha256 for held in self._opened.holdings() for one in held.files}

    @cached_property
    def _keys(self) -> BackupKeys:
        return BackupKeys(self._opened)
