"""An archive that we wrote ourselves, sent back with its manifest: nothing false is told of
it, and it changes nothing."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from app.formats.dataset import Task
from app.media.stripping import Policy
from app.services.exchange.options import Names, Splits
from tests.fixtures.exchange import ExchangeRoom, coco, coloured, pack
from tests.fixtures.installation import Installation

BOX = {"x": 1.0, "y": 2.0, "w": 30.0, "h": 20.0}
BOXES = [{"label": "cat", "box": BOX}, {"label": "dog", "box": BOX | {"x": 3.0}}]
WAYS: dict[str, dict[str, Any]] = {
    "coco": {"format": "coco"},
    "yolo": {"format": "yolo"},
    "obb": {"format": "yolo", "task": Task.OBB},
    "voc": {"format": "voc"},
    "voc from 0": {"format": "voc", "origin": 0},
    "voc from 1": {"format": "voc", "origin": 1},
    "labelme": {"format": "labelme"},
    "labelstudio": {"format": "labelstudio"},
    "cvat": {"format": "cvat"},
    "csv": {"format": "csv"},
}
LAYOUTS: dict[str, dict[str, Any]] = {
    "original": {},
    "parts": {"splits": Splits({"train": 50, "val": 50})},
    "labels alone": {"images": False},
}
FURTHER: dict[str, dict[str, Any]] = {
    "id": {"names": Names.ID},
    "numbered": {"names": Names.NUMBERED},
    "crops": {"crops": True},
}


def jpeg(colour: int = 0) -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010E] = "what nobody else shall read"
    Image.new("RGB", (64, 48), (colour, 90, 40)).save(out, "JPEG", exif=exif)
    return out.getvalue()


def drawn(site: Installation, *names: str) -> ExchangeRoom:
    """A collection with boxes in every picture but the last."""
    room = ExchangeRoom(site, ())
    for n, name in enumerate(names):
        image = room.add(name, coloured(n))
        room.images[f"{n}"] = room.images.pop(name)
        if n + 1 < len(names):
            room.installation.services.annotations.put(
                room.actor, image, {"annotations": BOXES}, "*"
            )
    return room


def unchanged(room: ExchangeRoom, files: dict[str, bytes], **options: Any) -> None:
    """Looked at, and taken in: nothing is told, nothing changes."""
    before = room.boxes()
    _, report = room.examine(pack(files), **options)
    assert report["mistakes"] == []
    assert {loss["code"]: loss["place"] for loss in report["losses"]} == {}
    assert report["matched"] == report["pictures"] > 0
    assert (report["to_store"], report["classes"]["new"]) == (0, [])
    result = room.take(pack(files), **options)
    kinds = ("pictures", "added", "updated", "deleted", "stored")
    assert [result[kind] for kind in kinds] == [0] * 5
    assert room.boxes() == before


@pytest.mark.parametrize("layout", list(LAYOUTS))
@pytest.mark.parametrize("way", list(WAYS))
def test_of_every_format(site: Installation, way: str, layout: str) -> None:
    room = drawn(site, "a.png", "b.png", "a.png", "c.png")
    files = room.give(**WAYS[way], **LAYOUTS[layout])
    unchanged(room, files)


@pytest.mark.parametrize("way", ["coco", "csv"])
def test_with_a_label_that_was_taken_off_the_list(site: Installation, way: str) -> None:
    """What has it is found again; the label itself is offered once more, and this is told."""
    room = drawn(site, "a.png", "b.png")
    services = site.services
    number = {one.name: one.id for one in services.labels.list(room.actor, room.slug)}
    services.labels.remove(room.actor, room.slug, number["cat"])
    files = room.give(**WAYS[way])
    _, report = room.examine(pack(files))
    assert report["classes"] == {"known": ["dog"], "new": [], "back": ["cat"]}
    for mode in ("add", "replace"):
        assert report["modes"][mode]["pictures"] == 0
    unchanged(room, files)
    assert {one.name: one.id for one in services.labels.list(room.actor, room.slug)} == number


def test_outlines_of_four_corners_stay_outlines(site: Installation) -> None:
    """Their lines look like those of turned boxes: the manifest tells what they are."""
    room = drawn(site, "a.png", "b.png")
    shape = {"type": "polygon", "points": [[1.0, 1.0], [30.0, 2.0], [31.0, 20.0], [2.0, 21.0]]}
    drawing = {"annotations": [{"label": "cat", "shape": shape}]}
    room.installation.services.annotations.put(room.actor, room.images["0"], drawing, "*")
    unchanged(room, room.give(format="yolo"))


@pytest.mark.parametrize("layout", list(FURTHER))
@pytest.mark.parametrize("way", ["coco", "csv"])
def test_of_other_names(site: Installation, way: str, layout: str) -> None:
    room = drawn(site, "a.png", "b.png", "c.png")
    unchanged(room, room.give(**WAYS[way], **FURTHER[layout]))


@pytest.mark.parametrize("way", list(WAYS))
def test_of_pictures_in_folders(site: Installation, way: str) -> None:
    """Names that an import left: two folders with pictures of one name."""
    room = ExchangeRoom(site, ())
    names = ("day1/a.png", "day2/a.png")
    pictures = {name: coloured(n) for n, name in enumerate(names)}
    room.take(pack({"s.json": json.dumps(coco(*names)).encode(), **pictures}))
    unchanged(room, room.give(**WAYS[way]))


@pytest.mark.parametrize("way", ["coco", "yolo"])
def test_of_pictures_without_their_metadata(site: Installation, way: str) -> None:
    """The bytes are others than here: the manifest tells which picture they were made of."""
    room = ExchangeRoom(site, ())
    image = room.add("a.jpg", jpeg())
    room.installation.services.annotations.put(room.actor, image, {"annotations": BOXES}, "*")
    files = room.give(**WAYS[way], metadata=Policy.ALL)
    assert jpeg() not in files.values()
    unchanged(room, files)
    (place,) = (name for name in files if name.endswith("a.jpg"))
    _, report = room.examine(pack({**files, place: jpeg(colour=7)}))
    assert report["to_store"] == 1, "another picture in its place is another one"


@pytest.mark.parametrize("way", ["coco", "yolo"])
def test_its_labels_alone(site: Installation, way: str) -> None:
    """Pictures that are here are none that are left; another one in the place of one is."""
    room = drawn(site, "a.png", "b.png")
    files = room.give(**WAYS[way])
    unchanged(room, files, images=False)
    (place,) = (name for name in files if name.endswith("a.png"))
    _, report = room.examine(pack({**files, place: coloured(930)}), images=False)
    assert [(each["code"], each["count"]) for each in report["losses"]] == [
        ("pictures-left", 1)
    ]


ODD = (
    "a.mp3",
    "b.mpo",
    "c.avifs",
    "notes.txt",
    "set.json",
    "v.1",
    "none",
    "e.xml",
    "._f.png",
    "g",
)


@pytest.mark.parametrize("way", list(WAYS))
def test_of_names_that_no_picture_has(site: Installation, way: str) -> None:
    room = drawn(site, *ODD)
    files = room.give(**WAYS[way])
    unchanged(room, files)
    elsewhere = ExchangeRoom(site, ())
    del files["manifest.json"]
    result = elsewhere.take(pack(files), format=WAYS[way]["format"])
    assert (result["stored"], result["added"]) == (len(ODD), 2 * len(ODD) - 2)


STUDIO_MIN = [
    {
        "id": 41,
        "image": "/data/upload/1/0a1b2c3d-a.png",
        "label": [
            {
                "x": 10.0, "y": 10.0, "width": 20.0, "height": 20.0, "rotation": 0,
                "rectanglelabels": ["cat"], "original_width": 64, "original_height": 48,
            }
        ],
        "annotator": 1,
        "annotation_id": 9,
        "lead_time": 1.5,
    }
]  # fmt: skip
ANYLABELING = {
    "version": "2.4.0",
    "flags": {},
    "shapes": [
        {
            "label": "cat",
            "score": None,
            "points": [[1.0, 2.0], [20.0, 2.0], [20.0, 30.0], [1.0, 30.0]],
            "group_id": None,
            "description": "",
            "difficult": False,
            "shape_type": "rectangle",
            "flags": {},
            "attributes": {},
        }
    ],
    "imagePath": "a.png",
    "imageData": None,
    "imageHeight": 48,
    "imageWidth": 64,
}


@pytest.mark.parametrize(
    ("format_", "name", "document"),
    [("labelstudio", "min.json", STUDIO_MIN), ("labelme", "a.json", ANYLABELING)],
)
def test_of_documents_of_other_tools(
    site: Installation, format_: str, name: str, document: Any
) -> None:
    room = drawn(site, "a.png", "b.png")
    room.clear()
    room.take(pack({name: json.dumps(document).encode()}))
    assert room.boxes()["0"]
    unchanged(room, room.give(format=format_))
