"""Two people at one picture, and work that is cut off in the middle: no box is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from tests.browser.person import Editor, sign_in
from tests.fixtures import pictures
from tests.fixtures.browser import Desk
from tests.fixtures.installation import PASSWORD, Installation
from tests.fixtures.server import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ANN, BEN = "ann@people.example", "ben@people.example"
# What the browser reports of a server that is away, of a session that is over, of a conflict.
AWAY = (r"net::ERR_", r"answer 503", r"status of 503")
OVER = (r"answer 40[01]", r"status of 40[01]")
CLASH = (r"answer 409", r"status of 409")
SEALED = """async () => {
  const request = indexedDB.open("darkroom");
  const answered = (asked) =>
    new Promise((done) => (asked.onsuccess = () => done(asked.result)));
  const database = await answered(request);
  const found = await answered(database.transaction("drafts").objectStore("drafts").getAll());
  database.close();
  const text = (buffer) => new TextDecoder("latin1").decode(buffer);
  return found.map((one) => [Object.keys(one).sort().join(), one.name, one.count,
    text(one.where.sealed) + text(one.body.sealed)]);
}"""


@dataclass
class Studio:
    """A running server, and pictures of a collection where Ann and Ben label."""

    server: Server
    images: list[str]


def filled(installation: Installation) -> list[str]:
    services = installation.services
    ann, ben = installation.person("ann", admin=True), installation.person("ben")
    slug = services.collections.create(ann.actor, name="Orchard", description="").slug
    services.members.add(ann.actor, slug, email=ben.email, role="annotator")
    api = installation.api("ann")
    contents = [pictures.jpeg(pictures.photograph(900, 600 + n)) for n in range(3)]
    answers = [api.upload((one, f"{n}.jpg"), collection=slug) for n, one in enumerate(contents)]
    return [answer.json["images"][0]["id"] for answer in answers]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    server = Server(tmp_path_factory.mktemp("studio"))
    with server.filled() as installation:
        images = filled(installation)
    with serving(server):
        yield Studio(server, images)


def opened(desk: Desk, studio: Studio, image: int, email: str = ANN) -> Editor:
    page = desk.page(studio.server.url)
    sign_in(page, email)
    return Editor(page, studio.images[image]).open()


def words(editor: Editor, text: str) -> None:
    expect(editor.page.locator("[data-save-words]")).to_have_text(text)


def by_place(boxes: list[dict[str, float]]) -> list[tuple[float, ...]]:
    return sorted((box["x"], box["y"], box["w"], box["h"]) for box in boxes)


def agree(editor: Editor, count: int) -> None:
    """What is seen is what is stored."""
    editor.saved()
    expect(editor.boxes).to_have_count(count)
    assert by_place(editor.shown()) == by_place(editor.stored_boxes())


def test_two_people_label_one_picture(studio: Studio, desk: Desk) -> None:
    ann, ben = opened(desk, studio, 0), opened(desk, studio, 0, BEN)
    expect(ann.page.get_by_role("list", name="Also here")).to_contain_text("Ben")
    ann.draw("apple", 0.1)
    ben.draw("ladder", 0.5)
    # Each sees the other's box, and keeps the own selection and the own way back.
    for editor in (ann, ben):
        agree(editor, 2)
    ann.page.keyboard.press("ArrowRight")
    ann.page.keyboard.press("Control+z")
    agree(ann, 2)
    # Both change the same one: Ben while he cannot be heard.
    ben.page.context.set_offline(True)
    with desk.complaints.expected(*AWAY, *CLASH):
        ann.page.keyboard.press("Shift+ArrowDown")
        ann.saved()
        ben.page.keyboard.press("Tab")
        ben.page.keyboard.press("Shift+ArrowRight")
        words(ben, "Offline, 1 waiting")
        ben.page.context.set_offline(False)
        sheet = ben.page.get_by_role(
            "dialog", name="One box was changed here and elsewhere: apple"
        )
        expect(sheet).to_contain_text("They changed its place. You changed its place.")
        ben.page.keyboard.press("2")
    for editor in (ann, ben):
        agree(editor, 3)
    assert ann.labels() == ["apple", "apple", "ladder"]
    ann.page.locator("[data-history] summary").press("Enter")
    expect(ann.page.locator("[data-history-list] li").first).to_contain_text("Bendrew apple")
    ann.page.locator("[data-comments] summary").press("Enter")
    ann.page.get_by_label("New comment").fill("Which of the two?")
    ann.page.keyboard.press("Control+Enter")
    expect(ann.page.locator("[data-comments-count]")).to_have_text("1 open")


def sign_out_everywhere_else(desk: Desk, studio: Studio) -> None:
    page = desk.page(studio.server.url)
    sign_in(page)
    page.goto("/auth/sessions")
    page.get_by_role("button", name="Sign out everywhere else").click()
    page.get_by_role("dialog").get_by_role("button").last.click()
    expect(page.get_by_text("ended.")).to_be_visible()


def signed_out_while_one_draws(editor: Editor) -> None:
    """The page hears of it with the pointer down: it asks for the password afterwards."""
    mouse, (x, y) = editor.page.mouse, editor.at(0.77, 0.77)
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 60, y + 40)
    expect(editor.page.locator("[data-phase]")).to_have_attribute("data-phase", "signed-out")
    expect(editor.page.get_by_role("dialog")).to_have_count(0)
    mouse.move(x + 80, y + 60)
    mouse.up()
    expect(editor.boxes).to_have_count(4)


def try_now(editor: Editor) -> None:
    """Unless the page was quicker: it tries again by itself, too."""
    button = editor.page.get_by_role("button", name="Try now")
    with suppress(PlaywrightTimeoutError):
        button.click(timeout=1_000)


def sign_in_over_it(page: Page, title: str, email: str = ANN) -> None:
    sheet = page.get_by_role("dialog", name=title)
    sheet.get_by_label("E-mail").fill(email)
    sheet.get_by_label("Password").fill(PASSWORD)
    sheet.get_by_role("button", name="Sign in and go on").click()
    expect(sheet).to_be_hidden()


def test_cut_off_killed_and_signed_out_in_the_middle_of_work(
    studio: Studio, desk: Desk
) -> None:
    editor = opened(desk, studio, 1)
    editor.draw("apple", 0.02)
    editor.saved()
    with desk.complaints.expected(*AWAY, *OVER):
        editor.page.context.set_offline(True)
        editor.draw("apple", 0.27)
        words(editor, "Offline, 1 waiting")
        editor.page.context.set_offline(False)
        editor.saved()
        studio.server.kill()
        editor.draw("apple", 0.52)
        words(editor, "Offline, 1 waiting")
        editor.page.keyboard.press("Shift+ArrowRight")
        studio.server.start()
        try_now(editor)
        editor.saved()
        sign_out_everywhere_else(desk, studio)
        signed_out_while_one_draws(editor)
        sign_in_over_it(editor.page, "Sign in again", BEN)
        words(editor, "Somebody else signed in, 1 waiting")
        assert len(editor.stored_boxes()) == 3
        sign_in_over_it(editor.page, "Somebody else is signed in")
        editor.saved()
    editor.name("wasp")
    agree(editor, 4)
    assert editor.labels() == ["apple"] * 3 + ["wasp"]


def test_what_was_not_sent_outlives_the_tab_sealed(studio: Studio, desk: Desk) -> None:
    editor = opened(desk, studio, 2)
    editor.draw("apple", 0.1)
    editor.saved()
    context = editor.page.context
    with desk.complaints.expected(*AWAY):
        context.set_offline(True)
        editor.draw("MarkLabel7e3a", 0.5)
        editor.page.keyboard.press("Shift+ArrowRight")
        words(editor, "Offline, 1 waiting")
        shown = editor.shown()
        editor.page.wait_for_timeout(200)
        editor.page.close()
        context.set_offline(False)
    page = context.new_page()
    page.goto("/account")
    ((members, name, count, sealed),) = page.evaluate(SEALED)
    assert members == "at,body,count,key,name,where"
    assert (len(name), count) == (64, 1)
    assert not any(
        word in sealed + name for word in ("MarkLabel", editor.image_id, "box", "op")
    )
    page.locator("form.sign-out").get_by_role("button").click()
    asked = page.get_by_role("dialog", name="1 change is not saved yet")
    asked.get_by_role("button", name="Stay").click()
    again = Editor(page, editor.image_id).open()
    expect(page.locator("[data-toasts]")).to_contain_text("1 change from before is sent now.")
    agree(again, 2)
    assert by_place(again.stored_boxes()) == by_place(shown)
    assert again.labels() == ["MarkLabel7e3a", "apple"]
    assert page.evaluate(SEALED) == []
