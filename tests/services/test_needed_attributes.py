"""What a label needs is asked for on every way by which a picture becomes done."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.domain.access import Actor
from app.domain.states import AnnotationState
from app.errors import InvalidInput
from app.services.labels import LabelEdit
from tests.fixtures.rooms import Rooms

AGE = ({"name": "age", "kind": "number", "min": 0, "required": True},)
DONE = AnnotationState.DONE
SLUG = "cars"


@pytest.fixture
def ada(rooms: Rooms) -> Actor:
    return rooms.person("ada")


@pytest.fixture
def image(rooms: Rooms, ada: Actor) -> UUID:
    slug = rooms.collections.create(ada, name="Cars", slug=SLUG).slug
    rooms.labels.create(ada, slug, LabelEdit(name="car", attributes=list(AGE)))
    rooms.labels.create(ada, slug, LabelEdit(name="lorry"))
    return rooms.picture(ada, slug)


def item(label: str, **attributes: Any) -> dict[str, Any]:
    box = {"x": 1, "y": 1, "w": 5, "h": 5}
    return {"label": label, "box": box, "attributes": attributes}


def refused(call: Any, *given: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        call(*given)
    return [mistake.path for mistake in caught.value.mistakes]


def put(rooms: Rooms, ada: Actor, image: UUID, *items: Any, **more: Any) -> Any:
    return rooms.annotations.put(ada, image, {"annotations": list(items), **more}, "*")


def state(rooms: Rooms, ada: Actor, image: UUID) -> AnnotationState:
    return rooms.annotations.get(ada, image).state


def test_a_set_that_says_done(rooms: Rooms, ada: Actor, image: UUID) -> None:
    given = (item("lorry"), item("car"), item("car", age=2))
    with pytest.raises(InvalidInput) as caught:
        put(rooms, ada, image, *given, state="done")
    assert [each.path for each in caught.value.mistakes] == ["annotations[1].attributes.age"]
    assert rooms.annotations.get(ada, image).annotations == (), "nothing is kept of it"
    put(rooms, ada, image, *given)
    assert put(rooms, ada, image, item("car", age=1), state="done").state is DONE


def test_operations_that_say_done(rooms: Rooms, ada: Actor, image: UUID) -> None:
    put(rooms, ada, image, item("car"))
    add = {"op": "add", "op_id": str(uuid4()), "id": str(uuid4()), **item("car")}
    places = refused(rooms.annotation_ops.patch, ada, image, {"ops": [add], "state": "done"})
    assert places == ["annotations[0].attributes.age", "$.ops[0].attributes.age"]
    (there,) = rooms.annotations.get(ada, image).annotations
    mend = {"op": "update", "id": str(there.id), "rev": there.rev, "attributes": {"age": 3}}
    told = rooms.annotation_ops.patch(ada, image, {"ops": [mend], "state": "done"})
    assert told.state is DONE


def test_submitting(rooms: Rooms, ada: Actor, image: UUID) -> None:
    tasks = rooms.tasks
    put(rooms, ada, image, item("car"))
    assert refused(tasks.submit, ada, image) == ["annotations[0].attributes.age"]
    assert state(rooms, ada, image) is AnnotationState.IN_PROGRESS
    put(rooms, ada, image, item("car", age=4))
    assert tasks.submit(ada, image).state is DONE


def need_age_of_lorries(rooms: Rooms, ada: Actor) -> None:
    (lorry,) = [one for one in rooms.labels.list(ada, SLUG) if one.name == "lorry"]
    rooms.labels.edit(ada, SLUG, lorry.id, LabelEdit(name="lorry", attributes=list(AGE)))


@pytest.mark.parametrize("way", ["review", "put", "patch"])
def test_accepting_what_a_label_came_to_need_since(
    rooms: Rooms, ada: Actor, image: UUID, way: str
) -> None:
    put(rooms, ada, image, item("lorry"), state="done")
    need_age_of_lorries(rooms, ada)
    calls: dict[str, tuple[Any, ...]] = {
        "review": (rooms.tasks.review, ada, image, "accept"),
        "put": (put, rooms, ada, image, item("lorry")),
        "patch": (rooms.annotation_ops.patch, ada, image, {"ops": [], "state": "accepted"}),
    }
    call, *given = calls[way]
    more = {"state": "accepted"} if way == "put" else {}
    with pytest.raises(InvalidInput, match=r"can be accepted\. Say them, or send it") as caught:
        call(*given, **more)
    assert [each.path for each in caught.value.mistakes] == ["annotations[0].attributes.age"]
    assert state(rooms, ada, image) is DONE
    assert rooms.tasks.review(ada, image, "reject", "the age").state.value == "rejected"
    put(rooms, ada, image, item("lorry", age=1), state="done")
    assert rooms.tasks.review(ada, image, "accept").state is AnnotationState.ACCEPTED


def test_a_reviewer_mends_what_is_done(rooms: Rooms, ada: Actor, image: UUID) -> None:
    """It did not become done by this: what is asked of a submission is not asked here."""
    put(rooms, ada, image, item("car", age=1), state="done")
    put(rooms, ada, image, item("car"))
    assert state(rooms, ada, image) is DONE
