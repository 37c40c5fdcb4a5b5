from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.attribute_types import (
    AttributeKind,
    AttributeType,
    attribute_type_json,
    check_typed,
    missing_of,
    read_attribute_types,
    with_defaults,
)
from app.errors import InvalidInput

POSE = {"name": "pose", "kind": "select", "options": ["standing", "lying"], "required": True}
AGE = {"name": "age", "kind": "number", "min": 0, "max": 120, "step": 0.5, "default": 1}
PLATE = {"name": "plate", "kind": "text", "max_length": 7}
LAMP = {"name": "lamp", "kind": "checkbox", "default": False}
TYPES = read_attribute_types([POSE, AGE, PLATE, LAMP])


def test_reading_and_telling_is_one_and_the_same() -> None:
    told = [attribute_type_json(each) for each in TYPES]
    assert read_attribute_types(told) == TYPES
    assert told[1] == AGE | {"required": False}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({}, "attributes"),
        ([1], "attributes[0]"),
        ([{"name": "a", "kind": "colour"}], "attributes[0].kind"),
        ([{"kind": "text"}], "attributes[0].name"),
        ([{"name": "a", "kind": "text"}, {"name": "a", "kind": "text"}], "attributes[1].name"),
        ([{"name": "a", "kind": "text", "options": ["b"]}], "attributes[0].options"),
        ([{"name": "a", "kind": "select"}], "attributes[0].options"),
        ([{"name": "a", "kind": "select", "options": ["b", "b"]}], "attributes[0].options"),
        ([{"name": "a", "kind": "number", "min": 2, "max": 1}], "attributes[0].max"),
        ([{"name": "a", "kind": "number", "min": float("nan")}], "attributes[0].min"),
        ([{"name": "a", "kind": "number", "step": 0}], "attributes[0].step"),
        ([{"name": "a", "kind": "number", "min": True}], "attributes[0].min"),
        ([{"name": "a", "kind": "text", "max_length": 0}], "attributes[0].max_length"),
        ([{"name": "a", "kind": "checkbox", "required": 1}], "attributes[0].required"),
        ([{"name": "a", "kind": "checkbox", "default": "yes"}], "attributes[0].default"),
        ([{"name": str(n), "kind": "text"} for n in range(33)], "attributes"),
    ],
)
def test_mistakes_tell_their_place(document: Any, path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_attribute_types(document)
    assert [mistake.path for mistake in caught.value.mistakes] == [path]


@pytest.mark.parametrize(
    "good",
    [
        {},
        {"pose": "lying", "age": 3.5, "plate": "B 1", "lamp": True},
        {"pose": None, "age": 120},
        {"what nobody declared": [1, "x"]},
    ],
)
def test_values_that_fit(good: dict[str, Any]) -> None:
    check_typed(good, TYPES, "attributes")


@pytest.mark.parametrize(
    "bad",
    [
        {"pose": "flying"},
        {"pose": 1},
        {"age": -1},
        {"age": 121},
        {"age": 0.3},
        {"age": "3"},
        {"age": True},
        {"plate": "12345678"},
        {"lamp": 1},
        {"lamp": ["true"]},
    ],
)
def test_values_that_do_not(bad: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_typed(bad, TYPES, "attributes")
    assert [mistake.path for mistake in caught.value.mistakes] == [
        f"attributes.{next(iter(bad))}"
    ]


@given(st.floats(-1000, 1000), st.integers(1, 1000), st.integers(0, 10_000))
def test_a_whole_number_of_steps_is_always_met(least: float, parts: int, count: int) -> None:
    step = 1 / parts
    kind = AttributeType("a", AttributeKind.NUMBER, minimum=least, step=step)
    check_typed({"a": least + count * step}, [kind], "attributes")


def test_defaults_fill_what_was_not_said_and_requirements_see_what_lacks() -> None:
    assert with_defaults({"age": 2}, TYPES) == {"age": 2, "lamp": False}
    assert missing_of({}, TYPES) == ("pose",)
    assert missing_of({"pose": ""}, TYPES) == ("pose",)
    assert missing_of({"pose": "lying"}, TYPES) == ()
