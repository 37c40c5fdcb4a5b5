"""CSV: rows of several tools come back, cells run no formula, all shapes are held."""

from __future__ import annotations

import csv
import io
import random
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shapes import Box, Polygon, RotatedBox, WholePicture
from app.domain.states import AnnotationState
from app.errors import InvalidInput
from app.formats import csv_rows
from app.formats.csv_text import Dialect, guarded, read_rows, unguarded, write_row
from app.formats.dataset import ClassDef, Dataset, Item, Options, Picture
from tests.unit.formats.data_sets import (
    again,
    bare,
    codes,
    damaged,
    data_sets,
    files_of,
    only_refused,
)

ROBOFLOW = {
    "train/_annotations.csv": b"filename,width,height,class,xmin,ymin,xmax,ymax\n"
    b"b_jpg.rf.1.jpg,416,416,helmet,178,84,230,143\n"
    b"a_jpg.rf.2.jpg,416,416,helmet,1,2.50,3,4\n"
    b"b_jpg.rf.1.jpg,416,416,no helmet,10,20,30,40\n",
    "valid/_annotations.csv": b"filename,width,height,class,xmin,ymin,xmax,ymax\n",
}
EXCEL = (
    "\ufeffImage Name;Class Name;X;Y;W;H;Comment\r\n"
    'a.jpg;Müll;1,5;-2;10;20;"says ""no""; twice"\r\n'
).encode()
QUOTED = (
    b'"image_path","label","left","top","right","bottom","score"\n'
    b'"x/a.jpg","cat","0","0","5","6","0.9"'
)
BY_HAND = (
    b"\nimage,label,x,y,w,h\r\n\r\na.jpg,cat,1,2,3,4\n\n\n"
    b"b.jpg,cat,1,2,3,4\r\na.jpg,dog,1,2,3,4\n\n"
)
OWN = (
    b"file_name,width,height,split,state,label,type,x,y,w,h,angle,points,attributes\r\n"
    b'a.jpg,100,80,train,accepted,car,rotated,1.0,2.0,3.0,4.0,-30.0,,"{""n"": 1}"\r\n'
    b'a.jpg,100,80,train,accepted,car,polygon,,,,,,"[[1.0, 2.0], [3.0, 4.0], [5.0, 0.5]]",\r\n'
    b"a.jpg,100,80,train,accepted,day,image,,,,,,,\r\n"
    b"b.jpg,,,,done,,,,,,,,,\r\n"
)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (ROBOFLOW, {}), ({"x.csv": EXCEL}, {}), ({"x.csv": QUOTED}, {}), ({"o.csv": OWN}, {}),
        ({"h.csv": BY_HAND}, {}),
        ({"t.tsv": EXCEL.replace(b";", b"\t").replace(b"1,5", b"1.5")}, {}),
    ],
    ids=["roboflow", "excel", "quoted", "own", "by-hand", "tabs"],
)  # fmt: skip
def test_files_of_tools_come_back(files: dict[str, bytes], expected: dict[str, int]) -> None:
    found, parsed, written = again(csv_rows, files)
    assert codes(parsed) == expected
    assert codes(written) == {}
    assert found == files


def test_what_they_say() -> None:
    dataset = csv_rows.parse(
        ROBOFLOW, Options(sizes={"train/b_jpg.rf.1.jpg": (416, 416)})
    ).dataset
    assert [c.name for c in dataset.classes] == ["helmet", "no helmet"]
    first, second = dataset.pictures
    assert (first.file_name, first.split, len(first.items)) == ("b_jpg.rf.1.jpg", "train", 2)
    assert second.items[0].shape == Box(1, 2.5, 2, 1.5)
    (picture,) = csv_rows.parse({"x.csv": EXCEL}, Options()).dataset.pictures
    (item,) = picture.items
    assert (item.label, item.shape) == ("Müll", Box(1.5, -2, 10, 20))
    assert item.extra["fields"] == {"columns": {"Comment": 'says "no"; twice'}}
    one, two = csv_rows.parse({"x.csv": OWN}, Options()).dataset.pictures
    assert [i.shape for i in one.items] == [
        RotatedBox(1, 2, 3, 4, -30), Polygon(((1, 2), (3, 4), (5, 0.5))), WholePicture(),
    ]  # fmt: skip
    assert (one.state, one.items[0].attributes) == (AnnotationState.ACCEPTED, {"n": 1})
    assert (two.state, two.width) == (AnnotationState.DONE, None)


def test_edits_leave_other_cells_alone() -> None:
    dataset = csv_rows.parse(ROBOFLOW, Options()).dataset
    first, second = dataset.pictures
    one, other = first.items
    items = (replace(one, label="head"), replace(other, shape=Box(0.1, 0, 0.2, 1)),
             Item("head", RotatedBox(4, 4, 4, 2, 90), {"a": 1}))  # fmt: skip
    classes = (*dataset.classes, ClassDef("head"))
    pictures = (replace(first, items=items, state=AnnotationState.DONE), second)
    written = csv_rows.write(replace(dataset, classes=classes, pictures=pictures), Options())
    assert codes(written) == {"rotation": 1, "attributes": 1, "state": 1}
    assert written.places == ("train/b_jpg.rf.1.jpg", "train/a_jpg.rf.2.jpg")
    was = ROBOFLOW["train/_annotations.csv"].splitlines()
    now = files_of(written)["train/_annotations.csv"].splitlines()
    assert now[:3] == [was[0], was[1].replace(b"helmet", b"head"), was[2]]
    assert now[3] == b"b_jpg.rf.1.jpg,416,416,no helmet,0.1,0,0.3,1"
    assert now[4].startswith(b"b_jpg.rf.1.jpg,416,416,head,5")
    moved = replace(dataset, pictures=(replace(first, split="val"), second))
    found = files_of(csv_rows.write(moved, Options()))
    assert found["annotations.csv"].count(b"val") == 2


@given(data_sets(), st.data())
def test_what_is_written_is_read_again(dataset: Dataset, data: st.DataObject) -> None:
    states = st.sampled_from([None, *AnnotationState])
    pictures = tuple(replace(p, state=data.draw(states)) for p in dataset.pictures)
    shown = replace(dataset, pictures=pictures)
    written = csv_rows.write(shown, Options())
    files = files_of(written)
    parsed = csv_rows.parse(files, Options())
    assert set(codes(parsed)) <= {"out-of-picture"}
    assert set(codes(written)) <= {"unused-classes", "cells-guarded"}
    assert bare(parsed.dataset).pictures == bare(shown).pictures
    assert files_of(csv_rows.write(parsed.dataset, Options())) == files


CELLS = st.text("ab,;\t\"'=\n\r ", max_size=5)


@given(
    st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1),
    st.sampled_from([",", ";", "\t"]),
    st.booleans(),
)
def test_rows_as_the_standard_library_has_them(
    rows: list[list[str]], delimiter: str, is_quoted: bool
) -> None:
    dialect = Dialect(delimiter, is_quoted=is_quoted)
    text = "".join(write_row(row, dialect) for row in rows)
    assert [list(cells) for _, cells in read_rows(text, dialect, "f")] == rows
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)) == rows


@given(st.text("'=+-@\t\ra1.", max_size=6))
def test_guards_come_off_again(text: str) -> None:
    cell = guarded(text)
    assert unguarded(cell) == text
    is_number = re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", cell) is not None
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")) or is_number


def test_no_cell_runs() -> None:
    evil = "=cmd|' /C calc'!A0"
    items = (Item(evil, Box(-1.5, -2.0, 3.0, 4.0), {"@a": "+1"}), Item("-1", Box(1, 1, 1, 1)))
    classes = (ClassDef(evil), ClassDef("-1"))
    written = csv_rows.write(Dataset(classes, (Picture("+a.jpg", 9, 9, items),)), Options())
    assert codes(written) == {"cells-guarded": 3}
    (data,) = files_of(written).values()
    cells = [cell for row in csv.reader(io.StringIO(data.decode())) for cell in row]
    begins = {cell for cell in cells if cell[:1] in {"=", "+", "-", "@"}}
    assert begins == {"-1.5", "-2.0", "-1"}
    (picture,) = csv_rows.parse({"a.csv": data}, Options()).dataset.pictures
    assert [(i.label, i.attributes) for i in picture.items] == [
        (i.label, i.attributes) for i in items
    ]
    told = b"file_name,label,x,y,w,h,note\na.jpg,a,1,2,3,4,=1+1\na.jpg,a,1,2,3,4,'=2\n"
    found, _, again_written = again(csv_rows, {"a.csv": told})
    assert codes(again_written) == {"cells-guarded": 1}
    assert found == {"a.csv": told.replace(b",=1", b",'=1")}


def test_names_sizes_and_areas_are_told() -> None:
    told = (
        b"file_name,width,height,label,xmin,ymin,xmax,ymax\n"
        b"d\\a.jpg,80,60,a,0,0,0,5\nb.jpg,10,10,a,1,1,99,3\nc.jpg,,,a,1,1,2,2\n"
    )
    sizes = {"x/a.jpg": (60, 80), "b.jpg": (9, 9), "y/c.jpg": (5, 5), "z/c.jpg": (6, 6)}
    found, parsed, _ = again(csv_rows, {"a.csv": told}, Options(sizes=sizes))
    assert codes(parsed) == {
        "backslashes": 1, "size-swapped": 1, "size-differs": 1, "zero-area": 1,
        "out-of-picture": 1, "ambiguous-name": 1,
    }  # fmt: skip
    assert found["a.csv"].splitlines()[1:] == told.splitlines()[2:], "but the box without area"


HEAD = "file_name,label,type,x,y,w,h,angle,points,attributes,width,height,state\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1), ("a.jpg,1,2,3\n", 1), ("file_name,label,x,y\n", 1),
        ("file_name,image,label,x,y,w,h\n", 1),
        (HEAD + "a.jpg,a,,1,2,3,4,,,,,\n", 2), (HEAD + "a.jpg,a,,1,2,3,4,,,,,,,\n", 2),
        (HEAD + "a.jpg,a,,nan,2,3,4,,,,,,\n", 2), (HEAD + "a.jpg,a,,1e999,2,3,4,,,,,,\n", 2),
        (HEAD + "a.jpg,a,,,2,3,4,,,,,,\n", 2), (HEAD + "a.jpg,,,1,2,3,4,,,,,,\n", 2),
        (HEAD + "a.jpg,a,blob,1,2,3,4,,,,,,\n", 2), (HEAD + "a.jpg,a,,1,2,-3,4,,,,,,\n", 2),
        (HEAD + "../a.jpg,a,,1,2,3,4,,,,,,\n", 2), (HEAD + ",a,,1,2,3,4,,,,,,\n", 2),
        (HEAD + "a.jpg,a,rotated,1,2,3,4,,,,,,\n", 2), (HEAD + "a.jpg,a,,1,2,3,4,,,,x,,\n", 2),
        (HEAD + "a.jpg,a,,1,2,3,4,,,,1,,\na.jpg,a,,1,2,3,4,,,,2,,\n", 3),
        (HEAD + "a.jpg,a,,1,2,3,4,,,,,,lost\n", 2), (HEAD + 'a.jpg,a"b,,1,2,3,4,,,,,,\n', 2),
        (HEAD + '"a.jpg,a,,1,2,3,4,,,,,,\n', 2),
    ],
)  # fmt: skip
def test_mistakes_have_lines(text: str, line: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        csv_rows.parse({"f.csv": text.encode()}, Options())
    assert refused.value.mistakes[0].path == f"f.csv:{line}"


@pytest.mark.parametrize(
    ("cell", "column"),
    [('"{""a"": NaN}"', 9), ('"{"', 9), ('"[[1,2],[3]]"', 8), ('"[[1,2]"', 8), ("[" * 99, 8)],
)
def test_mistakes_in_cells(cell: str, column: int) -> None:
    cells = ["a.jpg", "a", "polygon" if column == 8 else "box", "1", "2", "3", "4", *[""] * 6]
    cells[column] = cell
    with pytest.raises(InvalidInput) as refused:
        csv_rows.parse({"f.csv": (HEAD + ",".join(cells)).encode()}, Options())
    assert refused.value.mistakes[0].path.startswith("f.csv:2")
    with pytest.raises(InvalidInput):
        csv_rows.parse({"f.txt": b""}, Options())


@given(st.randoms(use_true_random=False), st.sampled_from([EXCEL, QUOTED, OWN]))
def test_damaged_files_are_refused_or_read(chance: random.Random, data: bytes) -> None:
    only_refused(csv_rows, {"f.csv": damaged(data, chance)}, Options())


def test_one_side_alone_comes_back() -> None:
    text = b"file_name,width,label,x,y,w,h\na.jpg,100,car,1,2,3,4\n"
    files, parsed, written = again(csv_rows, {"a.csv": text})
    assert files == {"a.csv": text}
    assert (codes(parsed), codes(written)) == ({}, {})


@pytest.mark.parametrize("name", ["=1+1", "@a", "＝1", "\t=1"])
def test_names_of_columns_run_nothing(name: str) -> None:
    text = f"file_name,label,x,y,w,h,{name}\na.jpg,car,1,2,3,4,x\n".encode()
    files, _, written = again(csv_rows, {"a.csv": text})
    assert codes(written) == {"cells-guarded": 1}
    head = files["a.csv"].decode().split("\n")[0]
    assert head.endswith(f",'{name}")
    assert again(csv_rows, files)[0] == files


@pytest.mark.parametrize("rows", ["a.jpg,,,,,\na.jpg,,,,,\n", "a.jpg,b,1,2,3,4\na.jpg,,,,,\n",
                                  "a.jpg,,,,,\na.jpg,b,1,2,3,4\n"])  # fmt: skip
def test_a_row_that_says_nothing_is_alone(rows: str) -> None:
    files = {"a.csv": b"file_name,label,x,y,w,h\n" + rows.encode()}
    with pytest.raises(InvalidInput) as refused:
        csv_rows.parse(files, Options())
    assert [mistake.path for mistake in refused.value.mistakes] == ["a.csv:3"]
