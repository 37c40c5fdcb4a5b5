"""The members of a JSON body: typed, named in the refusal, nothing unknown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from flask import request

from app.errors import InvalidInput, Mistake, UnsupportedType


def json_document() -> Any:
    """Return the parsed body; UnsupportedType unless it says that it is JSON."""
    if not request.is_json:
        raise UnsupportedType(
            "Send the body as application/json.", operation="request.content_type"
        )
    return request.get_json()


def json_object(known: Collection[str]) -> Mapping[str, Any]:
    """Return the body as an object that has no other members than the known ones."""
    document = json_document()
    if not isinstance(document, dict):
        raise _refusal([Mistake("$", "must be an object")])
    unknown = [
        Mistake(f"$.{name}", "is not a known member") for name in document if name not in known
    ]
    if unknown:
        raise _refusal(unknown)
    return document


def text(document: Mapping[str, Any], name: str) -> str | None:
    """Return a member that is text; None if it is left out."""
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise _refusal([Mistake(f"$.{name}", "must be text")])
    return value


def boolean(document: Mapping[str, Any], name: str) -> bool | None:
    """Return a member that is true or false; None if it is left out."""
    value = document.get(name)
    if value is not None and not isinstance(value, bool):
        raise _refusal([Mistake(f"$.{name}", "must be true or false")])
    return value


def whole(document: Mapping[str, Any], name: str) -> int | None:
    """Return a member that is a whole number from 0 on; None if it is left out."""
    value = document.get(name)
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int) or value < 0
    ):
        raise _refusal([Mistake(f"$.{name}", "must be a whole number")])
    return value


def texts(document: Mapping[str, Any], name: str) -> list[str] | None:
    """Return a member that is a list of texts; None if it is left out."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _refusal([Mistake(f"$.{name}", "must be a list of texts")])
    return value


def required(document: Mapping[str, Any], name: str) -> str:
    """Return a member that is text and must be there."""
    value = text(document, name)
    if value is None:
        raise _refusal([Mistake(f"$.{name}", "is missing")])
    return value


def _refusal(mistakes: list[Mistake]) -> InvalidInput:
    first = mistakes[0]
    return InvalidInput(
        f"The document is not as expected: {first.path} {first.message}.",
        mistakes=mistakes,
        operation="request.document",
    )
