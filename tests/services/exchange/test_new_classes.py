"""What a file says of a class is what the new class has: colour, attributes, their types."""

from __future__ import annotations

from xml.etree.ElementTree import canonicalize  # of files of our own

import pytest

from app.domain.attribute_types import AttributeKind, AttributeType
from app.domain.labels import COLOURS, LabelClass
from app.services.labels import LabelEdit
from tests.fixtures.exchange import ExchangeRoom, pack
from tests.fixtures.installation import Installation

CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>7</id><name>t</name><labels>\
<label><name>car</name><color>#33ddff</color><type>any</type><attributes>\
<attribute><name>parked</name><mutable>True</mutable><input_type>checkbox</input_type>\
<default_value>false</default_value><values>false</values></attribute>\
<attribute><name>kind</name><mutable>False</mutable><input_type>select</input_type>\
<default_value>van</default_value><values>van
truck</values></attribute>\
<attribute><name>doors</name><mutable>False</mutable><input_type>number</input_type>\
<default_value>4</default_value><values>2
5
1</values></attribute></attributes></label>\
<label><name>bike</name><type>any</type><attributes></attributes></label>\
</labels></task></meta>
  <image id="0" name="a.png" width="64" height="48">
    <box label="car" source="manual" occluded="0" xtl="1.50" ytl="2.25" xbr="20.00" \
ybr="30.00" z_order="0">
      <attribute name="parked">true</attribute>
      <attribute name="kind">truck</attribute>
      <attribute name="doors">3</attribute>
    </box>
  </image>
</annotations>
"""
TYPES = (
    AttributeType("parked", AttributeKind.CHECKBOX, default=False),
    AttributeType("kind", AttributeKind.SELECT, default="van", options=("van", "truck")),
    AttributeType("doors", AttributeKind.NUMBER, default=4, minimum=2, maximum=5, step=1),
)


@pytest.fixture
def room(site: Installation) -> ExchangeRoom:
    return ExchangeRoom(site, names=("a.png",))


def labels(room: ExchangeRoom) -> dict[str, LabelClass]:
    found = room.installation.services.labels.list(room.actor, room.slug)
    return {label.name: label for label in found}


def test_colours_and_attributes_of_cvat(room: ExchangeRoom) -> None:
    room.take(CVAT.encode(), "annotations.xml")
    found = labels(room)
    assert (found["car"].colour, found["car"].attributes) == ("#33ddff", TYPES)
    assert found["bike"].attributes == ()
    assert found["bike"].colour in COLOURS
    given = room.give(format="cvat", images=False)["annotations.xml"]
    assert canonicalize(given, strip_text=True) == canonicalize(CVAT, strip_text=True)


def test_under_the_name_that_it_gets_here(room: ExchangeRoom) -> None:
    room.take(CVAT.encode(), "annotations.xml", classes={"car": "auto", "bike": "auto"})
    assert labels(room)["auto"].attributes == TYPES
    assert labels(room)["auto"].colour == "#33ddff"


def test_a_class_that_is_there_stays_as_it_is(room: ExchangeRoom) -> None:
    edit = LabelEdit(name="car", colour="#aa0022")
    room.installation.services.labels.create(room.actor, room.slug, edit)
    room.take(CVAT.encode(), "annotations.xml")
    assert (labels(room)["car"].colour, labels(room)["car"].attributes) == ("#aa0022", ())


def test_names_alone_get_colours_of_the_palette(room: ExchangeRoom) -> None:
    files = {
        "data.yaml": b"names: [cat, dog]\ntrain: images\n",
        "labels/a.txt": b"1 .5 .5 .25 .25\n",
    }
    room.take(pack(files), format="yolo")
    found = labels(room)
    assert [found[name].colour for name in ("cat", "dog")] == list(COLOURS[:2])
    assert [found[name].attributes for name in ("cat", "dog")] == [(), ()]
