"""A destruction gives a receipt that its people can read, keep and find in the audit log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.access import OPERATOR
from app.services.receipts import ShredTerms, receipt_of
from tests.fixtures.installation import Installation
from tests.fixtures.uploads import PictureRoom, picture


@pytest.fixture
def destroyed(installation: Installation) -> tuple[PictureRoom, dict]:
    room = PictureRoom(installation)
    image_id = room.upload(picture()).id
    answer = installation.api().delete(f"/api/v1/images/{image_id}?permanent=true")
    assert answer.status_code == 200
    return room, answer.json


def test_the_api_answers_with_the_receipt(
    installation: Installation, destroyed: tuple[PictureRoom, dict]
) -> None:
    room, answer = destroyed
    receipt = answer["receipt"]
    assert receipt["destroyed_at"] == answer["destroyed_at"]
    assert (receipt["image_id"], receipt["keys"]) == (answer["id"], 1)
    assert receipt["files"] >= 4  # original, sidecar, thumbnail, preview
    places = {one["place"]: one["until"] for one in receipt["horizons"]}
    assert places.keys() == {"requests", "memory", "vault", "backups", "database"}
    assert places["requests"] == places["vault"] == answer["destroyed_at"]
    assert places["memory"] > places["requests"]
    again = installation.api().get(f"/api/v1/receipts/{receipt['id']}")
    assert again.json == receipt
    event = room.last_audited("image.destroy")
    assert (str(event.id), event.details["files"]) == (receipt["id"], receipt["files"])


def test_the_trash_alone_has_no_receipt(installation: Installation) -> None:
    image_id = PictureRoom(installation).upload(picture()).id
    assert installation.api().delete(f"/api/v1/images/{image_id}").json["receipt"] is None


def test_a_person_is_led_to_the_receipts_and_can_keep_one(installation: Installation) -> None:
    room, browser = PictureRoom(installation), installation.browser("ann")
    ids = [str(room.upload(picture(n)).id) for n in range(2)]
    browser.get("/trash")
    answer = browser.post("/gallery/bulk", {"action": "destroy", "ids": ids})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/receipts")
    page = browser.get("/receipts").text
    assert all(image_id in page for image_id in ids)
    (first, _) = room.services.receipts.mine(room.actor)
    page = browser.get(f"/receipts/{first.id}")
    assert "Copies of the database" in page.text
    text = browser.get(f"/receipts/{first.id}?as=text")
    assert str(first.image_id) in text.text
    assert "attachment" in text.headers["Content-Disposition"]
    assert browser.get(f"/receipts/{first.id}?as=json").json["id"] == str(first.id)
    assert browser.get(f"/receipts/{first.id}?as=pdf").status_code == 422


def test_a_receipt_is_nobody_elses(
    installation: Installation, destroyed: tuple[PictureRoom, dict]
) -> None:
    receipt_id = destroyed[1]["receipt"]["id"]
    eve = installation.api("eve")
    assert eve.get(f"/api/v1/receipts/{receipt_id}").status_code == 404
    assert f"/receipts/{receipt_id}" in installation.browser("ann").get("/receipts").text
    assert f"/receipts/{receipt_id}" not in installation.browser("eve").get("/receipts").text
    chief = installation.person("chief")
    installation.services.account_administration.set_admin(OPERATOR, chief.id, True)
    assert installation.browser("chief").get(f"/receipts/{receipt_id}").status_code == 200
    other = destroyed[0].last_audited("image.upload").id
    assert installation.api().get(f"/api/v1/receipts/{other}").status_code == 404


def test_what_the_trash_destroyed_by_itself_is_told_to_who_uploaded(
    installation: Installation,
) -> None:
    room = PictureRoom(installation)
    image_id = room.upload(picture()).id
    room.services.trash.trash(room.actor, image_id)
    trash = room.services.trash
    trash._clock = lambda real=trash._clock: real() + timedelta(days=40)
    assert trash.destroy_due() == 1
    event = room.last_audited("image.destroy")
    assert event.actor_id is None
    assert room.services.receipts.get(room.actor, event.id).image_id == image_id


def test_a_vault_that_protects_from_purging_is_told(
    destroyed: tuple[PictureRoom, dict],
) -> None:
    event = destroyed[0].last_audited("image.destroy")
    facts = ShredTerms("azure", timedelta(minutes=5), 14).facts(3, 1, None)
    receipt = receipt_of(event.id, event.id, event.at, facts)
    horizons = {one.place: one for one in receipt.horizons}
    assert horizons["vault"].until is None
    assert "retention" in horizons["vault"].words
    assert horizons["memory"].until == event.at + timedelta(minutes=5)
    assert "14 are kept" in horizons["backups"].words
