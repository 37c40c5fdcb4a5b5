"""A data set between a file format and Darkroom: what format modules read into and write from.

Coordinates are those of `app.domain.shapes`: float64 in pixels of the picture as it is shown,
half open, not clipped. What a document says beyond this stays in ``extra``, and its own ids in
``foreign_id``, so that an export in the same format gives the same document again.

``extra`` is JSON of two keys, each left out where it is empty:
``fields`` (`FIELDS`)  information: members, columns or elements that Darkroom has no place for
``form`` (`FORM`)      how it was written: order of keys, texts of numbers, line ends, positions
A module writes what ``form`` kept only while that still says what label, shape and attributes
say: an edited box is written anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, Protocol

from app.domain.annotation import Attributes
from app.domain.shapes import Shape
from app.domain.states import AnnotationState
from app.formats.losses import Ledger, Loss, LossCode

FIELDS: Final = "fields"
FORM: Final = "form"

Extra = Mapping[str, object]
ForeignId = int | str | None
Files = Iterator[tuple[str, bytes]]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class ClassDef:
    """A label class. ``number`` is its stable index (YOLO), ``colour`` is ``#rrggbb``;
    ``attributes`` are definitions as `app.domain.attribute_types` reads them."""

    name: str
    colour: str | None = None
    number: int | None = None
    attributes: Sequence[Mapping[str, object]] = ()
    extra: Extra = field(default_factory=dict)
    foreign_id: ForeignId = None


@dataclass(frozen=True, slots=True)
class Item:
    """One annotation; ``label`` is the name of a class of the data set."""

    label: str
    shape: Shape
    attributes: Attributes = field(default_factory=dict)
    extra: Extra = field(default_factory=dict)
    foreign_id: ForeignId = None


@dataclass(frozen=True, slots=True)
class Picture:
    """``file_name`` with slashes, folders as the document tells them. ``state`` None: the
    document says nothing; DONE without items: looked at and empty. ``split`` is a word such
    as train, val or test."""

    file_name: str
    width: int | None = None
    height: int | None = None
    items: tuple[Item, ...] = ()
    state: AnnotationState | None = None
    split: str | None = None
    extra: Extra = field(default_factory=dict)
    foreign_id: ForeignId = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """Class names differ from each other. ``source`` is the NAME of the format that ``extra``
    and ``foreign_id`` belong to; '' where nothing was kept."""

    classes: tuple[ClassDef, ...] = ()
    pictures: tuple[Picture, ...] = ()
    extra: Extra = field(default_factory=dict)
    source: str = ""


class Task(StrEnum):
    """What the lines of YOLO label files mean."""

    DETECT = "detect"
    OBB = "obb"
    SEGMENT = "segment"


@dataclass(frozen=True, slots=True)
class Options:
    """What a person or the collection says beside the files; a module takes what it needs.

    ``sizes``: width and height, as shown, of every picture that is there: by its path in the
    archive, or by its name in the collection. ``same``: a mark for each of these names, equal
    where two are names of one picture. ``classes``: names of the collection's classes by
    number. ``origin``: whether VOC counts pixels from 0 or 1, None: find out. ``task``: of
    YOLO, None: find out.
    """

    sizes: Mapping[str, Size] = field(default_factory=dict)
    classes: Mapping[int, str] = field(default_factory=dict)
    origin: int | None = None
    task: Task | None = None
    same: Mapping[str, Hashable] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parsed:
    dataset: Dataset
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """``files`` are made one by one as they are taken, once; ``losses`` are known before.

    ``places`` are the paths at which the files of the pictures belong, in the order of
    ``dataset.pictures``; None where a picture is left out. ``names``: what the documents call
    them; () where these are the places. ``task``: of YOLO, which the documents do not tell.
    """

    files: Files
    losses: tuple[Loss, ...]
    places: tuple[str | None, ...]
    names: tuple[str, ...] = ()
    task: Task | None = None


class Format(Protocol):
    """A module of this folder.

    ``NAME``: stable word (at most 16 letters); ``WORDS``: for people; ``READS``: patterns
    (`fnmatch`, of paths in small letters) of the files that ``parse`` wants from an archive.
    ``parse`` raises ``InvalidInput`` with places, and returns nothing half; what ``files`` has
    beyond READS is ignored. ``write`` takes what it can and tells the rest as losses.
    """

    @property
    def NAME(self) -> str: ...  # noqa: N802

    @property
    def WORDS(self) -> str: ...  # noqa: N802

    @property
    def READS(self) -> tuple[str, ...]: ...  # noqa: N802

    def parse(self, files: Mapping[str, bytes], options: Options) -> Parsed: ...

    def write(self, dataset: Dataset, options: Options) -> Written: ...


def written(
    render: Callable[[Ledger], Files],
    ledger: Ledger,
    places: tuple[str | None, ...],
    names: tuple[str, ...] = (),
) -> Written:
    """Run ``render`` once for its losses, and again when the files are taken."""
    for _ in render(ledger):
        pass
    return Written(render(Ledger()), ledger.losses, places, names)


def extra(fields: Mapping[str, object], form: Mapping[str, object]) -> dict[str, object]:
    """The two parts as one; empty ones are left out."""
    parts = {FIELDS: dict(fields), FORM: dict(form)}
    return {name: part for name, part in parts.items() if part}


def fields_of(kept: Extra) -> Mapping[str, object]:
    return _part(kept, FIELDS)


def form_of(kept: Extra) -> Mapping[str, object]:
    return _part(kept, FORM)


def placed(was: Extra, at: int, **more: object) -> dict[str, object]:
    """``was`` with its position in the document, and ``more`` of its form."""
    return extra(fields_of(was), {**form_of(was), "at": at, **more})


def position(was: Extra) -> float:
    """The place in the document to sort by; infinite for what has none, which comes behind."""
    at = form_of(was).get("at")
    return at if isinstance(at, int) else math.inf


def own(dataset: Dataset, name: str, ledger: Ledger) -> Dataset:
    """The data set as the format ``name`` may see it: what another format kept is taken off,
    and told where it was information."""
    if dataset.source == name:
        return dataset
    kept = [dataset.extra, *(c.extra for c in dataset.classes)]
    for picture in dataset.pictures:
        kept += [picture.extra, *(item.extra for item in picture.items)]
    if lost := sum(1 for each in kept if fields_of(each)):
        ledger.add(LossCode.FOREIGN_FIELDS, count=lost)
    return Dataset(
        tuple(replace(c, extra={}, foreign_id=None) for c in dataset.classes),
        tuple(map(_bare, dataset.pictures)),
    )


def _bare(picture: Picture) -> Picture:
    items = tuple(replace(item, extra={}, foreign_id=None) for item in picture.items)
    return replace(picture, items=items, extra={}, foreign_id=None)


def _part(kept: Extra, name: str) -> Mapping[str, object]:
    part = kept.get(name)
    return part if isinstance(part, dict) else {}
