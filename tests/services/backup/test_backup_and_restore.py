"""A backup is made while people work, looked at, and put back on another machine."""

from __future__ import annotations

from pathlib import Path

from app.domain.access import OPERATOR
from app.startup import start
from tests.fixtures.backups import BackupRoom


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
        assert backup_room.contents(house, ids) == before
        assert [one for one in house.services.verification.images() if one.problem] == []
        assert [one for one in house.services.verification.columns() if one.problem] == []
        assert house.services.audit.verify().broken_at is None
        assert (
            house.services.audit.page(OPERATOR, limit=1).entries[0].action == "backup.restore"
        )
    finally:
        house.close()
    assert start  # used by the room
