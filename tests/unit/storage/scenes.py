"""A small store to fail and to kill, once for every system call of an operation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.crypto.context import Role
from app.crypto.stream import ChunkPolicy
from app.storage.encrypted_store import EncryptedStore
from app.storage.local_disk import LocalDisk
from app.storage.object_paths import ObjectPath
from app.storage.reconcile import OrphanKind, find_orphans
from tests.unit.storage import os_faults
from tests.unit.storage.pictures import MARKED, SECRET_NAME, Keys, Picture

FAR_AHEAD = 10**15


POLICY = ChunkPolicy(single_chunk_limit=8192, stream_chunk=4096)


CONTENT = MARKED * 1000


@dataclass
class Rows:
    paths: list[ObjectPath] = field(default_factory=list)

    def named(self, stored_names: Sequence[str], /) -> Iterable[ObjectPath]:
        return self.paths

    def kept(self) -> Iterable[ObjectPath]:
        return self.paths


class Scene:
    """A store with one picture in it, and another one that is on its way."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.disk = LocalDisk(root)
        self.disk.create()
        self.keys = Keys()
        self.store = EncryptedStore(self.disk, self.keys, POLICY)
        self.resident = Picture(b"resident " + MARKED)
        self.arriving = Picture(CONTENT)
        for picture in (self.resident, self.arriving):
            self.keys.known[picture.image_id, picture.version] = picture.dek
        self.resident.seal_into(self.store)

    def whole(self, picture: Picture) -> bool:
        """True if the original is there and complete, False if it is absent."""
        key = picture.path.original
        if not self.disk.exists(key):
            return False
        with self.store.open(key, picture.image_id, Role.ORIGINAL, 0, picture.floor()) as blob:
            assert blob.reader.read_all() == picture.content
        return True

    def reported(self, *rows: Picture) -> set[str]:
        known = Rows([picture.path for picture in rows])
        orphans = list(find_orphans(self.disk, known, now_ms=FAR_AHEAD, settled_ms=0))
        assert all(orphan.kind is not OrphanKind.FOREIGN for orphan in orphans)
        return {orphan.key for orphan in orphans}

    def left(self) -> set[str]:
        """Files that do not belong to the resident picture (and are no locks)."""
        ours = {self.resident.path.original, self.resident.path.sidecar}
        files = {
            str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()
        }
        return {name for name in files if not name.startswith(".locks/")} - ours

    def check_nothing_is_readable(self) -> None:
        for path in self.root.rglob("*"):
            if path.is_file():
                raw = path.read_bytes()
                assert MARKED not in raw
                assert SECRET_NAME.encode() not in raw


def scenes(tmp_path: Path, operation: Callable[[Scene], object]) -> Iterator[tuple[int, Scene]]:
    """A fresh scene for every system call that the operation makes when all goes well."""
    rehearsal = Scene(tmp_path / "rehearsal")
    calls = os_faults.count(lambda: operation(rehearsal))
    assert calls > 5
    for at in range(1, calls + 1):
        yield at, Scene(tmp_path / f"scene-{at}")


def seal(scene: Scene) -> None:
    scene.arriving.seal_into(scene.store)
