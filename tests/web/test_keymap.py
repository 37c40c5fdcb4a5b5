"""The keys of the editor on the page of the account, in the API and in the editor's page."""

from __future__ import annotations

import html
import json
import re

from tests.fixtures import pictures
from tests.fixtures.installation import Installation


def test_the_form_takes_keys_and_gives_the_old_ones_back(installation: Installation) -> None:
    browser = installation.browser()
    assert "Draw; finish an outline" in browser.get("/account/keys").text
    assert browser.post("/account/keys", {"draw": "y"}).status_code == 303
    api = browser.client.get("/api/v1/me/keymap").json["keymap"]
    assert (api["draw"], api["box"]) == ("y", "r")
    assert "given out: n" in browser.get("/account/keys").text
    assert browser.post("/account/keys", {"draw": "q", "reset": "1"}).status_code == 303
    assert browser.client.get("/api/v1/me/keymap").json["keymap"]["draw"] == "n"


def test_a_mistake_is_told_at_its_field_and_what_was_typed_stays(
    installation: Installation,
) -> None:
    browser = installation.browser()
    refused = browser.post("/account/keys", {"draw": "y", "hide": "y"})
    assert refused.status_code == 422
    assert "y stands at “Draw; finish an outline” too." in refused.text
    assert 'name="hide" value="y"' in refused.text
    assert browser.client.get("/api/v1/me/keymap").json["keymap"]["draw"] == "n"


def test_the_api_names_the_place(installation: Installation) -> None:
    api = installation.api()
    told = api.put("/api/v1/me/keymap", json={"keymap": {"draw": "?", "sing": "s"}})
    assert told.status_code == 422
    assert {one["path"] for one in told.json["errors"]} == {"keymap.draw", "keymap.*"}
    assert api.put("/api/v1/me/keymap", json={"keymap": ["n"]}).status_code == 422


def test_the_editor_has_ones_own_keys(installation: Installation) -> None:
    browser, api = installation.browser(), installation.api()
    image = api.upload((pictures.png(), "a.png")).json["images"][0]["id"]
    browser.post("/account/keys", {"draw": "y"})
    page = browser.get(f"/images/{image}/annotate").text
    found = re.search(r'data-keys="([^"]*)"', page)
    assert found is not None
    table = {row["action"]: row["keys"] for row in json.loads(html.unescape(found[1]))}
    assert (table["draw"], table["box"]) == ("y", "r")
    assert "<kbd>Y</kbd>" in page
