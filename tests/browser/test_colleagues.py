"""What a colleague does while one has the same picture open: seen without loading it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import Editor, sign_in
from tests.fixtures import pictures
from tests.fixtures.browser import Desk
from tests.fixtures.server import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ANN, BEN = "ann@people.example", "ben@people.example"
CLASH = (r"answer 409", r"status of 409")
SUBMITTED = "This picture was submitted"
BOXES = [{"x": 40 + 90 * n, "y": 40 + 70 * n, "w": 150, "h": 120} for n in range(3)]
LABELS = ("apple", "ladder", "wasp")


@dataclass
class Orchard:
    """A running server; Ann owns pictures with three boxes each, Ben labels them with her."""

    server: Server
    slug: str
    images: list[str]


@pytest.fixture(scope="module")
def orchard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orchard]:
    server = Server(tmp_path_factory.mktemp("orchard"))
    with server.filled() as installation:
        services = installation.services
        ann, ben = installation.person("ann", admin=True), installation.person("ben")
        slug = services.collections.create(ann.actor, name="Orchard", description="").slug
        services.members.add(ann.actor, slug, email=ben.email, role="annotator")
        contents = [pictures.jpeg(pictures.photograph(600, 400 + n)) for n in range(3)]
        files = [(one, f"{n}.jpg") for n, one in enumerate(contents)]
        answers = [installation.api("ann").upload(one, collection=slug) for one in files]
        images = [answer.json["images"][0]["id"] for answer in answers]
        drawn = [{"label": a, "box": b} for a, b in zip(LABELS, BOXES, strict=True)]
        for image in images:
            services.annotations.put(ann.actor, UUID(image), {"annotations": drawn}, "*")
    with serving(server):
        yield Orchard(server, slug, images)


def opened(desk: Desk, orchard: Orchard, image: int, *emails: str) -> list[Editor]:
    """For each of these people, whose clocks can be put forward: nobody waits for a look."""
    found = []
    for email in emails:
        page = desk.page(orchard.server.url)
        page.clock.install()
        sign_in(page, email)
        found.append(Editor(page, orchard.images[image]).open())
    return found


def look(editor: Editor) -> None:
    """The page asks for what others did: of annotations every 3, of comments every 15 s."""
    editor.page.clock.fast_forward(16_000)


def listed(editor: Editor) -> list[str]:
    """The labels on the picture from the back to the front."""
    return editor.page.locator("[data-box-list] .box-pick .clip").all_inner_texts()


def call(page: Page, method: str, path: str, **options: Any) -> Any:
    """The same person by the API."""
    token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
    answer = page.request.fetch(
        f"/api/v1{path}", method=method, headers={"X-CSRFToken": token}, **options
    )
    assert answer.ok, answer.text()
    return answer.json() if answer.body() else None


def choose(editor: Editor, title: str, button: str) -> None:
    sheet = editor.page.get_by_role("dialog", name=title)
    sheet.get_by_role("button", name=button).click()


def test_order_and_a_way_back_are_seen_live(orchard: Orchard, desk: Desk) -> None:
    ann, ben = opened(desk, orchard, 0, ANN, BEN)
    ann.page.locator("[data-canvas]").focus()
    ann.page.keyboard.press("Tab")
    ann.page.keyboard.press("Home")
    ann.saved()
    wanted = ann.shown()
    assert [one["x"] for one in wanted] == [130, 220, 40]
    look(ben)
    expect(ben.boxes.last).to_have_attribute("x", "40")
    assert ben.shown() == wanted
    # Ben deletes two, Ann goes back to the point before: Ben sees them come back.
    ben.page.locator("[data-canvas]").focus()
    for _ in range(2):
        ben.page.keyboard.press("Tab")
        ben.page.keyboard.press("Delete")
    expect(ben.boxes).to_have_count(1)
    ben.saved()
    look(ann)
    expect(ann.boxes).to_have_count(1)
    ann.page.locator("[data-history] summary").press("Enter")
    entries = ann.page.locator("[data-history-list] li")
    expect(entries.first).to_contain_text("Ben")
    before = entries.filter(has_text="changed the order")
    before.get_by_role("button").first.focus()
    before.get_by_role("button", name="Go back to here").press("Enter")
    choose(ann, "Go back to this point?", "Go back to here")
    expect(ann.boxes).to_have_count(3)
    look(ben)
    expect(ben.boxes).to_have_count(3)
    assert ben.stored_boxes() == wanted
    assert ben.shown() == wanted
    assert ann.shown() == wanted


def test_comments_and_labels_change_under_ones_hands(orchard: Orchard, desk: Desk) -> None:
    ann, ben = opened(desk, orchard, 1, ANN, BEN)
    count = "[data-comments-count]"
    ann.page.locator("[data-canvas]").focus()
    ann.page.keyboard.press("Tab")
    ann.page.locator("[data-comments] summary").press("Enter")
    ann.page.get_by_label("New comment").fill("Is it ripe?")
    ann.page.keyboard.press("Control+Enter")
    expect(ann.page.locator(count)).to_have_text("1 open")
    look(ben)
    expect(ben.page.locator(count)).to_have_text("1 open")
    ben.page.locator("[data-comments] summary").press("Enter")
    row = ben.page.locator("[data-comment]")
    expect(row).to_contain_text("Is it ripe?")
    row.get_by_role("button", name="apple").click()
    ben.page.keyboard.press("Delete")
    expect(row.get_by_role("button", name="a box that is gone")).to_be_disabled()
    row.get_by_role("button", name="Resolve").click()
    ben.saved()
    expect(ben.page.locator(count)).to_have_text("all resolved")
    look(ann)
    expect(ann.page.locator(count)).to_have_text("all resolved")
    gone = ann.page.locator("[data-comment]").get_by_role("button", name="a box that is gone")
    expect(gone).to_be_disabled()
    ann.page.locator("[data-comment]").get_by_role("button", name="Delete").click()
    choose(ann, "Delete your comment?", "Delete the comment")
    for editor in (ann, ben):
        look(editor)
        expect(editor.page.get_by_text("No comments yet.")).to_be_visible()
    # Ann takes a label off the list while Ben draws with it: his box is saved with it.
    known = call(ann.page, "GET", f"/collections/{orchard.slug}/labels")["labels"]
    ladder = next(one for one in known if one["name"] == "ladder")
    ben.page.locator(".label-chip", has_text="ladder").click()
    call(ann.page, "DELETE", f"/collections/{orchard.slug}/labels/{ladder['id']}")
    ben.page.locator("[data-canvas]").focus()
    ben.page.keyboard.press("Enter")
    expect(ben.boxes).to_have_count(3)
    ben.saved()
    assert ben.labels() == ["ladder", "ladder", "wasp"]


def test_a_picture_is_submitted_while_one_draws(orchard: Orchard, desk: Desk) -> None:
    """Who may not reopen it is told so and gives the change up; who may review draws on."""
    ann, ben = opened(desk, orchard, 2, ANN, BEN)
    with desk.complaints.expected(*CLASH):
        call(ann.page, "POST", f"/images/{ann.image_id}/submit")
        ben.draw("wasp", 0.7)
        sheet = ben.page.get_by_role("dialog", name=SUBMITTED)
        expect(sheet).to_contain_text("1 change made here since is kept until you decide.")
        expect(sheet.get_by_role("button", name="Work on it again")).to_have_count(0)
        choose(ben, SUBMITTED, "Give up my changes")
        ben.saved()
        expect(ben.boxes).to_have_count(3)
        # Ann may review, so that she goes on with it.
        ann.draw("wasp", 0.7)
        ann.saved()
    assert len(ann.stored_boxes()) == 4
    look(ben)
    expect(ben.boxes).to_have_count(4)
