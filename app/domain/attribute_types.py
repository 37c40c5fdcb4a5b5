"""What a label class says about the attributes of its annotations.

As JSON, in the API and in a class's sealed body::

    {"name": "truncated", "kind": "checkbox", "required": false, "default": null}
    {"name": "pose", "kind": "select", "options": ["standing", "lying"], …}
    {"name": "age", "kind": "number", "min": 0, "max": 120, "step": 1, …}
    {"name": "plate", "kind": "text", "max_length": 12, …}

A value that a class knows is held against its type; one that no class knows is let in as it
is, since data sets from elsewhere carry more than anybody has declared.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from app.domain.annotation import Attributes, Scalar
from app.domain.attributes import MAX_ATTRIBUTE_NAME, MAX_ATTRIBUTES
from app.domain.names import clean_name, refuse

MAX_OPTIONS: Final = 200
MAX_TEXT: Final = 500
#: So that a class with all of them is one line of the directory's record.
MAX_BYTES: Final = 65_536
#: A step is met when the quotient is this near to a whole number.
_NEAR: Final = 1e-9


class AttributeKind(Enum):
    SELECT = "select"
    NUMBER = "number"
    TEXT = "text"
    CHECKBOX = "checkbox"


_OWN: Final = {
    AttributeKind.SELECT: frozenset({"options"}),
    AttributeKind.NUMBER: frozenset({"min", "max", "step"}),
    AttributeKind.TEXT: frozenset({"max_length"}),
    AttributeKind.CHECKBOX: frozenset[str](),
}
_SHARED: Final = frozenset({"name", "kind", "required", "default"})


@dataclass(frozen=True, slots=True)
class AttributeType:
    """One attribute; ``minimum``, ``maximum`` and ``step`` None: any, ``max_length`` in
    characters. ``required`` is asked for when a picture is submitted, not while it is drawn.
    """

    name: str
    kind: AttributeKind
    required: bool = False
    default: Scalar = None
    options: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    max_length: int = MAX_TEXT


def read_attribute_types(
    document: object, path: str = "attributes"
) -> tuple[AttributeType, ...]:
    """The types in a list of JSON objects; ``InvalidInput`` with the place."""
    if not isinstance(document, list) or len(document) > MAX_ATTRIBUTES:
        raise refuse(path, f"This must be a list of at most {MAX_ATTRIBUTES} attributes.")
    if len(json.dumps(document, default=str)) > MAX_BYTES:
        raise refuse(path, f"All attributes of a label take at most {MAX_BYTES} bytes.")
    found = tuple(_read(entry, f"{path}[{n}]") for n, entry in enumerate(document))
    names = [each.name for each in found]
    for n, name in enumerate(names):
        if name in names[:n]:
            raise refuse(f"{path}[{n}].name", "Another attribute has this name.")
    return found


def attribute_type_json(each: AttributeType) -> dict[str, Any]:
    """As `read_attribute_types` reads it."""
    told: dict[str, Any] = {
        "name": each.name,
        "kind": each.kind.value,
        "required": each.required,
        "default": each.default,
    }
    if each.kind is AttributeKind.SELECT:
        told["options"] = list(each.options)
    elif each.kind is AttributeKind.NUMBER:
        told |= {"min": each.minimum, "max": each.maximum, "step": each.step}
    elif each.kind is AttributeKind.TEXT:
        told["max_length"] = each.max_length
    return told


def check_typed(attributes: Attributes, types: Sequence[AttributeType], path: str) -> None:
    """Raise ``InvalidInput`` for a value that its class's type does not take."""
    for each in types:
        value = attributes.get(each.name)
        problem = None if value is None else _problem(each, value)
        if problem is not None:
            raise refuse(f"{path}.{each.name}", problem)


def check_said(
    attributes: Attributes, before: Attributes, types: Sequence[AttributeType], path: str
) -> None:
    """As `check_typed`, for what is said anew: what was there before stays in order."""
    said = {
        name: value
        for name, value in attributes.items()
        if name not in before or json.dumps(before[name]) != json.dumps(value)
    }
    check_typed(said, types, path)


def with_defaults(attributes: Attributes, types: Sequence[AttributeType]) -> Attributes:
    """The attributes of a new annotation: what was not said is what the class says."""
    said = {each.name: each.default for each in types if each.default is not None}
    return {**said, **attributes}


def missing_of(attributes: Attributes, types: Sequence[AttributeType]) -> tuple[str, ...]:
    """The required attributes that have no value, or an empty one."""
    empty: tuple[object, ...] = (None, "")
    return tuple(
        each.name for each in types if each.required and attributes.get(each.name) in empty
    )


def _read(entry: object, path: str) -> AttributeType:
    if not isinstance(entry, dict):
        raise refuse(path, "This must be an object.")
    kinds = [kind.value for kind in AttributeKind]
    if entry.get("kind") not in kinds:
        raise refuse(f"{path}.kind", "This must be one of " + ", ".join(kinds) + ".")
    kind = AttributeKind(entry["kind"])
    for name in entry.keys() - _SHARED - _OWN[kind]:
        raise refuse(f"{path}.{name}", "There is no such member here.")
    made = AttributeType(
        name=clean_name(entry.get("name"), f"{path}.name", longest=MAX_ATTRIBUTE_NAME),
        kind=kind,
        required=_flag(entry, path),
        default=entry.get("default"),
        **_own(kind, entry, path),
    )
    if made.default is not None and (problem := _problem(made, made.default)) is not None:
        raise refuse(f"{path}.default", problem)
    return made


def _flag(entry: Mapping[str, Any], path: str) -> bool:
    value = entry.get("required", False)
    if not isinstance(value, bool):
        raise refuse(f"{path}.required", "This must be true or false.")
    return value


def _own(kind: AttributeKind, entry: Mapping[str, Any], path: str) -> dict[str, Any]:
    if kind is AttributeKind.SELECT:
        return {"options": _options(entry.get("options"), f"{path}.options")}
    if kind is AttributeKind.NUMBER:
        return _range(entry, path)
    if kind is AttributeKind.TEXT:
        return {"max_length": _length(entry.get("max_length"), f"{path}.max_length")}
    return {}


def _options(value: object, path: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_OPTIONS:
        raise refuse(path, f"This must be a list of 1 to {MAX_OPTIONS} texts.")
    names = tuple(
        clean_name(option, f"{path}[{n}]", longest=MAX_ATTRIBUTE_NAME)
        for n, option in enumerate(value)
    )
    if len(set(names)) != len(names):
        raise refuse(path, "Each option stands here once.")
    return names


def _range(entry: Mapping[str, Any], path: str) -> dict[str, Any]:
    low, high, step = (_number(entry.get(k), f"{path}.{k}") for k in ("min", "max", "step"))
    if low is not None and high is not None and low > high:
        raise refuse(f"{path}.max", "This must not be below min.")
    if step is not None and step <= 0:
        raise refuse(f"{path}.step", "This must be above 0.")
    return {"minimum": low, "maximum": high, "step": step}


def _number(value: object, path: str) -> float | None:
    if value is not None and not _is_number(value):
        raise refuse(path, "This must be a finite number.")
    return value  # type: ignore[return-value]


def _length(value: object, path: str) -> int:
    if value is None:
        return MAX_TEXT
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_TEXT:
        raise refuse(path, f"This must be a whole number from 1 to {MAX_TEXT}.")
    return value


def _is_number(value: object) -> bool:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return known and math.isfinite(value)  # type: ignore[arg-type]


def _problem(each: AttributeType, value: object) -> str | None:
    """What keeps the value from being one of this type, as a sentence; None for nothing."""
    if each.kind is AttributeKind.CHECKBOX:
        return None if isinstance(value, bool) else "This is true or false."
    if each.kind is AttributeKind.NUMBER:
        return _number_problem(each, value)
    if not isinstance(value, str):
        return "This is text."
    if each.kind is AttributeKind.SELECT:
        return None if value in each.options else "This is none of the options."
    fits = len(value) <= each.max_length
    return None if fits else f"At most {each.max_length} characters fit here."


def _number_problem(each: AttributeType, value: Any) -> str | None:
    if not _is_number(value):
        return "This is a number."
    if each.minimum is not None and value < each.minimum:
        return f"The least is {each.minimum}."
    if each.maximum is not None and value > each.maximum:
        return f"The most is {each.maximum}."
    steps = (value - (each.minimum or 0)) / each.step if each.step else 0.0
    if abs(steps - round(steps)) > _NEAR * max(1.0, abs(steps)):
        return f"This goes in steps of {each.step}."
    return None


def value_word(value: object) -> str:
    """A value as people write it in a filter or a form: ``true``, ``3``, ``standing``; '' for
    none."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
