"""Orphans are found, reported, and left alone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.crypto.context import Role
from app.storage.encrypted_store import EncryptedStore
from app.storage.object_paths import DIRECTORY_RECORD, ObjectPath
from app.storage.reconcile import HOUR_MS, Orphan, OrphanKind, OrphanReport, find_orphans
from tests.unit.storage.pictures import Keys, Picture

NOW = 1_800_000_000_000
OLD = NOW - 2 * HOUR_MS


@dataclass
class Rows:
    """The database of a test; counts how many names it is asked for at once."""

    paths: list[ObjectPath] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def named(self, stored_names: Sequence[str], /) -> Iterable[ObjectPath]:
        self.asked.append(len(stored_names))
        wanted = set(stored_names)
        return [path for path in self.paths if str(path.stored_name) in wanted]

    def kept(self) -> Iterable[ObjectPath]:
        return self.paths


def snapshot(root: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in root.rglob("*")
    }


def found(store: EncryptedStore, rows: Rows) -> set[tuple[str, str]]:
    return {
        (orphan.kind.value, orphan.key)
        for orphan in find_orphans(store.blobs, rows, now_ms=NOW)
    }


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def kept(store: EncryptedStore, rows: Rows, keys: Keys) -> list[Picture]:
    """Five pictures with thumbnails, rows and all."""
    pictures = [Picture(b"x", now_ms=OLD) for _ in range(5)]
    for picture in pictures:
        picture.seal_into(store)
        thumbnail(store, picture)
        rows.paths.append(picture.path)
    return pictures


def thumbnail(store: EncryptedStore, picture: Picture) -> str:
    store.seal_derivative(
        picture.path, picture.image_id, picture.dek, picture.version, Role.THUMBNAIL, 320, b"x"
    )
    return picture.path.thumbnail(320)


def test_a_whole_store_is_clean(store: EncryptedStore, rows: Rows, kept: list[Picture]) -> None:
    store.blobs.put(DIRECTORY_RECORD, b"x")
    store.blobs.put(".darkroom-store", b"x")
    store.blobs.put("parts/x/0.part", b"x")
    assert found(store, rows) == set()
    assert OrphanReport.of(find_orphans(store.blobs, rows, now_ms=NOW)).is_clean


def test_an_empty_store_is_clean(store: EncryptedStore, rows: Rows) -> None:
    assert found(store, rows) == set()


def test_every_kind_of_orphan_is_told(
    store: EncryptedStore, rows: Rows, kept: list[Picture], root: Path
) -> None:
    unknown = Picture(b"no row", now_ms=OLD)
    unknown.seal_into(store)
    derived = thumbnail(store, unknown)
    half = Picture(b"only a sidecar", now_ms=OLD)
    half.seal_into(store)
    store.blobs.delete(half.path.original)
    store.blobs.delete(kept[0].path.original)
    store.blobs.delete(kept[1].path.original)
    store.blobs.delete(kept[1].path.sidecar)
    store.blobs.delete(kept[2].path.sidecar)
    store.blobs.put("dam/c-abc/3f/stranger.enc", b"x")
    temporary = "dam/c-abc/" + ".tmp-" + "0" * 32
    (root / temporary).write_bytes(b"half")
    os.utime(root / temporary, (OLD / 1000, OLD / 1000))
    before = snapshot(root)
    assert found(store, rows) == {
        ("blob_without_row", unknown.path.original),
        ("blob_without_row", derived),
        ("sidecar_without_blob", half.path.sidecar),
        ("sidecar_without_blob", kept[0].path.sidecar),
        ("row_without_blob", kept[0].path.original),
        ("row_without_blob", kept[1].path.original),
        ("blob_without_sidecar", kept[2].path.original),
        ("foreign", "dam/c-abc/3f/stranger.enc"),
        ("stale_temporary", temporary),
    }
    assert snapshot(root) == before


def test_a_blob_in_a_wrong_folder_has_no_row(
    store: EncryptedStore, rows: Rows, kept: list[Picture]
) -> None:
    moved = ObjectPath("c-other", kept[0].image_id, kept[0].path.stored_name)
    store.blobs.put(moved.original, store.blobs.read(kept[0].path.original, 1000))
    assert found(store, rows) == {("blob_without_row", moved.original)}


def test_an_upload_under_way_is_left_alone(store: EncryptedStore, rows: Rows) -> None:
    young = Picture(b"x", now_ms=NOW - HOUR_MS // 2)
    young.seal_into(store)
    with store.blobs.stage(Picture(b"").path.original):
        (temporary,) = store.blobs.temporaries()
        report = find_orphans(store.blobs, rows, now_ms=temporary.modified_ms + 1000)
        kinds = {orphan.kind for orphan in report}
        assert OrphanKind.STALE_TEMPORARY not in kinds
    assert found(store, rows) == set()
    store_is_old = find_orphans(store.blobs, rows, now_ms=NOW, settled_ms=0)
    assert [orphan.key for orphan in store_is_old] == [young.path.original]


def test_the_database_is_asked_in_batches(
    store: EncryptedStore, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.reconcile.BATCH", 3)
    first = Picture(b"x", now_ms=OLD)
    for number in range(8):
        picture = Picture(b"x", image_id=first.image_id, now_ms=OLD + number)
        store.blobs.put(picture.path.original, b"x", durable=False)
        store.blobs.put(picture.path.sidecar, b"x", durable=False)
        rows.paths.append(picture.path)
    assert found(store, rows) == set()
    assert rows.asked == [3, 3, 2]


def test_the_report_counts_all_and_shows_some() -> None:
    orphans = [Orphan(OrphanKind.FOREIGN, f"dam/{number}") for number in range(50)]
    orphans.append(Orphan(OrphanKind.ROW_WITHOUT_BLOB, "dam/x"))
    report = OrphanReport.of(orphans, examples=3)
    assert not report.is_clean
    assert report.counts == {OrphanKind.FOREIGN: 50, OrphanKind.ROW_WITHOUT_BLOB: 1}
    assert report.examples == {
        OrphanKind.FOREIGN: ["dam/0", "dam/1", "dam/2"],
        OrphanKind.ROW_WITHOUT_BLOB: ["dam/x"],
    }
