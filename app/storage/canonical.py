"""JSON in the one form that may be compared and authenticated byte by byte.

Sorted keys, no spaces, ASCII (everything else as ``\\uXXXX`` in lower-case hex); objects,
arrays, strings, integers, booleans and null, and no other numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]


def encode(value: Json) -> bytes:
    """The canonical bytes of ``value``; ValueError for anything else."""
    _refuse_other_types(value)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def decode(raw: bytes) -> Json:
    """What ``raw`` says; ValueError unless it is exactly the canonical form of that."""
    try:
        value: Json = json.loads(
            raw.decode("ascii"), parse_float=_no_float, parse_constant=_no_float
        )
        canonical = encode(value)
    except RecursionError:
        raise ValueError("too deep") from None
    if canonical != raw:
        raise ValueError("not canonical")
    return value


def _no_float(_: str) -> NoReturn:
    raise ValueError("only integers are numbers here")


def _refuse_other_types(value: object) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError("only strings are keys")
            _refuse_other_types(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_other_types(item)
    elif value is not None and not isinstance(value, str | int):
        raise ValueError("not a value of canonical JSON")
