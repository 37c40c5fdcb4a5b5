"""Identifiers, and the random names that people see."""

from __future__ import annotations

import re
import secrets
from typing import Final
from uuid import UUID, uuid4

from app.errors import NotFound

_CANONICAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)

# No 0, 1, i, l, o, u: a slug is read aloud and typed, and spells no word by accident.
_SLUG_LETTERS: Final = "23456789abcdefghjkmnpqrstvwxyz"
_SLUG_LENGTH: Final = 10


def new_id() -> UUID:
    """A random id (UUIDv4). The store spreads files by its first byte: never a v7."""
    return uuid4()


def read_id(text: object) -> UUID | None:
    """The id that a text spells in the usual hyphened form, or None."""
    if isinstance(text, str) and _CANONICAL.fullmatch(text.lower()):
        return UUID(text)
    return None


def parse_id(text: object) -> UUID:
    """The id that a text spells; ``NotFound`` for anything else: nothing has such an id."""
    found = read_id(text)
    if found is None:
        raise NotFound("There is nothing here.", operation="id.parse")
    return found


def new_slug() -> str:
    """A random address of a collection: ``c-`` and ten characters (49 bits)."""
    return "c-" + "".join(secrets.choice(_SLUG_LETTERS) for _ in range(_SLUG_LENGTH))
