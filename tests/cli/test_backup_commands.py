"""``flask backup`` and the kit, as scripts call them: exit codes, JSON, no question."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.fixtures.backups import BackupRoom
from tests.fixtures.programs import flask


def at(environ: dict[str, str], instance: Path, **more: str) -> dict[str, str]:
    return {**environ, "INSTANCE_PATH": str(instance), **more}


def test_create_verify_restore(backup_room: BackupRoom, tmp_path: Path) -> None:
    environ, target = backup_room.installation.environ, str(backup_room.target)
    for seed in range(3):
        backup_room.upload(seed)
    made = flask("backup", "create", target, "--json", environ=environ)
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert (told["pictures"], told["sound"]) == (3, True)
    assert flask("backup", "list", target, environ=environ).stdout.strip() == told["backup"]
    looked = flask("backup", "verify", target, "--json", environ=environ)
    assert (looked.returncode, json.loads(looked.stdout)["sampled"]) == (0, 3)
    assert backup_room.house.runs.last("backup") is not None
    assert backup_room.house.runs.last("drill") is not None
    new = at(environ, tmp_path / "new")
    restored = flask("backup", "restore", target, environ=new)
    assert restored.returncode == 0, restored.stderr
    assert "3 pictures" in restored.stdout
    verified = flask("encryption", "verify", environ=new)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_refusals_are_one_sentence_and_touch_nothing(
    backup_room: BackupRoom, tmp_path: Path
) -> None:
    environ, target = backup_room.installation.environ, str(backup_room.target)
    backup_room.upload(1)
    assert flask("backup", "create", target, environ=environ).returncode == 0
    for words, changed, code, said in (
        (("restore", target), environ, 1, "not empty"),
        (
            ("restore", target),
            at(environ, tmp_path / "a", ENCRYPTION_KEY="ab" * 32),
            2,
            "master key",
        ),
        (("verify", str(tmp_path / "nowhere")), environ, 2, "no such folder"),
        (("restore", target, "--backup", "x"), at(environ, tmp_path / "b"), 1, "no backup"),
        (("create",), environ, 2, "BACKUP_TARGET"),
        (("create", str(backup_room.installation.instance / "x")), environ, 2, "inside"),
        (("create", "s3://bucket/x"), environ, 2, "S3_ACCESS_KEY_ID"),
    ):
        answer = flask("backup", *words, environ=changed)
        assert (answer.returncode, "Traceback" in answer.stderr) == (code, False), answer.stderr
        assert said in answer.stderr
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


def test_the_kit_goes_to_paper_and_back(backup_room: BackupRoom, tmp_path: Path) -> None:
    environ = backup_room.installation.environ
    kit, back = tmp_path / "kit.txt", tmp_path / "env.txt"
    made = flask("keys", "export-kit", "--out", str(kit), environ=environ)
    assert (made.returncode, made.stdout) == (0, "")
    assert stat.S_IMODE(kit.stat().st_mode) == 0o600
    assert flask("keys", "export-kit", "--out", str(kit), environ=environ).returncode == 1
    without = {"INSTANCE_PATH": environ["INSTANCE_PATH"]}
    restored = flask("keys", "restore-kit", str(kit), "--out", str(back), environ=without)
    assert restored.returncode == 0, restored.stderr
    assert "key of the store on this machine" in restored.stderr
    assert back.read_text() == f"ENCRYPTION_KEY={environ['ENCRYPTION_KEY']}\n"
    typed = flask("keys", "restore-kit", environ={}, stdin=kit.read_text())
    assert typed.stdout == back.read_text()
    wrong = flask("keys", "restore-kit", environ={}, stdin=kit.read_text().replace("K2", "K3"))
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "K2" in wrong.stderr


def test_a_kit_of_another_installation_is_refused(
    backup_room: BackupRoom, install, tmp_path: Path
) -> None:
    other = install()
    kit = flask("keys", "export-kit", environ=other.environ).stdout
    here = {"INSTANCE_PATH": backup_room.installation.environ["INSTANCE_PATH"]}
    refused = flask("keys", "restore-kit", environ=here, stdin=kit)
    assert (refused.returncode, refused.stdout) == (2, "")
    given = flask("keys", "restore-kit", "--no-check", environ=here, stdin=kit)
    assert given.stdout == f"ENCRYPTION_KEY={other.environ['ENCRYPTION_KEY']}\n"


def test_shares_on_the_command_line(backup_room: BackupRoom) -> None:
    environ = backup_room.installation.environ
    words = ("keys", "export-kit", "--shares", "3", "--threshold", "2")
    pages = flask(*words, environ=environ).stdout.split("\f")
    assert len(pages) == 3
    made = flask("keys", "restore-kit", environ={}, stdin=pages[0] + pages[2])
    assert made.stdout == f"ENCRYPTION_KEY={environ['ENCRYPTION_KEY']}\n"
    few = flask("keys", "restore-kit", environ={}, stdin=pages[1])
    assert (few.returncode, few.stdout) == (1, "")
    assert "2 different shares are needed" in few.stderr
