"""Classes and folders of a YOLO data set: ``data.yaml``, or ``classes.txt`` and ``obj.names``.

``names`` is a list, or a mapping of numbers to names; ``train``, ``val`` and ``test`` are
folders of pictures. https://docs.ultralytics.com/datasets/detect/. Numbers begin at 0 and have
no gap, or the library refuses the file: a number that no class has is written as ``unused n``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

import yaml

from app.domain.names import refuse
from app.formats import reading
from app.formats.dataset import ClassDef
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import base_name
from app.formats.splits import SPLITS, split_of
from app.formats.texts import lines, read_text, whole
from app.formats.yaml_text import read_yaml

MAX_CLASSES: Final = 10_000
_LISTS: Final = ("classes.txt", "obj.names", "predefined_classes.txt")

Names = Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Head:
    """What stands beside the label files. ``texts``: the files as they were, by path.

    ``keypoints``: columns behind a box; ``folders`` of pictures by split, where they are told
    as folders; ``has_lists``: one is a list of pictures.
    """

    names: dict[int, str]
    texts: dict[str, str]
    keypoints: int = 0
    folders: Mapping[str, str] = field(default_factory=dict)
    has_lists: bool = False

    def split(self, folder: str) -> str | None:
        """The split of the pictures in a folder: as it was told, or as the folder is called."""
        guess = split_of(folder)
        told = [s for s, of in self.folders.items() if f"/{of}/" in f"/{folder}/"]
        if not told or guess in told:
            return guess
        return told[0] if len(told) == 1 else None


def is_head(path: str) -> bool:
    name = base_name(path).lower()
    return name.endswith((".yaml", ".yml", ".names")) or name in _LISTS


def read_head(files: Mapping[str, bytes], ledger: Ledger) -> Head:
    """``InvalidInput`` where no file names the classes, or two do and differ."""
    documents = {
        path: read_yaml(files[path], path)
        for path in sorted(files)
        if path.lower().endswith((".yaml", ".yml"))
    }
    named = {path: found for path, found in documents.items() if "names" in found}
    lists = [p for p in sorted(files) if is_head(p) and p not in documents]
    found = [_of_yaml(document, path, ledger) for path, document in named.items()]
    found += [_of_list(files[path], path) for path in lists]
    if not found:
        raise refuse("", "There is no data.yaml or classes.txt that names the classes.")
    for path, other in zip([*named, *lists], found, strict=True):
        if other.names != found[0].names:
            raise refuse(path, "Another file names the classes otherwise: keep one.")
    kept = {path: text for each in found for path, text in each.texts.items()}
    texts = kept | {path: read_text(files[path], path) for path in named}
    return replace(found[0], texts=texts)


def _of_yaml(document: Mapping[str, Any], path: str, ledger: Ledger) -> Head:
    told = document["names"]
    if isinstance(told, list):
        told = dict(enumerate(told))
    if not isinstance(told, dict) or len(told) > MAX_CLASSES:
        raise refuse(f"{path}:$.names", f"This is a list of at most {MAX_CLASSES} names.")
    names: dict[int, str] = {}
    for key, value in told.items():
        place = f"{path}:$.names[{key if isinstance(key, int) else len(names)}]"
        number = whole(str(key), place)
        if not 0 <= number < MAX_CLASSES or number in names:
            raise refuse(place, f"Numbers of classes are 0 to {MAX_CLASSES - 1}, each once.")
        names[number] = reading.label(value, place, ledger)
    if "nc" in document and whole(str(document["nc"]), f"{path}:$.nc") != len(names):
        raise refuse(f"{path}:$.nc", "This is not the number of names.")
    told = {split: str(document.get(split) or "") for split in SPLITS}
    folders = {s: re.sub(r"^(\.{0,2}/)+", "", folder) for s, folder in told.items() if folder}
    has_lists = any(folder.endswith(".txt") for folder in folders.values())
    return Head(_unique(names, path), {}, _keypoints(document, path), folders, has_lists)


def _of_list(data: bytes, path: str) -> Head:
    text = read_text(data, path)
    told = list(lines(text.rstrip()))
    if len(told) > MAX_CLASSES:
        raise refuse(path, f"At most {MAX_CLASSES} classes can be read.")
    silent = Ledger()  # a space at a line's end is no part of a name
    names = {
        number - 1: reading.label(line, f"{path}:{number}", silent)
        for number, line in told
        if text.strip()
    }
    return Head(_unique(names, path), {path: text})


def _unique(names: dict[int, str], path: str) -> dict[int, str]:
    if len(set(names.values())) < len(names):
        raise refuse(path, "Two classes have the same name.")
    return names


def _keypoints(document: Mapping[str, Any], path: str) -> int:
    told = document.get("kpt_shape")
    if told is None:
        return 0
    place = f"{path}:$.kpt_shape"
    if not isinstance(told, list) or len(told) != 2:
        raise refuse(place, "This is a list of two numbers.")
    points, each = (whole(str(number), place) for number in told)
    if not (0 < points <= 1000 and each in {2, 3}):
        raise refuse(place, "This is the number of points, and 2 or 3.")
    return points * each


def classes_of(names: Names, used: Collection[str]) -> tuple[ClassDef, ...]:
    """Without names that only fill a gap."""
    return tuple(
        ClassDef(name, number=number)
        for number, name in sorted(names.items())
        if name in used or name != _filler(number)
    )


def note_order(names: Names, ours: Names, ledger: Ledger) -> None:
    """Tell classes that have another number in the collection."""
    numbers = {name: number for number, name in ours.items()}
    differ = [name for number, name in names.items() if numbers.get(name, number) != number]
    if differ:
        ledger.add(LossCode.CLASS_ORDER, count=len(differ))


def numbered(classes: Iterable[ClassDef], ledger: Ledger) -> dict[int, str]:
    """Every class by its own number; new ones get the numbers behind, the second of two that
    have one number as well, which is told."""
    names: dict[int, str] = {}
    waiting = []
    for each in classes:
        if each.number is None or not 0 <= each.number < MAX_CLASSES:
            waiting.append(each.name)
        elif names.setdefault(each.number, each.name) != each.name:
            ledger.add(LossCode.IDS_CHANGED)
            waiting.append(each.name)
    free = count(max(names, default=-1) + 1)
    return names | {next(free): name for name in waiting}


def head_files(
    names: Names, texts: Mapping[str, str], folders: Mapping[str, str]
) -> Iterable[tuple[str, bytes]]:
    """The files, anew; ``folders`` of pictures by split. Other entries of a ``data.yaml``
    stay."""
    filled = {number: names.get(number, _filler(number)) for number in range(_end(names))}
    for path, text in (texts or {"data.yaml": "{}"}).items():
        if path.lower().endswith((".yaml", ".yml")):
            yield path, _yaml(yaml.safe_load(text), filled, folders).encode()
        else:
            yield path, "".join(f"{name}\n" for name in filled.values()).encode()


def _yaml(was: dict[str, Any], names: Names, folders: Mapping[str, str]) -> str:
    """``train`` and ``val`` must be there for the library, so one stands for the other.

    No ``path``: a relative one, "." too, is taken from the library's own folder of data sets;
    without one the folder of this file is meant, wherever it lies.
    """
    one = next(iter(folders.values()), "images")
    used = {"train": one, "val": one, **folders}
    document = {name: value for name, value in was.items() if name not in (*SPLITS, "path")}
    document |= {split: used[split] for split in SPLITS if split in used}
    if "nc" in was:
        document["nc"] = len(names)
    document["names"] = dict(names)
    return str(yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100_000))


def _end(names: Names) -> int:
    return max(names, default=-1) + 1


def _filler(number: int) -> str:
    return f"unused {number}"
