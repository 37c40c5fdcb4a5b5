"""Who may not see a report any more, and pictures for which there is no room."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from app.domain.access import OPERATOR
from app.errors import InvalidInput, NotFound, NotPermitted
from app.models import Annotation, ExchangeNote, FileKey, Image
from tests.fixtures.exchange import ExchangeRoom, Json, coco, coloured, pack
from tests.fixtures.installation import Installation


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.fixture
def room(site: Installation) -> Iterator[ExchangeRoom]:
    made = ExchangeRoom(site)
    yield made
    limit(made, None)


def limit(room: ExchangeRoom, size: int | None) -> None:
    assert room.actor.user_id is not None
    accounts = room.installation.services.account_administration
    accounts.set_quota(OPERATOR, room.actor.user_id, size)


def test_reports_go_with_the_access(room: ExchangeRoom) -> None:
    """Of what was looked at, what was taken in, and what was exported."""
    site, services = room.installation, room.installation.services
    guest = site.person("guest")
    services.members.add(room.actor, room.slug, email="guest@people.example", role="reviewer")
    theirs = ExchangeRoom.__new__(ExchangeRoom)
    theirs.__dict__ = {**room.__dict__, "actor": guest.actor, "person": "guest"}
    examined, _ = theirs.examine(raw(coco("a.png")), "set.json")
    applied = services.imports.accept(guest.actor, room.slug, examined, accept_losses=True)
    theirs.work()
    jobs = (examined, applied)
    assert all(theirs.job(job).result for job in jobs)
    client = site.browser("guest")
    pages = [f"/collections/{room.slug}/exchange/{job}" for job in jobs]
    told = [f"/api/v1/jobs/{job}" for job in jobs]
    assert [client.get(path).status_code for path in pages + told] == [200] * 4
    assert guest.id is not None

    services.members.change(room.actor, room.slug, guest.id, "viewer")
    for job in jobs:
        with pytest.raises(NotPermitted):
            theirs.job(job)
    services.members.remove(room.actor, room.slug, guest.id)
    for job in jobs:
        with pytest.raises(NotFound):
            theirs.job(job)
    assert [client.get(path).status_code for path in pages + told] == [404] * 4
    listed = [job for job in services.jobs.list(guest.actor).jobs if job.id in jobs]
    assert [job.result for job in listed] == [None, None]
    assert services.jobs.stop(guest.actor, examined).result is None


def left(room: ExchangeRoom) -> Json:
    """Rows, bytes that count, and the files of pictures: not the upload, which is its job's."""
    with room.installation.house.uow.read() as session:
        count = select(func.count())
        rows = {
            model.__tablename__: session.scalar(count.select_from(model))
            for model in (Annotation, ExchangeNote)
        }
        alive = count.select_from(Image).where(Image.status != "destroyed")
        keys = count.select_from(FileKey).where(FileKey.state == "active")
        assert room.actor.user_id is not None
        used = room.installation.house.quota.usage(session, room.actor.user_id).used
        counted = {
            "pictures": session.scalar(alive),
            "keys": session.scalar(keys),
            "used": used,
        }
    blobs = room.installation.house.blobs
    return rows | counted | {"files": {key for key in blobs.keys("") if "/c-" in key}}


def test_no_room_for_all_pictures_is_told_before(room: ExchangeRoom) -> None:
    services = room.installation.services
    one, two = coloured(910), coloured(911)
    archive = pack({"a.json": raw(coco("n.png", "m.png")), "n.png": one, "m.png": two})
    before = left(room)
    limit(room, before["used"] + len(one) + 1)
    job, report = room.examine(archive)
    assert report["can_apply"] is False
    assert "more space than you have left" in report["mistakes"][0]["message"]
    with pytest.raises(InvalidInput):
        services.imports.accept(room.actor, room.slug, job, accept_losses=True)
    assert left(room) == before
    limit(room, None)
    assert room.take(archive)["stored"] == 2


def test_one_picture_twice_needs_room_once(room: ExchangeRoom) -> None:
    one = coloured(912)
    archive = pack({"a.json": raw(coco("n.png", "m.png")), "n.png": one, "m.png": one})
    limit(room, left(room)["used"] + len(one) + 1)
    assert room.examine(archive)[1]["mistakes"] == []
    assert room.take(archive)["stored"] == 1


def test_room_that_went_since_leaves_nothing(room: ExchangeRoom, monkeypatch) -> None:
    """The first picture still fits when the second does not any more."""
    services = room.installation.services
    one, two = coloured(920), coloured(921)
    archive = pack({"a.json": raw(coco("n.png", "m.png")), "n.png": one, "m.png": two})
    before = left(room)
    job, _ = room.examine(archive)
    applied = services.imports.accept(room.actor, room.slug, job, accept_losses=True)
    stored: list[int] = []
    accept = type(services.ingest).accept

    def narrow(*given: object) -> object:
        if stored:
            limit(room, before["used"] + len(one))
        stored.append(1)
        return accept(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(type(services.ingest), "accept", narrow)
    room.work()
    view = room.job(applied)
    assert (view.state, view.error, len(stored)) == ("failed", "quota_exceeded", 2)
    assert left(room) == before
