"""Whatever happens to a label set: ids and numbers stay what they were."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.label_schema import (
    MAX_ALIASES,
    clean_aliases,
    merged,
    names_of,
    numbered,
    present,
    renamed,
    taken_by,
)
from app.domain.labels import LabelClass, new_class
from app.errors import InvalidInput


def a_class(name: str, number: int = 0, **more: object) -> LabelClass:
    made = LabelClass(uuid4(), name, "#ffffff", None, number, number=number)
    return replace(made, **more)  # type: ignore[arg-type]


@given(st.sets(st.integers(0, 19)), st.integers(0, 20))
def test_numbers_are_the_same_whichever_were_written_down(
    written: set[int], count: int
) -> None:
    """Those without one get the same number, before and after others were written."""
    assert numbered([n if n in written else None for n in range(count)]) == tuple(range(count))


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["add", "rename", "remove", "restore", "merge", "move"]),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    max_size=60,
)


@given(ACTS)
def test_indices_never_shift_and_no_number_is_given_twice(
    acts: list[tuple[str, int, int]],
) -> None:
    classes: dict[UUID, LabelClass] = {}
    known: dict[UUID, int] = {}
    for n, (act, one, other) in enumerate(acts):
        step(classes, act, one, other, n)
        for label in classes.values():
            assert known.setdefault(label.id, label.number) == label.number
    assert sorted(known.values()) == list(range(len(known)))
    for label in classes.values():
        now = present(classes, label.id)
        assert now is not None
        assert now.merged_into is None or now.id in chain_of(classes, label)


def step(classes: dict[UUID, LabelClass], act: str, one: int, other: int, n: int) -> None:
    if act == "add" or not classes:
        made = new_class(uuid4(), f"name {n}", list(classes.values()))
        classes[made.id] = made
        return
    ids = list(classes)
    label, target = classes[ids[one % len(ids)]], classes[ids[other % len(ids)]]
    if act == "rename":
        label = renamed(label, f"name {n}")
    elif act == "merge" and label.id != target.id and not target.removed:
        label, target = merged(label, target)
        classes[target.id] = target
    elif act in {"remove", "restore"} and label.merged_into is None:
        label = replace(label, removed=act == "remove")
    elif act == "move":
        label = replace(label, position=other)
    classes[label.id] = label


def chain_of(classes: dict[UUID, LabelClass], label: LabelClass) -> set[UUID]:
    seen: set[UUID] = set()
    while label.id not in seen:
        seen.add(label.id)
        label = classes.get(label.merged_into, label) if label.merged_into else label
    return seen


def test_a_former_name_still_finds_the_class() -> None:
    car = renamed(renamed(a_class("car"), "vehicle"), "machine")
    assert (car.name, car.aliases) == ("machine", ("car", "vehicle"))
    assert renamed(car, "car").aliases == ("vehicle", "machine")
    assert renamed(car, "machine") == car
    many = a_class("0")
    for n in range(1, 50):
        many = renamed(many, str(n))
    assert len(many.aliases) == MAX_ALIASES
    assert many.aliases[-1] == "48"


def test_what_was_merged_means_the_other_class() -> None:
    lorry, car = a_class("lorry", 0, aliases=("truck",), hotkey="1"), a_class("car", 1)
    lorry, car = merged(lorry, car)
    assert (lorry.removed, lorry.hotkey, lorry.merged_into) == (True, None, car.id)
    assert car.aliases == ("lorry", "truck")
    both = {lorry.id: lorry, car.id: car}
    assert present(both, lorry.id) == car
    assert present(both, uuid4()) is None
    meanings = names_of(both.values())
    assert {name: label.id for name, label in meanings.items()} == dict.fromkeys(
        ("car", "lorry", "truck"), car.id
    )


def test_merged_into_each_other_is_no_endless_walk() -> None:
    one, two = a_class("one"), a_class("two", 1)
    ring = {
        one.id: replace(one, merged_into=two.id),
        two.id: replace(two, merged_into=one.id),
    }
    assert present(ring, one.id) is not None


def test_names_come_before_aliases_and_offered_before_removed() -> None:
    car, old = a_class("car", 0, aliases=("auto",)), a_class("auto", 1)
    assert names_of([car, old])["auto"] == old
    gone = replace(old, removed=True)
    assert names_of([gone, car])["auto"] == gone  # a name is a name
    twin = a_class("auto", 2)
    assert names_of([gone, twin])["auto"] == twin


def test_aliases_are_names_each_once() -> None:
    assert clean_aliases([" a ", "b", "a"]) == ("a", "b")
    for bad in ("a", [""], ["x" * 65], [str(n) for n in range(33)]):
        with pytest.raises(InvalidInput):
            clean_aliases(bad)
    car, bus = a_class("car", aliases=("auto",)), a_class("bus", 1)
    assert taken_by(replace(bus, aliases=("auto",)), [car]) == car
    assert taken_by(replace(bus, name="auto"), [car]) == car
    assert taken_by(bus, [car]) is None
