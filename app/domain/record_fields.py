"""How one row stands in a sealed record: named fields, each of one strict kind.

A record is JSON in UTF-8 with sorted keys and no spaces. Ids are hyphened UUIDs, times
``2026-11-22T10:30:00.000000Z``; a number is written as Python's ``repr`` writes it, the
shortest that reads back as the same number. Whatever else a reader finds is refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from app.domain.ids import read_id
from app.errors import StoreError

_TIME: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_TIME_FORM: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_json = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def invalid(message: str = "A field of a record is impossible.") -> StoreError:
    """The refusal; it repeats nothing of what was read."""
    return StoreError(message, operation="record.parse")


def to_bytes(value: object) -> bytes:
    """The one way to write ``value``."""
    return _json.encode(value).encode()


def from_bytes(raw: bytes | memoryview) -> Any:
    """Parsed JSON with finite numbers; ``StoreError``."""
    try:
        return json.loads(bytes(raw), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):  # its text quotes what was sealed
        raise invalid("A record is not JSON.") from None


def _refuse_constant(_: str) -> object:
    raise ValueError("not a finite number")


@dataclass(frozen=True, slots=True)
class Kind:
    """``write`` gives JSON; ``read`` raises ValueError or TypeError for anything else."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def optional(kind: Kind) -> Kind:
    """Of this kind, or null."""
    return Kind(
        lambda value: None if value is None else kind.write(value),
        lambda value: None if value is None else kind.read(value),
    )


def _as_it_is(value: Any) -> Any:
    return value


def _read_id(value: Any) -> UUID:
    found = read_id(value)
    if found is None:
        raise ValueError("not an id")
    return found


def _write_time(value: datetime) -> str:
    # Not strftime: it writes years before 1000 with fewer digits.
    naive = value.astimezone(UTC).replace(tzinfo=None)
    return naive.isoformat(timespec="microseconds") + "Z"


def _read_time(value: Any) -> datetime:
    if not isinstance(value, str) or not _TIME_FORM.fullmatch(value):
        raise ValueError("not a time")
    return datetime.strptime(value, _TIME).replace(tzinfo=UTC)


def _typed(*types: type) -> Callable[[Any], Any]:
    """Exactly one of these: a boolean is no integer."""

    def read(value: Any) -> Any:
        if type(value) not in types:
            raise TypeError("another type")
        return value

    return read


def _read_box(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) != 4:
        raise ValueError("not a box")
    box = tuple(float(_typed(float, int)(part)) for part in value)
    if not all(map(math.isfinite, box)):
        raise ValueError("not a box")
    return box


ID: Final = Kind(str, _read_id)
TIME: Final = Kind(_write_time, _read_time)
TEXT: Final = Kind(_as_it_is, _typed(str))
NUMBER: Final = Kind(_as_it_is, _typed(int))
FLAG: Final = Kind(bool, _typed(bool))
OBJECT: Final = Kind(dict, _typed(dict))
BOX: Final = Kind(lambda box: [float(part) for part in box], _read_box)


@dataclass(frozen=True, slots=True)
class Fields:
    """The columns of one table that a record keeps, by their names.

    ``later``: what older records lack and newer ones tell only where it is not null.
    """

    table: str
    kinds: Mapping[str, Kind]
    later: frozenset[str] = frozenset()

    def write(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row's values as JSON."""
        told = {name: kind.write(row[name]) for name, kind in self.kinds.items()}
        return {k: v for k, v in told.items() if v is not None or k not in self.later}

    def read(self, value: object) -> dict[str, Any]:
        """The values of a row; ``StoreError`` unless exactly these fields are there."""
        if not isinstance(value, dict) or value.keys() | self.later != self.kinds.keys():
            raise invalid("A record has missing or unknown fields.")
        try:
            return {name: kind.read(value.get(name)) for name, kind in self.kinds.items()}
        except (ValueError, TypeError, OverflowError):
            raise invalid() from None
