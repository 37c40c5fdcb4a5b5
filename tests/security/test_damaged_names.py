"""A name that does not open shuts nobody out and hides nothing that is beside it."""

from __future__ import annotations

import sqlite3

import pytest

from tests.fixtures import pictures
from tests.fixtures.installation import Installation

PAGES = ("/gallery", "/account", "/upload", "/collections", "/trash", "/auth/sessions")
CALLS = ("me", "collections", "sessions", "images", "api-keys")


def flip(installation: Installation, table: str, column: str) -> None:
    """One bit of every token in a column, where it lies."""
    database = installation.settings.database_url.removeprefix("sqlite:///")
    with sqlite3.connect(database) as connection:
        rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()
        for row, token in rows:
            damaged = token[:-1] + bytes([token[-1] ^ 1])
            statement = f"UPDATE {table} SET {column} = ? WHERE rowid = ?"
            connection.execute(statement, (damaged, row))
    connection.close()
    assert rows


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("users", "name"),
        ("users", "email"),
        ("collections", "name"),
        ("sessions", "agent"),
        ("sessions", "address"),
        ("images", "card"),
        ("api_keys", "name"),
    ],
)
def test_every_page_still_stands(installation: Installation, table: str, column: str) -> None:
    browser, api = installation.browser(), installation.api()
    assert api.upload((pictures.jpeg(), "a.jpg")).status_code == 201
    browser.get("/account")
    flip(installation, table, column)
    found = {path: browser.get(path).status_code for path in PAGES}
    found |= {call: api.get(f"/api/v1/{call}").status_code for call in CALLS[:2]}
    found |= {call: browser.get(f"/api/v1/{call}").status_code for call in CALLS}
    assert {where: code for where, code in found.items() if code != 200} == {}


def test_who_has_a_damaged_name_can_sign_in_and_change_it(installation: Installation) -> None:
    installation.person()
    flip(installation, "users", "name")
    browser = installation.browser()
    assert "Unreadable" in browser.get("/account").text
    assert browser.post("/account", {"name": "Ann again"}).status_code == 303
    assert "Ann again" in browser.get("/account").text


def test_a_file_whose_name_is_lost_can_be_downloaded(installation: Installation) -> None:
    api = installation.api()
    content = pictures.jpeg()
    image = api.upload((content, "a.jpg")).json["images"][0]["id"]
    flip(installation, "images", "card")
    answer = api.get(f"/images/{image}/original?download=1")
    assert (answer.status_code, answer.data) == (200, content)
    assert "attachment" in answer.headers["Content-Disposition"]
