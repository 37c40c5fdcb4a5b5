"""The local vault on the disk: where what lies, who may read it, and what is kept how long."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.errors import KeyDamaged, KeyNotFound, KeyVaultError, KeyVaultUnavailable
from app.vault.local import LocalVault

CONTENT_TYPE = "application/x-darkroom-dek;v=1;m=0badcafe"
V1, V2, V3 = "1" * 32, "2" * 32, "3" * 32
START = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
GRACE = timedelta(hours=24)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "instance" / "secrets"


@pytest.fixture
def vault(path: Path, clock: Clock) -> LocalVault:
    vault = LocalVault(path, grace=GRACE, clock=clock)
    vault.prepare()
    return vault


def put(vault: LocalVault, reference: str, version: str, value: bytes, **more: Any) -> None:
    vault.put(reference, version, value, **{"content_type": CONTENT_TYPE, **more})


def place(path: Path, reference: str, suffix: str = ".json") -> Path:
    folder = hashlib.sha256(reference.encode()).hexdigest()[:2]
    return path / folder / (reference + suffix)


def files(path: Path) -> list[str]:
    """Everything in the vault but the locks."""
    return sorted(p.name for p in path.rglob("*") if p.is_file() and p.name != ".lock")


class TestLayout:
    def test_the_file_is_what_the_store_format_says(
        self, vault: LocalVault, path: Path
    ) -> None:
        put(vault, "file-a", V1, b"\x00wrapped", expires_on=START + timedelta(days=30))
        put(vault, "file-a", V2, b"\xffwrapped")
        vault.disable("file-a", V1)
        document = json.loads(place(path, "file-a").read_bytes())
        assert document == {
            "file-a": {
                "current": V2,
                "versions": {
                    V1: {
                        "value": base64.b64encode(b"\x00wrapped").decode(),
                        "content_type": CONTENT_TYPE,
                        "enabled": False,
                        "created_on": "2030-01-02T03:04:05.678901Z",
                        "expires_on": "2030-02-01T03:04:05.678901Z",
                    },
                    V2: {
                        "value": base64.b64encode(b"\xffwrapped").decode(),
                        "content_type": CONTENT_TYPE,
                        "enabled": True,
                        "created_on": "2030-01-02T03:04:05.678901Z",
                    },
                },
            }
        }

    def test_nothing_else_is_called_json(self, vault: LocalVault, path: Path) -> None:
        for reference in ("file-a", "root-blind"):
            put(vault, reference, V1, b"1")
            put(vault, reference, V2, b"2")
        found = sorted(path.rglob("*.json"))
        assert found == sorted(place(path, name) for name in ("file-a", "root-blind"))
        assert b"null" not in b"".join(file.read_bytes() for file in found)

    def test_folders_are_0700_and_files_0600_whatever_the_umask(
        self, vault: LocalVault, path: Path
    ) -> None:
        former = os.umask(0)
        try:
            put(vault, "file-a", V1, b"1")
            put(vault, "file-a", V2, b"2")
        finally:
            os.umask(former)
        for found in [path.parent, path, *path.rglob("*")]:
            mode = stat.S_IMODE(found.stat().st_mode)
            assert mode == (0o700 if found.is_dir() else 0o600), found

    def test_nothing_is_touched_before_the_first_call(self, path: Path, clock: Clock) -> None:
        LocalVault(path, grace=GRACE, clock=clock)
        assert not path.parent.exists()

    def test_strange_files_are_no_references(self, vault: LocalVault, path: Path) -> None:
        put(vault, "file-a", V1, b"1")
        (path / "README").write_text("not a folder")
        (path / "zz").mkdir(mode=0o700)
        (path / "zz" / "file-b.json").write_text("{}")
        place(path, "file-a", ".json.old").write_text("")
        assert list(vault.references()) == ["file-a"]


class TestPrivacy:
    """What others could read or have made is refused, with the way out in the message."""

    @pytest.fixture
    def vault(self, vault: LocalVault) -> LocalVault:
        put(vault, "file-a", V1, b"1")
        return vault

    @pytest.mark.parametrize("bits", [0o040, 0o020, 0o010, 0o004, 0o002, 0o001])
    @pytest.mark.parametrize("which", ["top", "folder", "file"])
    def test_any_access_of_group_or_world_is_refused(
        self, vault: LocalVault, path: Path, which: str, bits: int
    ) -> None:
        file = place(path, "file-a")
        wanted = "0600" if which == "file" else "0700"
        target = {"top": path, "folder": file.parent, "file": file}[which]
        target.chmod(int(wanted, 8) | bits)
        calls: list[Callable[[], object]] = [
            lambda: vault.get("file-a", V1),
            lambda: vault.versions("file-a"),
            lambda: put(vault, "file-a", V2, b"2"),
            lambda: vault.disable("file-a", V1),
        ]
        for call in calls:
            with pytest.raises(
                KeyVaultError, match=f"open to group or others.*make it {wanted}"
            ):
                call()
        target.chmod(int(wanted, 8))
        assert [info.version for info in vault.versions("file-a")] == [V1]

    def test_check_refuses_an_open_vault(self, vault: LocalVault, path: Path) -> None:
        path.chmod(0o750)
        with pytest.raises(KeyVaultError, match=r"mode 0750.*0700"):
            vault.check()

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
    @pytest.mark.parametrize("which", ["top", "folder", "file"])
    def test_what_belongs_to_another_user_is_refused(
        self, vault: LocalVault, path: Path, which: str
    ) -> None:
        file = place(path, "file-a")
        os.chown({"top": path, "folder": file.parent, "file": file}[which], 12345, -1)
        with pytest.raises(KeyVaultError, match="belongs to another user") as caught:
            vault.get("file-a", V1)
        assert caught.value.details["owner"] == 12345

    @pytest.mark.parametrize("which", ["folder", "file"])
    def test_a_symbolic_link_is_not_followed(
        self, vault: LocalVault, path: Path, tmp_path: Path, which: str
    ) -> None:
        file = place(path, "file-a")
        target = file if which == "file" else file.parent
        target.rename(tmp_path / "elsewhere")
        target.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(KeyDamaged if which == "file" else KeyVaultUnavailable):
            vault.get("file-a", V1)

    def test_the_vault_itself_may_be_a_link(
        self, vault: LocalVault, path: Path, tmp_path: Path
    ) -> None:
        path.rename(tmp_path / "mounted")
        path.symlink_to(tmp_path / "mounted")
        assert vault.get("file-a", V1).value == b"1"

    def test_a_planted_temporary_file_is_not_written_to(
        self, vault: LocalVault, path: Path, tmp_path: Path
    ) -> None:
        victim = tmp_path / "victim"
        victim.write_text("untouched")
        os.link(victim, place(path, "file-a", "").with_name(".tmp-file-a"))
        put(vault, "file-a", V2, b"2")
        assert victim.read_text() == "untouched"
        assert vault.get("file-a", V2).value == b"2"


class TestMissing:
    def test_a_missing_vault_is_unavailable_not_empty(
        self, vault: LocalVault, path: Path
    ) -> None:
        path.rename(path.with_name("unmounted"))
        calls: list[Callable[[], object]] = [
            lambda: put(vault, "file-a", V1, b"1"),
            lambda: vault.get("file-a", V1),
            lambda: vault.versions("file-a"),
            lambda: vault.disable("file-a", V1),
            lambda: vault.delete("file-a"),
            lambda: list(vault.references()),
            lambda: vault.check(),
            lambda: vault.purge_expired_copies(),
        ]
        for call in calls:
            with pytest.raises(KeyVaultUnavailable, match="missing; mount it or restore it"):
                call()
        assert not path.exists()

    def test_an_unknown_key_of_a_vault_in_use_is_not_found(self, vault: LocalVault) -> None:
        put(vault, "file-a", V1, b"1")
        with pytest.raises(KeyNotFound):
            vault.get("file-unknown", V1)
        vault.delete("file-unknown")

    def test_a_file_in_the_place_of_the_vault(self, vault: LocalVault, path: Path) -> None:
        path.rmdir()
        path.write_text("")
        with pytest.raises(KeyVaultUnavailable) as caught:
            put(vault, "file-a", V1, b"1")
        assert caught.value.details == {"reference": "file-a", "errno": "ENOTDIR"}
        with pytest.raises(KeyVaultUnavailable):
            vault.prepare()


class TestDamaged:
    GOOD = json.dumps(
        {
            "file-a": {
                "current": V1,
                "versions": {
                    V1: {
                        "value": "UExBTlRFRA==",
                        "content_type": CONTENT_TYPE,
                        "enabled": True,
                        "created_on": "2030-01-02T03:04:05Z",
                    }
                },
            }
        }
    )

    def read(self, vault: LocalVault, path: Path, text: str) -> bytes:
        put(vault, "file-a", V1, b"1")
        place(path, "file-a").write_text(text)
        return vault.get("file-a", V1).value

    def test_a_file_written_by_others_by_the_same_format_is_read(
        self, vault: LocalVault, path: Path
    ) -> None:
        assert self.read(vault, path, json.dumps(json.loads(self.GOOD), indent=1)) == b"PLANTED"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (GOOD, ""),
            (GOOD, "[]"),
            (GOOD, "{}"),
            (GOOD, "null"),
            (GOOD, GOOD[:-1]),
            (GOOD, "[" * 100_000),
            ('"file-a"', '"file-b"'),
            ('"current": "1', '"current": "2'),
            (f'"{V1}": {{', '"x": {'),
            ('"UExBTlRFRA=="', "null"),
            ('"UExBTlRFRA=="', '"UExBTlRFRA"'),
            ('"UExBTlRFRA=="', '"UExB*TlRFRA=="'),
            ("true", "1"),
            ("true", "null"),
            ('"enabled": true,', ""),
            ('"enabled": true', '"enabled": true, "extra": 1'),
            ("05Z", "05"),
            ("2030-01", "2030-13"),
            ('05Z"', '05Z", "expires_on": null'),
            (f'"{CONTENT_TYPE}"', "5"),
        ],
    )
    def test_anything_else_is_refused_and_not_repeated(
        self, vault: LocalVault, path: Path, old: str, new: str
    ) -> None:
        assert old in self.GOOD
        with pytest.raises(KeyVaultError, match="damaged") as caught:
            self.read(vault, path, self.GOOD.replace(old, new))
        error = caught.value
        assert not isinstance(error, KeyNotFound | KeyVaultUnavailable)
        assert error.details == {"reference": "file-a"}
        # The parser's error would carry the whole file.
        assert error.__context__ is None
        assert error.__cause__ is None

    def test_an_update_does_not_write_over_it(self, vault: LocalVault, path: Path) -> None:
        put(vault, "file-a", V1, b"1")
        place(path, "file-a").write_text("{damaged")
        with pytest.raises(KeyVaultError, match="damaged"):
            put(vault, "file-a", V2, b"2")
        assert place(path, "file-a").read_text() == "{damaged"

    def test_a_huge_file_is_not_read_into_memory(self, vault: LocalVault, path: Path) -> None:
        put(vault, "file-a", V1, b"1")
        os.truncate(place(path, "file-a"), 1 << 40)
        with pytest.raises(KeyVaultError, match="too large"):
            vault.get("file-a", V1)


class TestFormerFile:
    """``.json.bak``: the state before the last update, until the grace period is over."""

    def test_a_new_key_has_none(self, vault: LocalVault, path: Path) -> None:
        put(vault, "file-a", V1, b"1")
        assert files(path) == ["file-a.json"]

    def test_is_the_file_before_the_last_update(self, vault: LocalVault, path: Path) -> None:
        put(vault, "file-a", V1, b"1")
        put(vault, "file-a", V2, b"2")
        former = place(path, "file-a").read_bytes()
        vault.disable("file-a", V1)
        assert place(path, "file-a", ".json.bak").read_bytes() == former
        assert place(path, "file-a").read_bytes() != former

    def test_disabling_again_is_no_update(self, vault: LocalVault, path: Path) -> None:
        put(vault, "file-a", V1, b"1")
        former = place(path, "file-a").read_bytes()
        vault.disable("file-a", V1)
        vault.disable("file-a", V1)
        assert place(path, "file-a", ".json.bak").read_bytes() == former

    def test_is_copied_where_there_are_no_hard_links(
        self, vault: LocalVault, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_links(*args: object, **kwargs: object) -> None:
            raise OSError(errno.EPERM, "not here")

        monkeypatch.setattr(os, "link", no_links)
        put(vault, "file-a", V1, b"1")
        former = place(path, "file-a").read_bytes()
        put(vault, "file-a", V2, b"2")
        assert place(path, "file-a", ".json.bak").read_bytes() == former
        assert vault.get("file-a", V2).value == b"2"

    def test_goes_when_the_grace_period_is_over(
        self, vault: LocalVault, path: Path, clock: Clock
    ) -> None:
        put(vault, "file-a", V1, b"1")
        clock.now += timedelta(days=30)
        put(vault, "file-a", V2, b"2")
        clock.now += GRACE - timedelta(seconds=1)
        assert vault.purge_expired_copies() == 0
        assert files(path) == ["file-a.json", "file-a.json.bak"]
        clock.now += timedelta(seconds=1)
        assert vault.purge_expired_copies() == 1
        assert files(path) == ["file-a.json"]
        assert vault.get("file-a", V1).value == b"1"

    def test_a_later_update_starts_the_period_again(
        self, vault: LocalVault, clock: Clock
    ) -> None:
        put(vault, "file-a", V1, b"1")
        put(vault, "file-a", V2, b"2")
        clock.now += GRACE
        put(vault, "file-a", V3, b"3")
        assert vault.purge_expired_copies() == 0

    def test_goes_with_the_key(self, vault: LocalVault, path: Path) -> None:
        put(vault, "file-a", V1, b"1")
        put(vault, "file-a", V2, b"2")
        place(path, "file-a").with_name(".tmp-file-a").write_text("left by a killed writer")
        vault.delete("file-a")
        assert files(path) == []

    def test_deletion_finishes_what_a_crash_left(self, vault: LocalVault, path: Path) -> None:
        put(vault, "file-a", V1, b"1")
        put(vault, "file-a", V2, b"2")
        place(path, "file-a").unlink()
        vault.delete("file-a")
        assert files(path) == []

    def test_purging_takes_abandoned_temporary_files(
        self, vault: LocalVault, path: Path
    ) -> None:
        put(vault, "file-a", V1, b"1")
        place(path, "file-a").with_name(".tmp-file-b").write_text("left by a killed writer")
        assert vault.purge_expired_copies() == 1
        assert files(path) == ["file-a.json"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="names descriptors by /proc")
class TestDurability:
    """The order of system calls that makes an acknowledged key survive a power cut."""

    @pytest.fixture
    def calls(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """``fsync <name>`` and ``<call> <name>``, in order."""
        made: list[str] = []

        def record(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                what = args[0]
                if isinstance(what, int):
                    what = os.readlink(f"/proc/self/fd/{what}")
                made.append(f"{name} {Path(what).name}")
                return real(*args, **kwargs)

            return call

        for name in ("fsync", "replace", "unlink", "mkdir", "link"):
            monkeypatch.setattr(os, name, record(name, getattr(os, name)))
        return made

    @pytest.fixture
    def folder(self, path: Path) -> str:
        return place(path, "file-a").parent.name

    def test_prepare(self, tmp_path: Path, clock: Clock, calls: list[str]) -> None:
        LocalVault(tmp_path / "x" / "y", grace=GRACE, clock=clock).prepare()
        assert calls == ["mkdir x", f"fsync {tmp_path.name}", "mkdir y", "fsync x"]

    def test_first_key(self, vault: LocalVault, calls: list[str], folder: str) -> None:
        put(vault, "file-a", V1, b"1")
        assert calls == [
            f"mkdir {folder}",
            "fsync secrets",
            "fsync .tmp-file-a",
            "replace .tmp-file-a",
            f"fsync {folder}",
        ]

    def test_update(self, vault: LocalVault, calls: list[str], folder: str) -> None:
        put(vault, "file-a", V1, b"1")
        calls.clear()
        put(vault, "file-a", V2, b"2")
        assert calls == [
            f"mkdir {folder}",
            "unlink file-a.json.bak",
            "link file-a.json",
            "fsync .tmp-file-a",
            "replace .tmp-file-a",
            f"fsync {folder}",
        ]

    def test_delete(self, vault: LocalVault, calls: list[str], folder: str) -> None:
        put(vault, "file-a", V1, b"1")
        calls.clear()
        vault.delete("file-a")
        assert calls == [
            "unlink .tmp-file-a",
            "unlink file-a.json.bak",
            "unlink file-a.json",
            f"fsync {folder}",
        ]

    def test_a_folder_made_by_another_process_is_synced_once_by_each(
        self, vault: LocalVault, path: Path, clock: Clock, calls: list[str]
    ) -> None:
        put(vault, "file-a", V1, b"1")
        other = LocalVault(path, grace=GRACE, clock=clock)
        calls.clear()
        put(other, "file-a", V2, b"2")
        put(other, "file-a", V3, b"3")
        assert calls.count("fsync secrets") == 1


class TestCost:
    def test_one_key_costs_the_same_among_a_thousand(
        self, vault: LocalVault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        count = 0

        def counting(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal count
                count += 1
                return real(*args, **kwargs)

            return call

        def cost() -> list[int]:
            nonlocal count
            figures = []
            for step in (
                lambda: put(vault, "file-a", V1, b"1"),
                lambda: put(vault, "file-a", V2, b"2"),
                lambda: vault.get("file-a", V1),
                lambda: vault.versions("file-a"),
                lambda: vault.disable("file-a", V1),
                lambda: vault.delete("file-a"),
            ):
                count = 0
                step()
                figures.append(count)
            return figures

        put(vault, "file-a", V1, b"warm")
        vault.delete("file-a")
        for name in dir(os):
            if name in {
                "open",
                "read",
                "write",
                "stat",
                "fstat",
                "listdir",
                "unlink",
                "replace",
            }:
                monkeypatch.setattr(os, name, counting(getattr(os, name)))
        alone = cost()
        monkeypatch.setattr(os, "fsync", lambda descriptor: None)
        for number in range(1000):
            put(vault, f"file-{number}", V1, b"1")
        assert cost() == alone
        assert all(figure > 0 for figure in alone)
