from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.annotation import MAX_BOXES, Annotation, Changes, Move, merge
from app.domain.annotation_document import MAX_MISTAKES, read_annotation_set
from app.domain.shapes import Box
from app.domain.states import AnnotationState
from app.errors import InvalidInput

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SIDE = st.floats(min_value=5e-324, allow_infinity=False)
MEMBERS = ["state", "annotations", "id", "rev", "label", "label_id", "box", "x", "w", "frame"]
NAMES = st.text() | st.sampled_from(MEMBERS)
LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text()
JSON = st.recursive(LEAVES, lambda s: st.lists(s) | st.dictionaries(NAMES, s))
BOX = {"x": 1, "y": 2.5, "w": 3, "h": 4}


def mistakes(document: object) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        read_annotation_set(document)
    return {mistake.path: mistake.message for mistake in caught.value.mistakes}


def of(**item: object) -> dict[str, object]:
    return {"annotations": [{"label": "cat", "box": BOX, **item}]}


class TestBox:
    @given(FINITE, FINITE, SIDE, SIDE)
    def test_takes_every_finite_box_and_survives_json(
        self, x: float, y: float, w: float, h: float
    ) -> None:
        if not (math.isfinite(x + w) and math.isfinite(y + h)):
            return
        text = json.dumps(of(box={"x": x, "y": y, "w": w, "h": h}))
        assert read_annotation_set(json.loads(text)).drafts[0].shape == Box(x, y, w, h)

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
    @pytest.mark.parametrize("side", ["x", "y", "w", "h"])
    def test_refuses_what_is_not_finite(self, side: str, bad: float) -> None:
        with pytest.raises(ValueError, match="finite"):
            Box(**{**BOX, side: bad})
        assert list(mistakes(of(box={**BOX, side: bad}))) == [f"annotations[0].box.{side}"]

    @pytest.mark.parametrize("side", ["w", "h"])
    @pytest.mark.parametrize("bad", [0, -1, -0.0])
    def test_refuses_a_box_without_an_area(self, side: str, bad: float) -> None:
        with pytest.raises(ValueError, match="above 0"):
            Box(**{**BOX, side: bad})
        assert list(mistakes(of(box={**BOX, side: bad}))) == [f"annotations[0].box.{side}"]

    def test_refuses_an_edge_beyond_the_largest_number(self) -> None:
        huge = {"x": 1.7e308, "y": 0, "w": 1.7e308, "h": 1}
        assert list(mistakes(of(box=huge))) == ["annotations[0].box"]

    def test_is_not_clipped(self) -> None:
        box = {"x": -50.25, "y": -1e9, "w": 1e12, "h": 0.001}
        assert read_annotation_set(of(box=box)).drafts[0].shape == Box(**box)

    @pytest.mark.parametrize("bad", ["1", None, True, [], {}, 10**400])
    def test_refuses_what_is_no_number(self, bad: object) -> None:
        assert list(mistakes(of(box={**BOX, "x": bad}))) == ["annotations[0].box.x"]


class TestDocument:
    def test_reads_everything(self) -> None:
        box_id, label_id = uuid4(), uuid4()
        draft_set = read_annotation_set(
            {
                "state": "done",
                "annotations": [
                    {
                        "id": str(box_id),
                        "rev": 3,
                        "label": " café ",
                        "label_id": str(label_id),
                        "box": BOX,
                        "frame": 7,
                        "attributes": {"occluded": True, "n": 1, "list": [1.5, None, "x"]},
                        "unknown": 1,
                    },
                    {"label_id": str(label_id), "box": BOX},
                ],
            }
        )
        named, by_id = draft_set.drafts
        assert draft_set.state is AnnotationState.DONE
        assert (named.id, named.rev, named.label, named.label_id) == (box_id, 3, "café", None)
        assert (named.frame, named.attributes) == (
            7,
            {"occluded": True, "n": 1, "list": [1.5, None, "x"]},
        )
        assert (by_id.label, by_id.label_id, by_id.id) == (None, label_id, None)
        assert read_annotation_set({"annotations": []}).state is None

    @pytest.mark.parametrize("document", [None, [], 1, "x", {}, {"annotations": {}}])
    def test_refuses_what_is_no_set(self, document: object) -> None:
        assert len(mistakes(document)) == 1

    def test_tells_every_mistake_with_its_place(self) -> None:
        same = str(uuid4())
        told = mistakes(
            {
                "state": "finished",
                "annotations": [
                    {"label": "ok", "box": BOX, "id": same},
                    {"label": "", "box": BOX, "id": same.upper()},
                    {"box": [1, 2, 3, 4], "id": "7"},
                    "box",
                    {"label": "a\x00b", "box": {**BOX, "w": -1}, "rev": -1, "frame": 1.5},
                    {"label": "\ud800", "box": BOX, "attributes": {"a": {"deep": 1}}},
                ],
            }
        )
        assert set(told) == {
            "state",
            "annotations[1].id",
            "annotations[1].label",
            "annotations[2].label",
            "annotations[2].box",
            "annotations[2].id",
            "annotations[3]",
            "annotations[4].label",
            "annotations[4].box.w",
            "annotations[4].rev",
            "annotations[4].frame",
            "annotations[5].label",
            "annotations[5].attributes.0",
        }

    def test_is_bounded(self) -> None:
        item = {"label": "a", "box": BOX}
        assert len(read_annotation_set({"annotations": [item] * MAX_BOXES}).drafts) == MAX_BOXES
        assert list(mistakes({"annotations": [item] * (MAX_BOXES + 1)})) == ["annotations"]
        with pytest.raises(InvalidInput) as caught:
            read_annotation_set({"annotations": [None] * MAX_BOXES})
        assert len(caught.value.mistakes) == MAX_MISTAKES

    @pytest.mark.parametrize(
        "attributes",
        [
            [],
            {"a": {}},
            {"a": [[1]]},
            {"a": float("nan")},
            {"a": 2**53 + 1},
            {"a": "\ud800"},
            {"a": "\0"},
            {"": 1},
            {"x\n": 1},
            {"a": ["b"] * 65},
            {str(n): 1 for n in range(33)},
            {"a": "b" * 5000},
        ],
    )
    def test_refuses_wild_attributes(self, attributes: object) -> None:
        assert all("attributes" in path for path in mistakes(of(attributes=attributes)))

    @given(JSON)
    def test_refuses_politely_or_reads(self, document: object) -> None:
        """Never another exception than ``InvalidInput``, whatever JSON comes."""
        for shape in (document, {"annotations": [document]}, of(box=document)):
            with suppress(InvalidInput):
                assert read_annotation_set(shape).drafts is not None


def annotation(number: int, x: float = 0, rev: int = 1, **attributes: object) -> Annotation:
    label = UUID(int=1)
    return Annotation(
        UUID(int=number),
        rev,
        label,
        "cat",
        Box(x, 0, 1, 1),
        0,
        attributes,  # type: ignore[arg-type]
    )


SETS = st.dictionaries(st.integers(1, 12), st.integers(0, 3)).map(
    lambda chosen: [annotation(number, x) for number, x in chosen.items()]
)


def placed(annotations: list[Annotation]) -> list[Annotation]:
    """The same as rows tell them, with gaps in their places."""
    return [replace(one, position=3 * place) for place, one in enumerate(annotations)]


def moves_of(changes: Changes) -> list[Move]:
    return [move for order in changes.orders for move in order.moves]


class TestMerge:
    @given(SETS, SETS)
    def test_the_steps_lead_from_one_to_the_other(
        self, current: list[Annotation], wanted: list[Annotation]
    ) -> None:
        changes = merge(placed(current), wanted)
        result = {a.id: a for a in placed(current)}
        for step in changes.steps:
            assert step.before == result.pop(step.subject.id, None)
            assert step.before != step.after
            if step.after is not None:
                result[step.after.id] = step.after
        for move in moves_of(changes):
            assert result[move.id].position == move.before
            result[move.id] = replace(result[move.id], position=move.after)
        in_order = sorted(result.values(), key=lambda a: a.position or 0)
        assert in_order == wanted
        assert len({a.position for a in in_order}) == len(wanted)

    @given(SETS)
    def test_the_same_is_no_change(self, current: list[Annotation]) -> None:
        assert not merge(placed(current), current).any

    @given(SETS)
    def test_what_goes_and_what_comes_on_top_move_nothing(
        self, current: list[Annotation]
    ) -> None:
        changes = merge(placed(current), [*current[::2], annotation(99)])
        assert changes.orders == ()
        assert [step.kind for step in changes.steps] == ["add"] + ["delete"] * (
            len(current) // 2
        )

    def test_order_is_no_change_of_a_box(self) -> None:
        one, two = annotation(1), annotation(2)
        changes = merge(placed([one, two]), [two, one])
        assert changes.steps == ()
        assert [move.id for move in moves_of(changes)] == [one.id]

    @pytest.mark.parametrize("other", [1.0, True, "1", None, [1]])
    def test_attributes_are_compared_as_json(self, other: object) -> None:
        changes = merge([annotation(1, n=1)], [annotation(1, n=other)])
        assert [step.kind for step in changes.steps] == ["update"]
        assert not merge(placed([annotation(1, n=1)]), [annotation(1, n=1)]).any

    def test_another_label_or_frame_is_a_change(self) -> None:
        old = annotation(1)
        for new in (replace(old, label_id=UUID(int=2)), replace(old, frame=1)):
            (step,) = merge([old], [new]).steps
            assert (step.before, step.after) == (old, new)
