"""Work that is done but not on the server yet: answers that are lost, people who sign out or
sign in over it, a browser that ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.person import Editor, sign_in
from tests.fixtures import pictures
from tests.fixtures.browser import Desk, profile
from tests.fixtures.installation import PASSWORD
from tests.fixtures.server import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ANN, BEN = "ann@people.example", "ben@people.example"
SAVES = "**/api/v1/images/*/annotations"
LOST: list[str] = []
AWAY = (r"net::ERR_", r"answer 40[01]", r"status of 40[01]")
DRAFTS = """async () => {
  const answered = (asked) =>
    new Promise((done) => (asked.onsuccess = () => done(asked.result)));
  const base = await answered(indexedDB.open("darkroom"));
  const found = await answered(base.transaction("drafts").objectStore("drafts").getAll());
  base.close();
  return found.length;
}"""


@dataclass
class Room:
    """A running server, and pictures of a collection where Ann and Ben label."""

    server: Server
    images: list[str]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    server = Server(tmp_path_factory.mktemp("room"))
    with server.filled() as installation:
        services = installation.services
        ann, ben = installation.person("ann", admin=True), installation.person("ben")
        slug = services.collections.create(ann.actor, name="Shore", description="").slug
        services.members.add(ann.actor, slug, email=ben.email, role="annotator")
        contents = [pictures.jpeg(pictures.photograph(600, 400 + n)) for n in range(4)]
        files = [(one, f"{n}.jpg") for n, one in enumerate(contents)]
        answers = [installation.api("ann").upload(one, collection=slug) for one in files]
    with serving(server):
        yield Room(server, [answer.json["images"][0]["id"] for answer in answers])


def opened(desk: Desk, room: Room, image: int) -> Editor:
    page = desk.page(room.server.url)
    sign_in(page)
    return Editor(page, room.images[image]).open()


def phase(editor: Editor, name: str) -> None:
    expect(editor.page.locator("[data-phase]")).to_have_attribute("data-phase", name)


def log(editor: Editor) -> list[str]:
    """The kinds of all operations that were done to the picture, the first one first."""
    answer = editor.page.request.get(f"/api/v1/images/{editor.image_id}/annotations/history")
    kinds = [one["op"] for one in answer.json()["history"] if one["op"] != "state"]
    return kinds[::-1]


def lose(route: Route) -> None:
    """The server does what it was asked, and its answer does not arrive."""
    assert (route.request.method, route.fetch().status) == ("PATCH", 200)
    LOST.append(route.request.url)
    route.abort("connectionreset")


def drawn_unsent(editor: Editor, at: float) -> None:
    """A box that waits: no save leaves the browser."""
    editor.page.context.route(SAVES, lambda route: _only_reads(route))
    editor.draw("crab", at)
    phase(editor, "waiting")


def _only_reads(route: Route) -> None:
    if route.request.method == "PATCH":
        route.abort("connectionrefused")
    else:
        route.continue_()


def test_an_answer_is_lost_and_the_operation_is_done_once(room: Room, desk: Desk) -> None:
    editor = opened(desk, room, 0)
    editor.draw("crab", 0.1)
    editor.draw("crab", 0.5)
    editor.saved()
    keys = ("Control+d", "Shift+ArrowDown", "End", "Delete", "Control+z")
    LOST.clear()
    with desk.complaints.expected(*AWAY):
        for key in keys:
            editor.page.route(SAVES, lose, times=1)
            editor.page.keyboard.press(key)
            editor.saved()
            assert editor.stored_boxes() == editor.shown()
    assert len(LOST) == len(keys)
    assert log(editor) == ["add", "add", "add", "update", "order", "delete", "add", "order"]


def test_signing_out_saves_first_what_waits(room: Room, desk: Desk) -> None:
    editor = opened(desk, room, 1)
    other = editor.page.context.new_page()
    with desk.complaints.expected(*AWAY):
        drawn_unsent(editor, 0.2)
        other.goto("/account")
        ask_to_sign_out(other, "Stay")
        editor.page.context.unroute(SAVES)
        ask_to_sign_out(other, "Save them, then sign out")
        other.wait_for_url("**/auth/login*")
        sign_in_over_it(editor.page, "Sign in again")
        editor.saved()
    again = Editor(other, editor.image_id).open()
    expect(again.boxes).to_have_count(1)
    assert (log(again), other.evaluate(DRAFTS)) == (["add"], 0)


def sign_in_over_it(page: Page, title: str) -> None:
    sheet = page.get_by_role("dialog", name=title)
    sheet.get_by_label("Password").fill(PASSWORD)
    sheet.get_by_role("button", name="Sign in and go on").click()
    expect(sheet).to_be_hidden()


def ask_to_sign_out(page: Page, answer: str) -> None:
    page.locator("form.sign-out").get_by_role("button").click()
    sheet = page.get_by_role("dialog", name="1 change is not saved yet")
    sheet.get_by_role("button", name=answer, exact=True).click()


def test_somebody_else_signs_in_in_another_tab(room: Room, desk: Desk) -> None:
    """Nothing is sent in their name, and they cannot read what waits."""
    editor = opened(desk, room, 2)
    page, context = editor.page, editor.page.context
    with desk.complaints.expected(*AWAY):
        drawn_unsent(editor, 0.2)
        context.clear_cookies()
        other = context.new_page()
        sign_in(other, BEN)
        context.unroute(SAVES)
        # The first tab comes to the front again.
        phase(editor, "signed-out")
        page.evaluate("dispatchEvent(new Event('focus'))")
        phase(editor, "stranger")
        bens = Editor(other, editor.image_id).open()
        bens.draw("shell", 0.6)
        bens.saved()
        assert (bens.labels(), log(bens)) == (["shell"], ["add"])
        assert other.evaluate(DRAFTS) == 1
        sign_in_over_it(page, "Somebody else is signed in")
        editor.saved()
    assert editor.labels() == ["crab", "shell"]
    assert page.evaluate(DRAFTS) == 0


def test_a_browser_that_ends_sends_at_its_next_start(
    room: Room, desk: Desk, tmp_path: Path
) -> None:
    kind = desk.browser.browser_type
    context = profile(kind, tmp_path, room.server.url)
    page = context.pages[0]
    sign_in(page)
    editor = Editor(page, room.images[3]).open()
    drawn_unsent(editor, 0.2)
    shown = editor.shown()
    context.close()
    context = profile(kind, tmp_path, room.server.url)
    page = context.pages[0]
    sign_in(page)
    # Another picture is opened: what waits for the first is sent from there.
    Editor(page, room.images[0]).open()
    words = "1 change of another picture that waited here is saved."
    expect(page.locator("[data-toasts]")).to_contain_text(words)
    assert Editor(page, editor.image_id).stored_boxes() == shown
    assert page.evaluate(DRAFTS) == 0
    context.close()
