"""Which crops an export has: one of each box, turned box and outline, in a folder a class.

``crops/[<split>/]<class>/<name of the picture>-<number of the annotation>.png`` beside the
annotations. A crop is the upright rectangle around its shape: turning one would make new
pixels. Names are those that the export gives the pictures, so that none is told that the
choice of names hides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from app.domain.filenames import clean_filename
from app.domain.pixels import Pixels, covered
from app.domain.shapes import Points, WholePicture
from app.formats.dataset import Item
from app.formats.losses import Ledger, LossCode
from app.services.exchange.gathering import Gathered

FOLDER: Final = "crops"
TABLE: Final = "crops.csv"
LONGEST_STEM: Final = 60
"""In characters, of at most 4 bytes: a file system takes 255 bytes a name."""
_UNSAFE: Final = re.compile(r'[<>:"/\\|?*]')
_DEVICES: Final = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)")


@dataclass(frozen=True, slots=True)
class Crop:
    """``path`` in the archive; ``pixels`` of the picture as it is shown."""

    path: str
    annotation_id: UUID
    item: Item
    pixels: Pixels


class CropPlan:
    """The crops of an export; those of a picture are made up when they are asked for."""

    def __init__(self, gathered: Gathered, places: Sequence[str | None]) -> None:
        """``places``: where the pictures are in the archive, None for one that is left out."""
        self.folder = _free_folder(places)
        self.places = places
        self.gathered = gathered
        labels = [each.name for each in gathered.dataset.classes]
        self._folders = dict(zip(labels, _apart(map(_safe, labels)), strict=True))
        stems = (PurePosixPath(place or "").stem for place in places)
        self._stems = _apart(_safe(stem)[:LONGEST_STEM] for stem in stems)

    @property
    def table(self) -> str:
        return f"{self.folder}/{TABLE}"

    def of(self, n: int, ledger: Ledger | None = None) -> list[Crop]:
        """Those of picture ``n`` of the data set; what has none is told to ``ledger``."""
        lost = ledger if ledger is not None else Ledger()
        known, told = self.gathered.known[n], self.gathered.dataset.pictures[n]
        if self.places[n] is None or not told.items:
            return []
        if not known.width or not known.height:
            lost.add(LossCode.CROP_UNAVAILABLE, told.file_name, len(told.items))
            return []
        found = []
        pairs = zip(told.items, self.gathered.ids[n], strict=True)
        for number, (item, annotation_id) in enumerate(pairs, 1):
            pixels = _pixels(item, known.width, known.height, told.file_name, lost)
            if pixels is not None:
                path = self._path(n, item.label, number)
                found.append(Crop(path, annotation_id, item, pixels))
        return found

    def __len__(self) -> int:
        """How many crops there are."""
        return sum(len(self.of(n)) for n in range(len(self.places)))

    def _path(self, n: int, label: str, number: int) -> str:
        split = self.gathered.dataset.pictures[n].split
        parts = [self.folder, *([_safe(split)] if split else []), self._folders[label]]
        return "/".join([*parts, f"{self._stems[n]}-{number}.png"])


def _pixels(item: Item, width: int, height: int, place: str, lost: Ledger) -> Pixels | None:
    if isinstance(item.shape, Points | WholePicture):
        lost.add(LossCode.CROP_SHAPE, place)
        return None
    pixels, is_beyond = covered(item.shape.bounds, width, height)
    if pixels is None:
        lost.add(LossCode.CROP_EMPTY, place)
    elif is_beyond:
        lost.add(LossCode.CROP_CLIPPED, place)
    return pixels


def _safe(name: str) -> str:
    """A part of a path that every file system takes."""
    clean = clean_filename(_UNSAFE.sub("_", name))
    return f"_{clean}" if _DEVICES.match(clean) else clean


def _apart(names: Iterable[str]) -> list[str]:
    """The names, numbered where two would be one, whatever the case of letters."""
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    found = []
    for name in names:
        number, free = numbers.get(name, 1), name
        while free.casefold() in taken:
            number += 1
            free = f"{name}_{number}"
        numbers[name] = number
        taken.add(free.casefold())
        found.append(free)
    return found


def _free_folder(places: Iterable[str | None]) -> str:
    """One in which no picture lies."""
    tops = {place.split("/", 1)[0].casefold() for place in places if place}
    return next(name for name in _numbered(FOLDER) if name not in tops)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 1
    while True:
        number += 1
        yield f"{name}_{number}"
