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
