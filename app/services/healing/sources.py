"""Where sound blobs come from: a backup, or a plain copy of an instance or of its store."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Protocol
from uuid import UUID

from app.crypto.keys import SecretKey
from app.errors import DarkroomError, StoreUnavailable
from app.services.keys import KeyVaulting, file_reference
from app.storage.interface import BlobHandle, BlobStore
from app.storage.marker import read_marker


class BlobSource(Protocol):
    """What `Healing` asks of a backup. Nothing that it gives is believed before it was
    verified under the keys of the installation."""

    def expect(self, keys: Collection[str]) -> None:
        """These keys of the store will be asked for: a backup looks them up in one go."""
        ...

    def open(self, key: str) -> BlobHandle:
        """The blob that lay at this key of the store; BlobNotFound."""
        ...

    def check(self) -> None:
        """StoreUnavailable unless it can be read now."""
        ...

    def key(self, file_id: UUID, version: bytes) -> SecretKey | None:
        """A key of a file as the backup has it; None if it has none."""
        ...


class FolderCopy:
    """A folder that was copied from an instance, or from the store alone."""

    def __init__(
        self, blobs: BlobStore, vaulting: KeyVaulting | None, store_id: Callable[[], UUID]
    ) -> None:
        """``store_id`` gives the installation's own: a copy of another one is refused."""
        self._blobs = blobs
        self._vaulting = vaulting
        self._store_id = store_id

    def expect(self, keys: Collection[str]) -> None:
        del keys
        self.check()

    def open(self, key: str) -> BlobHandle:
        return self._blobs.open(key)

    def check(self) -> None:
        marker = read_marker(self._blobs)
        if marker is None:
            raise StoreUnavailable(
                "This folder holds no copy of a store: its marker file is missing.",
                operation="heal.source",
            )
        if marker.store_id != self._store_id():
            raise StoreUnavailable(
                "This is a copy of another installation's store.", operation="heal.source"
            )

    def key(self, file_id: UUID, version: bytes) -> SecretKey | None:
        if self._vaulting is None:
            return None
        with suppress(DarkroomError):  # a copy may lack keys, or be unreadable: none, then
            return self._vaulting.load(file_reference(file_id), version)
        return None
