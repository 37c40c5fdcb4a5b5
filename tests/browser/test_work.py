"""A picture goes from hand to hand; two people label the same one without seeing each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import pytest
from playwright.sync_api import Page, expect

from app.services.agreement.rounds import Draw
from app.services.examination import Offer
from app.services.labels import LabelEdit
from app.services.listing import ListQuery
from app.services.new_image import Wishes
from tests.browser.accessibility import findings
from tests.browser.person import Editor, sign_in, tiles
from tests.fixtures import pictures
from tests.fixtures.browser import PHONE, WIDE, Desk
from tests.fixtures.installation import Installation
from tests.fixtures.server import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BOX = {"x": 10, "y": 10, "w": 40, "h": 40}


@dataclass
class Place:
    """Ann owns two pictures; Bob and Cy annotate; in a round both have submitted the first.
    ``blind``: a collection whose two pictures wait in a round of theirs, ``drawn`` of one.
    """

    server: Server
    slug: str
    round: str
    image: str
    blind: str
    copied: list[str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    server = Server(tmp_path_factory.mktemp("work"))
    with server.filled() as installation:
        ann, services = installation.person("ann", admin=True), installation.services
        slug = [step.slug for step in services.demo.fill(ann.actor, 2)][-1]
        image, other = (card.id for card in services.library.page(ann.actor, ListQuery()).cards)
        for each in (image, other):
            services.tasks.reopen(ann.actor, each)
            services.tasks.release(ann.actor, each)
        people = [installation.person(name) for name in ("bob", "cy")]
        for person in people:
            services.members.add(ann.actor, slug, email=person.email, role="annotator")
        services.tasks.assign(ann.actor, other, people[0].id)
        draw = Draw("Twice", tuple(person.id for person in people), images=(image,))
        made = services.rounds.make(ann.actor, slug, draw)
        for person, label in zip(people, ("sun", "moon"), strict=True):
            copy = services.rounds.mine(person.actor, slug, made, image)
            op = {"op": "add", "label": label, "box": BOX}
            services.copies.patch(person.actor, copy, {"ops": [op]})
            services.copies.submit(person.actor, copy)
        blind, copied = blind_round(installation)
    with serving(server):
        yield Place(server, slug, str(made), str(image), blind, copied)


def blind_round(installation: Installation) -> tuple[str, list[str]]:
    """The collection and its pictures, in the order in which they are labelled."""
    ann, services = installation.person("ann").actor, installation.services
    slug = services.collections.create(ann, name="Blind").slug
    people = [installation.person(name) for name in ("bob", "cy")]
    for person in people:
        services.members.add(ann, slug, email=person.email, role="annotator")
    for name in ("person", "dog"):
        services.labels.create(ann, slug, LabelEdit(name=name))
    images = []
    for n in range(2):
        content = pictures.jpeg(pictures.photograph(800 + n, 600))
        offer = Offer(f"{n}.jpg", BytesIO(content), len(content))
        images.append(services.ingest.accept(ann, offer, Wishes(collection=slug)).id)
    draw = Draw("Unseen", tuple(each.id for each in people), images=tuple(images))
    services.rounds.make(ann, slug, draw)
    return slug, [str(image) for image in images]


def start(page: Page, slug: str) -> str:
    """Press the button on the page of the collection; the picture that came."""
    page.goto(f"/collections/{slug}")
    page.get_by_role("button", name="Start labelling").click()
    page.wait_for_url("**/annotate")
    return page.url.split("/")[-2]


def test_submitted_sent_back_mended_and_accepted(place: Place, desk: Desk) -> None:
    bob, ann = desk.page(place.server.url), desk.page(place.server.url)
    sign_in(bob, "bob@people.example")
    image = start(bob, place.slug)
    Editor(bob, image).ready()
    bob.keyboard.press("Control+Enter")
    bob.wait_for_url(lambda url: image not in url)

    sign_in(ann)
    ann.goto(f"/collections/{place.slug}/review")
    expect(ann.locator("[data-item]")).to_have_count(1)
    ann.keyboard.press("j")
    ann.keyboard.press("r")
    ann.get_by_label("What is to be mended").fill("The tree is missing")
    ann.get_by_role("button", name="Send it back").click()
    expect(ann.get_by_text("Nothing waits for a review.")).to_be_visible()

    bob.goto(f"/images/{image}/annotate")
    Editor(bob, image).ready()
    expect(bob.get_by_text("sent this back: The tree is missing")).to_be_visible()
    bob.get_by_role("button", name="Submit and next").click()
    bob.wait_for_url(lambda url: image not in url)

    ann.goto(f"/collections/{place.slug}/review")
    ann.keyboard.press("j")
    ann.keyboard.press("a")
    expect(ann.get_by_text("Nothing waits for a review.")).to_be_visible()
    bob.goto(f"/images/{image}/annotate")
    expect(bob.get_by_text("Accepted by Ann")).to_be_visible()


def test_a_round_is_adjudicated_and_the_pages_can_be_used(place: Place, desk: Desk) -> None:
    page = desk.page(place.server.url)
    sign_in(page)
    found = []
    for name in ("labels", "progress", "review", "agreement", f"agreement/{place.round}"):
        page.goto(f"/collections/{place.slug}/{name}")
        found += wide_and_narrow(page)
    page.get_by_role("link", name="Adjudicate").click()
    found += wide_and_narrow(page)
    assert found == []
    page.get_by_label("Both").check()
    page.get_by_role("button", name="Take it on").click()
    expect(page.get_by_text("settled", exact=True)).to_be_visible()
    assert Editor(page, place.image).labels() == ["moon", "sun"]


def wide_and_narrow(page: Page) -> list[str]:
    found = findings(page)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    found += findings(page)
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    return found


def open_copy(page: Page, place: Place) -> Editor:
    """From the list of rounds into the first copy of one's own that waits."""
    page.goto(f"/collections/{place.blind}/agreement")
    page.get_by_role("link", name="Unseen").click()
    page.get_by_role("link", name="Label the next picture").click()
    return Editor(page, place.copied[0]).ready()


def copy_of(page: Page) -> str:
    """The address of the open copy's set."""
    found = page.locator("[data-editor]").get_attribute("data-set-url")
    assert found is not None
    return found


def test_two_people_label_blindly_and_a_third_settles_it(place: Place, desk: Desk) -> None:
    bob, cy, ann = (desk.page(place.server.url) for _ in range(3))
    sign_in(bob, "bob@people.example")
    editor = open_copy(bob, place)
    bob.keyboard.press("n")
    bob.keyboard.press("Enter")
    editor.saved()
    theirs = copy_of(bob)
    bob.keyboard.press("Control+Enter")
    bob.wait_for_url(f"**/{place.copied[1]}")
    editor.ready()
    other_tab_draws(bob)
    bob.keyboard.press("Control+Enter")
    expect(bob.get_by_text("submitted", exact=True)).to_have_count(2)
    made = bob.url

    sign_in(cy, "cy@people.example")
    cy.goto(f"{made}/{place.copied[0]}")
    editor = Editor(cy, place.copied[0]).ready()
    expect(editor.boxes).to_have_count(0)
    with desk.complaints.expected("404"):
        assert cy.request.get(theirs).status == 404
    assert "Bob" not in cy.content()
    for key in ("2", "n", "Enter", "Control+Enter"):
        cy.keyboard.press(key)
    cy.wait_for_url(f"**/{place.copied[1]}")

    sign_in(ann)
    ann.goto(made)
    ann.get_by_role("link", name="Adjudicate").click()
    expect(ann.get_by_text(re.compile("person or dog|dog or person"))).to_be_visible()
    ann.get_by_role("radio", name="Cy").check()
    ann.get_by_role("button", name="Take it on").click()
    expect(ann.get_by_text("settled", exact=True)).to_be_visible()
    assert Editor(ann, place.copied[0]).labels() == ["dog"]


def other_tab_draws(page: Page) -> None:
    """What another tab of the same person sends comes into this one, and is no conflict."""
    token = page.locator('meta[name="csrf-token"]').get_attribute("content")
    op = {"op": "add", "label": "dog", "box": BOX}
    answer = page.request.patch(
        copy_of(page), data={"ops": [op]}, headers={"X-CSRFToken": token or ""}
    )
    assert answer.ok, answer.text()
    expect(page.locator("[data-world] .line")).to_have_count(1)


def tick_all(page: Page, slug: str) -> None:
    page.goto(f"/gallery?collection={slug}")
    for tile in tiles(page).all():
        tile.hover()
        tile.locator("input").click()
    expect(page.locator("[data-selected]")).to_have_text("2 selected")


def test_ticked_pictures_get_another_label_and_a_round(place: Place, desk: Desk) -> None:
    page = desk.page(place.server.url)
    sign_in(page)
    editor = Editor(page, place.image)
    label = editor.labels()[0]
    tick_all(page, place.slug)
    page.locator(".action-bar summary", has_text="Label").click()
    page.get_by_label("What is labelled").select_option(label=label)
    page.get_by_label("becomes, in these pictures").fill("lighthouse")
    page.keyboard.press("Enter")
    expect(page.locator(".toast-line, .notice", has_text="annotation")).to_be_visible()
    assert label not in editor.labels()
    assert "lighthouse" in editor.labels()

    tick_all(page, place.slug)
    page.locator(".action-bar").get_by_role("button", name="Round").click()
    page.wait_for_url("**/agreement/chosen")
    expect(page.get_by_text("2 pictures")).to_be_visible()
    assert findings(page) == []
