"""Crops beside the annotations: the pixels of each box, and a table of what they are."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tracemalloc
from typing import Any

import pytest
from PIL import Image, ImageOps

from app.errors import Gone
from app.media.stripping import Policy
from app.services.exchange.options import Names, Splits
from tests.fixtures import pictures
from tests.fixtures.exchange import ExchangeRoom, coloured, pack
from tests.fixtures.installation import Installation

Json = dict[str, Any]


def box(x: float, y: float, w: float, h: float) -> Json:
    return {"label": "cat", "box": {"x": x, "y": y, "w": w, "h": h}}


def shaped(label: str, **shape: Any) -> Json:
    return {"label": label, "shape": shape}


@pytest.fixture
def room(site: Installation) -> ExchangeRoom:
    """One picture, stored turned, with boxes of every kind."""
    made = ExchangeRoom(site, names=())
    made.add("Ada's house.jpg", pictures.camera_jpeg(orientation=6))
    draw(made, "Ada's house.jpg", box(3.25, 4.5, 20, 10.25), box(-5, 50.5, 20, 40))
    return made


def draw(room: ExchangeRoom, name: str, *drawn: Json) -> None:
    services = room.installation.services
    document = {"annotations": list(drawn)}
    services.annotations.put(room.actor, room.images[name], document, "*")


def table(files: dict[str, bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files["crops/crops.csv"].decode())))


def upright(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return ImageOps.exif_transpose(image)


def opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image


def losses(files: dict[str, bytes]) -> dict[str, int]:
    told = json.loads(files["manifest.json"])["losses"]
    return {loss["code"]: loss["count"] for loss in told}


def test_pixels_are_those_of_the_picture_as_it_is_shown(room: ExchangeRoom) -> None:
    files = room.give(format="csv", crops=True)
    whole = upright(pictures.camera_jpeg(orientation=6))
    names = ["crops/cat/Ada's house-1.png", "crops/cat/Ada's house-2.png"]
    wanted = [whole.crop((3, 4, 24, 15)), whole.crop((0, 50, 15, 64))]
    for name, part in zip(names, wanted, strict=True):
        assert opened(files[name]).mode == "RGB"
        assert opened(files[name]).tobytes() == part.tobytes()
    assert losses(files)["crop-clipped"] == 1


def test_the_table_tells_what_each_is(room: ExchangeRoom) -> None:
    files = room.give(format="csv", crops=True)
    image_id = room.images["Ada's house.jpg"]
    drawn = room.installation.services.annotations.get(room.actor, image_id).annotations
    rows = table(files)
    assert [row["annotation_id"] for row in rows] == [str(each.id) for each in drawn]
    for row, each in zip(rows, drawn, strict=True):
        assert row["sha256"] == hashlib.sha256(files[row["file"]]).hexdigest()
        assert row["picture_id"] == str(image_id)
        assert row["picture"] in files
        assert (row["label"], row["type"], row["angle"]) == ("cat", "box", "")
        bounds = each.shape.bounds
        told = tuple(float(row[name]) for name in "xywh")
        assert told == (bounds.x, bounds.y, bounds.w, bounds.h)
    assert [int(rows[0][name]) for name in ("left", "top", "right", "bottom")] == [3, 4, 24, 15]
    manifest = json.loads(files["manifest.json"])
    assert manifest["crops"] == {"folder": "crops", "table": "crops/crops.csv", "count": 2}
    hashes = {each["name"]: each["sha256"] for each in manifest["files"]}
    assert hashes["crops/crops.csv"] == hashlib.sha256(files["crops/crops.csv"]).hexdigest()
    assert pictures.SECRET.encode() not in b"".join(files[row["file"]] for row in rows)


def test_shapes(room: ExchangeRoom) -> None:
    name = "Ada's house.jpg"
    turned = {"x": 30, "y": 20, "w": 20, "h": 10, "angle": 30}
    outline = [[5.5, 6.5], [20.25, 8], [12, 18.75]]
    draw(
        room, name,
        shaped("house", type="rotated", **turned),
        shaped("house", type="polygon", points=outline),
        shaped("eye", type="points", points=[[4, 4]]),
        shaped("eye", type="image"),
        box(500, 500, 4, 4),
    )  # fmt: skip
    files = room.give(format="csv", crops=True, images=False)
    whole = upright(pictures.camera_jpeg(orientation=6))
    rows = {row["type"]: row for row in table(files)}
    assert set(rows) == {"rotated", "polygon"}
    assert rows["rotated"]["angle"] == "30.0"
    assert float(rows["rotated"]["w"]) == 20
    # 20 x 10 turned by 30 degrees around (40, 25): 22.32 x 18.66
    wanted = {"rotated": (28, 15, 52, 35), "polygon": (5, 6, 21, 19)}
    for kind, pixels in wanted.items():
        assert opened(files[rows[kind]["file"]]).tobytes() == whole.crop(pixels).tobytes()
    told = losses(files)
    assert (told["crop-shape"], told["crop-empty"]) == (2, 1)
    assert not any(each.endswith(".jpg") for each in files)


def test_names_tell_nothing_that_was_hidden(room: ExchangeRoom) -> None:
    for names in (Names.ID, Names.NUMBERED):
        files = room.give(format="csv", crops=True, names=names, metadata=Policy.GPS)
        assert len(table(files)) == 2
        told = b"".join(files.values()) + "".join(files).encode()
        assert b"Ada" not in told, names


def test_labels_and_names_become_safe_folders(room: ExchangeRoom) -> None:
    room.add("b/con.png", coloured(9))
    room.add("CON.PNG", coloured(10))
    odd = ("../x", "..", "con", "Cat", "a|b", "a?b")
    draw(room, "b/con.png", *({**box(n, n, 5, 5), "label": name} for n, name in enumerate(odd)))
    draw(room, "CON.PNG", box(1, 1, 5, 5))
    shares = Splits({"train": 100})
    rows = table(room.give(format="csv", crops=True, images=False, splits=shares))
    files = [row["file"] for row in rows]
    assert len({name.casefold() for name in files}) == len(files) == 9
    parts = [name.split("/") for name in files]
    assert {tuple(each[:2]) for each in parts} == {("crops", "train")}
    assert all(len(each) == 4 and ".." not in each and "" not in each for each in parts)
    assert {row["label"] for row in rows} == {*odd, "cat"}
    assert not {each[2].lower() for each in parts} & {"con"}
    assert not {each[3].partition("-")[0].lower() for each in parts} & {"con"}


def test_what_png_cannot_hold_is_told_before(room: ExchangeRoom) -> None:
    room.add("print.jpg", pictures.cmyk_jpeg())
    draw(room, "print.jpg", box(2, 2, 10, 10), box(3, 3, 10, 10))
    prepared = prepare(room)
    told = {loss.code.value: (loss.count, loss.place) for loss in prepared.losses}
    assert told["crop-colours"] == (2, "print.jpg")
    assert prepared.report()["crops"] == 4


def prepare(room: ExchangeRoom):
    from app.services.exchange.options import ExportOptions

    exporting = room.installation.services.exporting
    return exporting.prepare(room.actor, room.slug, ExportOptions("csv", crops=True))


def test_a_picture_that_goes_meanwhile_has_no_crops(room: ExchangeRoom, monkeypatch) -> None:
    room.add("b.png", coloured(1))
    draw(room, "b.png", box(1, 1, 5, 5))
    services = room.installation.services
    real = type(services.exporting).write

    def write(self, actor, prepared, target, watch):
        services.trash.destroy(room.actor, room.images["b.png"])
        return real(self, actor, prepared, target, watch)

    monkeypatch.setattr(type(services.exporting), "write", write)
    files = room.give(format="csv", crops=True)
    assert losses(files)["crop-unavailable"] == 1
    assert len(table(files)) == json.loads(files["manifest.json"])["crops"]["count"] == 2


def test_an_import_takes_no_crop_for_a_picture(room: ExchangeRoom) -> None:
    before, count = room.boxes(), len(room.images)
    for format_ in ("csv", "coco"):
        files = room.give(format=format_, crops=True)
        room.clear()
        told = room.take(pack(files))
        assert (told["stored"], room.boxes()) == (0, before)
    assert len(room.images) == count


def test_more_than_one_request_of_the_decoder(room: ExchangeRoom) -> None:
    draw(room, "Ada's house.jpg", *(box(n % 50, n % 40, 3, 3) for n in range(70)))
    files = room.give(format="csv", crops=True, images=False)
    whole = upright(pictures.camera_jpeg(orientation=6))
    rows = table(files)
    assert len(rows) == 70
    assert opened(files[rows[66]["file"]]).tobytes() == whole.crop((16, 26, 19, 29)).tobytes()


def test_memory_is_that_of_one_crop() -> None:
    """Sixty crops of 4 MiB hold no more than six; what is kept of each is its hash."""
    from app.services.exchange.crop_writing import CropWriting
    from app.services.exchange.crops import Crop
    from app.services.exchange.manifest import Manifest
    from app.services.exchange.packing import Packing

    class Nowhere:
        def write(self, data: bytes) -> None:
            pass

    class Source:
        def parts(self, picture: object, crops: list[Crop]):
            yield from (bytes(4 << 20) for _ in crops)

    class Plan:
        places = ("a.png",)
        table = folder = "crops"

        def __init__(self, count: int) -> None:
            self.crops = [Crop(f"crops/{n}.png", None, None, None) for n in range(count)]
            self.gathered = type("Gathered", (), {"known": (None,)})

        def of(self, n: int) -> list[Crop]:
            return self.crops

    peaks = []
    for count in (6, 60):
        writing = CropWriting(Plan(count), Source(), Packing(Nowhere(), Manifest({})))
        tracemalloc.start()
        writing.picture(0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert writing.count == count
    assert peaks[1] < peaks[0] + (1 << 20)


def test_damage_in_the_middle_of_a_picture(room: ExchangeRoom, monkeypatch) -> None:
    """The decoder refuses behind the first crops: those stay, the rest is told."""
    from app.media.decoder_client import Decoder

    real = Decoder.crops

    def crops(self, *args):
        yield next(real(self, *args))
        raise Gone("gone")

    monkeypatch.setattr(Decoder, "crops", crops)
    files = room.give(format="csv", crops=True)
    assert [row["file"] for row in table(files)] == ["crops/cat/Ada's house-1.png"]
    assert losses(files)["crop-unavailable"] == 1
