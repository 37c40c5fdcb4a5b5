"""The editor brought back as it was left, out of the browser's back-forward cache.

Our pages say ``no-store``, and Chromium keeps none that does. Safari does without TLS. So
these tests take the word away on the way into the browser, and let it keep its pages.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.browser.person import Editor, sign_in, until
from tests.browser.test_unsent_work import AWAY, Room, phase, room
from tests.fixtures.browser import Desk, launch

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["room"]
# What was to be sent, kept in the browser, and left it, in this order.
NOTE = """
window.shown = [];
window.done = [];
addEventListener("pageshow", ({ persisted }) => window.shown.push(persisted));
new MutationObserver((seen) => {
  const isTaken = ({ target }) => target.dataset.phase === "saving";
  window.done.push(...seen.filter(isTaken).map(() => "taken"));
}).observe(document, { subtree: true, attributeFilter: ["data-phase"] });
const { fetch } = window;
window.fetch = (...given) => {
  if (given[1]?.method === "PATCH") window.done.push("sent");
  return fetch(...given);
};
const { put } = IDBObjectStore.prototype;
IDBObjectStore.prototype.put = function (...given) {
  const asked = put.apply(this, given);
  asked.addEventListener("success", () => window.done.push("kept"));
  return asked;
};
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One that keeps pages."""
    with sync_playwright() as play:
        browser = launch(play, but=("--disable-back-forward-cache",))
        yield browser
        browser.close()


def may_be_kept(route: Route) -> None:
    answer = route.fetch()
    route.fulfill(response=answer, headers={**answer.headers, "cache-control": "no-cache"})


def opened(desk: Desk, room: Room, image: int, *, kept: bool = True) -> Editor:
    page = desk.page(room.server.url)
    page.add_init_script(NOTE)
    sign_in(page)
    if kept:
        page.route("**/annotate", may_be_kept)
    return Editor(page, room.images[image]).open()


def there_and_back(page: Page) -> None:
    """To the gallery, and back by the browser's button."""
    page.goto("/gallery")
    page.wait_for_timeout(300)
    page.evaluate("setTimeout(() => history.back())")
    page.wait_for_url("**/annotate", wait_until="commit")


def test_unsent_work_goes_on_where_it_was_left(room: Room, desk: Desk) -> None:
    editor = opened(desk, room, 1)
    page = editor.page
    page.route("**/annotations", lambda route: route.abort("connectionrefused"))
    with desk.complaints.expected(*AWAY):
        editor.draw("crab", 0.1)
        phase(editor, "waiting")
        there_and_back(page)
        until(page, "window.shown.join() === 'false,true'")
        page.unroute("**/annotations")
        editor.saved()
    assert editor.stored_boxes() == editor.shown()
    page.evaluate("window.done.length = 0")
    editor.draw("crab", 0.5)
    editor.saved()
    assert editor.stored_boxes() == editor.shown()
    # What is taken to be sent is kept in the browser first, as before it left.
    done = page.evaluate("window.done")
    assert "kept" in done[done.index("taken") : done.index("sent")]


def test_what_somebody_else_did_meanwhile_is_shown(room: Room, desk: Desk) -> None:
    editor = opened(desk, room, 2)
    editor.draw("crab", 0.1)
    editor.saved()
    other = Editor(desk.page(room.server.url), editor.image_id)
    sign_in(other.page, "ben@people.example")
    other.open()
    page = editor.page
    page.goto("/gallery")
    other.draw("crab", 0.5)
    other.saved()
    page.evaluate("setTimeout(() => history.back())")
    page.wait_for_url("**/annotate", wait_until="commit")
    until(page, "window.shown.join() === 'false,true'")
    expect(editor.boxes).to_have_count(2)
    editor.draw("crab", 0.7)
    editor.saved()
    assert len(editor.stored_boxes()) == 3


def test_a_page_that_says_no_store_is_read_anew(room: Room, desk: Desk) -> None:
    editor = opened(desk, room, 3, kept=False)
    there_and_back(editor.page)
    editor.ready()
    assert editor.page.evaluate("window.shown") == [False]
