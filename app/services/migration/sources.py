"""The files of a folder that is moving in: pictures, and what stands beside them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.errors import ConfigurationError

META: Final = ".meta"
SEALED: Final = ".enc"
LABEL_SUFFIXES: Final = frozenset({".txt", ".json"})
CLASSES: Final = "classes.txt"


@dataclass(frozen=True, slots=True)
class Source:
    """A picture with the files that tell about it.

    ``name`` is printable and relative to the folder. ``alone``: what should stand beside a
    picture, but there is none.
    """

    path: Path
    name: str
    meta: Path | None = None
    labels: tuple[Path, ...] = ()
    classes: Path | None = None
    alone: bool = False

    @property
    def beside(self) -> tuple[Path, ...]:
        """The files that go when the picture goes; a list of classes is for many pictures."""
        return (*((self.meta,) if self.meta else ()), *self.labels)


@dataclass(frozen=True, slots=True)
class Found:
    """All sources of a folder, in order; ``left_alone`` files were not looked at."""

    sources: tuple[Source, ...]
    left_alone: int


def find_sources(
    folder: Path, *, labels: bool = False, without: frozenset[Path] = frozenset()
) -> Found:
    """Look through a folder and all below it; hidden files and links are left alone. A folder
    that cannot be read is a source of its own, which nobody can open.

    ``labels``: whether ``.txt`` and ``.json`` files are looked at. ``without``: files that
    are something else (the secrets file).
    """
    files = [path for path in _files(folder) if path.resolve() not in without]
    there = frozenset(files)
    aside = {path for path in files if path.name == CLASSES or _is_label(path)}
    pictures = [path for path in files if path not in aside and path.suffix != META]
    found = [_source(path, folder, there, labels=labels) for path in pictures]
    used = {path for source in found for path in source.beside}
    metas = [path for path in files if path.suffix == META and path not in used]
    found += [Source(path, _printable(path, folder), alone=True) for path in metas]
    left = {path for path in aside if path not in used}
    if labels:
        lonely = sorted(path for path in left if path.name != CLASSES)
        found += [Source(path, _printable(path, folder), alone=True) for path in lonely]
        left -= set(lonely)
    return Found(tuple(found), len(left))


def refuse_own_places(folder: Path, *places: Path) -> None:
    """Raise ``ConfigurationError`` for a folder of this installation, or one around it."""
    asked = folder.resolve()
    for place in (place.resolve() for place in places):
        if asked.is_relative_to(place) or place.is_relative_to(asked):
            raise ConfigurationError(
                "This folder belongs to Darkroom itself: name the folder of the old files.",
                operation="migration.folder",
            )


def _source(path: Path, folder: Path, there: frozenset[Path], *, labels: bool) -> Source:
    beside = _labels_of(path, there) if labels else ()
    return Source(
        path,
        _printable(path, folder),
        meta=next((meta for meta in _metas_of(path) if meta in there), None),
        labels=beside,
        classes=_classes_of(beside[0], folder, there) if beside else None,
    )


def _metas_of(path: Path) -> tuple[Path, ...]:
    """``a.jpg.enc`` has ``a.jpg.enc.meta``, or ``a.jpg.meta``."""
    bare = path.with_suffix("") if path.suffix == SEALED else path
    return path.with_name(path.name + META), bare.with_name(bare.name + META)


def _labels_of(path: Path, there: frozenset[Path]) -> tuple[Path, ...]:
    """``a.jpg`` has ``a.txt``, ``a.json``, ``a.jpg.txt`` or ``a.jpg.json``, beside it or, as
    YOLO sorts its folders, below ``labels`` for a picture below ``images``.
    """
    places = [path.parent, _twin_folder(path.parent)]
    names = [f"{stem}{suffix}" for stem in (path.stem, path.name) for suffix in LABEL_SUFFIXES]
    wanted = {place / name for place in places for name in names}
    return tuple(sorted(one for one in wanted & there if one.name != CLASSES))


def _twin_folder(folder: Path) -> Path:
    parts = list(folder.parts)
    for at in range(len(parts) - 1, -1, -1):
        if parts[at] == "images":
            parts[at] = "labels"
            break
    return Path(*parts)


def _classes_of(label_file: Path, folder: Path, there: frozenset[Path]) -> Path | None:
    """The nearest ``classes.txt``, from the label file's folder up to the top one."""
    for place in label_file.parents:
        if place / CLASSES in there:
            return place / CLASSES
        if place == folder:
            break
    return None


def _is_label(path: Path) -> bool:
    return path.suffix.lower() in LABEL_SUFFIXES


def _printable(path: Path, folder: Path) -> str:
    """A name on a disk need not be text."""
    return str(path.relative_to(folder)).encode("utf-8", "replace").decode("utf-8")


def _files(folder: Path) -> Iterator[Path]:
    """What cannot be looked at is handed out as well: it is refused, not forgotten."""
    dark: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=dark.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place) / name
            if not name.startswith(".") and _is_file(path):
                yield path
    yield from (Path(error.filename or folder) for error in dark)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return True
