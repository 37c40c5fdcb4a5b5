"""Which format a heap of files is in, by what is in them, and why.

A look at the head of a few files of each kind: exact enough to choose the module that then
reads all of it, and refuses what it is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

HEAD: Final = 64 * 1024
"""Bytes of a file that are looked at."""
SAMPLE: Final = 20
"""Files of each kind that are looked at."""

_JSON: Final = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
"""A text that the head cuts off ends with it: nothing is looked at twice."""
_ROOT: Final = re.compile(rb"<([A-Za-z_][\w.-]*)")
_LABELS: Final = re.compile(rb"\d+(?:[ \t]+-?[\d.]+(?:[eE][+-]?\d+)?){4,}[ \t]*")
_TASK: Final = frozenset({"predictions", "completions", "drafts", "inner_id"})
_MIN: Final = frozenset({"annotation_id", "annotator", "lead_time"})
_COCO: Final = frozenset({"images", "categories", "licenses", "info"})
_ROOTS: Final = {"annotations": "cvat", "annotation": "voc"}


@dataclass(frozen=True, slots=True)
class Reason:
    """``words`` are whole sentences without the name of a file, which is ``place``."""

    format: str
    words: str
    place: str


@dataclass(frozen=True, slots=True)
class Detection:
    """``name`` None: nothing, or several formats, speak of themselves; see ``reasons``."""

    name: str | None
    reasons: tuple[Reason, ...]


def detect(files: Mapping[str, bytes]) -> Detection:
    """Of documents; pictures among them are passed over."""
    strong: list[Reason] = []
    weak: list[Reason] = []
    for path in _sample(files):
        found, is_sure = _look(path, bytes(files[path][:HEAD]))
        if found is not None:
            (strong if is_sure else weak).append(found)
    reasons = _first_of_each(strong or weak)
    return Detection(reasons[0].format if len(reasons) == 1 else None, reasons)


def _sample(files: Mapping[str, bytes]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for path in files:
        kind = PurePosixPath(path).suffix.lower()
        counts[kind] = counts.get(kind, 0) + 1
        if kind in _LOOKS and counts[kind] <= SAMPLE:
            yield path


def _look(path: str, head: bytes) -> tuple[Reason | None, bool]:
    """What a file speaks of, and whether only that format would have it."""
    kind = PurePosixPath(path).suffix.lower()
    name, words, is_sure = _LOOKS[kind](head.removeprefix(b"\xef\xbb\xbf"))
    return (Reason(name, words, path) if name else None), is_sure


Found = tuple[str | None, str, bool]
_NOTHING: Final[Found] = (None, "", False)


def _xml(head: bytes) -> Found:
    root = _ROOT.search(head)
    tag = root[1].decode("ascii", "replace") if root else ""
    name = _ROOTS.get(tag)
    return (name, f"Its XML begins with <{tag}>.", True) if name else _NOTHING


def _json(head: bytes) -> Found:
    is_list = head.lstrip().startswith(b"[")
    names = _members(head, 2 if is_list else 1)
    if "shapes" in names and not is_list:
        return "labelme", "It has shapes of one picture.", True
    if "data" in names or names & _TASK:
        return "labelstudio", "It has tasks with their data.", True
    if is_list:
        is_min = bool(names & _MIN)
        return "labelstudio", "It is a list of records.", is_min
    if names & _COCO or "annotations" in names:
        return "coco", "It has lists of images or categories.", bool(names & _COCO)
    return _NOTHING


def _text(head: bytes) -> Found:
    """Label files of YOLO; lists of classes or a README say little."""
    told = [line for line in head.splitlines()[:50] if line.strip()]
    if told and all(map(_LABELS.fullmatch, told[:-1] or told)):
        return "yolo", "Its lines are a number and coordinates.", True
    return "yolo", "It is a text, as lists of classes are.", False


def _yaml(head: bytes) -> Found:
    has_names = re.search(rb"^\s*names\s*:", head, re.MULTILINE) is not None
    return ("yolo", "It names classes.", True) if has_names else _NOTHING


def _names(head: bytes) -> Found:  # noqa: ARG001  # its name says it
    return "yolo", "It is a list of classes.", True


def _csv(head: bytes) -> Found:
    first = head.split(b"\n", 1)[0]
    is_table = re.search(rb"[,;\t]", first) is not None
    return ("csv", "It is a table.", False) if is_table else _NOTHING


_LOOKS: Final = {
    ".xml": _xml,
    ".json": _json,
    ".txt": _text,
    ".yaml": _yaml,
    ".yml": _yaml,
    ".names": _names,
    ".csv": _csv,
    ".tsv": _csv,
}


def _members(head: bytes, wanted: int) -> set[str]:
    """Names of the members at a depth of brackets, as far as the head goes."""
    found: set[str] = set()
    depth = 0
    for token in _JSON.finditer(head):
        text = token[0]
        if text in b"[{":
            depth += 1
        elif text in b"]}":
            depth -= 1
        elif depth == wanted and head[token.end() : token.end() + 8].lstrip()[:1] == b":":
            found.add(_name(text))
    return found


def _name(text: bytes) -> str:
    try:
        return str(json.loads(text))
    except ValueError:
        return ""


def _first_of_each(reasons: list[Reason]) -> tuple[Reason, ...]:
    firsts: dict[str, Reason] = {}
    for reason in reasons:
        firsts.setdefault(reason.format, reason)
    return tuple(firsts.values())
