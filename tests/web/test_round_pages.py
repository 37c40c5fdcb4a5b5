"""The page of a blind round without JavaScript: whose copies wait, and the two ways on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert
from werkzeug.test import TestResponse

from app.domain.agreement import Found
from app.domain.annotation import Annotation
from app.domain.shapes import Box
from app.models import Image
from app.services.agreement.adjudication import AdjudicationView
from app.services.agreement.round_view import WaitingLine
from app.services.agreement.rounds import Draw
from app.web.adjudication_view import NUMBER_PART, things
from tests.fixtures.installation import Browser, Installation
from tests.fixtures.workbench import card_row


class Team:
    """Ann leads; Bob and Cy each have a copy of two pictures; Dee may label too."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.services, self.ann = installation.services, installation.person("ann").actor
        self.slug = self.services.collections.create(self.ann, name="Cars").slug
        self.ids: dict[str, UUID] = {}
        for name in ("bob", "cy", "dee"):
            one = installation.person(name)
            self.ids[name] = one.id
            self.services.members.add(self.ann, self.slug, email=one.email, role="annotator")
        (place,) = [p for p in self.services.library.places(self.ann) if p.slug == self.slug]
        rows = [card_row(place.id, n, 2) for n in range(2)]
        with installation.house.engine.begin() as connection:
            connection.execute(insert(Image), rows)
        self.images = [row["id"] for row in rows]
        draw = Draw("Twice", (self.ids["bob"], self.ids["cy"]), images=tuple(self.images))
        self.round = self.services.rounds.make(self.ann, self.slug, draw)
        self.browser: Browser = installation.browser("ann")

    @property
    def path(self) -> str:
        return f"/collections/{self.slug}/agreement/{self.round}"

    def hand(self, source: str, **fields: object) -> TestResponse:
        data = {"from": self.ids[source], **fields}
        return self.browser.post(f"{self.path}/hand-over", data=data)

    def submit(self, name: str, image: int) -> None:
        actor = self.installation.person(name).actor
        copy = self.services.rounds.mine(actor, self.slug, self.round, self.images[image])
        self.services.copies.submit(actor, copy)


@pytest.fixture
def team(installation: Installation) -> Team:
    return Team(installation)


def test_a_lead_hands_the_copies_of_somebody_who_left_to_another(team: Team) -> None:
    team.services.members.remove(team.ann, team.slug, team.ids["bob"])
    rounds = team.browser.get(f"/collections/{team.slug}/agreement").text
    assert "2 copies wait for somebody who may not label here any more" in rounds
    page = team.browser.get(team.path).text
    assert page.count("may not label here any more") == 1
    assert page.count("2 pictures to go") == 2
    assert f'<option value="{team.ids["dee"]}"' in page
    assert f'<option value="{team.ids["bob"]}"' not in page

    busy = team.hand("bob", to=team.ids["cy"], deed="hand")
    assert busy.status_code == 422
    assert "nobody labels one twice" in busy.text
    one = team.browser.get(f"{team.path}?image={team.images[0]}").text
    assert "Copies of 0.jpg" in one
    first = team.hand("bob", to=team.ids["dee"], images=team.images[0], deed="hand")
    assert (first.status_code, first.location) == (303, team.path)
    assert "1 copy handed over." in team.browser.get(team.path).text
    assert team.hand("bob", to=team.ids["dee"], deed="hand").status_code == 303
    seen_by_dee = team.installation.browser("dee").get(team.path).text
    assert seen_by_dee.count("yours to label") == 2
    assert "Who has not submitted yet" not in seen_by_dee


def test_a_lead_goes_on_without_somebody(team: Team) -> None:
    for image in (0, 1):
        team.submit("cy", image)
    assert team.hand("bob", deed="go_on").status_code == 303
    page = team.browser.get(team.path).text
    assert "2 copies left out." in page
    assert page.count("Not compared: fewer than two people submitted it.") == 2
    assert "Of 0 of 2 pictures" in page
    again = team.hand("bob", deed="go_on")
    assert again.status_code == 422
    seen_by_bob = team.installation.browser("bob")
    assert "the round goes on without your copy" in seen_by_bob.get(team.path).text
    copy = team.services.rounds.mine(
        team.installation.person("bob").actor, team.slug, team.round, team.images[0]
    )
    task = seen_by_bob.get(f"/api/v1/copies/{copy}/task").json
    assert task is not None
    assert (task["state"], task["can"]) == ("skipped", [])


@pytest.mark.parametrize(
    "fields", [{"to": ""}, {"from": ""}, {"from": "x"}, {"to": "x"}, {"images": "x"}]
)
def test_forms_that_are_not_whole(team: Team, fields: dict[str, str]) -> None:
    whole = {"from": str(team.ids["bob"]), "to": str(team.ids["dee"]), "deed": "hand"}
    data = whole | fields
    refused = team.browser.post(f"{team.path}/hand-over", data=data)
    assert refused.status_code == 422
    assert {line.copies for line in _waiting(team)} == {2}


def _waiting(team: Team) -> tuple[WaitingLine, ...]:
    return team.services.rounds.of(team.ann, team.slug, team.round).waiting


def test_a_least_overlap_beyond_all_numbers_is_refused(team: Team) -> None:
    people = [str(team.ids[name]) for name in ("bob", "cy")]
    place = f"/api/v1/collections/{team.slug}/rounds"
    for iou in (10**400, -(10**400), 0, 2, True, "0.5"):
        body = {"name": "x", "annotators": people, "count": 1, "iou": iou}
        answer = team.installation.api().post(place, json=body)
        assert answer.status_code == 422, iou


@pytest.mark.parametrize("box", [Box(0, 0, 5, 5), Box(355, 1, 9, 9), Box(-8, -8, 9, 9)])
def test_the_number_of_a_thing_is_on_the_picture(box: Box) -> None:
    mine = Annotation(uuid4(), 1, uuid4(), "car", box, 0, {})
    view = cast(AdjudicationView, SimpleNamespace(found=[Found(mine, None)], classes={}))
    (thing,) = things(view, 360, 200)
    x, y = thing.at
    size = 360 / NUMBER_PART
    assert y - 0.25 * size - 0.8 * size > 0  # its foot, a quarter above y, and its height
    assert 0 <= x <= 360 - 2 * size
