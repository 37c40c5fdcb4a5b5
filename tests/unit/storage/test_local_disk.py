"""What is particular to a store on a local disk: modes, links, lost mounts, error numbers."""

from __future__ import annotations

import errno
import os
import stat
import threading
import traceback
from pathlib import Path

import pytest

from app.errors import (
    BlobExists,
    BlobNotFound,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from app.storage.disk_errors import from_os_error
from app.storage.local_disk import LocalDisk
from tests.unit.storage import os_faults

KEY = "dam/c-abc/3f/x.enc"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nothing_is_touched_before_the_first_call(root: Path) -> None:
    LocalDisk(root)
    assert not root.exists()


def test_only_the_owner_may_look(disk: LocalDisk, root: Path) -> None:
    mask = os.umask(0)
    try:
        disk.put(KEY, b"x")
        with disk.lock(KEY):
            pass
    finally:
        os.umask(mask)
    found = [root, *root.rglob("*")]
    assert len(found) == 7
    for path in found:
        assert mode(path) == (0o700 if path.is_dir() else 0o600)


def test_a_missing_store_is_unavailable_and_never_made(tmp_path: Path) -> None:
    lost = LocalDisk(tmp_path / "lost")
    for call in (
        lambda: lost.open(KEY),
        lambda: lost.put(KEY, b"x"),
        lambda: lost.exists(KEY),
        lambda: lost.delete(KEY),
        lambda: list(lost.keys()),
        lambda: list(lost.temporaries()),
        lost.check,
        lambda: lost.lock(KEY).__enter__(),
    ):
        with pytest.raises(StoreUnavailable, match="mounted"):
            call()
    with pytest.raises(StoreError):
        lost.free_bytes()
    assert not (tmp_path / "lost").exists()


def test_the_root_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    disk = LocalDisk(tmp_path / "link")
    disk.put(KEY, b"x")
    disk.check()
    assert (tmp_path / "real" / KEY).read_bytes() == b"x"


def test_a_link_to_a_file_is_not_followed(disk: LocalDisk, root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"not ours")
    disk.put(KEY, b"x")
    (root / KEY).unlink()
    (root / KEY).symlink_to(secret)
    with pytest.raises(StoreError) as refusal:
        disk.open(KEY)
    assert not isinstance(refusal.value, BlobNotFound)
    assert not disk.exists(KEY)
    assert list(disk.keys()) == []
    with pytest.raises(BlobExists):
        disk.put(KEY, b"new")
    disk.put(KEY, b"new", replace=True)
    assert not (root / KEY).is_symlink()
    assert secret.read_bytes() == b"not ours"


def test_a_link_to_a_folder_is_not_followed(
    disk: LocalDisk, root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    (outside / "3f").mkdir(parents=True)
    (outside / "3f" / "x.enc").write_bytes(b"not ours")
    (root / "dam").mkdir()
    (root / "dam" / "c-abc").symlink_to(outside)
    for call in (
        lambda: disk.open(KEY),
        lambda: disk.put(KEY, b"x", replace=True),
        lambda: disk.put("dam/c-abc/3f/new.enc", b"x"),
        lambda: disk.delete(KEY),
        lambda: disk.exists(KEY),
    ):
        with pytest.raises(StoreError) as refusal:
            call()
        assert not isinstance(refusal.value, BlobNotFound)
    assert list(disk.keys()) == []
    assert (outside / "3f" / "x.enc").read_bytes() == b"not ours"
    assert sorted(os.listdir(outside / "3f")) == ["x.enc"]


def test_a_folder_that_becomes_a_link_later_is_not_followed(
    disk: LocalDisk, root: Path, tmp_path: Path
) -> None:
    """Not for writing and deleting; what is read through it has to verify."""
    disk.put(KEY, b"x")
    assert disk.read(KEY, 1) == b"x"
    (root / "dam" / "c-abc").rename(tmp_path / "moved")
    (root / "dam" / "c-abc").symlink_to(tmp_path / "moved")
    for call in (
        lambda: disk.put(KEY, b"y", replace=True),
        lambda: disk.delete(KEY),
        lambda: LocalDisk(root).open(KEY),
    ):
        with pytest.raises(StoreError) as refusal:
            call()
        assert not isinstance(refusal.value, BlobNotFound)
    assert (tmp_path / "moved" / "3f" / "x.enc").read_bytes() == b"x"


def test_a_store_that_goes_away_while_it_is_read(disk: LocalDisk, root: Path) -> None:
    """Its blobs are not missing: their whole store is."""
    disk.put(KEY, b"x")
    assert disk.read(KEY, 1) == b"x"
    root.rename(root.with_name("gone"))
    with pytest.raises(StoreUnavailable):
        disk.open(KEY)
    root.with_name("gone").rename(root)
    assert disk.read(KEY, 1) == b"x"
    disk.delete(KEY)
    with pytest.raises(BlobNotFound):
        disk.open(KEY)


def test_remembered_folders_are_bounded(
    disk: LocalDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.storage.local_disk.WALKED_FOLDERS", 3)
    for number in range(10):
        disk.put(f"dam/{number}/x", b"x", durable=False)
        assert disk.read(f"dam/{number}/x", 1) == b"x"
    assert len(disk._walked) <= 3


def test_what_is_no_file_is_not_opened(disk: LocalDisk, root: Path) -> None:
    disk.put(KEY, b"x")
    os.mkfifo(root / "dam/c-abc/3f/pipe.enc")
    (root / "dam/c-abc/3f/folder.enc").mkdir()
    for name in ("pipe.enc", "folder.enc"):
        with pytest.raises(StoreError):
            disk.open("dam/c-abc/3f/" + name)
        assert not disk.exists("dam/c-abc/3f/" + name)
    assert list(disk.keys()) == [KEY]
    (root / "file").write_bytes(b"")
    with pytest.raises(StoreError):
        disk.put("file/x.enc", b"x")


def test_odd_names_are_passed_over(disk: LocalDisk, root: Path) -> None:
    disk.put(KEY, b"x")
    (root / "dam" / "with space").write_bytes(b"")
    (root / "dam" / ".hidden").write_bytes(b"")
    (root / os.fsdecode(b"dam/\xff")).write_bytes(b"")
    assert list(disk.keys()) == [KEY]


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, StoreFull),
        (errno.EDQUOT, StoreFull),
        (errno.EFBIG, StoreFull),
        (errno.EIO, StoreUnavailable),
        (errno.EROFS, StoreUnavailable),
        (errno.ESTALE, StoreUnavailable),
        (errno.EACCES, StoreUnavailable),
        (errno.EMFILE, StoreUnavailable),
        (errno.ENODEV, StoreUnavailable),
        (errno.ENOENT, BlobNotFound),
        (errno.EEXIST, BlobExists),
        (errno.ELOOP, StoreError),
        (None, StoreUnavailable),
    ],
)
def test_error_numbers(number: int | None, kind: type[StoreError]) -> None:
    error = OSError(number, "text", "/a/path") if number else OSError()
    translated = from_os_error(error, "blob.open")
    assert type(translated) is kind
    assert translated.operation == "blob.open"
    assert "/a/path" not in translated.message + str(translated.details)


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EIO, StoreUnavailable), (errno.ENOSPC, StoreFull)]
)
def test_errors_of_the_disk_carry_no_path(
    disk: LocalDisk, root: Path, number: int, kind: type[StoreError]
) -> None:
    fail = os_faults.failing(1, number, onwards=True)
    with os_faults.watched(fail), pytest.raises(kind) as refusal:
        disk.put(KEY, b"x")
    assert str(root) not in "".join(traceback.format_exception(refusal.value)[-1:])
    assert refusal.value.__suppress_context__


def test_short_writes_and_reads_are_completed(
    disk: LocalDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytes(range(256)) * 20
    write, preadv = os.write, os.preadv
    monkeypatch.setattr(os, "write", lambda fd, view: write(fd, view[:1000]))
    monkeypatch.setattr(os, "preadv", lambda fd, vs, at: preadv(fd, [vs[0][:700]], at))
    disk.put(KEY, data)
    assert disk.read(KEY, len(data)) == data


def test_a_durable_write_syncs_file_and_folder_before_it_returns(disk: LocalDisk) -> None:
    disk.put(KEY, b"the folders exist now")
    with os_faults.watched(lambda number, name: None) as trace:
        disk.put(KEY, b"x", replace=True)
    calls = [name for name in trace if name not in ("open", "close", "fstat")]
    assert calls == ["write", "fsync", "replace", "fsync"]
    with os_faults.watched(lambda number, name: None) as trace:
        disk.put(KEY, b"x", replace=True, durable=False)
    assert "fsync" not in trace


def test_new_folders_are_synced_into_their_parents(disk: LocalDisk) -> None:
    with os_faults.watched(lambda number, name: None) as trace:
        disk.put(KEY, b"x")
    calls = [name for name in trace if name in ("mkdir", "fsync", "link", "unlink")]
    assert calls == ["mkdir", "fsync"] * 3 + ["fsync", "link", "unlink", "fsync"]


def test_a_read_only_folder_fails_the_check(disk: LocalDisk, root: Path) -> None:
    disk.check()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "access", lambda *args, **kwargs: False)
        with pytest.raises(StoreUnavailable):
            disk.check()


def test_free_bytes_are_those_of_the_disk(disk: LocalDisk, root: Path) -> None:
    facts = os.statvfs(root)
    assert abs(disk.free_bytes() - facts.f_bavail * facts.f_frsize) < 2**30


def test_a_lock_dies_with_its_holder(disk: LocalDisk) -> None:
    ready, held = os.pipe()
    child = os.fork()
    if child == 0:
        with disk.lock(KEY):
            os.write(held, b"x")
            threading.Event().wait(20)
        os._exit(0)
    os.read(ready, 1)
    with pytest.raises(StoreUnavailable), disk.lock(KEY):
        pass
    os.kill(child, 9)
    os.waitpid(child, 0)
    with disk.lock(KEY):
        pass
    os.close(ready)
    os.close(held)


def test_descriptors_are_given_back(disk: LocalDisk, root: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for number in range(20):
        disk.put(KEY, b"x", replace=True)
        disk.read(KEY, 1)
        disk.exists(KEY)
        list(disk.keys())
        with pytest.raises(BlobNotFound):
            disk.open(f"dam/{number}")
        with pytest.raises(BlobExists):
            disk.put(KEY, b"y")
        disk.delete(KEY)
        with disk.lock(KEY):
            pass
    assert len(os.listdir("/proc/self/fd")) == before
