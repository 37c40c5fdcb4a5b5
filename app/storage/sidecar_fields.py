"""Strict readers for the fields of a sidecar: the right type, the right form, nothing else."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from app.errors import SidecarInvalid
from app.storage.canonical import Json

UUID_FORM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def invalid(message: str = "A field of the sidecar is impossible.") -> SidecarInvalid:
    """The refusal; it repeats nothing of what was read."""
    return SidecarInvalid(message, operation="sidecar.parse")


def fields_of(value: Json, names: frozenset[str]) -> Mapping[str, Json]:
    """An object with exactly these keys."""
    if not isinstance(value, Mapping) or set(value) != names:
        raise invalid("The sidecar has missing or unknown fields.")
    return value


def integer(value: Json) -> int:
    """A count or size; a boolean is none."""
    if type(value) is not int or value < 0:
        raise invalid()
    return value


def matching(value: Json, form: re.Pattern[str]) -> str:
    """A string of this form; the pattern ends with ``\\Z``."""
    if not isinstance(value, str) or form.match(value) is None:
        raise invalid()
    return value


def to_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def from_base64(value: Json, length: int | None = None) -> bytes:
    """Standard alphabet with padding; of ``length`` bytes, if it is given."""
    if not isinstance(value, str):
        raise invalid()
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise invalid() from None
    if to_base64(raw) != value or (length is not None and len(raw) != length):
        raise invalid()
    return raw
