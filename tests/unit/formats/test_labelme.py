"""LabelMe and X-AnyLabeling: what is read, and that it comes back as it was."""

from __future__ import annotations

import copy
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shapes import Box, Points, Polygon, RotatedBox, WholePicture
from app.domain.states import AnnotationState
from app.errors import InvalidInput
from app.formats import labelme
from app.formats.dataset import ClassDef, Dataset, Item, Options, Parsed, Picture
from app.formats.losses import LossCode
from tests.fixtures import data_sets as sets

LABELME: dict[str, Any] = {
    "version": "5.4.1",
    "flags": {},
    "shapes": [
        {"label": "rectangle", "points": [[132.0, 35.0], [32.0, 135.5]], "group_id": None,
         "description": "", "shape_type": "rectangle", "flags": {}, "mask": None},
        {"label": "circle", "points": [[195.0, 84.0], [225.0, 125.0]], "group_id": None,
         "description": "", "shape_type": "circle", "flags": {}, "mask": None},
        {"label": "polygon", "points": [[69.0, 318.0], [45.0, 403.0], [173, 406.0]],
         "group_id": 1, "description": "the left one", "shape_type": "polygon",
         "flags": {"occluded": True, "blurred": False}, "mask": None},
        {"label": "line", "points": [[188.0, 178.0], [160.0, 224.0]], "group_id": None,
         "description": "", "shape_type": "line", "flags": {}, "mask": None},
        {"label": "point", "points": [[345.0, 174.0]], "group_id": None, "description": "",
         "shape_type": "point", "flags": {}, "mask": None},
        {"label": "cat", "points": [[96.0, 84.0], [105.0, 93.0]], "group_id": None,
         "description": "", "shape_type": "mask", "flags": {}, "mask": "iVBORw0KGgo="},
    ],
    "imagePath": "primitives.jpg",
    "imageData": None,
    "imageHeight": 450,
    "imageWidth": 560,
    "lineColor": [0, 255, 0, 128],
}  # fmt: skip
ANYLABELING: dict[str, Any] = {
    "version": "2.4.0",
    "flags": {"Street": True, "Night": False},
    "shapes": [
        {"kie_linking": [], "label": "vehicle", "score": None,
         "points": [[80.24691358024691, 404.93827160493834],
                    [1745.6790123456788, 404.93827160493834],
                    [1745.6790123456788, 986.4197530864197],
                    [80.24691358024691, 986.4197530864197]],
         "group_id": None, "description": "", "difficult": False, "shape_type": "rectangle",
         "flags": {}, "attributes": {"bodyColor": "white", "": "Tesla"}},
        {"label": "car", "score": 0.49463948607444763,
         "points": [[46.07167569024162, 168.296862231516],
                    [371.12562807553604, 283.2804325425675],
                    [274.5533243097584, 556.286471101817],
                    [-50.50062807553576, 441.3029007907661]],
         "group_id": 7, "description": None, "difficult": True, "shape_type": "rotation",
         "flags": None, "attributes": {}, "kie_linking": [[1, 2]],
         "direction": 0.33999999999999464},
    ],
    "imagePath": "..\\images\\street.webp",
    "imageData": None,
    "imageHeight": 1200,
    "imageWidth": 1800,
    "description": "",
}  # fmt: skip


def as_file(document: object) -> bytes:
    """As both tools write it."""
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def parse(document: object, name: str = "labels/a.json") -> Parsed:
    return labelme.parse({name: as_file(document)}, Options())


def codes(parsed: Parsed) -> set[LossCode]:
    return {loss.code for loss in parsed.losses}


def rewritten(dataset: Dataset) -> dict[str, bytes]:
    return sets.files_of(labelme.write(dataset, Options()))


def test_what_labelme_wrote() -> None:
    parsed = parse(LABELME, "primitives.json")
    (picture,) = parsed.dataset.pictures
    assert (picture.file_name, picture.width, picture.height) == ("primitives.jpg", 560, 450)
    assert picture.state is AnnotationState.DONE
    assert [(item.label, item.shape) for item in picture.items] == [
        ("rectangle", Box(32, 35, 100, 100.5)),
        ("polygon", Polygon(((69, 318), (45, 403), (173, 406)))),
        ("line", Points(((188, 178), (160, 224)))),
        ("point", Points(((345, 174),))),
        ("cat", Box(96, 84, 10, 10)),
    ]
    assert picture.items[1].attributes == {
        "group_id": 1, "description": "the left one", "occluded": True, "blurred": False,
    }  # fmt: skip
    assert codes(parsed) == {LossCode.SHAPE_KEPT, LossCode.LINE, LossCode.MASK}
    assert rewritten(parsed.dataset) == {"primitives.json": as_file(LABELME)}


def test_what_x_anylabeling_wrote() -> None:
    parsed = parse(ANYLABELING)
    (picture,) = parsed.dataset.pictures
    box, turned, whole = picture.items
    assert picture.file_name == "images/street.webp"
    assert isinstance(box.shape, Box)
    assert (box.shape.x, box.shape.y) == (80.24691358024691, 404.93827160493834)
    assert box.attributes == {"bodyColor": "white"}
    assert isinstance(turned.shape, RotatedBox)
    assert math.radians(turned.shape.angle) == pytest.approx(0.34, abs=1e-9)
    assert turned.attributes == {"group_id": 7, "difficult": True, "score": 0.49463948607444763}
    assert (whole.label, whole.shape) == ("Street", WholePicture())
    assert codes(parsed) == {
        LossCode.ATTRIBUTES_KEPT, LossCode.BACKSLASHES, LossCode.OUT_OF_PICTURE,
    }  # fmt: skip
    written = labelme.write(parsed.dataset, Options())
    assert written.losses == ()
    assert written.places == ("images/street.webp",)
    assert sets.files_of(written) == {"labels/a.json": as_file(ANYLABELING)}


@pytest.mark.parametrize("changed", range(2))
def test_an_edit_changes_one_record_alone(changed: int) -> None:
    parsed = parse(ANYLABELING)
    shape = Box(1, 2, 3, 4.5)
    (data,) = rewritten(sets.edited(parsed.dataset, 0, changed, shape=shape)).values()
    found = json.loads(data)
    wanted = copy.deepcopy(ANYLABELING)
    record = wanted["shapes"][changed]
    corners = [[1, 2], [4, 2], [4, 6.5], [1, 6.5]]
    record |= {"points": corners, "shape_type": "rectangle"}
    record.pop("direction", None)
    assert found == wanted


def test_edited_attributes_leave_the_shape_as_it_was_written() -> None:
    parsed = parse(ANYLABELING)
    change = {"attributes": {"bodyColor": "red", "parked": True}, "label": "van"}
    (data,) = rewritten(sets.edited(parsed.dataset, 0, 0, **change)).values()
    record = json.loads(data)["shapes"][0]
    assert record["points"] == ANYLABELING["shapes"][0]["points"]
    assert record["label"] == "van"
    assert record["attributes"] == {"bodyColor": "red", "": "Tesla"}
    assert record["flags"] == {"parked": True}


def test_another_label_of_the_whole_picture() -> None:
    parsed = parse(ANYLABELING)
    (data,) = rewritten(sets.edited(parsed.dataset, 0, 2, label="Tunnel")).values()
    assert json.loads(data)["flags"] == {"Tunnel": True}


def test_deleted_and_new_ones_mix_with_what_was_kept() -> None:
    dataset = parse(LABELME, "primitives.json").dataset
    (picture,) = dataset.pictures
    items = (*picture.items[1:3], Item("new", Box(0, 0, 1, 1)), picture.items[4])
    new = replace(dataset, pictures=(replace(picture, items=items),))
    (data,) = rewritten(new).values()
    found = [record["label"] for record in json.loads(data)["shapes"]]
    assert found == ["circle", "polygon", "line", "new", "cat"]


def test_a_picture_inside_a_file_is_left_out_and_told() -> None:
    parsed = parse({**LABELME, "imageData": "/9j/4AAQSkZJRg=="})
    assert LossCode.EMBEDDED_PICTURE in codes(parsed)
    (data,) = rewritten(parsed.dataset).values()
    assert json.loads(data) == LABELME


def test_looked_at_and_empty_is_told_from_not_looked_at() -> None:
    pictures = (
        Picture("empty.jpg", state=AnnotationState.DONE),
        Picture("new.jpg", state=AnnotationState.NEW),
    )
    written = labelme.write(Dataset((), pictures), Options(sizes={"empty.jpg": (6, 4)}))
    assert written.losses == ()
    files = sets.files_of(written)
    assert list(files) == ["empty.json"]
    (picture,) = labelme.parse(files, Options()).dataset.pictures
    assert (picture.state, picture.items) == (AnnotationState.DONE, ())
    assert (picture.width, picture.height) == (6, 4)


def test_pictures_of_one_stem_get_files_of_their_own() -> None:
    pictures = (Picture("a.jpg"), Picture("a.png"))
    written = labelme.write(Dataset((), pictures), Options())
    assert written.places == ("a.jpg", "a_2.png")
    assert list(sets.files_of(written)) == ["a.json", "a_2.json"]


def test_what_cannot_be_written_is_told() -> None:
    twice = (Item("x", WholePicture(), {"a": 1}), Item("x", WholePicture()))
    picture = Picture("a.jpg", items=twice, state=AnnotationState.SKIPPED, split="val")
    written = labelme.write(Dataset((ClassDef("x", "#ff0000"),), (picture,)), Options())
    assert {loss.code for loss in written.losses} == {
        LossCode.WHOLE_PICTURE, LossCode.ATTRIBUTES, LossCode.STATE, LossCode.SPLIT,
        LossCode.CLASS_DETAILS,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"shapes": None}, "$.shapes"),
        ({"shapes": [1]}, "$.shapes[0]"),
        ({"imagePath": None}, "$.imagePath"),
        ({"imagePath": ""}, "$.imagePath"),
        ({"imagePath": "../../../etc/passwd"}, "$.imagePath"),
        ({"imagePath": "a\0.jpg"}, "$.imagePath"),
        ({"imageWidth": "560"}, "$.imageWidth"),
        ({"imageHeight": -1}, "$.imageWidth"),
    ],
)
def test_what_is_no_labelme_file(change: dict[str, object], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse({**LABELME, **change})
    assert refused.value.mistakes[0].path == f"labels/a.json:{path}"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"label": None}, ".label"),
        ({"label": ""}, ".label"),
        ({"label": "x" * 65}, ".label"),
        ({"shape_type": ["a"]}, ".shape_type"),
        ({"points": None}, ".points"),
        ({"points": [[1, 2]]}, ".points"),
        ({"points": [[1, 2], [3]]}, ".points[1]"),
        ({"points": [[1, 2], [3, "4"]]}, ".points[1][1]"),
        ({"points": [[1, 2], [3, 10**400]]}, ".points[1][1]"),
        ({"points": [[1, 2]] * 10_001}, ".points"),
        ({"points": [[-1.7e308, 0], [1.7e308, 1]]}, ""),
        ({"points": [[1, 2], [2, 3]], "shape_type": "polygon"}, ".points"),
        ({"points": [], "shape_type": "point"}, ".points"),
    ],
)
def test_what_is_no_shape(change: dict[str, object], path: str) -> None:
    shape = {**LABELME["shapes"][0], **change}
    with pytest.raises(InvalidInput) as refused:
        parse({**LABELME, "shapes": [shape]})
    assert refused.value.mistakes[0].path == f"labels/a.json:$.shapes[0]{path}"


def test_two_files_of_one_picture_are_refused() -> None:
    files = {"a.json": as_file(LABELME), "b.json": as_file(LABELME)}
    with pytest.raises(InvalidInput) as refused:
        labelme.parse(files, Options())
    assert refused.value.mistakes[0].path == "b.json:$.imagePath"


@pytest.mark.parametrize(
    ("points", "wanted"),
    [
        ([[0, 0], [4, 0], [4, 2], [0, 2]], Box),
        ([[4, 2], [0, 2], [0, 0], [4, 0]], Box),
        ([[0, 0], [3, 3], [1, 5], [-2, 2]], RotatedBox),
        ([[0, 0], [3, 3], [1, 9], [-2, 2]], Polygon),
    ],
)
def test_rectangles_of_four_corners(points: list[list[float]], wanted: type) -> None:
    shape = {**LABELME["shapes"][0], "points": points}
    document = {**LABELME, "shapes": [shape]}
    parsed = parse(document, "primitives.json")
    assert isinstance(parsed.dataset.pictures[0].items[0].shape, wanted)
    assert rewritten(parsed.dataset) == {"primitives.json": as_file(document)}


SHAPES = st.one_of(sets.BOXES, sets.TURNED, sets.POLYGONS, sets.POINT_SETS)
STATES = (AnnotationState.DONE,)


@given(sets.data_sets(SHAPES, states=STATES))
def test_what_was_written_is_read(dataset: Dataset) -> None:
    written = labelme.write(dataset, Options())
    assert {loss.code for loss in written.losses} <= {LossCode.ROUNDED}
    files = sets.files_of(written)
    parsed = labelme.parse(files, Options())
    found = sets.bare(parsed.dataset)
    if written.losses:
        found = sets.with_shapes_of(found, dataset)
    assert found == dataset
    assert rewritten(parsed.dataset) == files


@given(st.lists(sets.LABELS, unique=True, max_size=4))
def test_labels_of_whole_pictures(labels: list[str]) -> None:
    items = tuple(Item(label, WholePicture()) for label in labels)
    picture = Picture("a.jpg", 3, 2, items, AnnotationState.DONE)
    dataset = Dataset(tuple(map(ClassDef, labels)), (picture,))
    parsed = labelme.parse(rewritten(dataset), Options())
    assert sets.bare(parsed.dataset) == dataset
