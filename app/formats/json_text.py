"""JSON documents with limits and places, and records that are written as they were read."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, cast

from app.domain.names import refuse
from app.formats.dataset import Extra, extra, fields_of, form_of
from app.formats.texts import read_text

MAX_DEPTH: Final = 40
MAX_CONTAINERS: Final = 4_000_000
"""Lists and objects of one document: each takes a hundred bytes and more while it is read."""
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}", re.ASCII)

#: What may be wrong in a document that is JSON; found in a text, it is nothing.
_SUSPECT: Final = re.compile(r"NaN|Infinity|[eE]\+?\d{3}|\d{309}|\\u[dD][89a-fA-F]", re.ASCII)

Record = dict[str, Any]
_Link = tuple[Any, object] | None
Check = tuple[tuple[str, ...], Callable[[Record], bool]]


class _Doubled(dict[str, object]):
    """An object that has a member twice."""


def read_json(data: bytes, name: str) -> object:
    """The document. Refused are NaN, Infinity, 1e999, members that are there twice, nesting
    beyond 40 and too many lists: ``InvalidInput`` with the place."""
    text = read_text(data, name)
    if text.count("[") + text.count("{") > MAX_CONTAINERS:
        raise refuse(name, f"A file has at most {MAX_CONTAINERS:,} lists and objects.")
    doubled: list[object] = []

    def made(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            doubled.append(found := _Doubled(found))
        return found

    try:
        document: object = json.loads(text, object_pairs_hook=made)
    except json.JSONDecodeError as wrong:
        raise refuse(f"{name}:{wrong.lineno}", "This is no JSON.") from None
    except RecursionError:
        raise refuse(name, f"JSON is nested at most {MAX_DEPTH} deep here.") from None
    except ValueError:
        raise refuse(name, "A number in this file has too many digits.") from None
    if doubled or _SUSPECT.search(text) or _is_deep(document):
        _check(document, name)
    return document


def json_bytes(document: object) -> bytes:
    """UTF-8, numbers by ``repr``; ``ValueError`` for what is no JSON."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()


def record(value: object, place: str) -> Record:
    """An object; ``InvalidInput``."""
    if not isinstance(value, dict):
        raise refuse(place, "This must be an object.")
    return value


def records(value: object, place: str) -> Iterable[tuple[str, Record]]:
    """Place and object of each entry of a list; ``InvalidInput``."""
    for n, entry in enumerate(array(value, place)):
        yield f"{place}[{n}]", record(entry, f"{place}[{n}]")


def array(value: object, place: str) -> Sequence[Any]:
    """A list; ``InvalidInput``."""
    if not isinstance(value, list):
        raise refuse(place, "This must be a list.")
    return value


def text(value: object, place: str) -> str:
    """A text; ``InvalidInput``."""
    if not isinstance(value, str):
        raise refuse(place, "This must be text.")
    return value


def exactly(one: object, other: object) -> bool:
    """Equal with the same types: 1, 1.0 and true differ, as do orders of members."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(exactly(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(exactly, one, other))
    return one == other


def kept(found: Record, rendered: Record, known: Iterable[str]) -> dict[str, object]:
    """What `restored` needs to make ``found`` of ``rendered``: ``fields`` are the members
    that are not in ``known``, ``form`` is ``raw`` values and the order of ``keys``."""
    names = frozenset(known)
    fields = {name: value for name, value in found.items() if name not in names}
    raw = {
        name: value
        for name, value in found.items()
        if name in names and not (name in rendered and exactly(value, rendered[name]))
    }
    form: Record = {"raw": raw} if raw else {}
    if list(found) != [*rendered, *fields]:
        form["keys"] = list(found)
    return extra(fields, form)


def restored(rendered: Record, was: Extra, checks: Iterable[Check] = ()) -> Record:
    """The record as it was, but for groups of members whose check says that the record no
    longer means what ``rendered`` does."""
    form = form_of(was)
    raw, keys = form.get("raw"), form.get("keys")
    values = {**rendered, **fields_of(was), **(raw if isinstance(raw, dict) else {})}
    names = [k for k in keys if k in values] if isinstance(keys, list) else list(values)
    whole = {name: values[name] for name in names}
    for group, holds in checks:
        if not holds(whole):
            for name in group:
                whole.pop(name, None) if name not in rendered else whole.update(
                    {name: rendered[name]}
                )
    return whole


def _is_deep(document: object) -> bool:
    """Level by level: a large document is looked through in a moment."""
    level: list[Any] = [document] if isinstance(document, dict | list) else []
    for _ in range(MAX_DEPTH + 1):
        level = [
            entry
            for value in level
            for entry in (value if type(value) is list else value.values())
            if type(entry) is dict or type(entry) is list
        ]
    return bool(level)


def _check(document: object, place: str) -> None:
    """Refuse what is wrong with its place. Walks without recursion; a path is a chain of
    links to what is around, and is spelt out only for what is refused."""
    waiting: list[tuple[object, _Link, int]] = [(document, None, 0)]
    while waiting:
        value, link, depth = waiting.pop()
        if wrong := _mistake(value, depth):
            raise refuse(f"{place}:{_json_path(_steps(link))}", wrong)
        entries: Iterable[tuple[object, object]] = ()
        if isinstance(value, dict):
            entries = value.items()
        elif isinstance(value, list):
            entries = enumerate(value)
        waiting += [(e, (link, key), depth + 1) for key, e in entries if not _is_sound(e)]


def _steps(link: _Link) -> list[object]:
    steps: list[object] = []
    while link is not None:
        link, key = link
        steps.append(key)
    return steps[::-1]


def _is_sound(value: object) -> bool:
    """Whether nothing can be wrong with it: most of a large document is numbers, and lists
    of them."""
    if type(value) is list:
        return all(type(entry) is not list and _is_sound(entry) for entry in value)
    kind = type(value)
    if kind is float:
        return math.isfinite(cast(float, value))
    return kind is int or kind is bool or (kind is str and cast(str, value).isascii())


def _mistake(value: object, depth: int) -> str:
    if depth > MAX_DEPTH:
        return f"JSON is nested at most {MAX_DEPTH} deep here."
    if isinstance(value, float) and not math.isfinite(value):
        return "This must be a finite number."
    if isinstance(value, _Doubled):
        return "This object has a member twice."
    names = value if isinstance(value, dict) else ()
    if not all(_can_be_written(part) for part in (value, *names) if isinstance(part, str)):
        return "This text has half a character (a lone surrogate)."
    return ""


def _can_be_written(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= c <= "\udfff" for c in value)


def _json_path(path: Iterable[object]) -> str:
    """A member's name is told only where it is a plain word: it may be anything."""
    steps = (
        f"[{step}]"
        if isinstance(step, int)
        else f".{step}"
        if _PLAIN.fullmatch(str(step))
        else ".*"
        for step in path
    )
    return "$" + "".join(steps)


def number_pairs(numbers: Sequence[float]) -> tuple[tuple[float, float], ...]:
    """(x, y) of a flat list of even length."""
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def same(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Equal with the same types, whatever the order of members."""
    return one.keys() == other.keys() and all(exactly(one[k], other[k]) for k in one)
