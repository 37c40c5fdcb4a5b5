"""Leases over HTTP: who is given a picture, until when, and what becomes of a late save."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert
from werkzeug.test import TestResponse

from app.models import Image
from tests.fixtures.installation import Browser, Installation
from tests.fixtures.workbench import card_row

BOX = {"x": 1, "y": 1, "w": 5, "h": 5}


class Desk:
    """One picture of Ann's, which Bob and Cy may label."""

    def __init__(self, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
        self.services, ann = installation.services, installation.person("ann").actor
        self._patch = monkeypatch
        self.slug = self.services.collections.create(ann, name="Cars").slug
        for name in ("bob", "cy"):
            email = installation.person(name).email
            self.services.members.add(ann, self.slug, email=email, role="annotator")
        (place,) = [p for p in self.services.library.places(ann) if p.slug == self.slug]
        row = card_row(place.id, 0, 1)
        with installation.house.engine.begin() as connection:
            connection.execute(insert(Image), [row])
        self.image: UUID = row["id"]
        self.bob, self.cy = installation.browser("bob"), installation.browser("cy")
        settings = installation.settings
        self.lease = timedelta(minutes=settings.task_lease_minutes)
        self._clocks = (self.services.tasks, installation.house.writing)

    def pass_by(self, time: timedelta) -> None:
        """The clocks that leases are told by go on."""
        for one in self._clocks:
            now = one._clock()
            self._patch.setattr(one, "_clock", lambda later=now + time: later)

    def ask(self, who: Browser, way: str, path: str, json: Any = None) -> TestResponse:
        """As a module of the page does."""
        headers = {"X-CSRFToken": who.token}
        return who.client.open(f"/api/v1{path}", method=way, json=json, headers=headers)

    def next(self, who: Browser, way: str = "POST") -> str | None:
        path = f"/collections/{self.slug}/next"
        answer = self.ask(who, way, path, {} if way == "POST" else None)
        assert answer.json is not None
        found = answer.json["image"]
        return found["id"] if found else None

    def save(self, who: Browser, label: str) -> TestResponse:
        op = {"op": "add", "op_id": str(uuid4()), "label": label, "box": BOX}
        return self.ask(who, "PATCH", f"/images/{self.image}/annotations", {"ops": [op]})

    def submit(self, who: Browser) -> int:
        return self.ask(who, "POST", f"/images/{self.image}/submit").status_code

    def task(self, who: Browser) -> Any:
        return who.get(f"/api/v1/images/{self.image}/task").json

    def labels(self, who: Browser) -> list[str]:
        found = who.get(f"/api/v1/images/{self.image}/annotations").json
        assert found is not None
        return [one["label"] for one in found["annotations"]]


@pytest.fixture
def desk(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(installation, monkeypatch)


def test_a_lease_that_ended_goes_to_another_and_a_late_save_is_kept(desk: Desk) -> None:
    mine = str(desk.image)
    assert desk.next(desk.bob) == mine
    desk.pass_by(desk.lease - timedelta(seconds=1))
    assert desk.next(desk.cy) is None
    assert desk.next(desk.cy, "GET") is None
    desk.pass_by(timedelta(seconds=2))
    assert desk.next(desk.cy) == mine
    assert desk.save(desk.cy, "car").status_code == 200

    late = desk.save(desk.bob, "lorry")
    assert late.status_code == 200
    assert desk.labels(desk.cy) == ["car", "lorry"]
    task = desk.task(desk.bob)
    assert (task["holder"]["name"], task["can"]) == ("Cy", [])
    assert (desk.submit(desk.bob), desk.submit(desk.cy)) == (409, 200)

    later_still = desk.save(desk.bob, "van")  # submitted by Cy: told, and not done
    assert later_still.status_code == 409
    assert later_still.json is not None
    assert later_still.json["type"].endswith("picture-submitted")
    assert desk.labels(desk.cy) == ["car", "lorry"]


def test_a_save_renews_the_lease(desk: Desk) -> None:
    assert desk.next(desk.bob, "GET") == str(desk.image)
    desk.pass_by(desk.lease - timedelta(seconds=1))
    assert desk.save(desk.bob, "car").status_code == 200
    desk.pass_by(desk.lease - timedelta(seconds=1))
    assert desk.next(desk.cy) is None
    assert desk.next(desk.bob) == str(desk.image)


def test_taking_the_next_picture_from_a_page_needs_its_token(desk: Desk) -> None:
    path = f"/api/v1/collections/{desk.slug}/next"
    refused = desk.bob.client.post(path, json={})
    assert refused.status_code == 400
    assert desk.next(desk.cy) == str(desk.image)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_link_of_another_site_takes_no_picture(desk: Desk, method: str, site: str) -> None:
    path = f"/api/v1/collections/{desk.slug}/next"
    sent = desk.bob.client.open(path, method=method, headers={"Sec-Fetch-Site": site})
    assert sent.status_code == 403
    assert desk.next(desk.cy) == str(desk.image), "nobody has it"


@pytest.mark.parametrize("site", [None, "none", "same-origin"])
def test_a_program_and_ones_own_page_may_ask_by_get(desk: Desk, site: str | None) -> None:
    path = f"/api/v1/collections/{desk.slug}/next"
    headers = {"Sec-Fetch-Site": site} if site else {}
    answer = desk.bob.client.get(path, headers=headers)
    assert answer.json is not None
    assert answer.json["image"]["id"] == str(desk.image)
