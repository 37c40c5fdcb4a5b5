"""The blueprint that the modules beside it add their views to."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint

from app.domain.ids import read_id
from app.web import forms

blueprint = Blueprint("work", __name__)


def person(text: str | None, path: str) -> UUID | None:
    """Read an id of a form or query; None for an empty one."""
    if not text:
        return None
    found = read_id(text)
    if found is None:
        raise forms.wrong(path, "is not an id")
    return found
