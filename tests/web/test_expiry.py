"""Pictures that are kept until a moment: asked for, shown, and gone from it on."""

from __future__ import annotations

import time
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
from sqlalchemy import update

from app.db.times import utc_now
from app.models import Image
from app.web import short_way
from tests.fixtures import pictures
from tests.fixtures.installation import Browser, Installation
from tests.fixtures.uploads import PictureRoom, picture

WRONG = ["2020-01-01T00:00:00Z", "2020-01-01", "tomorrow", "2027-02-30", "9999-12-31", "1"]


def upload(installation: Installation, expires_at: str, seed: int = 1):
    return installation.api().upload((picture(seed), "a.bmp"), expires_at=expires_at)


@pytest.mark.parametrize("expires_at", WRONG)
def test_the_api_refuses_what_is_no_time_to_come(installation, expires_at: str) -> None:
    answer = upload(installation, expires_at)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["path"] == "expires_at"
    assert answer.json["detail"].startswith("The field expires_at must be a ")
    assert installation.api().get("/api/v1/images?total=1").json["pagination"]["total"] == 0


@pytest.mark.parametrize("expires_at", WRONG)
def test_the_form_says_so_at_the_field(installation, expires_at: str) -> None:
    browser = installation.browser()
    browser.get("/upload")
    files = {"files": (BytesIO(picture()), "a.bmp"), "expires_at": expires_at}
    answer = browser.post("/upload", files)
    assert answer.status_code == 422
    assert 'id="error-expires_at"' in answer.text
    assert f'value="{expires_at}"' in answer.text, "what was typed is kept"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("2126-12-24T18:00:00+02:00", "2126-12-24T16:00:00.000Z"),
        ("2126-12-24", "2126-12-25T00:00:00.000Z"),
        ("", None),
    ],
)
def test_what_was_asked_for_is_kept(installation, typed: str, kept: str | None) -> None:
    image = upload(installation, typed).json["images"][0]["id"]
    assert installation.api().get(f"/api/v1/images/{image}").json["expires_at"] == kept


def test_today_lasts_until_its_end(installation) -> None:
    assert upload(installation, utc_now().date().isoformat()).status_code == 201


def test_the_form_without_javascript_and_the_panel(installation) -> None:
    browser = installation.browser()
    page = browser.get("/upload").text
    assert '<label for="field-expires_at">Keep until' in page
    assert 'name="expires_at" type="date"' in page
    browser.post(
        "/upload", {"files": (BytesIO(picture()), "a.bmp"), "expires_at": "2126-12-24"}
    )
    image = installation.api().get("/api/v1/images").json["images"][0]["id"]
    panel = browser.get(f"/images/{image}").text
    assert '<dt>Kept</dt><dd>until <time datetime="2126-12-25T00:00:00+00:00"' in panel
    assert "then it goes to the trash" in panel


def test_a_page_of_what_ran_out(installation) -> None:
    room, browser = PictureRoom(installation), installation.browser()
    image = room.upload(picture()).id
    room.run_out(image)
    assert "In the trash. It will be destroyed on" in browser.get(f"/images/{image}").text
    assert 'value="restore">Restore' in browser.get(f"/images/{image}").text
    trash = browser.get("/trash").text
    assert f'data-id="{image}"' in trash
    assert "destroyed today" not in trash
    shown = installation.api().get(f"/api/v1/images/{image}").json
    assert shown["status"] == "trashed"
    assert shown["destroyed_at"] > shown["trashed_at"] == shown["expires_at"]
    assert f'data-id="{image}"' not in browser.get("/gallery").text
    browser.post("/gallery/bulk", {"ids": str(image), "action": "restore"})
    assert f'data-id="{image}"' in browser.get("/gallery").text


@pytest.fixture
def viewer(installation: Installation) -> tuple[str, Browser]:
    """A picture of ann's, and the browser of a viewer of its collection."""
    room = PictureRoom(installation)
    slug = room.services.collections.create(room.actor, name="Shared").slug
    email = installation.person("bob").email
    room.services.members.add(room.actor, slug, email=email, role="viewer")
    image = room.upload(pictures.jpeg(), collection=slug).id
    return str(image), installation.browser("bob")


PATHS = ("thumb/320", "thumb/160", "preview", "original", "annotate")


@pytest.mark.parametrize("swept", [False, True])
def test_nothing_is_handed_out_any_more(installation, viewer, swept: bool) -> None:
    image, browser = viewer
    room = PictureRoom(installation)
    etag = browser.get(f"/images/{image}/thumb/320").headers["ETag"]
    signed = installation.api().get(f"/api/v1/images/{image}").json["url"]
    signed = signed[signed.index("/m/") :]
    assert browser.client.get(signed).status_code == 200
    room.run_out(UUID(image))
    if swept:
        room.services.trash.expire()
    for path in PATHS:
        assert browser.get(f"/images/{image}/{path}").status_code == 404, path
    known = {"If-None-Match": etag}
    assert browser.get(f"/images/{image}/thumb/320", headers=known).status_code == 404
    assert browser.get(f"/images/{image}").status_code == 404
    assert browser.client.get(signed).status_code == 404
    bob = installation.api("bob")
    assert bob.get(f"/api/v1/images/{image}").status_code == 404
    assert bob.get(f"/api/v1/images/{image}/annotations").status_code == 404
    assert bob.get("/api/v1/images").json["images"] == []
    assert bob.get("/api/v1/images?status=trashed").json["images"] == []
    assert installation.browser().get(f"/images/{image}/thumb/320").status_code == 200


def test_the_short_way_is_as_punctual(installation, viewer, monkeypatch) -> None:
    """Nothing is committed between the requests: only time goes by."""
    image, browser = viewer
    gone: list[str] = []
    answer = short_way.ShortWay._answer

    def noted(*given):
        found = answer(*given)
        gone.append("Flask" if found is None else "short")
        return found

    monkeypatch.setattr(short_way.ShortWay, "_answer", noted)
    path = f"/images/{image}/thumb/320"
    assert browser.get(path).status_code == 200
    with installation.house.uow.write() as session:
        soon = utc_now() + timedelta(seconds=1)
        session.execute(update(Image).values(expires_at=soon))
    assert browser.get(path).status_code == 200
    assert browser.get(path).status_code == 200
    assert gone == ["short"] * 3
    time.sleep(max(0.0, (soon - utc_now()).total_seconds()) + 0.01)
    assert browser.get(path).status_code == 404
    assert gone[3:] == ["Flask"]


@pytest.mark.parametrize(("days", "told"), [(3, True), (60, False)])
def test_the_gallery_tells_what_leaves_soon(installation, days: int, told: bool) -> None:
    room = PictureRoom(installation)
    image = room.upload(pictures.jpeg()).id
    with installation.house.uow.write() as session:
        soon = utc_now() + timedelta(days=days)
        session.execute(update(Image).where(Image.id == image).values(expires_at=soon))
    assert ("Goes to the trash" in installation.browser().get("/gallery").text) is told
