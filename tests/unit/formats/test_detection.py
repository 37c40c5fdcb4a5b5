"""Which format a heap of files is in."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shapes import Box
from app.domain.states import AnnotationState
from app.formats.dataset import ClassDef, Dataset, Item, Options, Picture
from app.formats.detection import detect
from app.formats.registry import FORMATS

SHAPES = {"version": "5", "shapes": [], "imagePath": "a.jpg", "imageData": "A" * 100_000}
COCO = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "shapes"}]}
TASKS = [{"id": 1, "annotations": [{"result": []}], "data": {"image": "a.jpg"}}]
MIN = [{"image": "a.jpg", "id": 1, "label": [{"x": 1}], "annotator": 1, "annotation_id": 2}]
VOC = b"<?xml version='1.0'?>\n<!-- a --><annotation verified='yes'><folder>x</folder>"
CVAT = b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>'
LINES = b"0 0.5 0.5 0.1 0.1\n2 1e-3 0.5 .1 0.1 \n"


def as_json(document: object) -> bytes:
    return b"\xef\xbb\xbf" + json.dumps(document).encode()


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"a.json": as_json(SHAPES)}, "labelme"),
        (
            {"a.json": as_json({**{k: v for k, v in SHAPES.items() if k != "imageData"}})},
            "labelme",
        ),
        ({"x/instances_train.json": as_json(COCO)}, "coco"),
        ({"a.json": as_json({"annotations": []})}, "coco"),
        ({"a.json": as_json(TASKS)}, "labelstudio"),
        ({"a.json": as_json(TASKS[0])}, "labelstudio"),
        ({"a.json": as_json(MIN)}, "labelstudio"),
        ({"a.json": b"[]"}, "labelstudio"),
        ({"Annotations/a.xml": VOC, "ImageSets/Main/train.txt": b"a\n"}, "voc"),
        ({"annotations.xml": CVAT, "README.txt": b"hello"}, "cvat"),
        ({"labels/a.txt": LINES, "data.yaml": b"path: .\nnames:\n  0: a\n"}, "yolo"),
        ({"labels/a.txt": LINES, "classes.txt": b"car\nperson\n"}, "yolo"),
        ({"obj.names": b"car\n", "a.txt": b""}, "yolo"),
        ({"a.csv": b"file_name,label,x\n"}, "csv"),
        ({"a.csv": b"file_name,label,x\n", "b.json": as_json(COCO)}, "coco"),
        ({"a.json": as_json(SHAPES), "classes.txt": b"car\n"}, "labelme"),
        ({"a.json": as_json(SHAPES), "b.json": as_json(COCO)}, None),
        ({"a.xml": VOC, "b.xml": CVAT}, None),
        ({"a.txt": LINES, "b.xml": CVAT}, None),
        ({"a.json": as_json({"a": 1}), "b.xml": b"<svg/>", "c.yaml": b"a: 1"}, None),
        ({"a.jpg": b"\xff\xd8", "b.png": b"\x89PNG"}, None),
        ({}, None),
    ],
)
def test_what_files_speak_of(files: dict[str, bytes], name: str | None) -> None:
    found = detect(files)
    assert found.name == name
    assert all(reason.place in files and reason.words.endswith(".") for reason in found.reasons)


def test_two_formats_are_told_with_reasons() -> None:
    found = detect({"a.xml": VOC, "b.xml": CVAT, "c.xml": VOC})
    assert [(reason.format, reason.place) for reason in found.reasons] == [
        ("voc", "a.xml"),
        ("cvat", "b.xml"),
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_knows_what_it_writes(name: str) -> None:
    items = (Item("car", Box(1, 2, 3, 4)),)
    picture = Picture("a.jpg", 10, 10, items, AnnotationState.DONE)
    written = FORMATS[name].write(Dataset((ClassDef("car"),), (picture,)), Options())
    assert detect(dict(written.files)).name == name


def test_every_format_has_a_name_of_its_own() -> None:
    assert list(FORMATS) == [module.NAME for module in FORMATS.values()]
    assert all(len(name) <= 16 and module.WORDS for name, module in FORMATS.items())


@given(
    st.dictionaries(
        st.sampled_from(("a.json", "b.xml", "c.txt", "d.yaml", "e.csv")), st.binary()
    )
)
def test_any_bytes_are_looked_at(files: dict[str, bytes]) -> None:
    detect(files)


@pytest.mark.parametrize("head", [b'"' * 70_000, b'"\\' * 40_000, b"[" * 70_000, b"<" * 70_000,
                                  b"0 " * 40_000, b"1" * 70_000, b"0 0" * 30_000])  # fmt: skip
def test_a_look_takes_bounded_time(head: bytes) -> None:
    began = time.process_time()
    detect({f"a{suffix}": head for suffix in (".json", ".xml", ".txt", ".yaml", ".csv")})
    assert time.process_time() - began < 2
