"""File names of pictures in documents and archives: read safely, matched by name alone."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from app.domain.names import refuse
from app.domain.text_rules import is_forbidden
from app.formats.dataset import Size
from app.formats.losses import Ledger, LossCode

_DRIVE = re.compile(r"^[A-Za-z]:(?=/)", re.ASCII)


def clean_path(value: object, place: str, ledger: Ledger) -> str:
    """A relative path with slashes. A drive or slash at its beginning is taken off, since a
    path of another machine says nothing here; ``..`` and control characters are refused."""
    if not isinstance(value, str) or not value.strip():
        raise refuse(place, "This must be the name of a file.")
    if any(map(is_forbidden, value)):
        raise refuse(place, "Control characters cannot be used in the name of a file.")
    if "\\" in value:
        ledger.add(LossCode.BACKSLASHES, place)
    parts = _DRIVE.sub("", value.replace("\\", "/")).split("/")
    if ".." in parts:
        raise refuse(place, "A path leads nowhere out of its archive: .. cannot be used.")
    path = "/".join(part for part in parts if part not in {"", "."})
    if not path:
        raise refuse(place, "This must be the name of a file.")
    return path


class Known:
    """The pictures that are there, found by the name that a document gives."""

    def __init__(
        self, sizes: Mapping[str, Size], same: Mapping[str, Hashable] | None = None
    ) -> None:
        """Names with one mark in ``same`` are names of one picture; without it each is that
        of another."""
        self.sizes = sizes
        self.same = same or {}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in sizes:
            self._by_name[PurePosixPath(path).name].append(path)

    def find(self, name: str, place: str, ledger: Ledger) -> str | None:
        """The path of the one picture that is meant: the very path, else, of those with the
        same last part, the one with most folders in common. None: there is none, or several
        are as good, which is told."""
        same = self._by_name.get(PurePosixPath(name).name, [])
        if not same:
            return None
        shared = [_shared(path, name) for path in same]
        best = max(shared)
        found = [path for path, count in zip(same, shared, strict=True) if count == best]
        if self._pictures(same) > 1:
            if self._pictures(found) > 1 and name not in same:
                ledger.add(LossCode.AMBIGUOUS_NAME, place)
                return None
            ledger.add(LossCode.DUPLICATE_NAMES, place)
        return name if name in same else found[0]

    def _pictures(self, paths: Sequence[str]) -> int:
        """How many they are; one has the paths of an archive, its name, and that of notes."""
        return len({self.same.get(path, path) for path in paths})

    def size(self, name: str, place: str, ledger: Ledger) -> Size | None:
        path = self.find(name, place, ledger)
        return None if path is None else self.sizes[path]


def distinct(
    paths: Sequence[str], ledger: Ledger, *, without_suffix: bool = False
) -> list[str]:
    """The paths, numbered where two would be one (``a_2.jpg``), whatever the case of letters:
    not every disk tells ``A`` from ``a``. ``without_suffix``: where ``a.jpg`` and ``a.png``
    would have one label file."""
    taken: set[str] = set()
    numbers: dict[str, int] = defaultdict(lambda: 1)  # the last of each path: all before go
    found = []
    for path in paths:
        stem, suffix = split_suffix(path)
        number, free = numbers[path], path
        if number > 1:
            free = f"{stem}_{number}{suffix}"
        while (mark := _mark(free, without_suffix)) in taken:
            number += 1
            free = f"{stem}_{number}{suffix}"
        if number > 1:
            ledger.add(LossCode.NAMES_CHANGED, path)
        numbers[path] = number
        taken.add(mark)
        found.append(free)
    return found


def split_suffix(path: str) -> tuple[str, str]:
    """``a/b.c.jpg`` is ``a/b.c`` and ``.jpg``."""
    suffix = PurePosixPath(path).suffix
    return (path.removesuffix(suffix), suffix) if suffix else (path, "")


def base_name(path: str) -> str:
    return PurePosixPath(path).name


def _mark(path: str, without_suffix: bool) -> str:
    return (split_suffix(path)[0] if without_suffix else path).casefold()


def _shared(path: str, name: str) -> int:
    """How many parts at the end are the same."""
    count = 0
    for one, other in zip(_ends(path), _ends(name), strict=False):
        if one != other:
            break
        count += 1
    return count


def _ends(path: str) -> Iterable[str]:
    return reversed(path.split("/"))
