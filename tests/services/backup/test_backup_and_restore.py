"""A backup is made while people work, looked at, and put back on another machine."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from app.config import load_settings
from app.domain.access import OPERATOR
from app.errors import ConfigurationError, Conflict, EncryptionError, InvalidInput
from app.models import ApiKey, FileKey, Session
from app.services.annotations import ANY
from app.services.backup import RESTORING
from app.services.recount import Recount
from app.startup import start
from app.storage.instance_lock import BACKUP, alone, hold_running
from app.wiring import House
from tests.fixtures.backups import BackupRoom, files_below


def check_sound(room: BackupRoom, house: House, ids: list[UUID], before: list[str]) -> None:
    assert room.contents(house, ids) == before
    assert [one for one in house.services.verification.images() if one.problem] == []
    assert [one for one in house.services.verification.columns() if one.problem] == []
    assert house.services.audit.verify().broken_at is None


def test_what_was_restored_starts_and_is_the_same(
    backup_room: BackupRoom, tmp_path: Path
) -> None:
    ids = [backup_room.upload(seed) for seed in range(5)]
    before = backup_room.contents(backup_room.house, ids)
    report = backup_room.create()
    assert (report.pictures, report.is_sound, report.gone) == (5, True, 0)
    drill = backup_room.verify()
    assert (drill.problems, drill.sampled) == ((), 5)
    there = tmp_path / "elsewhere"
    restored = backup_room.restore(there)
    assert restored.pictures == 5
    house = backup_room.started_at(there)
    try:
        check_sound(backup_room, house, ids, before)
        last = house.services.audit.page(OPERATOR, limit=1).entries[0]
        assert last.action == "backup.restore"
        assert house.runs.last("restore") is not None
        assert house.runs.last("backup", state="stopped") is not None
    finally:
        house.close()


def test_the_second_backup_copies_what_is_new_alone(backup_room: BackupRoom) -> None:
    for seed in range(3):
        backup_room.upload(seed)
    first = backup_room.create()
    stamps = {name: path.stat().st_mtime_ns for name, path in backup_room.objects().items()}
    backup_room.upload(9)
    second = backup_room.create()
    assert first.copied_files == first.files
    again = {name: path.stat().st_mtime_ns for name, path in backup_room.objects().items()}
    assert {name: again[name] for name in stamps} == stamps
    assert 0 < second.copied_files < first.copied_files
    assert second.copied_files + second.reused_files == second.files
    assert backup_room.verify(name=first.backup).is_sound
    assert backup_room.verify(name=second.backup).is_sound


def test_old_backups_go_and_take_nothing_that_is_needed(backup_room: BackupRoom) -> None:
    doomed = backup_room.upload(1)
    kept = [backup_room.upload(2)]
    backup_room.create(keep=2)
    backup_room.pictures.services.trash.destroy(backup_room.pictures.actor, doomed)
    second = backup_room.create(keep=2)
    assert backup_room.create(keep=2).removed_backups == 1
    names = backup_room.house.recovery.names(str(backup_room.target))
    assert (len(names), names[0]) == (2, second.backup)
    for name in names:
        assert backup_room.verify(name=name).is_sound
    opened = backup_room.house.recovery.open(str(backup_room.target))
    held = {one.id: one for one in opened.holdings()}
    assert doomed not in held
    assert kept[0] in held
    needed = {
        one.sha256
        for name in names
        for holding in backup_room.house.recovery.open(str(backup_room.target), name).holdings()
        for one in holding.files
    }
    assert backup_room.objects().keys() == needed
    assert not any(one.reference == f"file-{doomed}" for one in opened.vault())


def test_a_backup_that_does_not_open_keeps_all_files(backup_room: BackupRoom) -> None:
    backup_room.upload(1)
    backup_room.create()
    backup_room.create(passphrase_file=backup_room.passphrase("the first passphrase"))
    before = set(backup_room.objects())
    third = backup_room.create(keep=2)
    assert (third.held_back, third.removed_backups) == (True, 1)
    assert before <= set(backup_room.objects())


def test_a_passphrase_opens_it_under_another_master_key(
    backup_room: BackupRoom, tmp_path: Path
) -> None:
    ids = [backup_room.upload(seed) for seed in range(2)]
    before = backup_room.contents(backup_room.house, ids)
    file = backup_room.passphrase()
    backup_room.create(passphrase_file=file)
    there, other = tmp_path / "elsewhere", secrets.token_hex(32)
    environ = backup_room.environ_at(there, ENCRYPTION_KEY=other)
    foreign = House(load_settings(environ)[0])
    with pytest.raises(EncryptionError, match="--passphrase-file"):
        backup_room.verify(foreign)
    with pytest.raises(EncryptionError, match="Decryption failed"):
        backup_room.verify(foreign, passphrase_file=backup_room.passphrase("not the right one"))
    assert backup_room.verify(foreign, passphrase_file=file).is_sound
    backup_room.restore(there, foreign, passphrase_file=file)
    house = backup_room.started_at(there, ENCRYPTION_KEY=other)
    try:
        check_sound(backup_room, house, ids, before)
        assert house.services.key_report.status().master == house.masters[0].id
    finally:
        house.close()
        foreign.close()
    with pytest.raises(ConfigurationError):
        start(load_settings(backup_room.environ_at(there))[0])


def test_a_short_passphrase_is_refused(backup_room: BackupRoom) -> None:
    with pytest.raises(InvalidInput, match="12 characters"):
        backup_room.create(passphrase_file=backup_room.passphrase("short"))
    assert not backup_room.house.recovery.names(str(backup_room.target))


def test_an_older_master_key_may_read_it(backup_room: BackupRoom, tmp_path: Path) -> None:
    ids = [backup_room.upload(1)]
    before = backup_room.contents(backup_room.house, ids)
    backup_room.create()
    there, new = tmp_path / "elsewhere", secrets.token_hex(32)
    keys = {
        "ENCRYPTION_KEY": new,
        "ENCRYPTION_KEY_PREVIOUS": backup_room.installation.environ["ENCRYPTION_KEY"],
    }
    both = House(load_settings(backup_room.environ_at(there, **keys))[0])
    backup_room.restore(there, both)
    both.close()
    house = backup_room.started_at(there, ENCRYPTION_KEY=new)
    try:
        check_sound(backup_room, house, ids, before)
    finally:
        house.close()


def test_what_must_not_come_back_does_not(backup_room: BackupRoom, tmp_path: Path) -> None:
    image = backup_room.upload(1)
    backup_room.installation.browser("ann")
    key = backup_room.installation.key("ann")
    epoch = backup_room.pictures.access(image).link_epoch
    backup_room.create()
    there = tmp_path / "elsewhere"
    report = backup_room.restore(there)
    house = backup_room.started_at(there)
    try:
        with house.uow.read_rows() as rows:
            assert rows.scalar(select(func.count()).select_from(Session)) == 0
            living = select(func.count()).where(ApiKey.revoked_at.is_(None))
            assert rows.scalar(living) == 0
            wanted = text("SELECT link_epoch FROM images")
            assert rows.scalars(wanted).all() == [epoch + 1]
    finally:
        house.close()
    assert report.api_keys_ended >= 1
    again = tmp_path / "again"
    assert backup_room.restore(again, keep_api_keys=True).api_keys_ended == 0
    assert key


def test_a_picture_destroyed_meanwhile_is_told_and_does_not_come_back(
    backup_room: BackupRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.services.backup.create import Creation

    ids = [backup_room.upload(seed) for seed in range(3)]
    services, actor = backup_room.pictures.services, backup_room.pictures.actor
    drawn = {"annotations": [{"label": "gull", "box": {"x": 1, "y": 1, "w": 2, "h": 2}}]}
    for image_id in ids[:2]:
        services.annotations.put(actor, image_id, drawn, ANY)
    real = Creation._copy_database

    def then_destroy(*args: object) -> object:
        done = real(*args)
        services.trash.destroy(actor, ids[0])
        return done

    monkeypatch.setattr(Creation, "_copy_database", then_destroy)
    report = backup_room.create()
    assert (report.gone, report.pictures, report.is_sound) == (1, 2, True)
    assert backup_room.verify().is_sound
    there = tmp_path / "elsewhere"
    assert backup_room.restore(there).destroyed == 1
    house = backup_room.started_at(there)
    try:
        assert Recount(house.uow).look() == ()
        assert house.services.trash.finish_destructions() == 1
        assert Recount(house.uow).look() == ()
        with house.uow.read_rows() as rows:
            assert rows.execute(text("SELECT count(*) FROM images")).scalar_one() == 2
            assert rows.execute(text("SELECT sum(count) FROM month_counts")).scalar_one() == 2
        assert [one for one in house.services.verification.images() if one.problem] == []
    finally:
        house.close()


def test_keys_in_envelopes_come_back_in_the_vault(install, tmp_path: Path) -> None:
    from tests.fixtures.uploads import PictureRoom

    installation = install(KEY_VAULT_KEYING="envelope")
    room = BackupRoom(installation, tmp_path / "backups", PictureRoom(installation))
    ids = [room.upload(seed) for seed in range(2)]
    before = room.contents(room.house, ids)
    assert room.create().is_sound
    assert room.verify().is_sound
    there = tmp_path / "elsewhere"
    room.restore(there)
    house = room.started_at(there)
    try:
        check_sound(room, house, ids, before)
        with house.uow.read_rows() as rows:
            assert set(rows.scalars(select(FileKey.mode))) == {"direct"}
    finally:
        house.close()


class TestRefusals:
    @pytest.fixture
    def made(self, backup_room: BackupRoom) -> BackupRoom:
        backup_room.upload(1)
        backup_room.create()
        return backup_room

    def test_another_master_key(self, made: BackupRoom, tmp_path: Path) -> None:
        there = tmp_path / "elsewhere"
        environ = made.environ_at(there, ENCRYPTION_KEY=secrets.token_hex(32))
        with pytest.raises(EncryptionError, match="made under the master key"):
            made.restore(there, House(load_settings(environ)[0]))
        assert not there.exists()

    def test_a_used_instance(self, made: BackupRoom, tmp_path: Path) -> None:
        before = files_below(made.installation.instance)
        with pytest.raises(Conflict, match="not empty"):
            made.house.recovery.restore(_NOBODY, str(made.target))
        after = files_below(made.installation.instance)
        assert {
            name: after[name] for name in before if "queue" not in name
        }.keys() <= after.keys()
        there = tmp_path / "elsewhere"
        there.mkdir()
        (there / "something").write_text("of somebody")
        with pytest.raises(Conflict, match="not empty"):
            made.restore(there)
        assert (there / "something").read_text() == "of somebody"

    def test_a_folder_inside_the_instance(self, made: BackupRoom, tmp_path: Path) -> None:
        link = tmp_path / "link"
        link.symlink_to(made.installation.instance / "store")
        for there in (made.installation.instance / "nested", link / "nested"):
            with pytest.raises(ConfigurationError, match="inside INSTANCE_PATH"):
                made.house.recovery.restore(_NOBODY, str(made.target), to=there)
            assert not there.exists()

    def test_a_running_server(self, made: BackupRoom, tmp_path: Path) -> None:
        import os

        there = tmp_path / "elsewhere"
        there.mkdir(mode=0o700)
        descriptor = hold_running(there)
        try:
            with pytest.raises(Conflict, match="stop it first"):
                made.restore(there)
        finally:
            os.close(descriptor)
        assert made.restore(there).pictures == 1

    def test_a_second_backup_at_once(self, made: BackupRoom) -> None:
        with (
            alone(made.installation.instance, BACKUP, "taken"),
            pytest.raises(Conflict, match="already"),
        ):
            made.create()

    def test_the_place_of_another_installation(self, made: BackupRoom, install) -> None:
        from app.jobs.watch import UNWATCHED

        other = install()
        with pytest.raises(ConfigurationError, match="another installation"):
            other.services.backups.run(UNWATCHED, str(made.target))
        assert len(made.house.recovery.names(str(made.target))) == 1

    def test_an_unfinished_restore_does_not_start(
        self, made: BackupRoom, tmp_path: Path
    ) -> None:
        there = tmp_path / "elsewhere"
        made.restore(there)
        (there / RESTORING).touch()
        with pytest.raises(ConfigurationError, match="backup restore again"):
            start(load_settings(made.environ_at(there))[0])
        assert made.restore(there).pictures == 1
        made.started_at(there).close()


def test_a_lost_object_is_copied_again(backup_room: BackupRoom) -> None:
    backup_room.upload(1)
    backup_room.create()
    victim = next(iter(backup_room.objects().values()))
    victim.unlink()
    assert not backup_room.verify().is_sound
    assert backup_room.create().copied_files == 1
    assert backup_room.verify().is_sound


def test_a_damaged_picture_is_kept_as_it_lies_and_told(
    backup_room: BackupRoom, tmp_path: Path
) -> None:
    from tests.fixtures.uploads import flip

    damaged, sound = backup_room.upload(1), backup_room.upload(2)
    flip(backup_room.pictures.blob(backup_room.pictures.path(damaged).original), 40)
    report = backup_room.create()
    assert (report.damaged, report.is_sound) == (1, False)
    assert backup_room.verify().is_sound
    there = tmp_path / "elsewhere"
    backup_room.restore(there)
    house = backup_room.started_at(there)
    try:
        assert backup_room.contents(house, [sound])
    finally:
        house.close()
    shutil.rmtree(there)


class _Nobody:
    def advance(self, done: int, total: int | None = None) -> None: ...


_NOBODY = _Nobody()
