"""A label that a colleague makes, and a picture that one submits in another tab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.browser.person import Editor, sign_in
from tests.fixtures import pictures
from tests.fixtures.browser import Desk
from tests.fixtures.installation import Installation
from tests.fixtures.server import Server, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ANN, BEN = "ann@people.example", "ben@people.example"
AWAY = (r"net::ERR_", r"answer 503", r"status of 503")
SUBMITTED = (r"answer 409", r"status of 409")


@dataclass
class Studio:
    """Ann leads the collection and Ben labels in it."""

    server: Server
    images: list[str]


def filled(installation: Installation) -> list[str]:
    services = installation.services
    ann, ben = installation.person("ann", admin=True), installation.person("ben")
    slug = services.collections.create(ann.actor, name="Orchard", description="").slug
    services.members.add(ann.actor, slug, email=ben.email, role="annotator")
    api = installation.api("ann")
    contents = [pictures.jpeg(pictures.photograph(600, 400 + n)) for n in range(1)]
    answers = [api.upload((one, f"{n}.jpg"), collection=slug) for n, one in enumerate(contents)]
    return [answer.json["images"][0]["id"] for answer in answers]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    server = Server(tmp_path_factory.mktemp("beside"))
    with server.filled() as installation:
        images = filled(installation)
    with serving(server):
        yield Studio(server, images)


def opened(desk: Desk, studio: Studio, image: int, email: str = ANN) -> Editor:
    page = desk.page(studio.server.url)
    sign_in(page, email)
    return Editor(page, studio.images[image]).open()


def settles(editor: Editor, labels: list[str]) -> None:
    """These labels in the list of what is on the picture."""
    expect(editor.page.locator("[data-box-list] .box-name")).to_have_text(labels)


def submit(editor: Editor) -> None:
    """As another tab of the same person would: this one hears of it by itself."""
    page = editor.page
    token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
    path = f"/api/v1/images/{editor.image_id}/submit"
    answer = page.request.post(path, headers={"X-CSRFToken": token})
    assert answer.ok, answer.text()


def test_a_new_label_and_a_picture_submitted_elsewhere(studio: Studio, desk: Desk) -> None:
    ben, ann = opened(desk, studio, 0, BEN), opened(desk, studio, 0)
    ben.draw("apple", 0.1)
    ben.saved()
    settles(ann, ["apple"])
    ann.page.close()
    ben.page.context.set_offline(True)
    with desk.complaints.expected(*AWAY, *SUBMITTED):
        ben.draw("wasp", 0.5)
        submit(ben)
        ben.page.context.set_offline(False)
        sheet = ben.page.get_by_role("dialog", name="This picture was submitted")
        expect(sheet).to_contain_text("1 change made here since is kept until you decide.")
        sheet.get_by_role("button", name="Work on it again").click()
        ben.saved()
    settles(ben, ["apple", "wasp"])
    assert [one["w"] for one in ben.stored_boxes()] == [one["w"] for one in ben.shown()]
