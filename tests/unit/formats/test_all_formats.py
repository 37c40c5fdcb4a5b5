"""All formats against each other: what each holds, and exactly what each tells as lost."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.shapes import Box, Points, Polygon, RotatedBox, Shape, WholePicture
from app.domain.states import AnnotationState
from app.errors import InvalidInput
from app.formats import coco, csv_rows, cvat, labelme, labelstudio, voc, yolo
from app.formats.dataset import ClassDef, Dataset, Format, Item, Options, Picture
from app.formats.losses import Weight
from tests.unit.formats.data_sets import codes, data_sets, files_of, only_refused, sizes_of

FORMATS: dict[str, Format] = {
    module.NAME: module for module in (coco, yolo, voc, labelme, labelstudio, cvat, csv_rows)
}
NAMES = tuple(FORMATS)
SIZE = (256, 128)
SIZES = Options(sizes={"p.jpg": SIZE})
BOX = Box(16.0, 8.0, 64.0, 32.0)
TURNED = RotatedBox(100.0, 50.0, 40.0, 20.0, 30.0)
OUTLINE = Polygon(((0.0, 0.0), (64.0, 0.0), (32.0, 32.0)))


def one(shape: Shape = BOX, state: AnnotationState | None = None, **more: object) -> Dataset:
    items = (Item("a", shape, more.pop("attributes", {})),)  # type: ignore[arg-type]
    picture = Picture("p.jpg", *SIZE, items, state)
    return Dataset((ClassDef("a"),), (replace(picture, **more),))  # type: ignore[arg-type]


def empty(state: AnnotationState) -> Dataset:
    return Dataset((), (Picture("p.jpg", *SIZE, state=state),))


def shapes_of(dataset: Dataset) -> list[Shape]:
    return [item.shape for picture in dataset.pictures for item in picture.items]


def each(names: Iterable[str], code: str) -> dict[str, dict[str, int]]:
    return {name: {code: 1} for name in names}


def all_but(*names: str) -> frozenset[str]:
    return frozenset(NAMES) - set(names)


#: What is told when a data set with one thing is written; formats that are not named hold it.
FEATURES: dict[str, tuple[Dataset, dict[str, dict[str, int]]]] = {
    "box": (one(), {}),
    "turned": (
        one(TURNED), {"coco": {"corners": 1}, "voc": {"rotation": 1}, "yolo": {"rounded": 1},
                      "labelme": {"rounded": 1}},
    ),
    "outline": (one(OUTLINE), {}),
    "points": (
        one(Points(((1.0, 2.0),))), each(("coco", "yolo", "voc"), "shape")
    ),
    "whole": (
        one(WholePicture()), each(("coco", "yolo", "voc"), "whole-picture")
    ),
    "attributes": (
        one(attributes={"n": 1, "t": "x", "b": True}),
        each(("yolo", "voc"), "attributes"),
    ),
    "lists": (
        one(attributes={"l": [1, 2]}),
        each(("yolo", "voc", "cvat"), "attributes"),
    ),
    "done": (one(state=AnnotationState.DONE),
             each(("coco", "yolo", "voc", "cvat"), "state")),
    "done and empty": (empty(AnnotationState.DONE),
                       each(("coco", "cvat"), "state")),
    "accepted": (
        one(state=AnnotationState.ACCEPTED),
        each(all_but("csv"), "state"),
    ),
    "skipped": (
        empty(AnnotationState.SKIPPED),
        each(all_but("csv", "labelstudio"), "state"),
    ),
    "split": (one(split="val"), each(("labelme", "labelstudio"), "split")),
    "colour": (
        replace(one(), classes=(ClassDef("a", "#ff0000"),)),
        each(all_but("cvat"), "class-details"),
    ),
    "number": (
        replace(one(), classes=(ClassDef("a", number=4),)),
        each(all_but("yolo"), "class-details"),
    ),
    "unused": (
        replace(one(), classes=(ClassDef("a"), ClassDef("b"))),
        each(("voc", "csv", "labelme", "labelstudio"), "unused-classes"),
    ),
    "no size": (
        one(width=None, height=None),
        each(("yolo", "labelstudio"), "size-unknown"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("feature", "name"), tuple(product(FEATURES, NAMES)))
def test_each_format_tells_exactly_what_it_cannot_hold(feature: str, name: str) -> None:
    dataset, expected = FEATURES[feature]
    written = FORMATS[name].write(dataset, Options())
    assert codes(written) == expected.get(name, {})
    files = files_of(written)
    if set(codes(written)) & {"size-unknown", "state"} or not files:
        return
    try:
        found = FORMATS[name].parse(files, SIZES).dataset
    except InvalidInput:
        assert shapes_of(dataset) == [] or codes(written), "nothing to read, and it was told"
        return
    if not codes(written):
        assert shapes_of(found) == shapes_of(dataset)
        assert [p.split for p in found.pictures] == [p.split for p in dataset.pictures]
        told = [i.attributes for p in found.pictures for i in p.items]
        assert told == [i.attributes for p in dataset.pictures for i in p.items]
    if set(codes(written)) & {"shape", "whole-picture"}:
        states = [picture.state for picture in found.pictures]
        assert AnnotationState.DONE not in states, "it was not looked at and found empty"


#: Formats whose files say more than Darkroom keeps, and those that say that a picture is done.
MORE = frozenset({"voc", "cvat", "labelstudio"})
DONE = frozenset({"labelme", "labelstudio"})
KNOWS_STATES = DONE | {"csv"}


@pytest.mark.parametrize(("source", "target"), tuple(product(NAMES, NAMES)))
def test_conversions_tell_exactly_their_losses(source: str, target: str) -> None:
    first = FORMATS[source].parse(files_of(FORMATS[source].write(one(), Options())), SIZES)
    assert codes(first) == {}
    written = FORMATS[target].write(first.dataset, Options())
    expected = set()
    if source != target:
        expected |= {"foreign-fields"} if source in MORE else set()
        expected |= {"state"} if source in DONE and target not in KNOWS_STATES else set()
    assert set(codes(written)) == expected
    found = FORMATS[target].parse(files_of(written), SIZES).dataset
    assert shapes_of(found) == [BOX]
    assert [picture.file_name.rpartition("/")[2] for picture in found.pictures] == ["p.jpg"]
    assert [c.name for c in found.classes] == ["a"]


@settings(max_examples=40)
@given(data_sets(attributes=False, splits=False), st.sampled_from(NAMES))
def test_no_label_or_place_changes_unnoticed(dataset: Dataset, name: str) -> None:
    """Whatever the shapes: what is there after writing and reading is what was, or is told."""
    written = FORMATS[name].write(dataset, Options())
    files = files_of(written)
    if not any(path.endswith((".json", ".xml", ".csv", ".txt")) for path in files):
        return
    rows = zip(written.places, sizes_of(dataset).values(), strict=True)
    sizes = {place: size for place, size in rows if place}
    parsed = FORMATS[name].parse(files, Options(sizes=sizes))
    before = sorted(i.label for p in dataset.pictures for i in p.items)
    after = sorted(i.label for p in parsed.dataset.pictures for i in p.items)
    weights = {loss.weight for loss in written.losses}
    if Weight.LOST not in weights:
        assert after == before
    if not set(codes(written)) - {"unused-classes", "cells-guarded", "characters"}:
        assert sorted(map(repr, shapes_of(parsed.dataset))) == sorted(
            map(repr, shapes_of(dataset))
        )


PATHS = ("a.json", "a.xml", "a.csv", "a.yaml", "a.txt")


@settings(max_examples=60)
@given(st.sampled_from(NAMES), st.binary(max_size=200), st.sampled_from(PATHS))
def test_no_bytes_but_a_data_set_or_a_refusal(name: str, data: bytes, path: str) -> None:
    only_refused(FORMATS[name], {path: data}, Options())


PAIRS = [[1, 2]] * 200_000
FLAT = [1] * 2_000_000
TURNS = "".join(f"<x{n}>1</x{n}><y{n}>1</y{n}>" for n in range(1, 20_001))
REGION = {
    "type": "polygonlabels", "from_name": "l", "to_name": "i", "original_width": 9,
    "original_height": 9, "value": {"closed": True, "polygonlabels": ["a"], "points": PAIRS},
}  # fmt: skip
HUGE = {
    "coco": ("a.json", lambda: {
        "images": [{"id": 1, "file_name": "p.jpg"}],
        "categories": [{"id": 1, "name": "a"}],
        "annotations": [{"image_id": 1, "category_id": 1, "segmentation": [FLAT]}],
    }),
    "yolo": ("p.txt", lambda: "0 " + "0.5 " * 2_000_000),
    "voc": ("a.xml", lambda: "<annotation><object><name>a</name><polygon>" + TURNS
            + "</polygon></object></annotation>"),
    "labelme": ("p.json", lambda: {
        "shapes": [{"label": "a", "shape_type": "polygon", "points": PAIRS}],
    }),
    "labelstudio": ("a.json", lambda: [
        {"data": {"image": "p.jpg"}, "annotations": [{"result": [REGION]}]},
    ]),
    "cvat": ("a.xml", lambda: "<annotations><image id='0' name='p.jpg' width='9' height='9'>"
             "<polygon label='a' points='" + ";".join(["1,2"] * 1_000_000)
             + "'/></image></annotations>"),
    "csv": ("a.csv", lambda: "file_name,label,type,points,x,y,w,h\np.jpg,a,polygon,"
            f'"{json.dumps(PAIRS)}",,,,\n'),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_far_too_many_points_are_refused(name: str) -> None:
    path, make = HUGE[name]
    made = make()
    text = made if isinstance(made, str) else json.dumps(made)
    files = {path: text.encode(), "classes.txt": b"a"}
    with pytest.raises(InvalidInput) as refused:
        FORMATS[name].parse(files, SIZES)
    assert refused.value.mistakes[0].path.startswith(path)
