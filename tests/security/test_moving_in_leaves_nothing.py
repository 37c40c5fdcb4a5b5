"""What moved in lies nowhere in clear: pictures, names, labels, boxes, and the old key."""

from __future__ import annotations

import json
import logging
import sqlite3
from pathlib import Path

import pytest

from tests.fixtures.installation import Installation
from tests.fixtures.older_files import OLD_KEY as KEY
from tests.fixtures.older_files import TYPED_KEY, cbc_text, gcm, meta, put_old, secrets_file
from tests.security.test_plaintext_nowhere import (
    WORDS,
    everything_below,
    found_in,
    picture_with_words,
)

TOP = Path(__file__).resolve().parents[2]
SECRET = WORDS | {"old key": TYPED_KEY}


def run(home: Installation, *words: object) -> str:
    args = ["encryption", *map(str, words), "--owner", home.person().email, "--json"]
    result = home.app.test_cli_runner().invoke(args=args)
    assert result.exit_code in (0, 1), result.output
    return result.output


@pytest.fixture
def moved(
    install, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> tuple[Installation, list[str]]:
    """Everything moved in once: sealed, tagged and plain files, labels, rows; and refusals."""
    caplog.set_level(logging.DEBUG)
    home = install(IMAGE_ENCRYPTION_KEY=TYPED_KEY)
    old = tmp_path / "old"
    name = WORDS["filename"].removesuffix(".png")
    told = meta("image/bmp", originalName=WORDS["filename"])
    put_old(old, f"{name}.bmp", picture_with_words(), told=told)
    (old / "9.enc").write_bytes(gcm(picture_with_words(65, 64), KEY))
    put_old(old, "broken.png", b"\x89PNG\r\n\x1a\n" + WORDS["pixels"].encode() * 50)
    secrets = secrets_file(old / "secrets.json", {"file-9": KEY})
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "classes.txt").write_text(WORDS["label"])
    (plain / f"{name}-2.bmp").write_bytes(picture_with_words(66, 64))
    (plain / f"{name}-2.txt").write_text("0 0.5 0.5 0.2 0.2")
    database, label = tmp_path / "older.db", cbc_text(WORDS["label"].encode())
    with sqlite3.connect(database) as older:
        older.execute("CREATE TABLE marks (id, image, label, box, note)")
        rows = [
            (1, f"{name}-2.bmp", label, "[1,2,3,4]", WORDS["attribute"]),
            (2, "nowhere", WORDS["label"], "[1,2,3,4]", ""),
        ]
        older.executemany("INSERT INTO marks VALUES (?, ?, ?, ?, ?)", rows)
    older.close()
    table = ("--database", f"sqlite:///{database}", "--table", "marks", "--columns")
    table += ("id=id,image=image,label=label,box=box,attributes.note=note",)
    said = [
        run(home, "import-legacy", old, "--secrets", secrets, "--run"),
        run(home, "migrate", plain, "--run"),
        run(home, "migrate", *table, "--run"),
        run(home, "verify-migration", *table),
        run(home, "verify-migration", plain, "--remove-source"),
    ]
    assert [json.loads(text).get("imported", 0) for text in said] == [2, 1, 1, 0, 0]
    assert json.loads(said[-1])["removed"] == 1
    return home, said


def test_nothing_is_in_clear(
    moved: tuple[Installation, list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    home, said = moved
    places = list(everything_below(home.instance))
    assert sum(name.endswith(".enc") for name, _ in places) > 8
    assert [(name, hit) for name, raw in places if (hit := found_in(raw, SECRET))] == []
    assert sum("remove" in text for text in said) == 1
    records = caplog.get_records("setup") + caplog.get_records("call")
    logged = "\n".join(f"{one.getMessage()} {one.__dict__}" for one in records)
    assert found_in(logged.encode(), SECRET) == []
    shown = {name: SECRET[name] for name in ("label", "pixels", "old key", "attribute")}
    assert found_in("".join(said).encode(), shown) == []
    assert TYPED_KEY not in repr(home.settings)


def test_no_address_of_the_site_reaches_it() -> None:
    """Old files are opened by commands alone: no view, no job and no page names that room."""
    doors = ("legacy_cbc", "legacy_gcm", "legacy_keys", "moving_in", "services.migration")
    allowed = ("app/cli/", "app/services/migration/", "app/crypto/legacy_")
    wiring = ("app/services/bundle.py", "app/wiring")
    found = []
    for path in sorted((TOP / "app").rglob("*.py")):
        place = path.relative_to(TOP).as_posix()
        source = path.read_text(encoding="utf-8")
        if any(door in source for door in doors) and not place.startswith(wiring):
            found.append(place)
    assert len(found) > 10
    assert [place for place in found if not place.startswith(allowed)] == []
