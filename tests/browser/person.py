"""What a person does at the pages, in terms of what they see: names of fields and buttons."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Locator, Page, expect

from tests.fixtures.installation import PASSWORD

EMAIL = "ann@people.example"
SAVED = re.compile(r"^Saved( \d\d:\d\d:\d\d)?$")


def set_up(page: Page) -> None:
    """Make the first account; whoever made it is signed in."""
    page.goto("/")
    expect(page.get_by_role("heading", name="Make the first account")).to_be_visible()
    page.get_by_label("Your name").fill("Ann")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    page.wait_for_url("**/gallery")


def sign_in(page: Page, email: str = EMAIL) -> None:
    page.goto("/auth/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/gallery")


def sign_out(page: Page) -> None:
    """By the menu at the top right."""
    page.get_by_role("button", name="Account of Ann").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/auth/login*")


def go_back(page: Page) -> None:
    """By the browser's button. After a sign-out its page may still be changing processes."""
    for patience in (50, 200, 1000):
        try:
            page.go_back()
        except Error as problem:
            if "Not attached to an active page" not in problem.message:
                raise
            page.wait_for_timeout(patience)
        else:
            return
    page.go_back()


def tiles(page: Page) -> Locator:
    return page.locator("[data-rows] .tile:not([hidden])")


def until(page: Page, condition: str) -> None:
    """Until an expression holds. ``wait_for_function`` asks by eval, which the CSP forbids."""
    for _ in range(300):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(condition)


def wait_for_thumbnails(page: Page) -> None:
    """Until every picture of the first screens is shown."""
    until(page, "[...document.querySelectorAll('img.thumb')].every((one) => one.naturalWidth)")


def choose(page: Page, *files: Path) -> None:
    """Choose files as with the button of the upload page."""
    with page.expect_file_chooser() as opened:
        page.get_by_text("Choose pictures", exact=True).click()
    opened.value.set_files(files)


def upload_row(page: Page, name: str) -> Locator:
    return page.locator(".upload-row", has_text=name)


class Editor:
    """The box editor of one picture."""

    def __init__(self, page: Page, image_id: str) -> None:
        self.page = page
        self.image_id = image_id
        self.boxes = page.locator("[data-world] .line")

    @property
    def path(self) -> str:
        return f"/images/{self.image_id}/annotate"

    def open(self) -> Editor:
        self.page.goto(self.path)
        return self.ready()

    def ready(self) -> Editor:
        self.page.wait_for_selector("[data-editor]:not([data-loading])")
        return self

    def saved(self) -> None:
        expect(self.page.locator("[data-save-words]")).to_have_text(SAVED)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press, move and let go; from and to in pixels of the window."""
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        mouse.move(*end)
        mouse.up()

    def draw(self, label: str, at: float = 0.2) -> None:
        """A box from a part of the picture's sides on, a fifth of them long, with a label."""
        self.drag(self.at(at, at), self.at(at + 0.2, at + 0.2))
        self.name(label)

    def name(self, label: str) -> None:
        """Give what is selected a label, by its keys."""
        self.page.keyboard.press("e")
        self.page.get_by_label("Label of this box").fill(label)
        self.page.keyboard.press("Enter")

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A place of the window, in whole pixels, from parts of the picture's sides."""
        shown = self.page.locator("[data-print]").bounding_box()
        assert shown is not None
        return round(shown["x"] + x * shown["width"]), round(shown["y"] + y * shown["height"])

    def in_picture(self, place: tuple[float, float]) -> tuple[float, float]:
        """The same place in pixels of the picture, exactly as the page reckons."""
        found: list[float] = self.page.evaluate(
            """([x, y]) => {
              const surface = document.querySelector("[data-canvas]").getBoundingClientRect();
              const group = document.querySelector("[data-world] .boxes");
              const { a, e, f } = group.transform.baseVal.consolidate().matrix;
              return [(x - surface.left - e) / a, (y - surface.top - f) / a];
            }""",
            list(place),
        )
        return found[0], found[1]

    def shown(self) -> list[dict[str, float]]:
        """The boxes as they stand on the page, in pixels of the picture."""
        found: list[dict[str, float]] = self.boxes.evaluate_all(
            """(nodes) => nodes.map((node) => Object.fromEntries(
              [["x", "x"], ["y", "y"], ["w", "width"], ["h", "height"]]
                .map(([short, name]) => [short, Number(node.getAttribute(name))])))"""
        )
        return found

    def stored(self) -> dict[str, Any]:
        """The set as the API tells it to the same person."""
        answer = self.page.request.get(f"/api/v1/images/{self.image_id}/annotations")
        assert answer.ok, answer.text()
        found: dict[str, Any] = answer.json()
        return found

    def stored_boxes(self) -> list[dict[str, float]]:
        return [one["box"] for one in self.stored()["annotations"]]

    def labels(self) -> list[str]:
        """The labels of the stored boxes, in order of the alphabet."""
        return sorted(one["label"] for one in self.stored()["annotations"])
