"""New keys for 50 small pictures, with thumbnails, previews and records, against plain copies
of the same files: written beside, synced, renamed.

Ours is everything: each blob read, verified, sealed again, verified and put in its place, the
sidecar twice, a new key in the local vault, three commits and an event of the audit log a file.
"""

from __future__ import annotations

import os
from pathlib import Path

from app.jobs.watch import Unwatched
from app.services.rotation import Scope
from tests.benchmarks._measure import Row, compare, report
from tests.benchmarks._site import folder, installed
from tests.fixtures.installation import Installation
from tests.fixtures.uploads import PictureRoom, picture

COUNT = 50
ROUNDS = 5
DIRECTORY = 1


def filled(installation: Installation) -> list[Path]:
    """The files of so many pictures: sealed blobs and sidecars."""
    room = PictureRoom(installation)
    for number in range(COUNT):
        room.upload(picture(number, 400, 300))
    installation.services.records.run()
    return [room.blob(key) for key in sorted(room.blobs())]


def copies_of(files: list[Path], place: Path) -> list[Path]:
    """The same bytes, in folders that hold as many files each."""
    place.mkdir()
    made = []
    for number, file in enumerate(files):
        inside = place / file.parent.name
        inside.mkdir(exist_ok=True)
        made.append(inside / f"{number}.enc")
        made[-1].write_bytes(file.read_bytes())
    return made


def replace_plainly(files: list[Path]) -> None:
    for file in files:
        temporary = file.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(descriptor, file.read_bytes())
        os.fsync(descriptor)
        os.close(descriptor)
        os.replace(temporary, file)
        _sync(file.parent)


def _sync(place: Path) -> None:
    """So that the new name outlives a loss of power, as ours does."""
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


def measure(installation: Installation, place: Path) -> Row:
    files = filled(installation)
    plain = copies_of(files, place / "plain")

    def rotate() -> None:
        scope = Scope("all", anew=True)
        told = installation.services.rotation.run(Unwatched(), scope)
        assert (told.rotated, told.remaining) == (COUNT + DIRECTORY, 0), told

    return compare(
        f"new keys for {COUNT} small pictures, {len(files)} files ({ROUNDS} rounds)",
        "the same files replaced in plain",
        rotate,
        lambda: replace_plainly(plain),
        goal=3,
        rounds=ROUNDS,
    )


def main() -> None:
    with folder() as place, installed(place) as installation:
        report([measure(installation, place)])


if __name__ == "__main__":
    main()
