"""Fifty pictures, ten boxes each, by keyboard alone, while server and network go away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from app.domain.access import Actor
from app.domain.shapes import Box
from tests.browser.person import Editor, sign_in
from tests.fixtures import pictures
from tests.fixtures.browser import Desk
from tests.fixtures.server import Server, serving
from tests.fixtures.uploads import PictureRoom

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PICTURES, BOXES = 50, 10
LABELS = ("car", "cyclist", "sign")
KILLED_AT, CUT_AT = (12, 33), 24
GONE = (r"net::ERR_", r"answer 50[234]")
Marked = list[tuple[str, float, float, float, float]]


@dataclass
class Shift:
    """A running server with the pictures of a day, and who labels them."""

    server: Server
    actor: Actor
    images: list[UUID]

    def held(self) -> dict[UUID, tuple[str, Marked]]:
        """State and boxes of each picture as the database has them; the server has ended."""
        with self.server.filled() as installation:
            get = installation.services.annotations.get
            found = {image: get(self.actor, image) for image in self.images}
        return {
            image: (one.state.value, sorted(_marked(a.label, a.shape) for a in one.annotations))
            for image, one in found.items()
        }


def _marked(label: str, shape: object) -> tuple[str, float, float, float, float]:
    assert isinstance(shape, Box)
    return label, shape.x, shape.y, shape.w, shape.h


@pytest.fixture
def shift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shift]:
    server = Server(tmp_path_factory.mktemp("shift"))
    with server.filled() as installation:
        ann = installation.person("ann", admin=True).actor
        room = PictureRoom(installation)
        images = [
            room.upload(pictures.bmp(pictures.photograph(320, 200 + n)), f"picture-{n}.bmp").id
            for n in range(PICTURES)
        ]
    with serving(server):
        yield Shift(server, ann, images)


class Keyboard:
    """Labels the picture that is open, and knows what must be stored in the end."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.press = page.keyboard.press
        self.expected: dict[UUID, Marked] = {}

    @property
    def image(self) -> UUID:
        return UUID(self.page.url.split("/images/")[1].split("/")[0])

    def ready(self) -> Editor:
        return Editor(self.page, str(self.image)).ready()

    def make(self, turn: int) -> None:
        """One box in the middle, moved, stretched and labelled; said from what was pressed."""
        self.press("Enter")
        label = LABELS[turn % len(LABELS)]
        self.press(str(turn % len(LABELS) + 1))
        x, y, w, h = self._newest()
        right, down = turn % 4, turn % 3
        for _ in range(right):
            self.press("Shift+ArrowRight")
        for _ in range(down):
            self.press("ArrowUp")
        self.press("Alt+ArrowLeft")
        box = (label, x + 10 * right, y - down, w - 1, h)
        self.expected.setdefault(self.image, []).append(box)

    def _newest(self) -> tuple[float, float, float, float]:
        made = Editor(self.page, str(self.image)).shown()[-1]
        return made["x"], made["y"], made["w"], made["h"]

    def submit(self) -> None:
        """And go on to the next picture, or leave the last one."""
        before = self.page.url
        self.press("Control+Enter")
        self.page.wait_for_url(lambda url: url != before, wait_until="commit")


@pytest.mark.timeout(900)  # some 3,000 keys, while other tests want the machine too
def test_fifty_pictures_by_keyboard(shift: Shift, desk: Desk) -> None:
    """The server is killed twice with work on the way, the network is cut once: nothing is
    lost, nothing is there twice."""
    page = desk.page(shift.server.url)
    sign_in(page)
    page.goto(f"/images/{shift.images[-1]}/annotate")
    hands = Keyboard(page)
    hands.ready()
    _teach(page)
    with desk.complaints.expected(*GONE):
        for turn in range(PICTURES):
            editor = hands.ready()
            for box in range(BOXES):
                _disturb(shift, page, turn, box)
                hands.make(box)
            assert editor.boxes.count() == BOXES
            hands.submit()
        page.goto("about:blank")
    shift.server.stop()
    held = shift.held()
    assert {image: boxes for image, (_, boxes) in held.items()} == {
        image: sorted(boxes) for image, boxes in hands.expected.items()
    }
    assert {state for state, _ in held.values()} == {"done"}


def _teach(page: Page) -> None:
    """Make the labels of the day: digits pick them."""
    for name in LABELS:
        page.get_by_label("New label").fill(name)
        page.keyboard.press("Enter")
    page.locator("[data-canvas]").focus()


def _disturb(shift: Shift, page: Page, turn: int, box: int) -> None:
    """The server dies while a save is on its way, and comes back; so does the network."""
    if turn in KILLED_AT and box == 3:
        page.wait_for_event("request", lambda asked: asked.method == "PATCH")
        shift.server.kill()
    elif turn == CUT_AT and box == 3:
        page.context.set_offline(True)
    elif turn in (*KILLED_AT, CUT_AT) and box == 8:
        expect(page.locator("[data-phase]")).to_have_attribute("data-phase", "waiting")
        if turn == CUT_AT:
            page.context.set_offline(False)
        else:
            shift.server.start()
