"""Each format through the service: exported, deleted and imported again it is the same set;
imported and exported again it is the same document."""

from __future__ import annotations

import json
from typing import Any
from xml.etree.ElementTree import canonicalize  # of files of our own

import pytest

from app.services.exchange.catalogue import formats
from app.services.exchange.manifest import MANIFEST
from tests.fixtures.exchange import ExchangeRoom, coloured, pack
from tests.fixtures.installation import Installation

BOX = {"x": 1.0, "y": 2.0, "w": 30.0, "h": 20.0}
DRAWN: dict[str, list[dict[str, Any]]] = {
    "boxes": [{"label": "cat", "box": BOX}, {"label": "a dog", "box": BOX | {"x": 3.0}}],
    "outlines": [
        {
            "label": "cat",
            "shape": {"type": "polygon", "points": [[1, 1], [20, 2], [18.5, 30], [2, 25]]},
        }
    ],
    "turned": [{"label": "cat", "shape": {"type": "rotated", **BOX, "angle": 30.0}}],
    "attributes": [{"label": "cat", "box": BOX, "attributes": {"age": 3, "wild": True}}],
    "whole": [{"label": "night", "shape": {"type": "image"}}],
}
HOLDS = {
    "coco": {"boxes", "outlines", "attributes"},
    "yolo": {"boxes"},
    "voc": {"boxes"},
    "labelme": {"boxes", "outlines", "turned", "attributes", "whole"},
    "labelstudio": {"boxes", "outlines", "turned", "whole"},
    "cvat": {"boxes", "outlines", "turned", "attributes", "whole"},
    "csv": {"boxes", "outlines", "turned", "attributes", "whole"},
}
"""What each format holds without a loss."""
NAMES = ("a.png", "b.png")


@pytest.fixture
def room(site: Installation) -> ExchangeRoom:
    return ExchangeRoom(site, NAMES)


def near(boxes: dict[str, list[Any]]) -> Any:
    """With the numbers of float64, give or take what writing as text may cost."""
    return json.loads(
        json.dumps(boxes, default=numbers),
        parse_float=lambda text: round(float(text), 6),
        parse_int=lambda text: round(float(text), 6),
    )


def numbers(shape: Any) -> Any:
    points = getattr(shape, "points", None)
    told = {side: getattr(shape, side, None) for side in ("x", "y", "w", "h", "angle")}
    return [shape.kind, [list(map(float, p)) for p in points] if points else told]


@pytest.mark.parametrize("name", list(formats()))
def test_exported_and_imported_it_is_the_same_set(room: ExchangeRoom, name: str) -> None:
    annotations = [each for what in sorted(HOLDS[name]) for each in DRAWN[what]]
    services = room.installation.services
    services.annotations.put(
        room.actor, room.images["a.png"], {"annotations": annotations}, "*"
    )
    services.annotations.put(
        room.actor, room.images["b.png"], {"annotations": annotations[:1]}, "*"
    )
    before = near(room.boxes())
    files = room.give(format=name)
    assert {coloured(0), coloured(1)} <= set(files.values()), "pictures bit for bit"
    room.clear()
    told = room.take(pack(files), format=name)
    assert told["stored"] == 0
    assert near(room.boxes()) == before
    again = room.take(pack(files), format=name)
    assert (again["added"], again["updated"], again["deleted"]) == (0, 0, 0)
    assert room.take(pack(files))["format"] == name, "found out by itself"


VOC = """<annotation>
\t<folder>JPEGImages</folder>
\t<filename>a.png</filename>
\t<source><database>Mine</database></source>
\t<size><width>64</width><height>48</height><depth>3</depth></size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>cat</name>
\t\t<pose>Left</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>1</difficult>
\t\t<bndbox><xmin>5</xmin><ymin>6</ymin><xmax>20</xmax><ymax>30</ymax></bndbox>
\t</object>
</annotation>
"""
LABELME = {
    "version": "5.4.1",
    "flags": {},
    "shapes": [
        {
            "label": "cat",
            "points": [[1.5, 2.5], [20.25, 30.0]],
            "group_id": None,
            "description": "",
            "shape_type": "rectangle",
            "flags": {},
        }
    ],
    "imagePath": "a.png",
    "imageData": None,
    "imageHeight": 48,
    "imageWidth": 64,
}
CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>7</id><name>t</name><labels><label><name>cat</name><color>#33ddff</color>\
<type>any</type><attributes></attributes></label></labels></task></meta>
  <image id="0" name="a.png" width="64" height="48">
    <box label="cat" source="manual" occluded="0" xtl="1.50" ytl="2.25" xbr="20.00" \
ybr="30.00" z_order="0">
    </box>
  </image>
</annotations>
"""
STUDIO = [
    {
        "id": 41,
        "data": {"image": "/data/upload/1/a.png"},
        "annotations": [
            {
                "id": 9,
                "completed_by": 1,
                "result": [
                    {
                        "id": "Dx_aB",
                        "type": "rectanglelabels",
                        "from_name": "label",
                        "to_name": "image",
                        "original_width": 64,
                        "original_height": 48,
                        "image_rotation": 0,
                        "value": {
                            "x": 12.5,
                            "y": 25,
                            "width": 50,
                            "height": 25,
                            "rotation": 0,
                            "rectanglelabels": ["cat"],
                        },
                    }
                ],
            }
        ],
    }
]
FILES: dict[str, dict[str, bytes]] = {
    "voc": {"Annotations/a.xml": VOC.encode()},
    "labelme": {"a.json": json.dumps(LABELME, indent=2).encode()},
    "cvat": {"annotations.xml": CVAT.encode()},
    "labelstudio": {"project.json": json.dumps(STUDIO).encode()},
    "yolo": {
        "data.yaml": b"path: .\ntrain: images/train\nval: images/val\n"
        b"names:\n  0: cat\n  1: dog\n",
        "labels/train/a.txt": b"1 0.5 0.5 0.25 0.125\n0 0.25 0.5 0.125 0.25\n",
        "images/train/a.png": coloured(0),
    },
    "csv": {"labels.csv": b"filename,width,height,class,xmin,ymin,xmax,ymax\n"
            b"a.png,64,48,cat,1,2,30,40\n"},
}  # fmt: skip


@pytest.mark.parametrize("name", [each for each in FILES if each in formats()])
def test_imported_and_exported_it_is_the_same_document(site: Installation, name: str) -> None:
    room = ExchangeRoom(site, ("a.png",))
    documents = {k: v for k, v in FILES[name].items() if not k.endswith(".png")}
    told = room.take(pack(FILES[name]), format=name)
    assert told["added"] >= 1
    files = room.give(format=name, images=False)
    files.pop(MANIFEST)
    for path, content in documents.items():
        assert path in files, sorted(files)
        if path.endswith("json"):
            assert json.loads(files[path]) == json.loads(content)
        elif path.endswith("xml"):
            told = [canonicalize(each, strip_text=True) for each in (files[path], content)]
            assert told[0] == told[1]
        else:
            assert files[path].decode() == content.decode()
