"""Headers on every answer: 200, redirect, refusal, 304."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from tests.fixtures.callers import Crowd
from tests.fixtures.installation import Installation
from tests.fixtures.place import Place, make_place
from tests.security.access_table import TABLE, Row

WHO = ("anonymous", "other", "owner", "revoked key")


@pytest.fixture(scope="module")
def crowd(site: Installation) -> Crowd:
    return Crowd(site)


@pytest.fixture(scope="module")
def place(crowd: Crowd) -> Place:
    return make_place(crowd.installation)


def faults(answer: TestResponse, *, static: bool) -> list[str]:
    """Name what is missing or wrong on an answer."""
    headers, wrong = answer.headers, []
    policy = headers.get("Content-Security-Policy", "")
    expected = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    wrong += [name for name, value in expected.items() if headers.get(name) != value]
    if "default-src 'none'" not in policy or "unsafe" in policy:
        wrong.append("Content-Security-Policy")
    cache = headers.get("Cache-Control", "")
    if not static and (not cache or "public" in cache):
        wrong.append(f"Cache-Control {cache}")
    if not headers.get("X-Request-ID"):
        wrong.append("X-Request-ID")
    for cookie in headers.getlist("Set-Cookie"):
        is_theme = cookie.startswith("theme=")  # changed by a script, and no secret
        if "SameSite=Lax" not in cookie or ("HttpOnly" not in cookie and not is_theme):
            wrong.append("Set-Cookie")
    return wrong


@pytest.mark.parametrize("who", WHO)
def test_every_route(crowd: Crowd, place: Place, who: str) -> None:
    wrong = {}
    for (endpoint, method), row in TABLE.items():
        if isinstance(row, Row) and row.fresh:
            continue
        names = place.names | {"new": "n"}
        answer = crowd.caller(who).open(method, row.path.format(**names))
        found = faults(answer, static=endpoint.endswith("static"))
        if found:
            wrong[f"{method} {endpoint} {answer.status_code}"] = found
    assert wrong == {}


def test_a_304_and_the_media_policy(crowd: Crowd, place: Place) -> None:
    owner = crowd.caller("owner")
    for path in ("original", "preview", "thumb/320"):
        full = owner.open("GET", f"/images/{place.image}/{path}")
        known = {"If-None-Match": full.headers["ETag"]}
        again = owner.open("GET", f"/images/{place.image}/{path}", headers=known)
        assert (full.status_code, again.status_code) == (200, 304)
        for answer in (full, again):
            assert faults(answer, static=False) == []
            policy = answer.headers["Content-Security-Policy"]
            assert policy == "sandbox; default-src 'none'"
