"""YOLO: files of several tools come back byte for byte, numbers lead back or it is told."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shapes import Box, Points, Polygon, RotatedBox, Shape, WholePicture
from app.domain.states import AnnotationState
from app.errors import InvalidInput
from app.formats import yolo
from app.formats.dataset import ClassDef, Dataset, Item, Options, Picture, Task
from tests.unit.formats.data_sets import (
    BOXES,
    POLYGONS,
    TURNED,
    again,
    codes,
    damaged,
    data_sets,
    files_of,
    only_refused,
    sizes_of,
)

ULTRALYTICS = {
    "data.yaml": b"""# Ultralytics YOLO, AGPL-3.0 license
path: ../datasets/coco8 # dataset root dir
train: images/train # train images (relative to 'path') 4 images
val: images/val
test: # test images (optional)

# Classes
names:
  0: person
  1: bicycle
  2: "no"
""",
    "labels/train/000000000009.txt": b"1 0.479492 0.688771 0.955609 0.5955\n"
    b"0 0.736516 0.247188 0.498875 0.476417\n",
    "labels/val/000000000036.txt": b"",
}
ULTRALYTICS_SIZES = {
    "images/train/000000000009.jpg": (640, 480),
    "images/val/000000000036.jpg": (481, 640),
    "images/val/unseen.jpg": (9, 9),
}
ROBOFLOW = {
    "data.yaml": b"train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\n"
    b"nc: 2\nnames: ['helmet', 'no: helmet']\n\nroboflow:\n  workspace: w\n  version: 1\n",
    "README.roboflow.txt": b"an export of 2 images",
    "train/labels/a_jpg.rf.01.txt": b"1 0.16346153846153846 0.5 0.3 0.25\n0 0.5 0.5 1 1",
    "valid/labels/b_jpg.rf.02.txt": b"0 0.1 0.1 0.2 0.2 0.3 0.1",
}
LABELIMG = {
    "classes.txt": b"dog\nbig cat\n",
    "a.txt": b"1 0.512500 0.333333 0.250000 0.100000\n",
}
PREDICTED = {
    "classes.txt": b"dog\n",
    "labels/a.txt": b"0 0.5 0.5 0.25 0.5 0.875\r\n",
}
OBB = {
    "dota8.yaml": b"names: [plane]\n",
    "labels/train/P1.txt": b"0 0.780811 0.743961 0.782371 0.74686 0.777691 0.752174 0.776131"
    b" 0.749758\n0 0.1 0.1 0.3 0.1 0.3 0.2 0.1 0.2\n",
}

BY_HAND = {
    "classes.txt": b"dog\n",
    "labels/a.txt": b"\n0 0.5 0.5 0.25 0.5\r\n  \n\r\n0 0.25 0.5 0.25 0.5\n"
    b"0 0.5 0.25 0.25 0.5\r\n\n ",
}


@pytest.mark.parametrize(
    ("files", "sizes", "expected"),
    [
        (ULTRALYTICS, ULTRALYTICS_SIZES, {}),
        (ROBOFLOW, {"a_jpg.rf.01.jpg": (416, 416), "b_jpg.rf.02.jpg": (416, 416)}, {}),
        (LABELIMG, {"x/a.png": (80, 60)}, {}),
        (PREDICTED, {"images/a.png": (80, 60)}, {"confidence": 1}),
        (BY_HAND, {"images/a.png": (80, 60)}, {}),
        (OBB, {"images/train/P1.png": (1000, 900)}, {"task-guessed": 2}),
    ],
    ids=["ultralytics", "roboflow", "labelimg", "predicted", "by-hand", "obb"],
)
def test_files_of_tools_come_back(
    files: dict[str, bytes], sizes: dict[str, tuple[int, int]], expected: dict[str, int]
) -> None:
    found, parsed, written = again(yolo, files, Options(sizes=sizes))
    assert codes(parsed) == expected
    assert codes(written) == {}
    assert found == {path: data for path, data in files.items() if "README" not in path}


def test_what_ultralytics_says() -> None:
    dataset = yolo.parse(ULTRALYTICS, Options(sizes=ULTRALYTICS_SIZES)).dataset
    names = [(c.name, c.number) for c in dataset.classes]
    assert names == [("person", 0), ("bicycle", 1), ("no", 2)]
    train, val = dataset.pictures
    assert train.file_name == "images/train/000000000009.jpg"
    assert (train.split, train.state) == ("train", None)
    assert (val.items, val.split, val.state) == ((), "val", AnnotationState.DONE)
    assert train.items[0].label == "bicycle"
    assert train.items[0].shape.bounds.w == 0.955609 * 640


def test_what_others_say() -> None:
    (one,) = yolo.parse(PREDICTED, Options(sizes={"a.png": (80, 60)})).dataset.pictures
    found = [(item.shape, item.attributes) for item in one.items]
    assert found == [(Box(30, 15, 20, 30), {"confidence": 0.875})]
    (picture,) = yolo.parse(OBB, Options(sizes={"P1.png": (1000, 900)})).dataset.pictures
    turned, upright = picture.items
    assert isinstance(turned.shape, Polygon), "it is more than a tenth of a pixel from a box"
    assert upright.shape.bounds == Box(100, 90, 200, 90).bounds
    sizes = {f"{n}.jpg": (416, 416) for n in ("train/a_jpg.rf.01", "valid/b_jpg.rf.02")}
    first, second = yolo.parse(ROBOFLOW, Options(sizes=sizes)).dataset.pictures
    assert close(first.items[0].shape, Box(5.6, 156, 124.8, 104))
    assert isinstance(second.items[0].shape, Polygon)
    assert (first.split, second.split) == ("train", "val")


def test_edits_leave_the_other_lines_alone() -> None:
    dataset = yolo.parse(ULTRALYTICS, Options(sizes=ULTRALYTICS_SIZES)).dataset
    train, val = dataset.pictures
    first, second = train.items
    new = Item("cat", Box(64, 48, 64, 48))
    edited = replace(train, items=(replace(first, label="person"), second, new))
    unchanged = ULTRALYTICS["labels/train/000000000009.txt"].splitlines()[1]
    classes = (*dataset.classes, ClassDef("cat"))
    moved = replace(dataset, classes=classes, pictures=(edited, replace(val, split="test")))
    found = files_of(yolo.write(moved, Options()))
    lines = found["labels/train/000000000009.txt"].splitlines()
    assert lines == [
        b"0 0.479492 0.688771 0.955609 0.5955", unchanged, b"3 0.15 0.15 0.1 0.1",
    ]  # fmt: skip
    head = yaml.safe_load(found["data.yaml"])
    assert head["names"] == {0: "person", 1: "bicycle", 2: "no", 3: "cat"}
    assert (head["train"], head["val"], head["test"]) == (
        "images/train", "images/train", "images/test",
    )  # fmt: skip
    assert "labels/test/000000000036.txt" in found


def test_numbers_of_classes_stay_where_they_are() -> None:
    files = {"data.yaml": b"names: {0: a, 2: c, 5: f}", "labels/p.txt": b"5 0.5 0.5 0.5 0.5\n"}
    options = Options(sizes={"p.jpg": (8, 8)}, classes={0: "c", 1: "a"})
    found, parsed, _ = again(yolo, files, options)
    assert codes(parsed) == {"class-order": 2}
    assert found == files
    dataset = replace(parsed.dataset, classes=parsed.dataset.classes[1:], extra={})
    told = files_of(yolo.write(dataset, Options()))
    names = ["unused 0", "unused 1", "c", "unused 3", "unused 4", "f"]
    assert yaml.safe_load(told["data.yaml"])["names"] == dict(enumerate(names))
    back = yolo.parse(told, options).dataset
    assert [(c.name, c.number) for c in back.classes] == [("c", 2), ("f", 5)]


def close(one: Shape, other: Shape) -> bool:
    if type(one) is not type(other):
        return False
    ones, others = (
        s.points if isinstance(s, Polygon)
        else s.corners if isinstance(s, RotatedBox)
        else ((s.bounds.x, s.bounds.y), (s.bounds.w, s.bounds.h))
        for s in (one, other)
    )  # fmt: skip
    pairs = zip(ones, others, strict=True)
    return all(abs(a - b) < 1e-6 for p, q in pairs for a, b in zip(p, q, strict=True))


@pytest.mark.parametrize(
    ("task", "shapes"),
    [
        (Task.DETECT, BOXES),
        (Task.OBB, BOXES | TURNED.filter(lambda s: abs(s.angle) > 1e-6)),
        (Task.SEGMENT, POLYGONS),
    ],
)
def test_what_is_written_is_read_again(task: Task, shapes: st.SearchStrategy[Shape]) -> None:
    @given(data_sets(shapes, attributes=False, numbers=True))
    def check(dataset: Dataset) -> None:
        written = yolo.write(dataset, Options(task=task))
        sizes = {
            p: s for p, s in zip(written.places, sizes_of(dataset).values(), strict=True) if p
        }
        files = files_of(written)
        parsed = yolo.parse(files, Options(sizes=sizes, task=task))
        assert set(codes(written)) <= {"rounded"}
        assert set(codes(parsed)) <= {"out-of-picture", "fitted"}
        assert parsed.dataset.classes == dataset.classes
        found = {p.file_name: p for p in parsed.dataset.pictures}
        off = 0
        for picture, place in zip(dataset.pictures, written.places, strict=True):
            told = found[place].items if place in found else ()
            assert [i.label for i in told] == [i.label for i in picture.items]
            pairs = [(a.shape, b.shape) for a, b in zip(told, picture.items, strict=True)]
            off += sum(1 for a, b in pairs if a != b)
            assert all(close(a, b) for a, b in pairs)
        assert codes(written).get("rounded", 0) == off
        second = yolo.write(parsed.dataset, Options(task=task))
        assert files_of(second) == files
        assert codes(second) == {}

    check()


def test_whole_pixels_of_usual_pictures_lead_back() -> None:
    chance, exact = random.Random(7), 0
    for _ in range(300):
        width, height = chance.choice([(640, 480), (1024, 768), (4096, 2048)])
        x, y = chance.randrange(width - 1), chance.randrange(height - 1)
        box = Box(x, y, chance.randint(1, width - x), chance.randint(1, height - y))
        picture = Picture("p.jpg", width, height, (Item("a", box),))
        exact += codes(yolo.write(Dataset((ClassDef("a"),), (picture,)), Options())) == {}
    assert exact > 290


def test_looked_at_and_empty_is_not_the_same_as_not_looked_at() -> None:
    pictures = (
        Picture("a.jpg", 9, 9, state=AnnotationState.DONE),
        Picture("b.jpg", 9, 9),
        Picture("c.jpg", None, None, (Item("x", Box(1, 1, 1, 1)),)),
        Picture("d.jpg", 9, 9, (Item("x", Box(1, 1, 1, 1)),), AnnotationState.ACCEPTED),
    )
    written = yolo.write(Dataset((ClassDef("x"),), pictures), Options())
    assert written.places == ("images/a.jpg", "images/b.jpg", None, "images/d.jpg")
    assert set(codes(written)) - {"rounded"} == {"size-unknown", "state"}
    assert list(files_of(written)) == ["data.yaml", "labels/a.txt", "labels/d.txt"]


def test_what_cannot_be_held_is_told() -> None:
    shapes = (Points(((1, 1),)), WholePicture(), RotatedBox(4, 4, 4, 2, 90),
              Polygon(((0, 0), (8, 0), (8, 4))))  # fmt: skip
    items = tuple(Item("a", shape, {"n": 1}) for shape in shapes)
    dataset = Dataset((ClassDef("a"),), (Picture("p.jpg", 16, 8, items),))
    common = {"shape": 1, "whole-picture": 1, "attributes": 4}
    found = {
        task: codes(yolo.write(dataset, Options(task=task))) for task in (None, *Task)
    }  # fmt: skip
    assert {
        task: {k: v for k, v in told.items() if k != "rounded"} for task, told in found.items()
    } == {
        None: common | {"corners": 1},
        Task.SEGMENT: common | {"corners": 1},
        Task.DETECT: common | {"rotation": 1, "outline": 1},
        Task.OBB: common | {"outline": 1},
    }


def test_lists_of_pictures_become_folders() -> None:
    files = {
        "data.yaml": b"names: [a]\ntrain: train.txt\nlicense: mine\n", "train.txt": b"",
        "labels/p.txt": b"0 0.5 0.5 0.5 0.5",
    }  # fmt: skip
    found, _, written = again(yolo, files, Options(sizes={"images/p.jpg": (8, 8)}))
    assert codes(written) == {"layout": 1}
    assert yaml.safe_load(found["data.yaml"]) == {
        "license": "mine", "train": "images", "val": "images", "names": {0: "a"},
    }  # fmt: skip


def test_keypoints_stay_with_their_box() -> None:
    files = {
        "data.yaml": b"names: [a]\nkpt_shape: [2, 3]\ntrain: images\nval: images\n",
        "labels/p.txt": b"0 0.5 0.5 0.5 0.5 0.1 0.2 2 0.3 0.4 1\n",
    }
    found, parsed, _ = again(yolo, files, Options(sizes={"images/p.jpg": (8, 8)}))
    assert found == files
    assert codes(parsed) == {"keypoints": 1}
    (picture,) = parsed.dataset.pictures
    moved = replace(picture, items=(replace(picture.items[0], shape=Box(0, 0, 4, 4)),))
    written = yolo.write(replace(parsed.dataset, pictures=(moved,)), Options())
    assert files_of(written)["labels/p.txt"] == b"0 0.25 0.25 0.5 0.5 0.1 0.2 2 0.3 0.4 1\n"


def test_files_are_matched_by_name_and_never_by_order() -> None:
    line = b"0 0.5 0.5 0.5 0.5\n"
    files = {"classes.txt": b"a", "labels/x/p.txt": line, "labels/y/p.txt": line,
             "labels/gone.txt": line, "labels/two.txt": line}  # fmt: skip
    sizes = {"images/y/p.jpg": (20, 20), "images/x/p.jpg": (10, 10),
             "images/two.jpg": (1, 1), "images/two.png": (2, 2)}  # fmt: skip
    parsed = yolo.parse(files, Options(sizes=sizes))
    assert [(p.file_name, p.width) for p in parsed.dataset.pictures] == [
        ("images/x/p.jpg", 10), ("images/y/p.jpg", 20),
    ]  # fmt: skip
    assert codes(parsed) == {"missing-picture": 2, "ambiguous-name": 1, "duplicate-names": 2}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("0 0.5 0.5 0.2", "[a]"), ("1 0.5 0.5 0.2 0.2", "[a]"), ("-1 0.5 0.5 0.2 0.2", "[a]"),
        ("a 0.5 0.5 0.2 0.2", "[a]"), ("0 nan 0.5 0.2 0.2", "[a]"), ("0.5 0 0 1 1", "[a]"),
        ("0 inf 0.5 0.2 0.2", "[a]"), ("0 0.5 0.5 -0.2 0.2", "[a]"), ("0", "[a]"),
        ("0 1e300 0.5 1e308 1", "[a]"), ("0 " + "0.1 " * 20_002, "[a]"), ("1e9 0 0 1 1", "[a]"),
    ],
)  # fmt: skip
def test_lines_that_are_no_label(line: str, names: str) -> None:
    good = "0 0.5 0.5 0.2 0.2\n"
    files = {"data.yaml": f"names: {names}".encode(), "labels/p.txt": (good + line).encode()}
    with pytest.raises(InvalidInput) as refused:
        yolo.parse(files, Options(sizes={"p.jpg": (1000, 1000)}))
    assert refused.value.mistakes[0].path == "labels/p.txt:2"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("names: [a, a]", "data.yaml"), ("names: {x: a}", "data.yaml:$.names[0]"),
        ("names: [a]\nnc: 2", "data.yaml:$.nc"), ("names: a", "data.yaml:$.names"),
        ("a: &x [b]\nc: [*x, *x]\nnames: [a]", "data.yaml:2"), ("names: [a\n", "data.yaml:2"),
        ("names: [a]\nnames: [b]", "data.yaml:1"), ("names: [" + "[" * 1500, "data.yaml"),
        ("names: [a]\nkpt_shape: [9999, 3]", "data.yaml:$.kpt_shape"), ("", "data.yaml"),
        ("names: {0: a, 00: b}", "data.yaml:$.names[1]"), ("nc: 1", ""),
        ("names: {99999999: a}", "data.yaml:$.names[0]"), ("? [a]\n: b", "data.yaml:1"),
        ("names: !!python/object/apply:os.system [ls]", "data.yaml:1"),
        ("names: [a" + " " * 300_000 + "]", "data.yaml"),
    ],
)  # fmt: skip
def test_heads_that_are_refused(text: str, place: str) -> None:
    began = time.process_time()
    with pytest.raises(InvalidInput) as refused:
        yolo.parse({"data.yaml": text.encode()}, Options())
    assert refused.value.mistakes[0].path == place
    assert time.process_time() - began < 5


def test_two_heads_that_differ_are_refused() -> None:
    files = {"data.yaml": b"names: [a, b]", "classes.txt": b"b\na\n"}
    with pytest.raises(InvalidInput):
        yolo.parse(files, Options())
    same = {**files, "classes.txt": b"a\nb\n"}
    assert again(yolo, same)[0] == same


@given(st.randoms(use_true_random=False), st.sampled_from([ULTRALYTICS, ROBOFLOW, OBB]))
def test_damaged_files_are_refused_or_read(
    chance: random.Random, files: dict[str, bytes]
) -> None:
    path = chance.choice(sorted(files))
    sizes = {f"{name}.jpg": (chance.randint(1, 99), 7) for name in ("P1", "000000000009")}
    only_refused(yolo, {**files, path: damaged(files[path], chance)}, Options(sizes=sizes))


def test_blank_lines_go_with_an_edit() -> None:
    found = yolo.parse(BY_HAND, Options(sizes={"images/a.png": (80, 60)})).dataset
    (picture,) = found.pictures
    fewer = replace(picture, items=picture.items[1:])
    files = files_of(yolo.write(replace(found, pictures=(fewer,)), Options()))
    assert files["labels/a.txt"] == b"0 0.25 0.5 0.25 0.5\r\n0 0.5 0.25 0.25 0.5"
