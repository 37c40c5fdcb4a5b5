"""Set-up, signing in and out, passwords, sessions, keys: what a browser can do with them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.db.times import utc_now
from app.domain.access import OPERATOR
from app.errors import DatabaseUnavailable, StoreFull
from app.models import Session
from app.services.setup_code import setup_code
from tests.fixtures.installation import PASSWORD, Browser, Installation

ELSEWHERE: dict[str, Any] = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.9"}}
FIRST = {"email": "first@people.example", "name": "First", "password": PASSWORD}
WRONG = "E-mail address or password is wrong."


def cookie_of(browser: Browser) -> str:
    cookie = browser.client.get_cookie("darkroom")
    assert cookie is not None
    return cookie.value


def is_signed_in(site: Installation, cookie: str) -> bool:
    client = site.app.test_client()
    client.set_cookie("darkroom", cookie)
    return client.get("/account").status_code == 200


def age(site: Installation, **columns: timedelta) -> None:
    """Move times of every session into the past."""
    moved = {name: utc_now() - by for name, by in columns.items()}
    with site.house.uow.write() as session:
        session.execute(update(Session).values(**moved))


# -- set-up


def test_the_first_account_is_made_once_and_is_an_administrator(
    installation: Installation,
) -> None:
    browser = installation.browser(None)
    assert "Make the first account" in browser.get("/").text
    assert browser.post("/auth/setup", FIRST).status_code == 303
    assert browser.client.get("/api/v1/me").json["is_admin"] is True
    late = installation.browser(None)
    assert "Make the first account" not in late.get("/").text
    again = late.post("/auth/setup", FIRST | {"email": "second@people.example"})
    assert again.status_code == 404


@pytest.mark.parametrize("origin", [ELSEWHERE, {"headers": {"X-Forwarded-For": "::1"}}])
def test_from_elsewhere_set_up_takes_the_code(
    installation: Installation, origin: dict[str, Any]
) -> None:
    browser = installation.browser(None)
    assert 'name="code"' in browser.get("/", **origin).text
    for code in ("", "wrong", "é" * 16):
        refused = browser.post("/auth/setup", FIRST | {"code": code}, **origin)
        assert refused.status_code == 422
        assert PASSWORD not in refused.text
    code = setup_code(installation.services.roots)
    assert browser.post("/auth/setup", FIRST | {"code": code}, **origin).status_code == 303


def test_registration_is_closed_unless_opened(installation: Installation, install) -> None:
    installation.person()
    assert installation.browser(None).get("/auth/register").status_code == 404
    site = install(REGISTRATION_OPEN="true")
    site.person()
    browser = site.browser(None)
    browser.get("/auth/register")
    assert browser.post("/auth/register", FIRST).status_code == 303
    assert browser.client.get("/api/v1/me").json["is_admin"] is False


# -- signing in


@pytest.mark.parametrize(
    "form",
    [{"email": "ann@people.example", "password": "wrong"},
     {"email": "nobody@people.example", "password": PASSWORD}, {"email": "", "password": ""},
     {"email": "x" * 5000, "password": "y"}, {"email": "a\x00b", "password": "\x00"}, {}],
)  # fmt: skip
def test_every_wrong_pair_gets_one_answer(site: Installation, form: dict[str, str]) -> None:
    site.person()
    browser = site.browser(None)
    browser.get("/auth/login")
    answer = browser.post("/auth/login", form)
    assert answer.status_code == 401
    assert WRONG in answer.text


def test_an_unknown_account_costs_the_same_derivation(
    site: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.services import password_check

    worked: list[str] = []
    real = password_check.verify_password
    monkeypatch.setattr(
        password_check,
        "verify_password",
        lambda phc, password: (worked.append(phc), real(phc, password))[1],
    )
    browser = site.browser(None)
    for email in (site.person().email, "nobody@people.example"):
        worked.clear()
        browser.get("/auth/login")
        browser.post("/auth/login", {"email": email, "password": "wrong"})
        assert len(worked) == 1


def test_a_disabled_account_is_refused_like_a_wrong_pair(site: Installation) -> None:
    person = site.person("dis")
    inside = cookie_of(site.browser("dis"))
    site.services.account_administration.set_disabled(OPERATOR, person.id, True)
    assert not is_signed_in(site, inside)
    browser = site.browser(None)
    browser.get("/auth/login")
    answer = browser.post("/auth/login", {"email": person.email, "password": PASSWORD})
    assert (answer.status_code, WRONG in answer.text) == (401, True)


@pytest.mark.parametrize("remember", [True, False])
def test_only_a_remembered_cookie_outlives_the_browser(
    site: Installation, remember: bool
) -> None:
    browser = site.browser(None)
    browser.get("/auth/login")
    form = {"email": site.person().email, "password": PASSWORD}
    answer = browser.post("/auth/login", form | ({"remember": "1"} if remember else {}))
    assert ("Expires" in answer.headers["Set-Cookie"]) is remember


def test_signing_in_gives_a_new_session(site: Installation) -> None:
    """Nothing that an attacker planted before signs him in afterwards."""
    browser = site.browser(None)
    browser.get("/auth/login")
    planted = cookie_of(browser)
    browser.sign_in(site.person().email)
    first = cookie_of(browser)
    assert planted != first
    assert not is_signed_in(site, planted)
    assert is_signed_in(site, first)


@pytest.mark.parametrize(
    "wanted",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example",
     "/\t/evil.example", "/\r\n/evil.example", "/%09/evil.example", "/%5cevil.example",
     "/%2fevil.example", "javascript:alert(1)", "evil.example", "", " //evil.example",
     "/\x00/evil.example", "///evil.example", "/" + "a" * 3000, "http:/evil.example"],
)  # fmt: skip
def test_next_stays_within_the_site(site: Installation, wanted: str) -> None:
    browser = site.browser(None)
    browser.get("/auth/login")
    form = {"email": site.person().email, "password": PASSWORD, "next": wanted}
    assert browser.post("/auth/login", form).headers["Location"] == "/gallery"


def test_next_leads_to_where_one_wanted_to_go(site: Installation) -> None:
    browser = site.browser(None)
    asked = browser.get("/gallery?view=list", headers={"Accept": "text/html"})
    page = browser.get(asked.headers["Location"])
    (wanted,) = re.findall(r'name="next" value="([^"]+)"', page.text)
    form = {"email": site.person().email, "password": PASSWORD, "next": wanted}
    assert browser.post("/auth/login", form).headers["Location"] == "/gallery?view=list"


# -- ending sessions


def test_logout_takes_a_post_and_kills_the_cookie(site: Installation) -> None:
    browser = site.browser()
    kept = cookie_of(browser)
    assert browser.client.get("/auth/logout").status_code == 405
    answer = browser.post("/auth/logout")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_signed_in(site, kept)


@pytest.mark.parametrize("error", [StoreFull, DatabaseUnavailable])
def test_logout_leaves_the_browser_in_any_case(
    site: Installation, error, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full: the session cannot be ended, but who sits here next has none."""
    browser = site.browser()

    def fail(_: object) -> None:
        raise error("No space left.")

    with monkeypatch.context() as patch:
        patch.setattr(site.services.sessions, "revoke", fail)
        answer = browser.post("/auth/logout")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/auth/login")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_signed_in(site, cookie_of(browser))
    page = browser.get("/auth/login").text
    assert "could not be ended on the server yet" in page
    assert "You are signed out." not in page


def test_a_changed_password_ends_the_other_sessions(site: Installation) -> None:
    here, there = site.browser("carl"), site.browser("carl")
    fresh = "another staple of horses"
    wrong = {"current_password": "no", "new_password": fresh}
    assert here.post("/auth/password", wrong).status_code == 422
    right = {"current_password": PASSWORD, "new_password": fresh}
    assert here.post("/auth/password", right).status_code == 303
    assert is_signed_in(site, cookie_of(here))
    assert not is_signed_in(site, cookie_of(there))


def test_sessions_are_listed_and_revoked_by_their_owner_alone(site: Installation) -> None:
    here, there, stranger = site.browser("eve"), site.browser("eve"), site.browser("mallory")
    listed = here.client.get("/api/v1/sessions").json["sessions"]
    other = next(each["id"] for each in listed if not each["is_current"])
    assert stranger.post(f"/auth/sessions/{other}/revoke").status_code == 404
    assert here.post(f"/auth/sessions/{other}/revoke").status_code == 303
    assert not is_signed_in(site, cookie_of(there))
    assert is_signed_in(site, cookie_of(here))


def test_idle_and_old_sessions_end(installation: Installation) -> None:
    browser = installation.browser()
    age(installation, last_seen=timedelta(minutes=119))
    assert is_signed_in(installation, cookie_of(browser))
    age(installation, last_seen=timedelta(minutes=121))
    assert not is_signed_in(installation, cookie_of(browser))
    again = installation.browser()
    age(installation, expires_at=timedelta(seconds=1))
    assert not is_signed_in(installation, cookie_of(again))


def test_who_was_given_a_password_changes_it_first(installation: Installation) -> None:
    person, given = installation.person("new"), "given by the operator"
    administration = installation.services.account_administration
    administration.reset_password(OPERATOR, person.id, given)
    browser = installation.browser(None)
    browser.sign_in(person.email, given)
    asked = browser.get("/gallery", headers={"Accept": "text/html"})
    assert (asked.status_code, asked.headers["Location"]) == (303, "/auth/password")
    assert browser.client.get("/api/v1/me").status_code == 403
    words = "Your password was set by somebody else."
    assert words in browser.get("/auth/password").text
    form = {"current_password": given, "new_password": PASSWORD}
    assert browser.post("/auth/password", form).status_code == 303
    assert words not in browser.get("/auth/password").text
    assert browser.get("/gallery").status_code == 200


# -- keys, theme, limits


def test_a_key_is_shown_once(site: Installation) -> None:
    browser = site.browser()
    form = {"name": "k", "scopes": "images:read", "expires_days": "30"}
    made = browser.post("/auth/api-keys", form)
    (key,) = set(re.findall(r"dk_[0-9a-f]{72}", made.text))
    assert made.status_code == 201
    assert key not in browser.get("/auth/api-keys").text
    assert site.app.test_client().get(
        "/api/v1/images", headers={"Authorization": f"Bearer {key}"}
    ).status_code == 200  # fmt: skip


def theme_of(page: str) -> str:
    found = re.search(r'<html lang="en" (?:data-bs-theme="(\w+)")?>', page)
    assert found is not None
    return found[1] or "system"


def test_a_theme_follows_the_account_to_another_browser(site: Installation) -> None:
    first, other = site.browser("theo"), site.browser("theo")
    assert theme_of(first.get("/account").text) == "system"
    assert first.post("/account", {"theme": "dark"}).status_code == 303
    for browser in (first, other):
        assert theme_of(browser.get("/gallery").text) == "dark"
    assert other.client.get_cookie("theme") is None
    assert theme_of(site.browser("leo").get("/gallery").text) == "system"
    assert other.post("/account", {"name": "Theo"}).status_code == 303
    assert theme_of(other.get("/gallery").text) == "dark", "left out, it stays"
    assert other.post("/account", {"theme": "system"}).status_code == 303
    assert theme_of(first.get("/gallery").text) == "system", "whatever its cookie says"


def test_without_an_account_the_cookie_decides(site: Installation) -> None:
    browser = site.browser("ida")
    browser.client.set_cookie("theme", "light")
    assert theme_of(browser.get("/gallery").text) == "light", "nothing was chosen yet"
    assert browser.post("/account", {"theme": "dark"}).status_code == 303
    assert browser.client.get_cookie("theme").value == "dark"
    browser.get("/account")
    browser.post("/auth/logout")
    assert theme_of(browser.get("/auth/login").text) == "dark"
    assert theme_of(site.browser(None).get("/auth/login").text) == "system"


def test_a_theme_that_is_none_is_refused(site: Installation) -> None:
    browser = site.browser("ida")
    browser.post("/account", {"theme": "dark"})
    assert browser.post("/account", {"theme": "<script>"}).status_code == 422
    assert theme_of(browser.get("/gallery").text) == "dark"


def try_to_sign_in(site: Installation, email: str, address: str) -> Any:
    browser = site.browser(None)
    origin = {"environ_overrides": {"REMOTE_ADDR": address}}
    browser.get("/auth/login", **origin)
    return browser.post("/auth/login", {"email": email, "password": "wrong"}, **origin)


def test_tries_are_counted_by_account_whatever_its_spelling(install) -> None:
    site = install(RATELIMIT_LOGIN="3 per 15 minutes")
    spellings = ("ann@people.example", "ANN@people.example", " ann@people.example ")
    for at, email in enumerate(spellings):
        assert try_to_sign_in(site, email, f"203.0.113.{at}").status_code == 401
    limited = try_to_sign_in(site, "ann@people.example", "203.0.113.99")
    assert limited.status_code == 429
    assert 1 <= int(limited.headers["Retry-After"]) <= 900


def test_tries_are_counted_by_address(install) -> None:
    site = install(RATELIMIT_LOGIN="3 per 15 minutes")
    for at in range(3):
        assert try_to_sign_in(site, f"p{at}@people.example", "203.0.113.1").status_code == 401
    assert try_to_sign_in(site, "p9@people.example", "203.0.113.1").status_code == 429
    assert try_to_sign_in(site, "p9@people.example", "203.0.113.2").status_code == 401
