"""The attributes of a box: a small flat object, what data sets carry beside a label."""

from __future__ import annotations

import json
import math
from typing import Final

from app.domain.annotation import Attributes, Scalar
from app.domain.names import clean_name, refuse

MAX_ATTRIBUTES: Final = 32
MAX_ATTRIBUTE_NAME: Final = 64
MAX_VALUES: Final = 64
MAX_JSON_BYTES: Final = 4096
#: Beyond this, JSON readers of other languages round.
_LARGEST_INTEGER: Final = 2**53


def check_attributes(value: object, path: str) -> Attributes | None:
    """Names to texts, finite numbers, booleans, null, or flat lists of these; 4 KiB in all.

    None when nothing was said. Raises ``InvalidInput``.
    """
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) > MAX_ATTRIBUTES:
        raise refuse(path, f"This must be an object of at most {MAX_ATTRIBUTES} attributes.")
    clean = {
        clean_name(name, path, longest=MAX_ATTRIBUTE_NAME): _value(entry, f"{path}.{place}")
        for place, (name, entry) in enumerate(value.items())
    }
    if len(json.dumps(clean)) > MAX_JSON_BYTES:
        raise refuse(path, f"All attributes together take at most {MAX_JSON_BYTES} bytes.")
    return clean


def _value(entry: object, path: str) -> Scalar | list[Scalar]:
    if isinstance(entry, list):
        if len(entry) > MAX_VALUES:
            raise refuse(path, f"A list has at most {MAX_VALUES} values.")
        return [_scalar(part, path) for part in entry]
    return _scalar(entry, path)


def _scalar(entry: object, path: str) -> Scalar:
    if entry is None or isinstance(entry, bool):
        return entry
    if isinstance(entry, int) and abs(entry) <= _LARGEST_INTEGER:
        return entry
    if isinstance(entry, float) and math.isfinite(entry):
        return entry
    if isinstance(entry, str) and not _is_broken(entry):
        return entry
    raise refuse(path, "An attribute is text, a finite number, true, false, null or a list.")


def _is_broken(text: str) -> bool:
    return "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)
