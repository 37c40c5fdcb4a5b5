"""Through the whole house: files in the shape of each tool go in, are stored, and come out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pytest

from tests.fixtures.exchange import ExchangeRoom, pack
from tests.fixtures.installation import Installation, environment, running_installation

VOC = """<annotation>
\t<folder>pics</folder>
\t<filename>{name}.png</filename>
\t<path>C:\\pics\\{name}.png</path>
\t<source>
\t\t<database>Unknown</database>
\t</source>
\t<size>
\t\t<width>64</width>
\t\t<height>48</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>dog</name>
\t\t<pose>Left</pose>
\t\t<truncated>1</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>1</xmin>
\t\t\t<ymin>2</ymin>
\t\t\t<xmax>30</xmax>
\t\t\t<ymax>40</ymax>
\t\t</bndbox>
\t</object>
\t<object>
\t\t<name>cat</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>0</difficult>
\t\t<bndbox>
\t\t\t<xmin>5</xmin>
\t\t\t<ymin>6</ymin>
\t\t\t<xmax>7</xmax>
\t\t\t<ymax>8</ymax>
\t\t</bndbox>
\t</object>
</annotation>
"""
DOCUMENTS: dict[str, dict[str, str]] = {
    "yolo": {
        "data.yaml": "path: ../data # where it lies\ntrain: images/train\nval: images/val\n\n"
        "names:\n  0: dog\n  1: cat\n",
        "labels/train/a.txt": "1 0.512500 0.333333 0.250000 0.100000\n0 0.5 0.5 0.25 0.125\n",
        "labels/train/b.txt": "0 0.1 0.2 0.05 0.0625",
        "labels/val/c.txt": "",
    },
    "yolo-obb": {
        "data.yaml": "names: [ship]\ntrain: images\nval: images\n",
        "labels/a.txt": "0 0.25 0.25 0.75 0.25 0.75 0.5 0.25 0.5\n"
        "0 0.1 0.1 0.33 0.12 0.3 0.4 0.2 0.3\n",
    },
    "voc": {
        "Annotations/a.xml": VOC.format(name="a"),
        "Annotations/b.xml": VOC.format(name="b").replace("\n", "\r\n"),
    },
    "csv": {
        "train/_annotations.csv": "filename,width,height,class,xmin,ymin,xmax,ymax\n"
        "b.png,64,48,dog,1,2,3,4\na.png,64,48,cat,1,2.50,30,40\nb.png,64,48,cat,5,6,7,8\n",
    },
    "csv-own": {
        "annotations.csv": "file_name,width,height,split,state,label,type,x,y,w,h,angle,points,"
        'attributes\r\na.png,64,48,val,done,a,rotated,1.0,2.0,3.0,4.0,30.0,,"{""n"": 1}"\r\n'
        "c.png,64,48,val,done,,,,,,,,,\r\n",
    },
}  # fmt: skip


NAMES = {"voc": "ab", "yolo-obb": "a", "csv": "ab", "csv-own": "ac"}
"""The pictures that the documents name."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with running_installation(environment(tmp_path_factory.mktemp("tools"))) as made:
        yield made


@pytest.mark.parametrize("which", DOCUMENTS)
def test_files_come_back_byte_for_byte(which: str, site: Installation) -> None:
    room = ExchangeRoom(site, tuple(f"{name}.png" for name in NAMES.get(which, "abc")))
    told = {path: text.encode() for path, text in DOCUMENTS[which].items()}
    room.take(pack(told))
    found = room.give(format=which.partition("-")[0], images=False)
    assert labels(found) == told
    before = room.boxes()
    assert any(before.values())
    room.clear()
    room.take(pack(found))
    assert room.boxes() == before


def labels(files: Mapping[str, bytes]) -> dict[str, bytes]:
    manifest = json.loads(files["manifest.json"])
    assert {loss["code"] for loss in manifest.get("losses", [])} <= {"class-details"}
    return {path: data for path, data in files.items() if path != "manifest.json"}
