"""A store on a disk, and a picture to put into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.storage.encrypted_store import EncryptedStore
from app.storage.local_disk import LocalDisk
from tests.unit.storage.pictures import MARKED, Keys, Picture


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def disk(root: Path) -> LocalDisk:
    disk = LocalDisk(root, lock_timeout=0.2)
    disk.create()
    return disk


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def store(disk: LocalDisk, keys: Keys) -> EncryptedStore:
    return EncryptedStore(disk, keys)


@pytest.fixture
def picture(keys: Keys) -> Picture:
    picture = Picture(MARKED + bytes(range(256)) * 300)
    keys.known[picture.image_id, picture.version] = picture.dek
    return picture


@pytest.fixture
def stored(store: EncryptedStore, picture: Picture) -> Picture:
    """The picture, sealed into the store."""
    picture.seal_into(store)
    return picture
