"""Generated data sets, and what every format is tested for alike."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

from hypothesis import strategies as st

from app.domain.annotation import Attributes
from app.domain.shapes import Box, Points, Polygon, RotatedBox, Shape, WholePicture
from app.errors import InvalidInput, Mistake
from app.formats.dataset import (
    ClassDef,
    Dataset,
    Format,
    Item,
    Options,
    Parsed,
    Picture,
    Size,
    Written,
    own,
)
from app.formats.losses import Ledger, Loss, LossCode

NUMBERS = st.floats(-3000, 6000) | st.integers(-50, 5000).map(float)
SIDES = st.floats(0.001, 4000) | st.integers(1, 3000).map(float)
POINTS = st.tuples(NUMBERS, NUMBERS)

BOXES = st.builds(Box, NUMBERS, NUMBERS, SIDES, SIDES)
TURNED = st.builds(RotatedBox, NUMBERS, NUMBERS, SIDES, SIDES, st.floats(-180, 179.9))
POLYGONS = st.lists(POINTS, min_size=3, max_size=7).map(lambda p: Polygon(tuple(p)))
POINT_SETS = st.lists(POINTS, min_size=1, max_size=4).map(lambda p: Points(tuple(p)))
SHAPES = BOXES | TURNED | POLYGONS | POINT_SETS | st.just(WholePicture())

WORDS = st.text("abcxyzÄß字 -_=+@'\",;&<>", min_size=1, max_size=6).map(str.strip)
NAMES = WORDS.filter(bool)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | WORDS
ATTRIBUTES: st.SearchStrategy[Attributes] = st.dictionaries(
    NAMES, SCALARS | st.lists(SCALARS, max_size=2), max_size=2
)
SIZES = st.tuples(st.integers(1, 6000), st.integers(1, 6000))


def items(
    labels: Iterable[str], shapes: st.SearchStrategy[Shape], attributes: bool
) -> st.SearchStrategy[Item]:
    carried = ATTRIBUTES if attributes else st.just({})
    return st.builds(Item, st.sampled_from(sorted(labels)), shapes, carried)


@st.composite
def data_sets(
    draw: st.DrawFn,
    shapes: st.SearchStrategy[Shape] = SHAPES,
    *,
    attributes: bool = True,
    splits: bool = True,
    numbers: bool = False,
) -> Dataset:
    """Data sets of a few pictures, without what only a document can say."""
    labels = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    pictures = []
    for n in range(draw(st.integers(0, 3))):
        width, height = draw(SIZES)
        own_items = draw(st.lists(items(labels, shapes, attributes), max_size=3))
        split = draw(st.sampled_from([None, "train", "val", "test"])) if splits else None
        name = f"{draw(NAMES.filter(_is_file_name))}{n}.jpg"
        pictures.append(Picture(name, width, height, tuple(own_items), split=split))
    classes = tuple(ClassDef(c, number=n if numbers else None) for n, c in enumerate(labels))
    return Dataset(classes, tuple(pictures))


def _is_file_name(text: str) -> bool:
    return not text.startswith((" ", "-")) and '"' not in text


def sizes_of(dataset: Dataset) -> dict[str, Size]:
    return {p.file_name: (p.width or 0, p.height or 0) for p in dataset.pictures}


def bare(dataset: Dataset) -> Dataset:
    """Without what only a document can say, pictures by name."""
    shown = own(replace(dataset, source="none"), "", Ledger())
    pictures = sorted(shown.pictures, key=lambda picture: picture.file_name)
    return replace(shown, pictures=tuple(pictures))


def through_storage(dataset: Dataset) -> Dataset:
    """``extra`` goes through JSON between import and export."""

    def again(extra: Mapping[str, object]) -> dict[str, object]:
        found: dict[str, object] = json.loads(json.dumps(extra, allow_nan=False))
        return found

    def kept(picture: Picture) -> Picture:
        told = tuple(replace(item, extra=again(item.extra)) for item in picture.items)
        return replace(picture, items=told, extra=again(picture.extra))

    return replace(
        dataset,
        classes=tuple(replace(c, extra=again(c.extra)) for c in dataset.classes),
        pictures=tuple(map(kept, dataset.pictures)),
        extra=again(dataset.extra),
    )


def files_of(written: Written) -> dict[str, bytes]:
    files = list(written.files)
    assert len(dict(files)) == len(files), "a file was written twice"
    return dict(files)


def codes(result: Parsed | Written) -> dict[str, int]:
    return told(result.losses)


def told(losses: Iterable[Loss]) -> dict[str, int]:
    assert all(loss.words and isinstance(loss.code, LossCode) for loss in losses)
    return {str(loss.code): loss.count for loss in losses}


def again(
    module: Format, files: Mapping[str, bytes], options: Options | None = None
) -> tuple[dict[str, bytes], Parsed, Written]:
    """What is written of what was read."""
    options = options or Options()
    parsed = module.parse(files, options)
    written = module.write(through_storage(parsed.dataset), options)
    return files_of(written), parsed, written


def only_refused(module: Format, files: Mapping[str, bytes], options: Options) -> None:
    """Whatever the bytes: a data set that can be written, or ``InvalidInput`` with a place."""
    mistakes, parsed = _read(module, files, options)
    if parsed is None:
        assert mistakes
        assert all(mistake.message for mistake in mistakes)
    else:
        for _ in module.write(through_storage(parsed.dataset), options).files:
            pass


def _read(
    module: Format, files: Mapping[str, bytes], options: Options
) -> tuple[tuple[Mistake, ...], Parsed | None]:
    try:
        return (), module.parse(files, options)
    except InvalidInput as refused:
        return refused.mistakes, None


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A file with a few bytes changed, doubled, moved or cut out."""
    result = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(result) + 1)
        end = min(len(result), at + chance.randint(0, 12))
        piece = chance.choice(
            [b"", bytes(result[at:end]) * 2, bytes([chance.randrange(256)]), *BAD_PIECES]
        )
        result[at:end] = piece
    return bytes(result)


BAD_PIECES = (
    b"NaN", b"Infinity", b"1e999", b"-1", b"0", b"null", b"{}", b"[]", b'"', b"<", b"&", b"\n",
    b",", b" ", b"\xff", b"\0", b"\xef\xbb\xbf", b"true", b"9" * 400, b"[" * 60, b"..", b"\\",
)  # fmt: skip
