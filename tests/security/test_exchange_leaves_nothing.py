"""A marker in archives, labels and documents is found nowhere in clear: not while an import
waits to be accepted, not after an export was made."""

from __future__ import annotations

import json
import logging
import zipfile

import pytest

from tests.fixtures.exchange import ExchangeRoom, coco, pack
from tests.fixtures.installation import Installation
from tests.security.test_plaintext_nowhere import (
    everything_below,
    found_in,
    picture_with_words,
)

WORDS = {
    "label": "MarkLabel5f1c",
    "file": "MarkPic5f1c",
    "field": "MarkField5f1c",
    "archive": "MarkArchive5f1c",
    "pixels": "MarkPixels7e3a",
}


def test_nothing_in_clear(installation: Installation, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    name = WORDS["file"] + ".bmp"
    document = coco(name, WORDS["file"] + "-gone.png", labels=(WORDS["label"],))
    document["info"] = {WORDS["field"]: WORDS["field"]}
    large = picture_with_words(2600, 2400)
    assert len(large) > 16 << 20, "it goes through the spool"
    files = {"set.json": json.dumps(document).encode(), name: large}
    archive = pack(files, zipfile.ZIP_STORED)
    assert found_in(archive, WORDS) == ["label", "file", "field", "pixels"]
    room = ExchangeRoom(installation, ())
    room.examine(archive, WORDS["archive"] + ".zip")
    check(installation, "while it waits")
    room.take(archive, WORDS["archive"] + ".zip")
    room.examine(b'{"images": 3, "' + WORDS["field"].encode() + b'": [}', "a.json")
    files = room.give()
    assert large in files.values()
    check(installation, "after the export")
    records = caplog.get_records("setup") + caplog.get_records("call")
    said = "\n".join(f"{r.getMessage()} {r.__dict__} {r.exc_text}" for r in records)
    assert found_in(said.encode(), WORDS) == []


def check(installation: Installation, when: str) -> None:
    for place, raw in everything_below(installation.instance):
        assert found_in(raw, WORDS) == [], (when, place)
