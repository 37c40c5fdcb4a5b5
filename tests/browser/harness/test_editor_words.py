"""What the editor tells a screen reader: each thing in its turn, none swallowed by the next."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harness.conftest import Visit
from tests.browser.harness.test_editor import EDITOR, ready
from tests.browser.person import until

pytestmark = pytest.mark.browser
LISTEN = """() => {
  const region = document.querySelector("[data-said]");
  window.heard = [];
  new MutationObserver(() => window.heard.push(region.textContent)).observe(region, {
    childList: true, characterData: true, subtree: true });
}"""


def listen(visit: Visit) -> Page:
    page = ready(visit(EDITOR))
    page.locator("[data-canvas]").focus()
    page.evaluate(LISTEN)
    return page


def heard(page: Page) -> list[str]:
    found: list[str] = page.evaluate("heard")
    return found


def test_what_is_copied_at_once_is_told_after_what_it_is(visit: Visit) -> None:
    page = listen(visit)
    page.keyboard.press("Tab")
    page.keyboard.press("Control+c")
    said = page.locator("[data-said]")
    expect(said).to_have_text("Copied.")
    page.wait_for_timeout(700)
    expect(said).to_have_text("Copied.")
    assert [words.split(",")[0] for words in heard(page)] == ["apple", "Copied."]


def test_the_vertex_that_arrows_move_is_told_and_not_its_outline(visit: Visit) -> None:
    page = listen(visit)
    outline = "p Enter Shift+ArrowRight Enter Shift+ArrowDown Enter n"
    for key in (*outline.split(), "j", "ArrowLeft"):
        page.keyboard.press(key)
    said = page.locator("[data-said]")
    expect(said).to_contain_text("Vertex 1 of 3")
    page.wait_for_timeout(700)
    expect(said).to_contain_text("Vertex 1 of 3")


def test_what_is_deleted_is_told_though_another_is_selected_at_once(visit: Visit) -> None:
    page = listen(visit)
    for key in ("Tab", "Delete", "Tab", "Delete", "Tab"):
        page.keyboard.press(key)
    until(page, "heard.filter((words) => words.includes('deleted')).length === 2")
    expect(page.locator("[data-said]")).to_contain_text("Box,")
    page.wait_for_timeout(700)
    assert ["deleted" in words for words in heard(page)] == [False, True] * 2 + [False]
