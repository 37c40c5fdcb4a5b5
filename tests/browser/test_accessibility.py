"""axe-core has no serious or critical finding on any page, dark and light, wide and narrow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from app.services.listing import ListQuery
from tests.browser.accessibility import findings
from tests.browser.person import Editor, sign_in, wait_for_thumbnails
from tests.fixtures.browser import PHONE, WIDE, Desk
from tests.fixtures.jobs import JobRoom
from tests.fixtures.place import make_job
from tests.fixtures.server import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
PICTURES = 5


@dataclass
class Place:
    """A running server: Ann has labelled pictures, one of them in the trash; Bob has none."""

    server: Server
    slug: str
    image: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    server = Server(tmp_path_factory.mktemp("place"), REGISTRATION_OPEN="true")
    with server.filled() as installation:
        ann, bob = installation.person("ann", admin=True), installation.person("bob")
        services = installation.services
        slug = [step.slug for step in services.demo.fill(ann.actor, PICTURES)][-1]
        services.members.add(ann.actor, slug, email=bob.email, role="viewer")
        services.api_keys.create(ann.actor, name="Backup script", scopes=["images:read"])
        cards = services.library.page(ann.actor, ListQuery()).cards
        services.trash.trash(ann.actor, cards[0].id)
        make_job(installation, "ann")
        JobRoom(installation, "ann").enqueue()
    with serving(server):
        yield Place(server, slug, str(cards[2].id))


def check(page: Page, *paths: str) -> list[str]:
    """Visit each of ``paths``; return what was found."""
    found = []
    for path in paths:
        page.goto(path)
        found += findings(page)
    return found


def test_set_up(empty_server: Server, desk: Desk) -> None:
    assert check(desk.page(empty_server.url), "/") == []


def test_signed_out(place: Place, desk: Desk) -> None:
    page = desk.page(place.server.url)
    found = check(page, "/", "/auth/register")
    with desk.complaints.expected("404"):
        found += check(page, "/no-such-page")
    page.goto("/auth/login")
    page.get_by_label("E-mail").fill("ann@people.example")
    page.get_by_label("Password", exact=True).fill("not this one")
    with desk.complaints.expected("400|401|422"):
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        found += findings(page)
    assert found == []


@SIZES
def test_pictures(place: Place, desk: Desk, size: tuple[int, int]) -> None:
    page = desk.page(place.server.url, size)
    sign_in(page)
    wait_for_thumbnails(page)
    found = check(page, "/gallery", "/gallery?view=list", f"/images/{place.image}", "/trash")
    page.goto("/gallery")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.get_by_text("1 selected")).to_be_visible()
    found += findings(page)
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog")).to_be_visible()
    found += findings(page)
    assert found == []


@SIZES
def test_editor(place: Place, desk: Desk, size: tuple[int, int]) -> None:
    """With a chosen box, and while it asks for a label."""
    page = desk.page(place.server.url, size)
    sign_in(page)
    Editor(page, place.image).open()
    found = findings(page)
    page.keyboard.press("Tab")
    page.keyboard.press("e")
    expect(page.get_by_label("Label of this box")).to_be_focused()
    found += findings(page)
    assert found == []


@SIZES
def test_other_layouts(place: Place, desk: Desk, size: tuple[int, int]) -> None:
    page = desk.page(place.server.url, size)
    sign_in(page)
    found = check(page, "/upload", "/collections", f"/collections/{place.slug}", "/account")
    found += check(page, "/jobs")
    page.get_by_role("button", name="Account of Ann").click()
    expect(page.locator(".account-menu").get_by_role("button", name="Sign out")).to_be_visible()
    found += findings(page)
    assert found == []


def test_settings(place: Place, desk: Desk) -> None:
    """These share the layout of the account's page."""
    page = desk.page(place.server.url)
    sign_in(page)
    found = check(page, "/auth/sessions", "/auth/api-keys", "/auth/password")
    with desk.complaints.expected("404"):
        found += check(page, "/no-such-page")
    assert found == []


def test_without_pictures(place: Place, desk: Desk) -> None:
    """And with the rights of a viewer."""
    page = desk.page(place.server.url)
    sign_in(page, "bob@people.example")
    found = check(page, "/trash", "/jobs", "/collections", f"/collections/{place.slug}")
    page.goto("/collections")
    page.get_by_role("link", name="My pictures", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing hangs in")).to_be_visible()
    found += findings(page)
    found += check(page, f"/images/{place.image}", f"/images/{place.image}/annotate")
    assert found == []
