"""YOLO as Ultralytics lays it out: ``data.yaml``, ``images/<split>/a.jpg`` and
``labels/<split>/a.txt``; also with ``classes.txt``, and with label files beside pictures.

An empty label file says that somebody looked and found nothing; no file says nothing. Sizes of
pictures are needed: lines count in parts of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping
from pathlib import PurePosixPath
from typing import Final

from app.domain.states import AnnotationState
from app.formats import reading
from app.formats.dataset import (
    Dataset,
    Item,
    Options,
    Parsed,
    Picture,
    Task,
    Written,
    extra,
)
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import Known, base_name, clean_path, split_suffix
from app.formats.texts import even_gaps, gaps_of, lines, read_text
from app.formats.yolo_lines import Page, columns, read_line
from app.formats.yolo_names import classes_of, is_head, note_order, read_head
from app.formats.yolo_writing import NAME, in_images
from app.formats.yolo_writing import write as _write

WORDS: Final = "YOLO (Ultralytics)"
READS: Final = ("*.txt", "*.yaml", "*.yml", "*.names")
_LISTS: Final = frozenset({"train.txt", "val.txt", "valid.txt", "test.txt", "trainval.txt"})

__all__ = ["NAME", "READS", "WORDS", "parse", "write"]


def parse(files: Mapping[str, bytes], options: Options) -> Parsed:
    """``InvalidInput`` with ``file:line``."""
    ledger = Ledger()
    head = read_head(files, ledger)
    note_order(head.names, options.classes, ledger)
    known = _Stems(options)
    texts = {p: read_text(files[p], p) for p in sorted(files) if _is_label_file(p)}
    task = options.task or _task(texts, head.keypoints, ledger)
    pictures = []
    for path, text in texts.items():
        name = known.find(path, ledger)
        if name is None:
            ledger.add(LossCode.MISSING_PICTURE, path)
            continue
        size = options.sizes[name]
        page = Page(head.names, size, task, head.keypoints)
        items = _items(text, page, path, ledger)
        split = head.split(str(PurePosixPath(in_images(path)).parent))
        state = None if text.strip() else AnnotationState.DONE
        form = {"file": path, **_form(text)}
        pictures.append(Picture(name, *size, items, state, split, extra({}, form)))
    used = {item.label for picture in pictures for item in picture.items}
    form = {"heads": head.texts, "task": str(task), "keypoints": head.keypoints}
    classes = classes_of(head.names, used)
    return Parsed(Dataset(classes, tuple(pictures), extra({}, form), NAME), ledger.losses)


def write(dataset: Dataset, options: Options) -> Written:
    """Of classes, pictures and items whatever the lines of one task hold."""
    return _write(dataset, options)


class _Stems:
    """The pictures that are there, found by the paths of their label files."""

    def __init__(self, options: Options) -> None:
        self._same = options.same
        self._pictures: dict[str, list[str]] = defaultdict(list)
        for path in options.sizes:
            self._pictures[split_suffix(path)[0]].append(path)
        marks = {stem: self._marks(stem) for stem in self._pictures}
        self._known = Known(dict.fromkeys(self._pictures, (0, 0)), marks)

    def find(self, path: str, ledger: Ledger) -> str | None:
        """The path of a picture; None where there is none, or where several are meant."""
        wanted = split_suffix(in_images(clean_path(path, path, ledger)))[0]
        stem = self._known.find(wanted, path, ledger)
        if stem is None:
            return None
        if len(self._marks(stem)) > 1:
            ledger.add(LossCode.AMBIGUOUS_NAME, path)
            return None
        return self._pictures[stem][0]

    def _marks(self, stem: str) -> frozenset[Hashable]:
        """Of the pictures that have this path but for its ending."""
        return frozenset(self._same.get(path, path) for path in self._pictures[stem])


def _is_label_file(path: str) -> bool:
    """A text that is neither a list of classes or pictures nor a leaflet."""
    name = base_name(path).lower()
    if not name.endswith(".txt") or is_head(path):
        return False
    is_inside = "labels" in PurePosixPath(path).parts
    return is_inside or not (name in _LISTS or name.startswith("readme"))


def _items(text: str, page: Page, path: str, ledger: Ledger) -> tuple[Item, ...]:
    found = [
        read_line(line, page, f"{path}:{number}", ledger)
        for number, line in lines(text)
        if line.strip()
    ]
    reading.check_count(len(found), path)
    return tuple(item for item in found if item is not None)


def _form(text: str) -> dict[str, object]:
    """How the lines of a file end; all that is between them where that differs; the whole of
    one without lines."""
    if not text.strip():
        return {"blank": text} if text else {}
    newline, ends = "\r\n" if "\r\n" in text else "\n", text.endswith("\n")
    form: dict[str, object] = {} if newline == "\n" else {"newline": newline}
    form |= {} if ends else {"end": ""}
    gaps = gaps_of(text)
    return (
        form if gaps == even_gaps(len(gaps) - 1, newline, ends=ends) else form | {"gaps": gaps}
    )


def _task(texts: Mapping[str, str], keypoints: int, ledger: Ledger) -> Task:
    """What the lines must mean; four corners in all of them are taken for turned boxes. What
    is no box becomes an outline anyhow."""
    corners = 0
    for line in (line for text in texts.values() for _, line in lines(text)):
        if not keypoints and columns(line) > 4:
            if columns(line) != 8:
                return Task.SEGMENT
            corners += 1
    if not corners:
        return Task.DETECT
    ledger.add(LossCode.TASK_GUESSED, count=corners)
    return Task.OBB
