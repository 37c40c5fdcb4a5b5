"""The queue of a review without JavaScript: what cannot be accepted is said, with a way out."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.services.labels import LabelEdit
from tests.fixtures import pictures
from tests.fixtures.installation import Browser, Installation

AGE = ({"name": "age", "kind": "number", "required": True},)
BOX = {"label": "car", "box": {"x": 1, "y": 1, "w": 5, "h": 5}}


class Queue:
    """Ann leads; Bob submitted a picture with a car, whose age came to be needed since."""

    def __init__(self, installation: Installation) -> None:
        self.services = installation.services
        ann, bob = (installation.person(name) for name in ("ann", "bob"))
        self.ann, self.slug = (
            ann.actor,
            self.services.collections.create(ann.actor, name="Cars").slug,
        )
        self.services.members.add(ann.actor, self.slug, email=bob.email, role="annotator")
        label = self.services.labels.create(ann.actor, self.slug, LabelEdit(name="car"))
        sent = installation.api("ann").upload((pictures.png(), "a.png"), collection=self.slug)
        self.image = UUID(sent.json["images"][0]["id"])
        submitted = {"state": "done", "annotations": [BOX]}
        self.services.annotations.put(bob.actor, self.image, submitted, "*")
        edit = LabelEdit(name="car", attributes=list(AGE))
        self.services.labels.edit(ann.actor, self.slug, label.id, edit)
        self.browser: Browser = installation.browser("ann")

    def accept(self) -> str:
        data = {"image_id": self.image, "verdict": "accept"}
        answer = self.browser.post(f"/collections/{self.slug}/review", data=data)
        assert answer.status_code == 422
        return answer.text


@pytest.fixture
def queue(installation: Installation) -> Queue:
    return Queue(installation)


def test_what_lacks_an_attribute_is_not_accepted_and_can_be_sent_back(queue: Queue) -> None:
    page = queue.accept()
    assert "Some attributes are needed before this picture can be accepted." in page
    assert '<details class="send-back" open>' in page
    assert "annotations[0]" not in page, "a place in a document is no word for a person"
    assert queue.services.annotations.get(queue.ann, queue.image).state.value == "done"


def test_ones_own_work_is_told(queue: Queue) -> None:
    mended = {"state": "done", "annotations": [BOX | {"attributes": {"age": 3}}]}
    path = f"/collections/{queue.slug}/review"
    assert "by you" not in queue.browser.get(path).text
    queue.services.tasks.reopen(queue.ann, queue.image)
    queue.services.annotations.put(queue.ann, queue.image, mended, "*")
    assert "by you" in queue.browser.get(path).text
