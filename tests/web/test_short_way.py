"""The short way of thumbnails says what Flask says, and refuses nothing by itself.

A size with a leading zero has the same view and goes the long way.
"""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text, update
from werkzeug.test import TestResponse

from app.db.times import utc_now
from app.models import Image, Session
from app.services.delivery import DeliveryService
from app.web import short_way
from tests.fixtures import pictures
from tests.fixtures.installation import Browser, Installation

NAMED = {"X-Request-ID": "a-name-of-ours"}
PLACES = [("thumb/320", "thumb/0320"), ("preview", "preview")]


@pytest.fixture
def browser(installation: Installation) -> Browser:
    return installation.browser()


@pytest.fixture
def image(installation: Installation, browser: Browser) -> str:
    stored = installation.api().upload((pictures.jpeg(), "a.jpg"))
    return str(stored.json["images"][0]["id"])


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which way each request went."""
    gone: list[str] = []
    answer = short_way.ShortWay._answer

    def noted(*given):
        found = answer(*given)
        gone.append("Flask" if found is None else "short")
        return found

    monkeypatch.setattr(short_way.ShortWay, "_answer", noted)
    return gone


def facts(answer: TestResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    return answer.status_code, answer.data, sorted(answer.headers.items())


@pytest.mark.parametrize("headers", [{}, {"If-None-Match": '"other"'}, {"Range": "bytes=0-3"}])
def test_both_ways_answer_alike(browser, image, ways, headers) -> None:
    short = browser.get(f"/images/{image}/thumb/320", headers=NAMED | headers)
    long = browser.get(f"/images/{image}/thumb/0320", headers=NAMED | headers)
    assert ways == ["short"]
    assert short.status_code == 200
    assert facts(short) == facts(long)


@pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', "*"])
def test_both_ways_know_what_the_browser_has(browser, image, ways, form) -> None:
    etag = browser.get(f"/images/{image}/thumb/320").headers["ETag"]
    known = NAMED | {"If-None-Match": form.format(etag)}
    short = browser.get(f"/images/{image}/thumb/320", headers=known)
    long = browser.get(f"/images/{image}/thumb/0320", headers=known)
    assert ways == ["short", "short"]
    assert short.status_code == 304
    assert facts(short) == facts(long)


def test_a_preview_goes_the_short_way_too(browser, image, ways) -> None:
    answer = browser.get(f"/images/{image}/preview", headers=NAMED)
    again = browser.client.open(f"/images/{image}/preview", method="HEAD", headers=NAMED)
    assert ways == ["short", "Flask"]
    assert answer.data.startswith(b"\xff\xd8\xff")
    assert sorted(answer.headers.items()) == sorted(again.headers.items())


def test_both_ways_count_the_request(installation, browser, image) -> None:
    def counted() -> float:
        from app.metrics import registry

        labels = {"endpoint": "serving.thumb", "method": "GET", "status": "200"}
        return registry.get_sample_value("darkroom_http_requests_total", labels) or 0

    before = counted()
    browser.get(f"/images/{image}/thumb/320")
    browser.get(f"/images/{image}/thumb/0320")
    assert counted() == before + 2


@pytest.mark.parametrize(
    ("path", "status"), [("thumb/321", 404), ("thumb/9999", 404), ("thumb/320", 404)]
)
def test_refusals_are_flasks(installation, image, ways, path, status) -> None:
    stranger = installation.browser("bob")
    assert stranger.get(f"/images/{image}/{path}").status_code == status
    assert ways == ["Flask"]


def test_nobody_is_sent_to_flask(installation, image, ways) -> None:
    client = installation.app.test_client()
    client.set_cookie("darkroom", "nonsense.of.somebody")
    assert client.get(f"/images/{image}/thumb/320").status_code == 401
    assert ways == ["Flask"]


def test_a_session_that_has_ended_opens_nothing(installation, browser, image, ways) -> None:
    path = f"/images/{image}/thumb/320"
    kept = browser.client.get_cookie("darkroom")
    browser.get("/account")
    assert browser.post("/auth/logout").status_code == 303
    late = installation.app.test_client()
    late.set_cookie("darkroom", kept.value)
    assert late.get(path).status_code == 401
    assert ways == ["Flask"]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The decisions that were asked of the service."""
    made: list[str] = []
    decide = DeliveryService.thumbnail

    def noted(*given):
        made.append("asked")
        return decide(*given)

    monkeypatch.setattr(DeliveryService, "thumbnail", noted)
    return made


def test_a_decision_is_remembered_until_something_changes(
    installation, browser, image, ways, asked
) -> None:
    path = f"/images/{image}/thumb/320"
    for _ in range(3):
        assert browser.get(path).status_code == 200
    assert asked == ["asked"]
    with installation.house.uow.write() as session:
        session.execute(text("UPDATE users SET quota_limit = 123456789"))
    assert browser.get(path).status_code == 200
    assert asked == ["asked"] * 2
    assert ways == ["short"] * 4


def test_what_one_browser_may_see_is_not_told_another(installation, browser, image) -> None:
    path = f"/images/{image}/thumb/320"
    stranger = installation.browser("bob")
    assert browser.get(path).status_code == 200
    assert stranger.get(path).status_code == 404
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize(
    "how", ["trash", "destroy", "disable", "logout", "password", "expire", "hide"]
)
def test_what_was_taken_away_is_not_remembered(installation, image, how) -> None:
    """From somebody who sees a public picture of Ann's."""
    path = f"/images/{image}/thumb/320"
    services, ann = installation.services, installation.person()
    with installation.house.uow.write() as session:
        session.execute(update(Image).values(is_public=True))
    browser = installation.browser("bob")
    kept = browser.client.get_cookie("darkroom").value
    assert browser.get(path).status_code == 200
    assert browser.get(path).status_code == 200
    with installation.house.uow.write() as session:
        if how == "disable":
            session.execute(text("UPDATE users SET state = 'disabled'"))
        if how == "password":
            session.execute(text("UPDATE users SET must_change_password = 1"))
        if how == "expire":
            session.execute(update(Image).values(expires_at=utc_now()))
        if how == "hide":
            session.execute(update(Image).values(is_public=False))
    if how in {"trash", "destroy"}:
        getattr(services.trash, how)(ann.actor, UUID(image))
    if how == "logout":
        assert browser.post("/auth/logout").status_code == 303
    late = installation.app.test_client()
    late.set_cookie("darkroom", kept)
    refusals = {"disable": 401, "logout": 401, "password": 403}
    assert late.get(path).status_code == refusals.get(how, 404)


def test_a_picture_whose_time_comes_is_not_remembered(installation, image, monkeypatch) -> None:
    """Nothing is committed when the moment comes."""
    path, soon = f"/images/{image}/thumb/320", utc_now() + timedelta(seconds=5)
    with installation.house.uow.write() as session:
        session.execute(update(Image).values(expires_at=soon, is_public=True))
    browser = installation.browser("bob")
    assert browser.get(path).status_code == 200
    began = time.monotonic()
    monkeypatch.setattr("app.web.remembered.time.monotonic", lambda: began + 5.1)
    monkeypatch.setattr("app.services.image_access.utc_now", lambda: soon)
    assert browser.get(path).status_code == 404


def test_a_session_that_runs_out_is_not_remembered(
    installation, browser, image, monkeypatch
) -> None:
    path, soon = f"/images/{image}/thumb/320", utc_now() + timedelta(seconds=5)
    with installation.house.uow.write() as session:
        session.execute(update(Session).values(expires_at=soon))
    assert browser.get(path).status_code == 200
    began = time.monotonic()
    monkeypatch.setattr("app.web.remembered.time.monotonic", lambda: began + 5.1)
    monkeypatch.setattr(installation.services.sessions, "_clock", lambda: soon)
    assert browser.get(path).status_code == 401


@pytest.mark.parametrize("foreign", ["x=\xff\xfe", "darkroom=\xe9"])
def test_a_cookie_that_is_no_text_is_left_to_flask(browser, image, ways, foreign) -> None:
    kept = browser.client.get_cookie("darkroom").value
    client = browser.client.application.test_client(use_cookies=False)
    headers = {"Cookie": f"darkroom={kept}; {foreign}"}
    status = client.get(f"/images/{image}/thumb/320", headers=headers).status_code
    assert status == 200 if foreign.startswith("x") else status in {200, 401}
    headers = {"Cookie": foreign}
    assert client.get(f"/images/{image}/thumb/320", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "unusual",
    [
        {"headers": {"Host": "elsewhere.example"}},
        {"headers": {"Authorization": "Bearer dk_nothing"}},
        {"data": b"a body"},
    ],
)
def test_what_is_unusual_is_flasks(browser, image, ways, unusual) -> None:
    assert browser.get(f"/images/{image}/thumb/320", **unusual).status_code in {200, 400, 401}
    assert ways == ["Flask"]


def test_a_password_that_must_be_changed_comes_first(installation, image, ways) -> None:
    from app.models import User

    browser = installation.browser("ann")
    with installation.house.uow.write() as session:
        session.execute(update(User).values(must_change_password=True))
    assert browser.get(f"/images/{image}/thumb/320").status_code == 403
    assert ways == ["Flask"]


def test_https_is_demanded_by_flask(install, ways) -> None:
    installation = install(PUBLIC_URL="https://localhost")
    client = installation.app.test_client()
    path = "/images/00000000-0000-4000-8000-000000000000/thumb/320"
    assert client.get(path).status_code == 302
    assert ways == ["Flask"]


def test_both_ways_answer_alike_over_https(install, ways) -> None:
    installation = install(PUBLIC_URL="https://localhost")
    stored = installation.api()
    stored.headers["X-Forwarded-Proto"] = "https"
    made = stored.client.post(
        "/api/v1/images",
        base_url="https://localhost",
        headers=stored.headers,
        data={"files": [_file(pictures.jpeg(), "a.jpg")]},
    )
    image = made.json["images"][0]["id"]
    new = installation.services.sessions.create(installation.person().id)
    signer = installation.app.session_interface.get_signing_serializer(installation.app)
    cookie = {"Cookie": f"__Host-darkroom={signer.dumps({'sid': new.token})}", **NAMED}
    client = installation.app.test_client(use_cookies=False)

    def get(size: str) -> TestResponse:
        return client.get(
            f"/images/{image}/thumb/{size}", base_url="https://localhost", headers=cookie
        )

    assert facts(get("320")) == facts(get("0320"))
    assert get("320").headers["Strict-Transport-Security"]
    assert ways == ["short", "short"]


def _file(content: bytes, name: str):
    from io import BytesIO

    return BytesIO(content), name
