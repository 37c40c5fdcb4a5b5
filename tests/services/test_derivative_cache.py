"""The bound for thumbnails that are made on request: the oldest pictures' go first."""

from __future__ import annotations

import pytest

from app.errors import WorkStopped
from app.services.derivative_cache import DerivativeCache
from tests.fixtures.uploads import PictureRoom, picture

MORE = (160, 960)
KEPT = {"enc", "meta", "thumb-320", "thumb-640", "preview"}


def thumbnails(room: PictureRoom) -> dict[str, int]:
    """What was made on request, with its sealed size."""
    root = room.installation.settings.store_path
    return {
        path.name: path.stat().st_size
        for path in (root / "dam").rglob("*.thumb-*.enc")
        if any(f"thumb-{size}." in path.name for size in MORE)
    }


def filled(room: PictureRoom, count: int = 4) -> list[object]:
    ids = [room.upload(picture(n, 1000, 700)).id for n in range(count)]
    for image in ids:
        for size in MORE:
            room.thumbnail(image, size)
    return ids


def test_below_the_bound_nothing_goes(room: PictureRoom) -> None:
    filled(room)
    before = room.left()
    blobs = room.installation.house.blobs
    found = sum(thumbnails(room).values())
    for most in (0, found, found + 1):
        done = DerivativeCache(blobs, most).trim()
        assert (done.found, done.freed, done.removed) == (found, 0, 0)
    assert room.left() == before


def test_above_it_as_much_goes_as_must_and_comes_back_when_asked_for(
    room: PictureRoom,
) -> None:
    ids = filled(room)
    everything = {path for path in room.left().files if "thumb-" not in path}
    sizes = thumbnails(room)
    most = sum(sizes.values()) // 2
    done = DerivativeCache(room.installation.house.blobs, most).trim()
    left = sum(thumbnails(room).values())
    assert left <= most
    assert left > most - max(sizes.values()), "no more than has to go"
    assert (done.freed, done.removed) == (
        sum(sizes.values()) - left,
        len(sizes) - len(thumbnails(room)),
    )
    assert everything <= room.left().files
    for image in ids:
        for size in (*MORE, 320, 640):
            assert room.thumbnail(image, size)
    assert thumbnails(room).keys() == sizes.keys()


def test_the_oldest_day_goes_first(room: PictureRoom) -> None:
    filled(room, 2)
    names = sorted(thumbnails(room))
    root = room.installation.settings.store_path / "dam"
    old = [path for path in root.rglob("*.enc") if path.name in names[:2]]
    for path in old:  # as if it had been uploaded in 2001
        kind, _, rest = path.name.split("_", 2)
        path.rename(path.with_name(f"{kind}_1000000000000_{rest}"))
    done = DerivativeCache(room.installation.house.blobs, sum(thumbnails(room).values()) - 1)
    assert done.trim().removed == 1
    (gone,) = [p for p in old if not (p.parent / _renamed(p.name)).exists()]
    assert gone in old


def _renamed(name: str) -> str:
    kind, _, rest = name.split("_", 2)
    return f"{kind}_1000000000000_{rest}"


def test_it_can_be_stopped(room: PictureRoom) -> None:
    class Stopped:
        def advance(self, done: int, total: int | None = None) -> None:
            raise WorkStopped("now")

    filled(room, 1)
    with pytest.raises(WorkStopped):
        DerivativeCache(room.installation.house.blobs, 1).trim(Stopped())
    assert len(thumbnails(room)) == 2
