"""Pascal VOC: files of several tools come back byte for byte; where pixels count from."""

from __future__ import annotations

import random
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shapes import Box, Points, Polygon, RotatedBox, WholePicture
from app.domain.states import AnnotationState
from app.errors import InvalidInput
from app.formats import voc
from app.formats.dataset import ClassDef, Dataset, Item, Options, Picture
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

VOC2007 = """<annotation>
\t<folder>VOC2007</folder>
\t<filename>000001.jpg</filename>
\t<source>
\t\t<database>The VOC2007 Database</database>
\t\t<annotation>PASCAL VOC2007</annotation>
\t\t<image>flickr</image>
\t\t<flickrid>341012865</flickrid>
\t</source>
\t<owner>
\t\t<flickrid>Fried Camels</flickrid>
\t\t<name>Jinky the Fruit Bat</name>
\t</owner>
\t<size>
\t\t<width>353</width>
\t\t<height>500</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>dog</name>
\t\t<pose>Left</pose>
\t\t<truncated>1</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>48</xmin>
\t\t\t<ymin>240</ymin>
\t\t\t<xmax>195</xmax>
\t\t\t<ymax>371</ymax>
\t\t</bndbox>
\t\t<part>
\t\t\t<name>head</name>
\t\t\t<bndbox>
\t\t\t\t<xmin>50</xmin>
\t\t\t\t<ymin>241</ymin>
\t\t\t\t<xmax>60</xmax>
\t\t\t\t<ymax>251</ymax>
\t\t\t</bndbox>
\t\t</part>
\t</object>
</annotation>
"""
LABELIMG = """<annotation verified="yes">
\t<folder>pics</folder>
\t<filename>a &amp; b.png</filename>
\t<path>C:\\Users\\me\\pics\\a &amp; b.png</path>
\t<source>
\t\t<database>Unknown</database>
\t</source>
\t<size>
\t\t<width>100</width>
\t\t<height>80</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>cat</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>1</difficult>
\t\t<bndbox>
\t\t\t<xmin>1</xmin>
\t\t\t<ymin>20</ymin>
\t\t\t<xmax>100</xmax>
\t\t\t<ymax>60</ymax>
\t\t</bndbox>
\t</object>
</annotation>
"""
ROBOFLOW = """<annotation>
\t<folder></folder>
\t<filename>x_jpg.rf.0a.jpg</filename>
\t<path>x_jpg.rf.0a.jpg</path>
\t<source>
\t\t<database>roboflow.com</database>
\t</source>
\t<size>
\t\t<width>416</width>
\t\t<height>400</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>helmet</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>0</difficult>
\t\t<occluded>1</occluded>
\t\t<bndbox>
\t\t\t<xmin>179</xmin>
\t\t\t<xmax>231</xmax>
\t\t\t<ymin>85</ymin>
\t\t\t<ymax>144</ymax>
\t\t</bndbox>
\t\t<polygon>
\t\t\t<x1>179</x1>
\t\t\t<y1>85</y1>
\t\t\t<x2>231</x2>
\t\t\t<y2>85.5</y2>
\t\t\t<x3>200</x3>
\t\t\t<y3>144</y3>
\t\t</polygon>
\t</object>
</annotation>
"""
CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotation>
  <folder/>
  <filename>a.jpg</filename>
  <source>
    <database>Unknown</database>
    <annotation>Unknown</annotation>
    <image>Unknown</image>
  </source>
  <size>
    <width>50</width>
    <height>40</height>
    <depth/>
  </size>
  <segmented>0</segmented>
  <object>
    <name>car</name>
    <truncated>0</truncated>
    <occluded>0</occluded>
    <difficult>0</difficult>
    <bndbox>
      <xmin>10.25</xmin>
      <ymin>0.0</ymin>
      <xmax>30.5</xmax>
      <ymax>40.0</ymax>
    </bndbox>
    <attributes>
      <attribute>
        <name>colour</name>
        <value>red</value>
      </attribute>
    </attributes>
  </object>
</annotation>"""
ONE_LINE = (
    "<annotation><filename>o.jpg</filename><size><width>9</width><height>9</height></size>"
    "<object><type>robndbox</type><name>ship</name><robndbox><cx>5</cx><cy>4</cy><w>4</w>"
    '<h>2</h><angle>0.5</angle></robndbox></object><extra a="1"></extra></annotation>'
)
NAMELESS = "<annotation>\n\t<filename/>\n\t<segmented>0</segmented>\n</annotation>\n"
EMPTY = "<annotation>\r\n  <filename>e.jpg</filename>\r\n  <size />\r\n</annotation>\r\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (VOC2007, {"shape-kept": 1}), (LABELIMG, {}), (ROBOFLOW, {}), (CVAT, {}),
        (ONE_LINE, {"origin-guessed": 1}), (EMPTY, {"origin-guessed": 1}),
        (NAMELESS, {"origin-guessed": 1}),
    ],
    ids=["voc", "labelimg", "roboflow", "cvat", "one-line", "empty", "nameless"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["Annotations/a.xml", "train/b.xml"])
def test_files_of_tools_come_back(text: str, path: str, expected: dict[str, int]) -> None:
    found, parsed, written = again(voc, {path: text.encode()})
    assert codes(parsed) | {"origin-guessed": 1} == expected | {"origin-guessed": 1}
    assert codes(written) == {}
    assert found == {path: text.encode()}


def one(text: str, origin: int | None = None) -> Item:
    (picture,) = voc.parse({"a.xml": text.encode()}, Options(origin=origin)).dataset.pictures
    return picture.items[0]


def test_what_they_say() -> None:
    dog = one(VOC2007)
    assert (dog.label, dog.shape) == ("dog", Box(47, 239, 148, 132))
    assert dog.attributes == {"pose": "Left", "truncated": True}
    cat = one(LABELIMG)
    assert (cat.shape, cat.attributes) == (Box(1, 20, 99, 40), {"difficult": True})
    assert one(ROBOFLOW).shape == Polygon(((178, 84), (230, 84.5), (199, 143)))
    assert one(CVAT).shape == Box(10.25, 0, 20.25, 40)
    assert one(ONE_LINE).shape == RotatedBox(3, 3, 4, 2, 28.64788975654116)
    parsed = voc.parse({"valid/e.xml": EMPTY.encode()}, Options(sizes={"e.jpg": (7, 8)}))
    (picture,) = parsed.dataset.pictures
    assert (picture.state, picture.split, picture.width) == (AnnotationState.DONE, "val", 7)


def sheet(xmin: object, xmax: object, database: str = "x", path: str = "") -> bytes:
    return (
        f"<annotation><filename>p{xmin}.jpg</filename>{path}<source><database>{database}"
        "</database></source><size><width>100</width><height>90</height></size><object><name>a"
        f"</name><bndbox><xmin>{xmin}</xmin><ymin>5</ymin><xmax>{xmax}</xmax><ymax>9</ymax>"
        "</bndbox></object></annotation>"
    ).encode()


@pytest.mark.parametrize(
    ("files", "origin", "is_guessed"),
    [
        ([sheet(0, 9), sheet(3, 100)], 0, False),
        ([sheet("2.5", 9)], 0, False),
        ([sheet(0, 9, "The VOC2012 Database")], 0, False),
        ([sheet(1, 9, "The VOC2012 Database")], 1, False),
        ([sheet(1, 100, "Unknown", "<path>p</path>")], 0, False),
        ([sheet(1, 9), sheet(3, 100)], 1, False),
        ([sheet(1, 9)], 1, True),
    ],
)
def test_where_pixels_count_from(files: list[bytes], origin: int, is_guessed: bool) -> None:
    told = {f"{n}.xml": data for n, data in enumerate(files)}
    parsed = voc.parse(told, Options())
    assert parsed.dataset.extra["form"]["origin"] == origin  # type: ignore[index]
    assert codes(parsed) == ({"origin-guessed": 1} if is_guessed else {})
    for wanted in (0, 1):
        found = voc.parse(told, Options(origin=wanted))
        box = found.dataset.pictures[0].items[0].shape.bounds
        assert box.y == 5 - wanted
        assert box.y + box.h == 9


def test_edits_leave_the_rest_alone() -> None:
    dataset = voc.parse({"Annotations/a.xml": VOC2007.encode()}, Options()).dataset
    (picture,) = dataset.pictures
    (dog,) = picture.items
    edited = replace(dog, label="hound", shape=Box(0.5, 2, 10, 20), attributes={"n": 1})
    new = Item("cat", Box(0, 0, 1, 1), {"occluded": True})
    now = replace(picture, items=(edited, new), file_name="new.jpg", width=300)
    classes = (ClassDef("cat"), ClassDef("hound"))
    written = voc.write(replace(dataset, classes=classes, pictures=(now,)), Options())
    assert codes(written) == {"attributes": 1}
    assert written.places == ("JPEGImages/new.jpg",)
    (text,) = (data.decode() for data in files_of(written).values())
    expected = VOC2007
    for was, is_now in [
        ("<filename>000001.jpg", "<filename>new.jpg"), ("<width>353", "<width>300"),
        ("<name>dog", "<name>hound"), ("<pose>Left", "<pose>Unspecified"),
        ("<truncated>1", "<truncated>0"), ("<xmin>48", "<xmin>1.5"), ("<ymin>240", "<ymin>3"),
        ("<xmax>195", "<xmax>10.5"), ("<ymax>371", "<ymax>22"),
    ]:  # fmt: skip
        expected = expected.replace(was, is_now)
    assert text.startswith(expected.removesuffix("</annotation>\n"))
    objects = ET.fromstring(text).findall("object")
    assert [o.findtext("name") for o in objects] == ["hound", "cat"]
    assert [o.findtext("occluded") for o in objects] == [None, "1"]
    gone = files_of(
        voc.write(replace(dataset, pictures=(replace(picture, items=()),)), Options())
    )
    assert gone == {}


def test_other_attributes_stay_while_nobody_changes_them() -> None:
    dataset = voc.parse({"a.xml": CVAT.encode()}, Options()).dataset
    (picture,) = dataset.pictures
    moved = replace(picture, items=(replace(picture.items[0], shape=Box(0, 0, 1, 2)),))
    (data,) = files_of(voc.write(replace(dataset, pictures=(moved,)), Options())).values()
    found = ET.fromstring(data).find("object")
    assert found is not None
    assert found.findtext("attributes/attribute/value") == "red"
    assert [side.text for side in found.find("bndbox") or ()] == ["0", "0", "1", "2"]


FLAGS = st.fixed_dictionaries(
    {},
    optional={
        "pose": st.sampled_from(["Left", "a<b&c"]),
        **dict.fromkeys(("truncated", "difficult", "occluded"), st.just(True)),
    },
)


@given(data_sets(BOXES | POLYGONS, attributes=False), st.sampled_from([None, 0, 1]), st.data())
def test_what_is_written_is_read_again(
    dataset: Dataset, origin: int | None, data: st.DataObject
) -> None:
    def looked_at(picture: Picture) -> Picture:
        items = tuple(replace(i, attributes=data.draw(FLAGS)) for i in picture.items)
        return replace(picture, items=items, state=None if items else AnnotationState.DONE)

    shown = replace(dataset, pictures=tuple(map(looked_at, dataset.pictures)))
    written = voc.write(shown, Options(origin=origin))
    files = files_of(written)
    assert set(codes(written)) <= {"unused-classes", "shape"}
    if not files or "shape" in codes(written):
        return
    parsed = voc.parse(files, Options())
    assert set(codes(parsed)) <= {"out-of-picture"}
    assert bare(parsed.dataset).pictures == bare(shown).pictures


def test_what_cannot_be_held_is_told() -> None:
    shapes = (Points(((1, 1),)), WholePicture(), RotatedBox(4, 4, 4, 2, 90),
              Polygon(((0, 0), (8, 0), (8, 4))))  # fmt: skip
    items = tuple(Item("a", shape, {"pose": 1}) for shape in shapes)
    pictures = (Picture("p.jpg", 16, 8, items), Picture("p.png", split="x"),
                Picture("q.png", state=AnnotationState.SKIPPED))  # fmt: skip
    classes = (ClassDef("a", "#ff0000"), ClassDef("b"))
    written = voc.write(Dataset(classes, pictures), Options())
    assert codes(written) == {
        "shape": 1, "whole-picture": 1, "rotation": 1, "attributes": 2, "class-details": 1,
        "unused-classes": 1, "names-changed": 1, "split": 1, "state": 1,
    }  # fmt: skip
    assert written.places == ("JPEGImages/p.jpg", "JPEGImages/p_2.png", "JPEGImages/q.png")
    assert list(files_of(written)) == ["Annotations/p.xml"]


def test_splits_are_lists_of_names() -> None:
    pictures = tuple(
        Picture(f"{n}.jpg", 9, 9, (Item("a", Box(1, 1, 2, 2)),), split=split)
        for n, split in enumerate(["train", "val", "train", None])
    )
    files = files_of(voc.write(Dataset((ClassDef("a"),), pictures), Options()))
    assert files["ImageSets/Main/train.txt"] == b"0\n2\n"
    files["ImageSets/Main/train.txt"] = b"2\r\n0\r\n"
    found, parsed, _ = again(voc, files)
    assert [p.split for p in parsed.dataset.pictures] == ["train", "val", "train", None]
    assert found == files


def test_files_are_matched_by_name() -> None:
    def told(name: str, folder: str = "") -> bytes:
        return sheet(0, 9).replace(b"p0.jpg", name.encode()).replace(b"9<", b"9<")

    files = {
        "Annotations/a.xml": told("image.jpg"), "Annotations/b.xml": told("image.jpg"),
        "Annotations/c.xml": told("data\\c.jpg"), "Annotations/d.xml": told(""),
        "Annotations/e.xml": told("gone.jpg"),
    }  # fmt: skip
    sizes = {f"x/{name}": (90, 100) for name in ("b.jpg", "a.png", "c.jpg", "d.jpg")}
    found, parsed, _ = again(voc, files, Options(sizes=sizes))
    names = [p.file_name for p in parsed.dataset.pictures]
    assert names == ["x/a.png", "x/b.jpg", "x/c.jpg", "x/d.jpg", "gone.jpg"]
    assert codes(parsed) == {"backslashes": 1, "duplicate-names": 2, "size-swapped": 4}
    assert found["Annotations/c.xml"] == files["Annotations/c.xml"]


@pytest.mark.parametrize(
    ("was", "now", "line"),
    [
        ("<xmin>48", "<xmin>nan", 26), ("<xmin>48", "<xmin>", 26),
        ("<xmin>48", "<xmin>1e999", 26), ("<xmin>48</xmin>", "", 25),
        ("<name>dog", "<name>", 20), ("<width>353", "<width>x", 15),
        ("<xmin>48", "<xmin>300", 20), ("000001", "../../1", 1), ("<size>", "<size", 15),
    ],
)  # fmt: skip
def test_mistakes_have_lines(was: str, now: str, line: int) -> None:
    assert was in VOC2007
    with pytest.raises(InvalidInput) as refused:
        voc.parse({"a.xml": VOC2007.replace(was, now, 1).encode()}, Options())
    assert refused.value.mistakes[0].path == f"a.xml:{line}"


@pytest.mark.parametrize(
    "text",
    ["", "<a/>", '<!DOCTYPE a [<!ENTITY x "y">]><annotation>&x;</annotation>',
     '<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "<a>" * 100_000, "\ufffe",
     "<annotation><object><name>a</name></object></annotation>"],
)  # fmt: skip
def test_what_is_no_voc(text: str) -> None:
    with pytest.raises(InvalidInput):
        voc.parse({"a.xml": text.encode("utf-8", "surrogatepass")}, Options())
    with pytest.raises(InvalidInput):
        voc.parse({"a.txt": b""}, Options())


@given(st.randoms(use_true_random=False), st.sampled_from([VOC2007, ROBOFLOW, CVAT, ONE_LINE]))
def test_damaged_files_are_refused_or_read(chance: random.Random, text: str) -> None:
    only_refused(voc, {"a.xml": damaged(text.encode(), chance)}, Options())


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("<width>353</width>", "<width>353.25</width>"),
        ("<ymin>240</ymin>", "<ymin>240</ymin>\n\t\t\t<xmin>48</xmin>"),
    ],
)
def test_what_is_written_twice_or_with_fractions_comes_back(was: str, now: str) -> None:
    assert was in VOC2007
    text = VOC2007.replace(was, now, 1).encode()
    files, _, written = again(voc, {"a.xml": text})
    assert files["a.xml"] == text
    assert codes(written) == {}
