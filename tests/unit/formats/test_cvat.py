"""CVAT for images 1.1: what is read, and that it comes back as it was, byte for byte."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shapes import Box, Points, Polygon, RotatedBox, WholePicture
from app.domain.states import AnnotationState
from app.errors import InvalidInput
from app.formats import cvat
from app.formats.dataset import ClassDef, Dataset, Item, Options, Parsed, Picture
from app.formats.losses import Ledger, LossCode
from app.formats.xml_text import Element, read_xml
from tests.fixtures import data_sets as sets

TASK = """\
<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <id>4</id>
      <name>Streets &amp; squares</name>
      <size>3</size>
      <mode>annotation</mode>
      <overlap>0</overlap>
      <bugtracker></bugtracker>
      <created>2024-09-25 11:34:24.617558+00:00</created>
      <subset>default</subset>
      <labels>
        <label>
          <name>car</name>
          <color>#FA3253</color>
          <type>any</type>
          <attributes>
            <attribute>
              <name>parked</name>
              <mutable>False</mutable>
              <input_type>checkbox</input_type>
              <default_value>false</default_value>
              <values>false</values>
            </attribute>
            <attribute>
              <name>doors</name>
              <mutable>False</mutable>
              <input_type>number</input_type>
              <default_value>4</default_value>
              <values>1
6
1</values>
            </attribute>
            <attribute>
              <name>make</name>
              <mutable>True</mutable>
              <input_type>select</input_type>
              <default_value>other</default_value>
              <values>other
VW
Škoda</values>
            </attribute>
          </attributes>
        </label>
        <label>
          <name>s1</name>
          <color>#33ddff</color>
          <type>skeleton</type>
          <attributes>
          </attributes>
          <svg>&lt;line x1="36.8"&gt;&lt;/line&gt;</svg>
        </label>
        <label>
          <name>1</name>
          <color>#d12345</color>
          <type>points</type>
          <attributes>
          </attributes>
          <parent>s1</parent>
        </label>
        <label>
          <name>lane</name>
          <color>#24b353</color>
          <type>polyline</type>
          <attributes>
          </attributes>
        </label>
      </labels>
      <segments>
        <segment>
          <id>4</id>
          <start>0</start>
          <stop>2</stop>
          <url>http://localhost:8080/api/jobs/4</url>
        </segment>
      </segments>
      <owner>
        <username>admin</username>
        <email></email>
      </owner>
      <assignee></assignee>
    </task>
    <dumped>2024-09-25 11:38:28.799808+00:00</dumped>
  </meta>
  <image id="0" name="a/one.jpg" width="1600" height="1200">
    <box label="car" source="manual" occluded="1" xtl="797.33" ytl="870.92" xbr="965.50" ybr="928.94" z_order="4">
      <attribute name="parked">true</attribute>
      <attribute name="doors">4</attribute>
      <attribute name="make">Škoda</attribute>
    </box>
    <box label="car" source="semi-auto" occluded="0" xtl="100.00" ytl="220.00" xbr="300.00" ybr="280.00" rotation="329.50" z_order="0" group_id="2">
      <attribute name="parked">false</attribute>
    </box>
    <cuboid label="car" source="manual" occluded="0" xtl1="1.00" ytl1="2.00" xbl1="1.00" ybl1="4.00" z_order="0">
    </cuboid>
    <polygon label="car" source="manual" occluded="0" points="561.30,916.23;561.30,842.77;554.72,761.63" z_order="1">
    </polygon>
    <polyline label="lane" source="manual" occluded="0" points="462.10,0.00;126.80,1200.00" z_order="3">
    </polyline>
    <points label="wheel" source="manual" occluded="0" points="574.90,939.48;1170.16,907.90" z_order="5">
    </points>
    <skeleton label="s1" source="manual" z_order="0">
      <points label="1" source="manual" occluded="0" outside="0" points="54.47,94.81">
      </points>
    </skeleton>
    <mask label="car" source="manual" occluded="0" rle="3, 5, 7, 7, 5" left="707" top="888" width="9" height="3" z_order="0">
    </mask>
    <tag label="good_frame" source="manual">
    </tag>
  </image>
  <image id="1" name="b\\two.jpg" subset="Validation" task_id="12" width="640" height="480">
  </image>
  <image id="2" name="three.jpg" width="640" height="480">
    <box label="car" source="manual" occluded="0" xtl="5.00" ytl="5.00" xbr="5.00" ybr="9.00" z_order="0">
    </box>
  </image>
</annotations>
"""  # noqa: E501
OTHER = """\
<?xml version='1.0' encoding='utf-8'?>
<annotations><version>1.1</version>
<image id="7" name="x.png" width="10" height="10"><box xbr="4" ybr="4.5" xtl="1" ytl="2" label=" dog" occluded="0"/><tag label="wet"><attribute name="sure">0.5</attribute></tag></image>
</annotations>"""  # noqa: E501


def parse(text: str = TASK) -> Parsed:
    return cvat.parse({"annotations.xml": text.encode()}, Options())


def rewritten(dataset: Dataset) -> str:
    (data,) = sets.files_of(cvat.write(dataset, Options())).values()
    return data.decode()


def line_of(text: str) -> int:
    return 1 + TASK[: TASK.index(text)].count("\n")


def tree(text: str) -> object:
    """Elements without the space between them."""

    def plain(found: Element) -> list[object]:
        children = [plain(child) for child in found.children]
        return [found.tag, found.attributes, found.text.strip(), children]

    return plain(read_xml(text.encode(), "f.xml", Ledger()))


def test_a_task_comes_back_byte_for_byte() -> None:
    parsed = parse()
    written = cvat.write(parsed.dataset, Options())
    assert written.losses == ()
    assert written.places == ("images/a/one.jpg", "images/b/two.jpg", "images/three.jpg")
    assert sets.files_of(written) == {"annotations.xml": TASK.encode()}
    assert {loss.code: loss.place for loss in parsed.losses} == {
        LossCode.SHAPE_KEPT: f"annotations.xml:{line_of('<cuboid')}",
        LossCode.LINE: f"annotations.xml:{line_of('<polyline')}",
        LossCode.MASK: f"annotations.xml:{line_of('<mask')}",
        LossCode.BACKSLASHES: f"annotations.xml:{line_of('two.jpg')}",
    }


def test_what_a_task_says() -> None:
    dataset = parse().dataset
    car, lane, wheel, frame = dataset.classes
    assert [c.name for c in dataset.classes] == ["car", "lane", "wheel", "good_frame"]
    assert (car.colour, lane.colour, wheel.colour) == ("#fa3253", "#24b353", None)
    assert [(a["name"], a["kind"], a["default"]) for a in car.attributes] == [
        ("parked", "checkbox", False), ("doors", "number", 4), ("make", "select", "other"),
    ]  # fmt: skip
    assert frame.attributes == ()
    one, two, three = dataset.pictures
    assert (one.file_name, one.width, one.height, one.foreign_id) == (
        "a/one.jpg",
        1600,
        1200,
        0,
    )
    assert (two.file_name, two.split) == ("b/two.jpg", "val")
    assert three.items == ()
    assert [(item.label, item.shape) for item in one.items] == [
        ("car", Box(797.33, 870.92, 168.17, 58.02)),
        ("car", RotatedBox(100, 220, 200, 60, -30.5)),
        ("car", Polygon(((561.3, 916.23), (561.3, 842.77), (554.72, 761.63)))),
        ("lane", Points(((462.1, 0), (126.8, 1200)))),
        ("wheel", Points(((574.9, 939.48), (1170.16, 907.9)))),
        ("car", Box(707, 888, 9, 3)),
        ("good_frame", WholePicture()),
    ]
    assert one.items[0].attributes == {
        "occluded": True, "parked": True, "doors": 4, "make": "Škoda",
    }  # fmt: skip
    assert one.items[1].attributes == {"group_id": 2, "parked": False}


def test_what_another_tool_wrote_comes_back_as_the_same_tree() -> None:
    dataset = parse(OTHER).dataset
    box, tag = dataset.pictures[0].items
    assert (box.label, box.shape) == ("dog", Box(1, 2, 3, 2.5))
    assert tag.attributes == {"sure": "0.5"}
    assert tree(rewritten(dataset)) == tree(OTHER)


def changed_lines(dataset: Dataset) -> list[tuple[str, str]]:
    pairs = zip(TASK.split("\n"), rewritten(dataset).split("\n"), strict=True)
    return [(was.strip(), now.strip()) for was, now in pairs if was != now]


def test_a_moved_box_changes_its_line_alone() -> None:
    dataset = sets.edited(parse().dataset, 0, 1, shape=RotatedBox(0.1, 0.2, 0.2, 1e-7, 12.25))
    ((_, line),) = changed_lines(dataset)
    assert line == (
        '<box label="car" source="semi-auto" occluded="0" xtl="0.1" ytl="0.2" xbr="0.3"'
        ' ybr="0.2000001" rotation="12.25" z_order="0" group_id="2">'
    )


@pytest.mark.parametrize(
    ("told", "angle"),
    [
        ("179.99999999999997", 179.99999999999997),
        ("-180.00000000000003", 179.99999999999997),
        ("180", -180.0),
        ("540.5", -179.5),
        ("-1e-300", -1e-300),
        ("179.99999999999999999", -180.0),
        ("1e300", -80.0),
    ],
)
def test_an_angle_keeps_every_digit(told: str, angle: float) -> None:
    found = parse(TASK.replace("329.50", told)).dataset.pictures[0].items[1].shape
    assert isinstance(found, RotatedBox)
    assert repr(found.angle) == repr(angle)


def test_edited_attributes_leave_the_numbers_alone() -> None:
    change = {"attributes": {"parked": False, "doors": 4, "make": "Škoda"}}
    lines = changed_lines(sets.edited(parse().dataset, 0, 0, **change))
    assert [now for _, now in lines] == [
        (
            '<box label="car" source="manual" occluded="0" xtl="797.33" ytl="870.92"'
            ' xbr="965.50" ybr="928.94" z_order="4">'
        ),
        '<attribute name="parked">false</attribute>',
    ]


def test_a_mask_that_was_moved_becomes_a_box() -> None:
    ((_, line),) = [
        pair
        for pair in changed_lines(sets.edited(parse().dataset, 0, 5, shape=Box(1, 2, 3, 4)))
        if pair[1] != "</box>"
    ]
    assert line == (
        '<box label="car" source="manual" occluded="0" z_order="0" xtl="1" ytl="2" xbr="4"'
        ' ybr="6">'
    )


def test_a_renamed_class_keeps_its_definitions() -> None:
    dataset = parse().dataset
    car, *rest = dataset.classes
    one, two, three = dataset.pictures
    items = tuple(
        replace(item, label="auto") if item.label == "car" else item for item in one.items
    )
    renamed = replace(
        dataset,
        classes=(replace(car, name="auto", colour="#000001"), *rest),
        pictures=(replace(one, items=items), two, three),
    )
    wanted = TASK.replace('<box label="car"', '<box label="auto"', 2)
    for tag in ("polygon", "mask"):
        wanted = wanted.replace(f'<{tag} label="car"', f'<{tag} label="auto"')
    wanted = wanted.replace("<name>car<", "<name>auto<").replace("#FA3253", "#000001")
    assert rewritten(renamed) == wanted


def test_a_new_attribute_is_defined_where_text_would_not_do() -> None:
    change = {"attributes": {"doors": 2, "wet": True, "owner": "me", "list": [1]}}
    dataset = sets.edited(parse().dataset, 0, 0, **change)
    written = cvat.write(dataset, Options())
    assert [loss.code for loss in written.losses] == [LossCode.ATTRIBUTES]
    found = cvat.parse(sets.files_of(written), Options()).dataset
    assert found.pictures[0].items[0].attributes == {"doors": 2, "wet": True, "owner": "me"}
    assert [a["name"] for a in found.classes[0].attributes] == [
        "parked",
        "doors",
        "make",
        "wet",
    ]


def test_values_of_several_types_become_text_and_are_told() -> None:
    items = tuple(Item("a", Box(0, 0, 1, 1), {"x": value}) for value in (True, 2, "c"))
    dataset = Dataset((ClassDef("a"),), (Picture("a.jpg", 3, 3, items),))
    written = cvat.write(dataset, Options())
    assert [(loss.code, loss.count) for loss in written.losses] == [
        (LossCode.ATTRIBUTES_AS_TEXT, 2)
    ]
    found = cvat.parse(sets.files_of(written), Options()).dataset.pictures[0].items
    assert [item.attributes for item in found] == [{"x": "true"}, {"x": "2"}, {"x": "c"}]


def test_several_files_and_tracks() -> None:
    video = "<annotations><track id='0' label='car'><box frame='0'/></track></annotations>"
    files = {"one.xml": TASK.encode(), "two.xml": OTHER.encode(), "v.XML": video.encode()}
    parsed = cvat.parse(files, Options())
    assert {loss.code for loss in parsed.losses} >= {LossCode.RECORDS_KEPT}
    written = sets.files_of(cvat.write(parsed.dataset, Options()))
    assert [*written] == [*files]
    assert written["one.xml"] == TASK.encode()
    for name in ("two.xml", "v.XML"):
        assert tree(written[name].decode()) == tree(files[name].decode())


def test_what_cannot_be_written_is_told() -> None:
    definition = {"name": "x", "kind": "text", "required": True}
    known = ClassDef("a", "#ff0000", attributes=(definition,))
    picture = Picture("a.jpg", 1, 1, (), AnnotationState.DONE)
    written = cvat.write(Dataset((known,), (picture,)), Options())
    assert {loss.code for loss in written.losses} == {LossCode.STATE, LossCode.CLASS_DETAILS}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<annotations>", "<annotation>"),
        ("<annotations>", "<!DOCTYPE a>\n<annotations>"),
        ('name="a/one.jpg"', 'name="../one.jpg"'),
        ('name="three.jpg"', 'name="a/one.jpg"'),
        ('name="three.jpg"', ""),
        ('width="1600"', 'width="-1"'),
        ('width="1600"', 'width="1e3"'),
        ('xtl="797.33"', 'xtl="nan"'),
        ('xtl="797.33"', 'xtl="1e999"'),
        ('xtl="797.33"', 'xtl="1797.33"'),
        ('xtl="797.33"', ""),
        ('label="car" source="manual" occluded="1"', ""),
        ('rotation="329.50"', 'rotation="x"'),
        ('group_id="2"', 'group_id="x"'),
        ("561.30,916.23;561.30,842.77;", ""),
        ("561.30,916.23", "561.30"),
        ("561.30,916.23", "561.30,916.23,1"),
        ("561.30,916.23", "1,1;" * 10_000 + "1,1"),
        ("<name>lane</name>", "<name></name>"),
    ],
)
def test_what_is_refused(old: str, new: str) -> None:
    line = line_of("<label>\n          <name>lane" if "lane" in old else old)
    text = TASK.replace(old, new, 1)
    if new == "<annotation>":
        text = text.replace("</annotations>", "</annotation>")
    with pytest.raises(InvalidInput) as refused:
        parse(text)
    assert refused.value.mistakes[0].path == f"annotations.xml:{line}"


PLAIN = st.dictionaries(
    st.sampled_from(("occluded", "group_id", "age", "note")),
    st.booleans() | st.integers(-99, 99) | st.floats(-1e9, 1e9) | sets.TEXTS,
    max_size=3,
)
SHAPES = st.one_of(sets.BOXES, sets.TURNED, sets.POLYGONS, sets.POINT_SETS, sets.WHOLE)
SPLITS = (None, "train", "val", "test", "fold 3")


@given(sets.data_sets(SHAPES, attributes=PLAIN, splits=SPLITS))
def test_what_was_written_is_read_exactly(dataset: Dataset) -> None:
    written = cvat.write(dataset, Options())
    losses = {loss.code for loss in written.losses}
    assert losses <= {LossCode.ATTRIBUTES_AS_TEXT, LossCode.CHARACTERS}
    files = sets.files_of(written)
    parsed = cvat.parse(files, Options())
    assert {loss.code for loss in parsed.losses} <= {LossCode.OUT_OF_PICTURE}
    found = sets.bare(parsed.dataset)
    found = replace(found, classes=tuple(replace(c, attributes=()) for c in found.classes))
    if losses:
        found, dataset = _without_attributes(found), _without_attributes(dataset)
    assert found == dataset
    assert sets.files_of(cvat.write(parsed.dataset, Options())) == files


def ranged(low: float, more: float, step: float | None) -> dict[str, object]:
    return {"kind": "number", "min": low, "max": low + more, "step": step}


OPTIONS = st.lists(st.sampled_from(("a", "b c", "ü")), min_size=1, unique=True)
TYPES = st.lists(
    st.one_of(
        st.builds(lambda options: {"kind": "select", "options": options}, OPTIONS),
        st.builds(ranged, st.floats(-99, 99), st.floats(0, 9), st.none() | st.floats(0.1, 2)),
        st.just({"kind": "text", "default": "b\nc"}),
        st.just({"kind": "checkbox", "default": True}),
    ),
    max_size=4,
)


@given(TYPES, st.none() | st.just("#0a0b0c"))
def test_definitions_come_back(types: list[dict[str, object]], colour: str | None) -> None:
    told = tuple({"name": f"n{n}", **each} for n, each in enumerate(types))
    dataset = Dataset((ClassDef("a", colour, attributes=told),), ())
    (found,) = cvat.parse({"a.xml": rewritten(dataset).encode()}, Options()).dataset.classes
    assert found.colour == colour
    for wanted, each in zip(told, found.attributes, strict=True):
        assert wanted.items() <= dict(each).items()


def _without_attributes(dataset: Dataset) -> Dataset:
    pictures = tuple(
        replace(p, items=tuple(replace(i, attributes={}) for i in p.items))
        for p in dataset.pictures
    )
    return replace(dataset, pictures=pictures)


def test_text_in_a_shape_is_told() -> None:
    image = '<image name="a.jpg"><tag label="a">who?</tag></image>'
    parsed = cvat.parse({"a.xml": f"<annotations>{image}</annotations>".encode()}, Options())
    (loss,) = parsed.losses
    assert (loss.code, loss.place) == (LossCode.TEXT_BESIDE, "a.xml:1")
