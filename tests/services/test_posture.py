"""The posture: counted from rows that were made for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.db.times import utc_now
from app.domain.access import OPERATOR, Actor
from app.errors import NotPermitted
from app.models import FileKey, Image
from app.services.posture.forecast import Experience, forecast
from app.services.posture.inventory import take_inventory
from app.web.posture_view import duration_words, forecast_words, posture_view
from tests.fixtures.installation import Installation
from tests.fixtures.place import unique_png


def test_the_inventory_counts_what_is_there(installation: Installation) -> None:
    installation.person()
    api, now = installation.api("ann", "images:write"), utc_now()
    for name in ("a.png", "b.png", "c.png"):
        assert api.upload((unique_png(), name)).status_code == 201
    with installation.house.uow.write() as session:
        first, second, third = session.scalars(select(FileKey)).all()
        first.created_at, first.expires_at = now - timedelta(days=40), now - timedelta(days=1)
        second.generation, second.created_at = 3, now - timedelta(days=400)
        third.state = "retiring"
        session.execute(
            update(Image)
            .where(Image.id == first.file_id)
            .values(status="quarantined", provenance="legacy-cbc-unverified")
        )
    with installation.house.uow.read() as session:
        found = take_inventory(session, now)
        sizes = session.scalars(select(Image.enc_size)).all()
    assert (found.files, found.sealed_bytes) == (3, sum(sizes))
    assert (found.by_state["active"], found.by_state["retiring"]) == (2, 1)
    assert found.by_generation == {1: 1, 3: 1}
    assert (found.by_age["under 3 months"], found.by_age["a year or more"]) == (1, 1)
    assert (found.past_cryptoperiod, found.unverified, found.quarantined) == (1, 1, 1)
    assert found.oldest == now - timedelta(days=400)
    assert found.by_mode == {"direct": 3, "envelope": 0}


def test_sealed_values_are_counted_by_their_key(installation: Installation) -> None:
    installation.person()
    services = installation.services
    before = services.posture.report(OPERATOR).columns
    assert before.active > 0
    assert before.former == 0
    with installation.house.uow.engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE users SET name = CAST(substr(name, 1, 3) || x'01020304'"
            " || substr(name, 8) AS BLOB)"
        )
    assert services.posture.report(OPERATOR).columns == before, "counted once in ten minutes"
    services.posture._tokens._last = None
    after = services.posture.report(OPERATOR).columns
    assert (after.active, after.former) == (before.active - 1, 1)


def test_what_is_not_broken_but_should_not_stay_is_told(installation: Installation) -> None:
    report = installation.services.posture.report(OPERATOR)
    assert [concern.title for concern in posture_view(report, ()).concerns] == ["No backup yet"]
    with installation.house.runs.started("backup"):
        pass
    report = installation.services.posture.report(OPERATOR)
    titles = [concern.title for concern in posture_view(report, ()).concerns]
    assert titles == ["No restore drill yet"]
    assert report.runs[0].kind == "backup"


def test_only_administrators_see_it(installation: Installation) -> None:
    person = installation.person()
    with pytest.raises(NotPermitted):
        installation.services.posture.report(Actor(person.id))


def test_the_forecast_names_what_limits_it() -> None:
    last = Experience(1000, 20.0)
    azure = forecast(41_200, 10**9, "azure", last)
    assert forecast_words(azure) == ("rotating 41,200 files takes 23 min at this vault's limit")
    local = forecast(41_200, 10**9, "local", last)
    assert (local.seconds, local.why) == (824.0, "at the speed of the last rotation")
    large = forecast(100, 10**12, "local", last)
    assert (large.seconds, large.why) == (50_000.0, "at 20 MB/s, the pace of the sweeper")
    assert forecast(100, 0, "local", None).why == "as a first guess"
    few = Experience(19, 1000.0)
    assert forecast(100, 0, "local", few).seconds == 5.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "1 s"), (89, "89 s"), (90, "2 min"), (5400, "2 h"), (200_000, "2 days")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words
