"""An export as a job, sealed, with every picture in it, against a plain ZIP file of the same
files in clear; and how much memory it takes when there is eight times as much.

``--pictures N`` for another number.
"""

from __future__ import annotations

import argparse
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from app.services.exchange.options import ExportOptions
from tests.benchmarks._measure import Row, compare, interleaved, judged, report
from tests.benchmarks._site import folder, installed
from tests.fixtures import pictures
from tests.fixtures.exchange import ExchangeRoom
from tests.fixtures.installation import Installation

PICTURES, SIDE, ROUNDS, MIB = 48, 1200, 5, 1 << 20
"""48 pictures of 4.1 MiB each."""
SMALLER = 8


def content(n: int) -> bytes:
    """A BMP like no other: its bytes are its pixels, which are quickly stored."""
    made = Image.frombytes("RGB", (SIDE, SIDE), os.urandom(SIDE * 3) * SIDE)
    made.putpixel((0, 0), (n % 256, n // 256, 1))
    return pictures.bmp(made)


class Room:
    """A collection of so many pictures, each with a box, and the same files in clear."""

    def __init__(self, installation: Installation, place: Path, count: int) -> None:
        self.room = ExchangeRoom(installation, names=())
        self.plain = place / f"plain-{count}"
        self.plain.mkdir()
        for n in range(count):
            name = f"{n:04}.bmp"
            raw = content(n)
            (self.plain / name).write_bytes(raw)
            image_id = self.room.add(name, raw)
            box = {"label": "car", "box": {"x": 1.5, "y": 2, "w": 30, "h": 20}}
            installation.services.annotations.put(
                self.room.actor, image_id, {"annotations": [box]}, "*"
            )

    def export(self) -> None:
        """As a person has it made: the job, the archive sealed in the store."""
        room, exports = self.room, self.room.installation.services.exports
        options = ExportOptions("coco", accept_losses=True)
        job = exports.start(room.actor, room.slug, options)
        room.work()
        if room.job(job).state != "done":
            raise SystemExit("the export was not made")

    def zip(self) -> None:
        """The same files, stored, onto the same disk."""
        with (
            (self.plain.parent / "plain.zip").open("wb") as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive,
        ):
            for path in sorted(self.plain.iterdir()):
                archive.write(path, path.name)


def peak_of(work: Callable[[], object]) -> Callable[[], float]:
    """MiB that the process has at most while it works (Linux: proc(5), clear_refs)."""

    def measure() -> float:
        Path("/proc/self/clear_refs").write_text("5")
        work()
        told = Path("/proc/self/status").read_text()
        (line,) = (line for line in told.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024

    return measure


def run(count: int) -> list[Row]:
    with folder() as place, installed(place) as installation:
        few, many = (Room(installation, place, n) for n in (count // SMALLER, count))
        size = sum(path.stat().st_size for path in many.plain.iterdir())
        speed = compare(
            f"export {count} pictures, {size // MIB} MiB: read, hashed, packed, sealed",
            "zipfile of the same files in clear, stored",
            many.export,
            many.zip,
            goal=2.0,
            rounds=ROUNDS,
        )
        sides = {"many": peak_of(many.export), "few": peak_of(few.export)}
        held = judged(
            f"memory of the process at most, export of {size // MIB} MiB",
            f"of {size // MIB // SMALLER} MiB",
            interleaved(sides, ROUNDS),
            ("many", "few"),
            "MiB",
            1.1,
        )
        return [speed, held]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=PICTURES)
    chosen, _ = parser.parse_known_args()
    report(run(chosen.pictures))


if __name__ == "__main__":
    main()
