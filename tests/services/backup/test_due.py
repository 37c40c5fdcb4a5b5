"""Backups that make themselves: when they are due, once, where the settings say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.db.times import utc_now
from app.errors import ConfigurationError
from app.jobs.watch import UNWATCHED


def test_it_is_made_once_a_moment_of_the_schedule(install, tmp_path: Path) -> None:
    target = tmp_path / "backups"
    made = install(BACKUP_TARGET=str(target), BACKUP_SCHEDULE="hourly", BACKUP_KEEP="2")
    backups = made.services.backups
    first = backups.run_if_due(UNWATCHED)
    assert first is not None
    assert backups.run_if_due(UNWATCHED) is None
    for hours in range(1, 4):
        later = utc_now() + timedelta(hours=hours)
        backups._clock = lambda moment=later: moment
        made.house.runs._clock = backups._clock
        assert backups.run_if_due(UNWATCHED) is not None
        assert backups.run_if_due(UNWATCHED) is None
    assert len(made.house.recovery.names(str(target))) == 2


def test_the_job_is_periodic_where_a_target_is_set(install, tmp_path: Path) -> None:
    made = install(BACKUP_TARGET=str(tmp_path / "backups"), BACKUP_SCHEDULE="hourly")
    kind = made.house.jobs.registry.get("backup.create")
    assert kind is not None
    assert kind.every is not None
    assert "14 newer" in made.services.backups.plan.horizon


def test_without_a_target_none_is_made(installation) -> None:
    assert installation.services.backups.run_if_due(UNWATCHED) is None
    kind = installation.house.jobs.registry.get("backup.create")
    assert kind.every is None
    with pytest.raises(ConfigurationError, match="BACKUP_TARGET"):
        installation.services.backups.run(UNWATCHED)
