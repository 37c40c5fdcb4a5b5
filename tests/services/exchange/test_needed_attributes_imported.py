"""An import that makes pictures done asks for what labels here need, before it begins."""

from __future__ import annotations

import json

import pytest

from app.domain.states import AnnotationState
from app.errors import InvalidInput
from app.services.labels import LabelEdit
from tests.fixtures.exchange import ExchangeRoom, coco
from tests.fixtures.installation import Installation

DONE = AnnotationState.DONE


def test_the_place_is_told_and_there_is_a_way_out(site: Installation) -> None:
    room = ExchangeRoom(site)
    needed = ({"name": "breed", "kind": "text", "required": True},)
    edit = LabelEdit(name="dog", attributes=list(needed))
    site.services.labels.create(room.actor, room.slug, edit)
    document = json.dumps(coco("a.png", "b.png")).encode()
    job, report = room.examine(document, "set.json", state=DONE)
    assert [each["path"] for each in report["mistakes"]] == [
        "a.png: annotation 2.attributes.breed",
        "b.png: annotation 1.attributes.breed",
    ]
    assert not report["can_apply"]
    with pytest.raises(InvalidInput):
        site.services.imports.accept(room.actor, room.slug, job, accept_losses=True)
    assert not any(room.boxes().values())
    assert room.take(document, "set.json", state=AnnotationState.IN_PROGRESS)["added"] == 4
