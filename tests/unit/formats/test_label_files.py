"""Label files: what they say, and the place of what is wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shapes import Box
from app.errors import InvalidInput
from app.formats.labelled_box import Corners, LabelledBox, Units, box_of
from app.formats.sidecar_labelme import read_labelme
from app.formats.sidecar_yolo import read_classes, read_yolo

CLASSES = ("car", "person")


def test_a_yolo_file() -> None:
    found = read_yolo("0 0.5 0.5 0.25 0.5\r\n\n1 0.1 0.2 0.2 0.4\n", CLASSES)
    assert found[0] == LabelledBox("car", 0.375, 0.25, 0.25, 0.5, Units.NORMALISED)
    assert found[1].on(100, 50) == Box(0.0, 0.0, 20.0, 20.0)
    assert read_yolo("", CLASSES) == ()
    assert read_classes("car\nperson\n\n") == CLASSES


@pytest.mark.parametrize(
    "line",
    ["0 0.5 0.5 0.2", "2 0.5 0.5 0.2 0.2", "-1 0.5 0.5 0.2 0.2", "car 0.5 0.5 0.2 0.2",
     "0 0.5 0.5 0.2 0.2 0.9", "0 x 0.5 0.2 0.2", "a photo of a car, best quality"],
)  # fmt: skip
def test_a_line_that_is_no_box(line: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_yolo(f"0 0.5 0.5 0.2 0.2\n{line}", CLASSES)
    assert refused.value.mistakes[0].path == "line 2"


@pytest.mark.parametrize("size", ["0", "-0.1", "nan", "inf"])
def test_a_box_without_an_area(size: str) -> None:
    (box,) = read_yolo(f"0 0.5 0.5 {size} 0.2", CLASSES)
    with pytest.raises(InvalidInput):
        box.on(100, 100)


def labelme(**shape: object) -> str:
    whole = {"label": "car", "shape_type": "rectangle", "points": [[1, 2], [3, 5]]}
    return json.dumps({"shapes": [{**whole, **shape}], "imageData": None})


def test_a_labelme_file() -> None:
    assert read_labelme(labelme()) == (LabelledBox("car", 1, 2, 2, 3),)
    turned = read_labelme(labelme(points=[[3, 2], [1, 5]]))
    assert turned == read_labelme(labelme())
    assert read_labelme('{"shapes": []}') == ()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"shapes": {}}', '{"shapes": [1]}', "[" * 99999,
     labelme(shape_type="polygon"), labelme(points=[[1, 2]]), labelme(points="ab"),
     labelme(points=[["a", 2], [3, 4]]), labelme(label=None), labelme(label=""),
     labelme(label="x" * 65), labelme(points=None)],
)  # fmt: skip
def test_what_is_no_labelme_file(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_labelme(text)


@given(st.tuples(*[st.floats(0, 1000, width=32)] * 4))
def test_four_numbers_in_each_form(numbers: tuple[float, float, float, float]) -> None:
    x, y, w, h = numbers
    plain = box_of("a", numbers, Corners.XYWH, Units.PIXEL)
    assert (plain.x, plain.y, plain.w, plain.h) == numbers
    centred = box_of("a", (x + w / 2, y + h / 2, w, h), Corners.CXCYWH, Units.PIXEL)
    assert centred.x == pytest.approx(x, abs=1e-9)
    corners = box_of("a", (x + w, y + h, x, y), Corners.XYXY, Units.PIXEL)
    assert (corners.x, corners.y) == (x, y)
    assert corners.h == pytest.approx(h, abs=1e-9)
