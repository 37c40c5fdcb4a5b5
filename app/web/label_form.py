"""The forms of a label: aliases in one field, attributes as rows of fields."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flask import request

from app.domain.attribute_types import AttributeKind
from app.services.label_schema import SplitWish
from app.services.labels import LabelEdit
from app.web.forms import number, wrong
from app.web.label_view import AttributeRow

_NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)"
_RANGE = re.compile(
    rf"(?:(?P<min>{_NUMBER})?\s*\.\.\s*(?P<max>{_NUMBER})?)?\s*(?:step\s+(?P<step>{_NUMBER}))?",
    re.ASCII,
)
MOST_VERSIONS = 2**31 - 1


def label_edit() -> LabelEdit:
    """What a form says; a field that is not there stays as it is."""
    form = request.form
    return LabelEdit(
        name=form.get("name"),
        colour=form.get("colour") or None,
        hotkey=form.get("hotkey"),
        aliases=_parted(form["aliases"]) if "aliases" in form else None,
        attributes=_attributes() if "attribute_name" in form else None,
    )


def version() -> int | None:
    """The version that the page showed; None where the form does not tell."""
    return number(request.form.get("version"), "version", 1, MOST_VERSIONS, 0) or None


def split_wish() -> SplitWish:
    """Values and names are fields in pairs; a value without a name stays."""
    form = request.form
    pairs = zip(form.getlist("value"), form.getlist("name"), strict=False)
    return SplitWish(
        attribute=form.get("attribute", ""),
        names={value: name for value, name in pairs if name.strip()},
    )


def _parted(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def typed_attributes() -> tuple[AttributeRow, ...]:
    """The rows as they were typed, to show them again beside what is wrong with them."""
    return tuple(
        AttributeRow(name, kind, detail, default, required == "yes")
        for name, kind, detail, default, required in _rows()
    )


def _attributes() -> list[dict[str, Any]]:
    return [_attribute(row) for row in _rows()]


def _rows() -> list[tuple[str, ...]]:
    """A row without a name is none."""
    fields = ("name", "kind", "detail", "default", "required")
    columns = [request.form.getlist(f"attribute_{field}") for field in fields]
    return [row for row in zip(*columns, strict=False) if row[0].strip()]


def _attribute(row: Sequence[str]) -> dict[str, Any]:
    name, kind, detail, default, required = row
    told: dict[str, Any] = {"name": name, "kind": kind, "required": required == "yes"}
    if kind == AttributeKind.SELECT.value:
        told["options"] = _parted(detail)
    elif kind == AttributeKind.NUMBER.value:
        told |= _range(detail, name.strip())
    elif kind == AttributeKind.TEXT.value and detail.strip():
        told["max_length"] = number(detail.strip(), "attribute_detail", 1, 500, 0)
    return told | {"default": _default(kind, default.strip())}


def _range(detail: str, name: str) -> dict[str, Any]:
    match = _RANGE.fullmatch(detail.strip())
    if match is None:
        raise wrong("attribute_detail", f"must be a range such as 0..120 step 1, at “{name}”")
    return {
        name: None if text is None else _plain(text) for name, text in match.groupdict().items()
    }


def _default(kind: str, text: str) -> Any:
    if not text:
        return None
    if kind == AttributeKind.CHECKBOX.value:
        return {"true": True, "yes": True, "false": False, "no": False}.get(text.lower(), text)
    if kind == AttributeKind.NUMBER.value and re.fullmatch(_NUMBER, text, re.ASCII):
        return _plain(text)
    return text


def _plain(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() else value
