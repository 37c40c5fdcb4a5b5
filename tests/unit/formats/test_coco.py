"""COCO: documents of several tools come back; pycocotools reads what is written."""

from __future__ import annotations

import contextlib
import io
import json
import random
import re
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.mask import area

from app.domain.shapes import Box, Points, Polygon, RotatedBox, WholePicture
from app.errors import InvalidInput
from app.formats import coco
from app.formats.dataset import ClassDef, Dataset, Item, Options, Picture
from app.formats.json_text import exactly
from app.formats.losses import LossCode
from tests.unit.formats.data_sets import (
    BOXES,
    POLYGONS,
    again,
    bare,
    codes,
    damaged,
    data_sets,
    files_of,
    only_refused,
)

OFFICIAL: dict[str, Any] = {
    "info": {"description": "COCO 2017 Dataset", "year": 2017},
    "licenses": [{"url": "http://creativecommons.org/licenses/by/2.0/", "id": 4}],
    "images": [
        {"license": 4, "file_name": "000000397133.jpg", "coco_url": "http://x/1.jpg",
         "height": 427, "width": 640, "date_captured": "2013-11-14 17:02:52", "id": 397133},
        {"license": 1, "file_name": "000000037777.jpg", "height": 230, "width": 352,
         "id": 37777},
    ],
    "annotations": [
        {"segmentation": [[224.24, 297.18, 228.29, 297.18, 234.91, 298.29]],
         "area": 9.15, "iscrowd": 0, "image_id": 37777, "bbox": [224.24, 297.18, 10.67, 1.11],
         "category_id": 18, "id": 1768},
        {"segmentation": [[10, 10, 20, 10, 20, 20], [30, 30, 40, 30, 40, 40]], "area": 100,
         "iscrowd": 0, "image_id": 397133, "bbox": [10, 10, 30, 30], "category_id": 1,
         "id": 10},
        {"segmentation": {"counts": [272, 2, 4, 4], "size": [240, 320]}, "area": 6,
         "iscrowd": 1, "image_id": 397133, "bbox": [1, 32, 3, 2], "category_id": 18,
         "id": 900100},
        {"keypoints": [1, 2, 2, 0, 0, 0], "num_keypoints": 1, "segmentation": [], "area": 4.0,
         "iscrowd": 0, "image_id": 37777, "bbox": [1, 1, 2, 2], "category_id": 1, "id": 3},
    ],
    "categories": [
        {"supercategory": "animal", "id": 18, "name": "dog"},
        {"supercategory": "person", "id": 1, "name": "person",
         "keypoints": ["nose", "eye"], "skeleton": [[1, 2]]},
    ],
}  # fmt: skip
CVAT: dict[str, Any] = {
    "licenses": [{"name": "", "id": 0, "url": ""}],
    "info": {"contributor": "", "date_created": "", "version": "", "year": ""},
    "categories": [{"id": 1, "name": "car", "supercategory": ""}],
    "images": [{"id": 1, "width": 800, "height": 600, "file_name": "a/b.png", "license": 0,
                "flickr_url": "", "coco_url": "", "date_captured": 0}],
    "annotations": [
        {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [], "area": 1200.0,
         "bbox": [461.0, 236.0, 30.0, 40.0], "iscrowd": 0,
         "attributes": {"occluded": False, "rotation": 0.0, "colour": "red"}},
        {"id": 2, "image_id": 1, "category_id": 1, "segmentation": [], "area": 1200.0,
         "bbox": [461.0, 236.0, 30.0, 40.0], "iscrowd": 0,
         "attributes": {"occluded": True, "rotation": 330.0}},
    ],
}  # fmt: skip
ROBOFLOW: dict[str, Any] = {
    "info": {"year": "2024", "description": "Exported from roboflow.com"},
    "licenses": [{"id": 1, "url": "", "name": "Public Domain"}],
    "categories": [{"id": 0, "name": "pieces", "supercategory": "none"},
                   {"id": 1, "name": "pieces", "supercategory": "pieces"},
                   {"id": 2, "name": " king ", "supercategory": "pieces"}],
    "images": [{"id": 0, "license": 1, "file_name": "x_jpg.rf.0a.jpg", "height": 416,
                "width": 416, "date_captured": "2024-01-01T00:00:00+00:00"}],
    "annotations": [{"id": 0, "image_id": 0, "category_id": 1, "bbox": [45, 2, 85, 85],
                     "area": 7225, "segmentation": [], "iscrowd": 0},
                    {"id": 1, "image_id": 0, "category_id": 2, "bbox": [324, 29, 72.5, 81],
                     "area": 5872.5, "segmentation": [], "iscrowd": 0}],
}  # fmt: skip
DETECTRON: dict[str, Any] = {
    "images": [{"id": "one", "file_name": "data\\a.jpg"}],
    "annotations": [{"bbox": [50, 40, 20.5, 10, 30], "bbox_mode": 4, "category_id": 7,
                     "image_id": "one"}],
    "categories": [{"id": 7, "name": "ship"}],
}  # fmt: skip


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("document", "path", "expected"),
    [
        (OFFICIAL, "annotations/instances_train2017.json",
         {"mask": 1, "parts": 1, "keypoints": 1, "out-of-picture": 1}),
        (CVAT, "annotations/instances_default.json", {}),
        (ROBOFLOW, "valid/_annotations.coco.json", {"twin-classes": 1, "label-changed": 1}),
        (DETECTRON, "ships.json", {"backslashes": 1}),
    ],
    ids=["official", "cvat", "roboflow", "detectron"],
)  # fmt: skip
def test_documents_of_tools_come_back(
    document: object, path: str, expected: dict[str, int]
) -> None:
    files, parsed, written = again(coco, {path: raw(document)})
    assert codes(parsed) == expected
    assert codes(written) == {}
    assert exactly(json.loads(files[path]), document)
    assert list(files) == [path]


def test_what_they_say() -> None:
    parsed = coco.parse({"annotations/instances_train2017.json": raw(OFFICIAL)}, Options())
    first, second = parsed.dataset.pictures
    assert [c.name for c in parsed.dataset.classes] == ["dog", "person"]
    assert (first.split, first.width, first.height, first.foreign_id) == (
        "train",
        640,
        427,
        397133,
    )
    assert [i.shape for i in first.items] == [Box(10, 10, 30, 30), Box(1, 32, 3, 2)]
    assert second.items[0].shape == Polygon(
        ((224.24, 297.18), (228.29, 297.18), (234.91, 298.29))
    )
    (loss,) = [loss for loss in parsed.losses if loss.code is LossCode.MASK]
    assert loss.place == "annotations/instances_train2017.json:$.annotations[2]"
    (turned,) = coco.parse({"a.json": raw(DETECTRON)}, Options()).dataset.pictures[0].items
    assert turned.shape == RotatedBox(39.75, 35, 20.5, 10, -30)
    box, other = coco.parse({"a.json": raw(CVAT)}, Options()).dataset.pictures[0].items
    assert (box.shape, box.attributes) == (
        Box(461, 236, 30, 40), {"occluded": False, "colour": "red"},
    )  # fmt: skip
    assert other.shape == RotatedBox(461, 236, 30, 40, -30)


def test_several_documents_with_classes_of_their_own() -> None:
    other = {
        "images": [{"id": 1, "file_name": "o.jpg"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]}],
        "categories": [{"id": 3, "name": "dog"}, {"id": 5, "name": "cat"}],
    }
    told = {"train/_annotations.coco.json": raw(OFFICIAL), "test/b.json": raw(other)}
    files, parsed, written = again(coco, told)
    assert codes(parsed)["class-order"] == 1
    assert {p.split for p in parsed.dataset.pictures} == {"train", "test"}
    assert {path: json.loads(data) for path, data in files.items()} == {
        path: json.loads(data) for path, data in told.items()
    }
    assert written.places == ("test/o.jpg", "train/000000397133.jpg", "train/000000037777.jpg")


def test_an_edited_annotation_is_written_anew_and_the_rest_stays() -> None:
    path = "annotations/instances_default.json"
    dataset = coco.parse({path: raw(OFFICIAL)}, Options()).dataset
    first, second = dataset.pictures
    parts, mask = first.items
    edited = (replace(parts, label="dog"), replace(mask, shape=Box(1, 2, 3, 4)))
    moved = replace(first, items=(*edited, Item("dog", Box(5.5, 6, 7, 8), {"new": True})))
    renamed = tuple(replace(c, name="hound") if c.name == "dog" else c for c in dataset.classes)
    cat = ClassDef("cat")
    files = files_of(
        coco.write(
            replace(dataset, pictures=(second, moved), classes=(*dataset.classes, cat)),
            Options(),
        )
    )
    found = json.loads(files[path])
    assert [a["id"] for a in found["annotations"]] == [1768, 10, 900100, 3, 900101]
    assert found["images"] == OFFICIAL["images"]
    assert found["categories"][2] == {"id": 19, "name": "cat", "supercategory": ""}
    was, now = OFFICIAL["annotations"], found["annotations"]
    assert now[1] == {**was[1], "category_id": 18}
    assert now[2] == {**was[2], "segmentation": [], "area": 12.0, "bbox": [1.0, 2.0, 3.0, 4.0]}
    assert now[4] == {
        "id": 900101, "image_id": 397133, "category_id": 18, "segmentation": [], "area": 56.0,
        "bbox": [5.5, 6.0, 7.0, 8.0], "iscrowd": 0, "attributes": {"new": True},
    }  # fmt: skip
    picture = replace(first, items=tuple(replace(i, label="hound") for i in first.items[1:]))
    files = files_of(
        coco.write(replace(dataset, pictures=(picture,), classes=renamed), Options())
    )
    found = json.loads(files[path])
    assert found["categories"][0] == {**OFFICIAL["categories"][0], "name": "hound"}
    assert found["annotations"] == [OFFICIAL["annotations"][2]]


@given(data_sets(BOXES | POLYGONS))
def test_what_is_written_is_read_again(dataset: Dataset) -> None:
    written = coco.write(dataset, Options())
    parsed = coco.parse(files_of(written), Options())
    assert codes(written) == {}
    assert set(codes(parsed)) <= {"out-of-picture"}
    used = {c.name for c in parsed.dataset.classes}
    assert used == {c.name for c in dataset.classes}
    assert bare(parsed.dataset).pictures == bare(dataset).pictures


def test_what_cannot_be_held_is_told() -> None:
    shapes = (Points(((1, 1),)), WholePicture(), RotatedBox(10, 10, 4, 2, 90))
    items = tuple(Item("a", shape) for shape in shapes)
    dataset = Dataset(
        (ClassDef("a", "#ff0000"),), (Picture("p.jpg", 50, 40, items, split="x"),)
    )
    written = coco.write(dataset, Options())
    assert codes(written) == {
        "shape": 1, "whole-picture": 1, "corners": 1, "class-details": 1, "split": 1,
    }  # fmt: skip
    files = files_of(written)
    assert list(files) == ["annotations/instances_default.json"]
    assert written.places == ("images/p.jpg",)
    (told,) = json.loads(files["annotations/instances_default.json"])["annotations"]
    assert told["area"] == pytest.approx(8)
    assert told["bbox"] == pytest.approx([11, 9, 2, 4])


def test_names_that_meet_are_numbered() -> None:
    dataset = Dataset((), (Picture("a.jpg"), Picture("A.jpg"), Picture("a.jpg", split="val")))
    written = coco.write(dataset, Options())
    assert codes(written) == {"names-changed": 1}
    assert written.places == ("images/a.jpg", "images/A_2.jpg", "images/val/a.jpg")
    names = re.findall(rb'"file_name": "(.*?)"', b"".join(files_of(written).values()))
    assert names == [b"a.jpg", b"A_2.jpg", b"a.jpg"]


def test_a_library_of_others_reads_what_is_written(tmp_path: Path) -> None:
    square = Polygon(((10, 10), (30, 10), (30, 20), (10, 20)))
    items = (Item("cat", Box(2, 3, 10, 5)), Item("dog", square),
             Item("dog", RotatedBox(40, 40, 20, 10, 45)))  # fmt: skip
    dataset = Dataset((ClassDef("dog"), ClassDef("cat")), (Picture("p.jpg", 100, 80, items),))
    (data,) = files_of(coco.write(dataset, Options())).values()
    (tmp_path / "c.json").write_bytes(data)
    with contextlib.redirect_stdout(io.StringIO()):
        read = COCO(str(tmp_path / "c.json"))
        results = [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 2, 2], "score": 0.5}]
        assert len(read.loadRes(results).anns) == 1
    assert read.getCatIds(catNms=["cat"]) == [2]
    box, outline, turned = read.loadAnns(read.getAnnIds(imgIds=1))
    assert box["bbox"] == [2, 3, 10, 5]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of its own use of numpy
        mask, other = read.annToMask(outline), read.annToMask(turned)
    rows, columns = np.nonzero(mask)
    assert (mask.shape, columns.min(), columns.max(), rows.min(), rows.max()) == (
        (80, 100), 10, 29, 10, 19,
    )  # fmt: skip
    assert mask.sum() == outline["area"] == 200
    assert abs(int(other.sum()) - turned["area"]) < 12


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ('"image_id": 37777', "$.annotations[0].image_id"),
        ('"category_id": 18', "$.annotations[0].category_id"),
        ('"bbox": [1,', "$.annotations[2].bbox[0]"),
        ('[[224.24', "$.annotations[0].segmentation[0][0]"),
        ('"id": 37777', "$.images[1].id"),
        ('"name": "dog"', "$.categories[0].name"),
        ('"file_name": "000000397133.jpg"', "$.images[0].file_name"),
    ],
)  # fmt: skip
def test_mistakes_have_places(change: str, place: str) -> None:
    text = json.dumps(OFFICIAL)
    assert change in text
    head, _, tail = change.rpartition(" ") if ": " in change else ("", "", change)
    broken = head + " " * bool(head) + re.sub(r'("?)[\w.]+("?)', "null", tail, count=1)
    with pytest.raises(InvalidInput) as refused:
        coco.parse({"f.json": text.replace(change, broken).encode()}, Options())
    assert refused.value.mistakes[0].path == f"f.json:{place}"


@pytest.mark.parametrize("text", ["{}", "[]", '{"images": 1, "annotations": []}', ""])
def test_what_is_no_coco(text: str) -> None:
    with pytest.raises(InvalidInput):
        coco.parse({"f.json": text.encode()}, Options())
    with pytest.raises(InvalidInput):
        coco.parse({"f.txt": b""}, Options())


def test_sizes_are_compared_and_boxes_without_area_are_told() -> None:
    document = {
        "images": [{"id": 1, "file_name": "x/a.jpg", "width": 30, "height": 20},
                   {"id": 2, "file_name": "b.jpg", "width": 9, "height": 9},
                   {"id": 3, "file_name": "c.jpg"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 0, 5]}],
        "categories": [{"id": 1, "name": "a"}],
    }  # fmt: skip
    sizes = {"a.jpg": (20, 30), "b.jpg": (8, 8), "c.jpg": (7, 6)}
    parsed = coco.parse({"f.json": raw(document)}, Options(sizes=sizes))
    assert codes(parsed) == {"size-swapped": 1, "size-differs": 1, "zero-area": 1}
    assert parsed.dataset.pictures[2].width == 7
    assert parsed.dataset.pictures[0].items == ()


@given(st.randoms(use_true_random=False), st.sampled_from([OFFICIAL, CVAT, DETECTRON]))
def test_damaged_documents_are_refused_or_read(chance: random.Random, document: object) -> None:
    only_refused(coco, {"f.json": damaged(raw(document), chance)}, Options())


@pytest.mark.parametrize(
    "sides",
    [{"width": 640}, {"width": 0, "height": 480}, {"width": "", "height": 480},
     {"width": 640.5, "height": 480}, {"width": 10**30, "height": 480}],
)  # fmt: skip
def test_sizes_that_are_none_come_back(sides: dict[str, object]) -> None:
    document = {"images": [{"id": 1, **sides, "file_name": "a.jpg"}], "annotations": []}
    files, parsed, written = again(coco, {"a.json": json.dumps(document).encode()})
    assert exactly(json.loads(files["a.json"])["images"], document["images"])
    assert (codes(parsed), codes(written)) == ({}, {})


def test_pycocotools_makes_no_mask_of_a_plain_box() -> None:
    """What docs/exchange.md tells of an empty ``segmentation``."""
    box = Picture("a.jpg", 64, 48, (Item("cat", Box(1.0, 2.0, 3.0, 4.0)),))
    (document,) = map(
        json.loads,
        files_of(coco.write(Dataset((ClassDef("cat"),), (box,)), Options())).values(),
    )
    oracle = COCO()
    oracle.dataset = document
    with contextlib.redirect_stdout(io.StringIO()):
        oracle.createIndex()
    (annotation,) = oracle.anns.values()
    assert annotation["segmentation"] == []
    with pytest.raises(IndexError):
        oracle.annToMask(annotation)
    x, y, w, h = annotation["bbox"]
    corners = [x, y, x + w, y, x + w, y + h, x, y + h]
    outlined = oracle.annToRLE({**annotation, "segmentation": [corners]})
    assert area(outlined) == w * h
