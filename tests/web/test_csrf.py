"""Every writing route asks a browser for its token, and lets programs with a key through."""

from __future__ import annotations

import pytest

from app import create_app
from tests.fixtures.callers import Caller
from tests.fixtures.installation import Installation

WRITING = ("POST", "PUT", "PATCH", "DELETE")
NOTHING = "00000000-0000-4000-8000-000000000000"


def writing_routes() -> list[tuple[str, str]]:
    """Return (method, an address) of every route that changes something."""
    found = []
    for rule in create_app().url_map.iter_rules():
        values = dict.fromkeys(rule.arguments, NOTHING)
        for method in sorted((rule.methods or set()) & set(WRITING)):
            _, address = rule.build(values) or ("", rule.rule)
            found.append((method, address))
    return found


@pytest.fixture(scope="module")
def cookie(site: Installation) -> Caller:
    """A signed-in browser's cookie without any token."""
    return Caller(site.app, {}, site.services.sessions.create(site.person().id).token)


def test_there_are_routes_to_try() -> None:
    assert len(writing_routes()) > 20


@pytest.mark.parametrize("token", [None, "", "wrong", "IjAxMjM0NTY3ODki.aaaa.bbbb"])
def test_no_browser_writes_without_its_token(cookie: Caller, token: str | None) -> None:
    through = {}
    for method, address in writing_routes():
        answer = cookie.open(method, address, csrf=token)
        if answer.status_code != 400 or "CSRF" not in answer.text:
            through[f"{method} {address}"] = answer.status_code
    assert through == {}


def test_the_token_of_another_session_is_none(site: Installation, cookie: Caller) -> None:
    other = site.browser("bob")
    answer = cookie.open("POST", "/auth/sessions/revoke-others", csrf=other.token)
    assert answer.status_code == 400


def test_nobody_signs_somebody_in_from_another_site(site: Installation) -> None:
    form = {"email": site.person().email, "password": "correct horse battery staple"}
    answer = site.app.test_client().post("/auth/login", data=form)
    assert answer.status_code == 400


def test_a_key_needs_no_token_even_beside_a_cookie(site: Installation) -> None:
    api = site.api()
    browser = site.browser()
    answer = browser.client.post(
        "/api/v1/collections", json={"name": "By key"}, headers=api.headers
    )
    assert answer.status_code == 201


def test_a_session_writes_to_the_api_with_the_token_in_a_header(site: Installation) -> None:
    browser = site.browser()
    headers = {"X-CSRFToken": browser.token}
    answer = browser.client.post("/api/v1/collections", json={"name": "c"}, headers=headers)
    assert answer.status_code == 201


def test_no_other_scheme_of_authorization_counts_as_a_key(site: Installation) -> None:
    browser = site.browser()
    for value in ("Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "bearer x", "dk_" + "0" * 72, "²"):
        for path in ("/auth/logout", "/api/v1/collections"):
            answer = browser.client.post(path, headers={"Authorization": value})
            assert answer.status_code in {400, 401}, value
    assert browser.get("/account").status_code == 200
