"""Orphans, verification, the set-up code and what a start looks after."""

from __future__ import annotations

import os
import shutil
import time
from datetime import timedelta
from uuid import uuid4

import pytest

from app.db.times import utc_now
from app.services.orphans import Orphans
from app.services.setup_code import is_setup_code, setup_code
from app.startup import start
from app.storage.object_names import new_temporary_name
from app.storage.reconcile import OrphanKind
from tests.fixtures.upkeep import tidy_up
from tests.fixtures.uploads import PictureRoom, picture


def report(room: PictureRoom):
    """As two days from now: what is young may belong to an upload under way."""
    house = room.installation.house
    later = utc_now() + timedelta(days=2)
    return Orphans(house.uow, house.blobs, house.vault, lambda: later).report()


def test_a_sound_installation_has_no_orphans(room: PictureRoom) -> None:
    for n in range(3):
        room.upload(picture(n))
    assert report(room).is_clean


def test_each_kind_is_told_and_nothing_is_touched(room: PictureRoom) -> None:
    ids = [room.upload(picture(n)).id for n in range(4)]
    paths = [room.path(one) for one in ids]
    room.blob(paths[0].original).unlink()
    room.blob(paths[1].sidecar).unlink()
    stray = paths[2].original.replace(paths[2].original.split("_")[-1][:8], "0" * 8)
    shutil.copy(room.blob(paths[2].original), room.blob(stray))
    temporary = room.blob(paths[3].original).with_name(new_temporary_name())
    temporary.write_bytes(b"x")
    past = time.time() - 10 * 86400
    os.utime(temporary, (past, past))
    before = room.left()
    found = report(room).counts
    assert found[OrphanKind.ROW_WITHOUT_BLOB] == 1
    assert found[OrphanKind.BLOB_WITHOUT_SIDECAR] == 1
    assert found[OrphanKind.BLOB_WITHOUT_ROW] == 1
    assert found[OrphanKind.STALE_TEMPORARY] == 1
    assert room.left() == before


def test_a_key_without_a_file_is_told_and_left_alone(room: PictureRoom) -> None:
    """As a crash between the vault and the database leaves it."""
    room.upload(picture())
    house = room.installation.house
    lost = house.keys.new(uuid4())
    found = report(room)
    assert found.counts == {OrphanKind.KEY_WITHOUT_ROW: 1}
    assert found.examples[OrphanKind.KEY_WITHOUT_ROW] == [lost.reference]
    assert house.vault.versions(lost.reference)
    assert room.services.orphans.report().is_clean, "it may belong to an upload under way"


def test_the_log_tells_kinds_and_counts_but_no_names(room: PictureRoom, caplog) -> None:
    path = room.path(room.upload(picture()).id)
    room.blob(path.original).unlink()
    room.services.orphans.log_report()
    (record,) = [r for r in caplog.records if r.name == "darkroom.orphans"]
    assert (record.kind, record.count) == ("row_without_blob", 1)
    assert str(path.stored_name) not in str(record.__dict__)


@pytest.mark.parametrize("size", [160, 320, 640, 960, 1280, 1920])
def test_verification_looks_at_every_size(room: PictureRoom, size: int) -> None:
    stored = room.upload(picture())
    room.thumbnail(stored.id, size)
    file = room.blob(room.path(stored.id).thumbnail(size))
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(raw)
    problems = [one for one in room.services.verification.images() if one.problem]
    assert [(one.subject, one.part) for one in problems] == [
        (str(stored.id), f"thumbnail {size}")
    ]


def test_verification_changes_nothing(room: PictureRoom) -> None:
    room.upload(picture(), tags=("a",))
    before = room.left()
    verification = room.services.verification
    assert [one for one in verification.images() if one.problem] == []
    assert [one for one in verification.columns() if one.problem] == []
    assert {sample.what for sample in verification.samples()} >= {"users.email", "images.card"}
    assert room.left() == before


def test_a_picture_that_is_quarantined_is_still_verified(room: PictureRoom) -> None:
    stored = room.upload(picture())
    file = room.blob(room.path(stored.id).original)
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(Exception, match="damaged"):
        room.original(stored.id)
    assert any(one.problem for one in room.services.verification.images())
    file.write_bytes(whole)
    assert not any(one.problem for one in room.services.verification.images())


def test_a_second_start_changes_nothing(room: PictureRoom) -> None:
    stored = room.upload(picture())
    before = room.left()
    start(room.installation.settings)
    tidy_up(room.installation.house)
    assert room.left() == before
    assert room.original(stored.id) == picture()


def test_the_setup_code_stays_and_is_typed_freely(room: PictureRoom) -> None:
    roots = room.services.roots
    code = setup_code(roots)
    assert setup_code(roots) == code
    assert len(code.replace("-", "")) == 16
    for typed in (code, code.upper(), code.replace("-", " "), f" {code} "):
        assert is_setup_code(roots, typed)
    for typed in ("", code[:-1], code + "a", code[::-1], "é" * 16):
        assert not is_setup_code(roots, typed)


def test_every_part_of_health_is_told_by_name(room: PictureRoom) -> None:
    assert room.services.health.report().is_ready
    settings = room.installation.settings
    away = settings.vault_path.with_name("away")
    settings.vault_path.rename(away)
    (settings.store_path / ".darkroom-store").rename(settings.instance_path / "marker")
    assert set(room.services.health.report().problems) == {"store", "vault"}
    away.rename(settings.vault_path)
    (settings.instance_path / "marker").rename(settings.store_path / ".darkroom-store")
    assert room.services.health.report().is_ready
