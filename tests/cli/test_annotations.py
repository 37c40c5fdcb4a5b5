"""``flask annotations``: data sets in and out of files, losses told, nothing half."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from app.cli.progress import STOPPED, StoppableWatch
from tests.fixtures.exchange import ExchangeRoom, coco, coloured, pack, unpack
from tests.fixtures.installation import Installation


@pytest.fixture
def room(installation: Installation) -> ExchangeRoom:
    return ExchangeRoom(installation)


def run(room: ExchangeRoom, *words: str):
    return room.installation.app.test_cli_runner().invoke(args=["annotations", *words])


def test_in_and_out(room: ExchangeRoom, tmp_path: Path) -> None:
    file = tmp_path / "set.zip"
    document = coco("a.png", "new.png")
    file.write_bytes(pack({"set.json": json.dumps(document).encode(), "new.png": coloured(9)}))
    words = ("import", str(file), "--collection", room.slug, "--images")
    dry = run(room, *words, "--dry-run", "--json")
    assert dry.exit_code == 0, dry.output
    told = json.loads(dry.stdout)
    assert (told["matched"], told["to_store"], told["losses"]) == (2, 1, [])
    assert not any(room.boxes().values())
    done = run(room, *words, "--json")
    assert (done.exit_code, json.loads(done.stdout)["added"]) == (0, 4), done.output
    assert len(room.boxes()["a.png"]) == 2

    out = tmp_path / "out.zip"
    words = ("export", str(out), "--collection", room.slug, "--format", "coco")
    given = run(room, *words, "--split", "train=80", "--split", "val=20", "--json")
    assert given.exit_code == 0, given.output
    assert "in clear" in given.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert coloured(9) in unpack(out.read_bytes()).values()
    again = run(room, *words)
    assert (again.exit_code, "choose another" in again.stderr) == (1, True)
    out = tmp_path / "crops.zip"
    words = ("export", str(out), "--collection", room.slug, "--format", "coco", "--crops")
    given = run(room, *words, "--no-images", "--json")
    assert (given.exit_code, json.loads(given.stdout)["crops"]) == (0, 4), given.output
    names = [name for name in unpack(out.read_bytes()) if name.endswith(".png")]
    assert len(names) == 4


def test_every_choice_of_the_page_is_there(room: ExchangeRoom, tmp_path: Path) -> None:
    file, out = tmp_path / "set.json", tmp_path / "out.zip"
    file.write_text(json.dumps(coco("a.png", boxes=1, labels=("chat",))))
    words = ("import", str(file), "--collection", room.slug, "--json")
    more = (
        "--classes",
        "chat = cat",
        "--state",
        "in_progress",
        "--origin",
        "0",
        "--task",
        "obb",
    )
    done = run(room, *words, *more)
    assert done.exit_code == 0, done.output
    ((label, *_),) = room.boxes()["a.png"]
    drawn = room.installation.services.annotations.get(room.actor, room.images["a.png"])
    assert (label, drawn.state) == ("cat", "in_progress")
    assert run(room, *words, "--classes", "chat").exit_code == 1
    assert run(room, *words, "--state", "accepted").exit_code == 2
    both = run(room, *words, "--state", "in_progress", "--done")
    assert (both.exit_code, "say one" in both.stderr) == (2, True)
    words = ("export", str(out), "--collection", room.slug, "--accept-losses", "--no-images")
    given = run(room, *words, "--format", "voc", "--origin", "0")
    assert given.exit_code == 0, given.output
    assert b"pixels from 0" in unpack(out.read_bytes())["Annotations/a.xml"]
    out.unlink()
    given = run(room, *words, "--format", "yolo", "--task", "segment")
    assert given.exit_code == 0, given.output
    (line,) = unpack(out.read_bytes())["labels/a.txt"].splitlines()
    assert len(line.split()) == 9


def test_an_export_over_a_file_is_refused_before_the_work(
    room: ExchangeRoom, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(type(room.installation.services.exporting), "prepare", None)
    out = tmp_path / "out.zip"
    words = ("--collection", room.slug, "--format", "coco")
    out.write_bytes(b"mine")
    taken = run(room, "export", str(out), *words)
    assert (taken.exit_code, "choose another" in taken.stderr) == (1, True)
    assert out.read_bytes() == b"mine"
    nowhere = run(room, "export", str(tmp_path / "none" / "out.zip"), *words)
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (1, True)


def test_one_is_one(room: ExchangeRoom, tmp_path: Path) -> None:
    file, out = tmp_path / "set.json", tmp_path / "out.zip"
    file.write_text(json.dumps(coco("a.png", "gone.png", boxes=1)))
    words = ("import", str(file), "--collection", room.slug, "--accept-losses")
    dry = run(room, *words, "--dry-run")
    assert "missing-picture, 1 time (" in dry.stderr
    assert "new labels: " in dry.stderr
    assert "1 picture found. It would be: 1 picture changed: 1 annotation added" in dry.stdout
    assert run(room, *words).stdout.startswith("1 picture changed: 1 annotation added,")
    words = ("export", str(out), "--collection", room.slug, "--accept-losses")
    given = run(room, *words, "--format", "coco", "--label", "cat")
    assert given.stdout == "1 picture, 1 annotation.\n"


def test_losses_and_mistakes_are_1(room: ExchangeRoom, tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    file.write_text(json.dumps(coco("a.png", "gone.png")))
    words = ("import", str(file), "--collection", room.slug)
    refused = run(room, *words)
    assert refused.exit_code == 1
    assert "missing-picture" in refused.stderr
    assert "--accept-losses" in refused.stderr
    assert not any(room.boxes().values())
    assert run(room, *words, "--accept-losses").exit_code == 0
    assert len(room.boxes()["a.png"]) == 2
    file.write_text('{"images": [], "annotations": [{"bbox": 3}]}')
    wrong = run(room, *words, "--accept-losses", "--format", "coco")
    assert (wrong.exit_code, "$.annotations[0]" in wrong.stderr) == (1, True)
    assert "Traceback" not in wrong.stderr


def test_stopped_leaves_nothing(room: ExchangeRoom, tmp_path: Path, monkeypatch) -> None:
    real = StoppableWatch.advance

    def advance(self: StoppableWatch, done: int, total: int | None = None) -> None:
        self._stop.requested = done >= 1
        real(self, done, total)

    monkeypatch.setattr(StoppableWatch, "advance", advance)
    out = tmp_path / "out.zip"
    words = ("export", str(out), "--collection", room.slug, "--format", "coco")
    stopped = run(room, *words, "--accept-losses")
    assert (stopped.exit_code, out.exists()) == (STOPPED, False)
    file = tmp_path / "set.zip"
    names = ("x.png", "y.png")
    files = {name: coloured(70 + n) for n, name in enumerate(names)}
    file.write_bytes(pack({"s.json": json.dumps(coco(*names)).encode(), **files}))
    stopped = run(room, "import", str(file), "--collection", room.slug, "--images")
    assert stopped.exit_code == STOPPED
    view = room.installation.services.collections.get(room.actor, room.slug)
    assert view.pictures == 3
    assert not list(tmp_path.glob("out*"))
