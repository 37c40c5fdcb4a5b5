"""Every route and method, called by everybody, against the table beside this file.

What one may not see does not exist: 404, never 403. A route without a row fails.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app import create_app
from tests.fixtures.callers import BAD_KEYS, EVERYBODY, NOBODY, ROLES, STRANGERS, Crowd
from tests.fixtures.installation import Installation
from tests.fixtures.place import (
    Place,
    make_empty_collection,
    make_job,
    make_key,
    make_place,
    unique_png,
)
from tests.security.access_table import TABLE, Open, Row

OTHER_SCOPE = {"account:read": "images:read"}


@pytest.fixture(scope="module")
def crowd(site: Installation) -> Crowd:
    """One installation for the whole matrix."""
    return Crowd(site)


@pytest.fixture(scope="module")
def place(crowd: Crowd) -> Place:
    return make_place(crowd.installation)


def routes(app: Flask) -> set[tuple[str, str]]:
    return {
        (rule.endpoint, method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert routes(create_app()) == set(TABLE)


def expected(row: Row | Open, who: str) -> int:
    """Return the status that the table promises to ``who``."""
    if isinstance(row, Open):
        return of_open(row, who)
    if who in NOBODY:
        return 303 if row.kind == "page" and row.form is None else 401
    if who in BAD_KEYS or (row.kind == "page" and who.endswith("key")):
        return 401
    if row.admin:
        return row.ok if who in {"admin", "exact key"} else 403
    if who == "narrow key" or (row.scope is None and who.endswith("key")):
        return 403
    if row.least is None or who.endswith("key"):
        return row.ok
    if who == "admin" and row.fresh == "key":
        return row.ok  # an administrator ends anybody's key
    if who in STRANGERS:
        return 404
    if ROLES.index(who) >= ROLES.index(row.least):
        return row.ok
    return 404 if row.hidden or row.fresh in ("key", "job") else 403


def of_open(row: Open, who: str) -> int:
    if who in BAD_KEYS:
        return row.bad_key
    return row.nobody if who in NOBODY or row.account is None else row.account


def send(crowd: Crowd, row: Row | Open, method: str, who: str, place: Place) -> TestResponse:
    names = place.names | {"new": secrets.token_hex(6)}
    fresh = row.fresh if isinstance(row, Row) else ""
    if fresh == "place":
        names |= make_place(crowd.installation).names
    elif fresh == "trashed":
        names |= make_place(crowd.installation, trashed=True).names
    elif fresh == "empty":
        names = names | {"slug": make_empty_collection(crowd.installation)}
    elif fresh == "key":
        names = names | {"key": str(make_key(crowd.installation).id)}
    elif fresh == "job":
        names = names | {"job": str(make_job(crowd.installation))}
    more: dict[str, Any] = {"headers": {"Accept": "text/html"}}
    if row.form is not None:
        more["data"] = {name: value.format(**names) for name, value in row.form.items()}
    if isinstance(row, Row):
        more["headers"] = ({} if row.kind != "page" else more["headers"]) | row.headers
        if row.json is not None:
            more["json"] = {
                name: value.format(**names) if isinstance(value, str) else value
                for name, value in row.json.items()
            }
    scope = (row.scope or "images:read") if isinstance(row, Row) else "images:read"
    if who == "narrow key":
        scope = OTHER_SCOPE.get(scope, "account:read")
    caller = crowd.caller(who, scope=scope)
    return caller.open(method, row.path.format(**names), **more)


def rows_to_try() -> list[Any]:
    return [
        pytest.param(method, row, id=f"{method} {endpoint}")
        for (endpoint, method), row in TABLE.items()
    ]


@pytest.mark.parametrize(("method", "row"), rows_to_try())
def test_the_table(crowd: Crowd, place: Place, method: str, row: Row | Open) -> None:
    wrong = {}
    for who in EVERYBODY:
        answer = send(crowd, row, method, who, place)
        if answer.status_code != expected(row, who):
            wrong[who] = (answer.status_code, expected(row, who))
    assert wrong == {}


def test_a_page_sends_nobody_to_the_door_and_a_program_a_401(
    crowd: Crowd, place: Place
) -> None:
    nobody = crowd.caller("anonymous")
    path = f"/images/{place.image}"
    person = nobody.open("GET", path, headers={"Accept": "text/html"})
    assert person.headers["Location"] == f"/auth/login?next=%2Fimages%2F{place.image}"
    program = nobody.open("GET", path, headers={"Accept": "application/json"})
    assert program.status_code == 401
    assert program.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_picture_that_is_not_there_looks_like_one_of_others(
    crowd: Crowd, place: Place
) -> None:
    """Byte for byte but for the request's id: nothing tells that the picture exists."""
    for (_, method), row in TABLE.items():
        if not isinstance(row, Row) or "{image}" not in row.path or row.least is None:
            continue
        headers = {"X-Request-ID": "the-same-id", "Accept": "application/json"}
        row = replace(row, headers=row.headers | headers, fresh="")
        absent = replace(row, path=row.path.replace("{image}", "{nothing}"))
        there, gone = (send(crowd, each, method, "other", place) for each in (row, absent))
        assert (
            (there.status_code, there.data) == (gone.status_code, gone.data) == (404, gone.data)
        )


def test_bulk_acts_only_on_what_one_may_change(crowd: Crowd, place: Place) -> None:
    done = {}
    for who in (*STRANGERS, *ROLES):
        form = {"action": "tag", "ids": str(place.image), "tags": "bulk"}
        answer = crowd.caller(who).open(
            "POST", "/gallery/bulk", data=form, headers={"Accept": "application/json"}
        )
        (result,) = answer.json["results"]
        done[who] = result["ok"]
    assert done == {who: who in {"editor", "owner"} for who in (*STRANGERS, *ROLES)}


def test_only_the_owner_and_the_uploader_destroy(crowd: Crowd) -> None:
    for who, status in [("viewer", 403), ("reviewer", 403), ("editor", 403), ("owner", 200)]:
        fresh = make_place(crowd.installation)
        path = f"/api/v1/images/{fresh.image}?permanent=true"
        assert crowd.caller(who).open("DELETE", path).status_code == status


def test_a_public_picture_can_be_seen_by_accounts_and_changed_by_none(crowd: Crowd) -> None:
    api = crowd.installation.api("owner")
    image = api.upload((unique_png(), "public.png"), is_public="true").json["images"][0]["id"]
    for who in ("other", "admin"):
        caller = crowd.caller(who)
        for path in ("", "/original", "/preview", "/thumb/320"):
            html = {"Accept": "text/html"}
            answer = caller.open("GET", f"/images/{image}{path}", headers=html)
            assert answer.status_code == 200, path
        assert caller.open("GET", f"/api/v1/images/{image}").status_code == 200
        assert caller.open("DELETE", f"/api/v1/images/{image}").status_code == 403
        assert caller.open("GET", f"/api/v1/images/{image}/annotations").status_code == 403
        listed = caller.open("GET", "/api/v1/images").json["images"]
        assert image not in {each["id"] for each in listed}
    assert crowd.caller("anonymous").open("GET", f"/images/{image}/original").status_code == 401
