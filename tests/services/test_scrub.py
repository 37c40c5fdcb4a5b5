"""The scrub goes over everything in slices, remembers its place and sets damage aside."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.access import OPERATOR
from app.errors import StoreUnavailable, WorkStopped
from app.jobs.watch import Unwatched
from app.wiring import House
from tests.fixtures.uploads import flip
from tests.services.test_store_check import Lab, bent_sidecar, disabled


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("scrub"))


@pytest.fixture(autouse=True)
def restored(lab: Lab) -> None:
    lab.reset()


def scrub(house: House):
    service = house.services.scrub
    service._pace = lambda: lambda size: None
    return service.run(Unwatched())


def status(lab: Lab, house: House) -> str:
    return house.services.verification.rows.get(lab.bad).status


def test_slice_by_slice_everything_is_looked_at(lab: Lab) -> None:
    with lab.opened() as house:
        first, second, third = scrub(house), scrub(house), scrub(house)
        assert [one.looked for one in (first, second, third)] == [1, 1, 0]
        assert [one.round_over for one in (first, second, third)] == [False, False, True]
        assert scrub(house).looked == 1
        assert house.runs.last("scrub").failed == 0


def test_damage_is_set_aside_recorded_and_counted_for_the_round(lab: Lab) -> None:
    flip(lab.file(lab.bad_path.original), -1)
    with lab.opened() as house:
        reports = [scrub(house) for _ in range(3)]
        assert sum(one.by_kind["chunk"] for one in reports) == 1
        assert reports[-1].damaged == 1
        assert status(lab, house) == "quarantined"
        audit = house.services.audit
        event = audit.page(OPERATOR, limit=1, action="image.quarantined").entries[0]
        assert event.subject_id == str(lab.bad)
        assert house.runs.last("scrub").failed == 1
        assert sum(scrub(house).damaged for _ in range(1)) <= 1


@pytest.mark.parametrize("bend", [bent_sidecar, lambda lab: lab.change_key(disabled)])
def test_what_serves_is_not_set_aside(lab: Lab, bend) -> None:
    bend(lab)
    with lab.opened() as house:
        for _ in range(3):
            scrub(house)
        assert status(lab, house) == "ready"
        page = house.services.audit.page(OPERATOR, limit=5, action="image.damaged")
        assert {entry.subject_id for entry in page.entries} == {str(lab.bad)}


def test_a_slice_ends_when_its_minutes_are_over(lab: Lab) -> None:
    with lab.opened() as house:
        service = house.services.scrub
        now = iter([0.0, 0.0, 1e9])
        service._days, service._monotonic = 1 / 24, lambda: next(now)
        try:
            assert scrub(house).looked == 2
        finally:
            service._days, service._monotonic = 30, lambda: 0.0


def test_a_stop_is_heard_and_the_next_slice_goes_on(lab: Lab) -> None:
    class Stops(Unwatched):
        def advance(self, done: int, total: int | None = None) -> None:
            raise WorkStopped("stopped")

    with lab.opened() as house:
        with pytest.raises(WorkStopped):
            house.services.scrub.run(Stops())
        first = house.runs.last("scrub", "stopped").cursor
        scrub(house)
        assert first != house.runs.last("scrub").cursor


def test_a_lost_mount_sets_nothing_aside(lab: Lab, tmp_path: Path) -> None:
    lab.settings.store_path.rename(tmp_path / "away")
    lab.settings.store_path.mkdir(mode=0o700)
    with lab.opened() as house:
        with pytest.raises(StoreUnavailable):
            scrub(house)
        assert status(lab, house) == "ready"
    lab.settings.store_path.rmdir()
    (tmp_path / "away").rename(lab.settings.store_path)


def test_it_is_a_job_of_every_hour(lab: Lab) -> None:
    with lab.opened() as house:
        kind = house.jobs.registry.get("store.scrub")
        assert kind.every == timedelta(hours=1)
