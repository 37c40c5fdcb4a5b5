"""What a JSON body may be: bounded depth, finite numbers, real text, no NUL, no doubles."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, NoReturn

from app.errors import InvalidInput, Mistake

MAX_DEPTH = 32
MAX_DIGITS = 32


def parse_json(raw: bytes) -> Any:
    """Return the document, or raise InvalidInput that names the place of the mistake."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        _refuse("$", f"is not UTF-8 text (byte {wrong.start})")
    try:
        document = json.loads(
            text,
            parse_constant=_constant,
            parse_float=_finite,
            parse_int=_bounded,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as wrong:
        _refuse("$", f"is not JSON: {wrong.msg} at line {wrong.lineno}, column {wrong.colno}")
    except RecursionError:
        _refuse("$", f"is nested more than {MAX_DEPTH} levels deep")
    _check(document, "$", 0)
    return document


@dataclass(frozen=True, slots=True)
class _Wrong:
    """Stands in the document for what cannot be taken, until its place is known."""

    message: str


def _constant(name: str) -> _Wrong:
    return _Wrong(f"holds {name}, which is not a JSON number")


def _finite(text: str) -> float | _Wrong:
    number = float(text)
    return number if math.isfinite(number) else _Wrong("holds a number that is too large")


def _bounded(text: str) -> int | _Wrong:
    if len(text) > MAX_DIGITS:
        return _Wrong(f"holds a number of more than {MAX_DIGITS} digits")
    return int(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Wrong:
    members = dict(pairs)
    if len(members) != len(pairs):
        return _Wrong("holds an object that names a member twice")
    return members


def _check(value: Any, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        _refuse("$", f"is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, _Wrong):
        _refuse(path, value.message)
    elif isinstance(value, str):
        _check_string(value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check(item, f"{path}[{index}]", depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_string(name, path)
            _check(item, f"{path}.{name}", depth + 1)


def _check_string(text: str, path: str) -> None:
    if "\0" in text:
        _refuse(path, "holds a NUL character")
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        _refuse(path, "holds half of a surrogate pair")


def _refuse(path: str, message: str) -> NoReturn:
    raise InvalidInput(
        f"The JSON document {message}.",
        mistakes=[Mistake(path, message)],
        operation="request.json",
    )
