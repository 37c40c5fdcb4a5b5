"""Words to write JSON Schemas with (dialect 2020-12, as OpenAPI 3.1 has it)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """Point at a schema of the document by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(about: str = "", **more: Any) -> Schema:
    return _told({"type": "string", **more}, about)


def number(about: str = "", **more: Any) -> Schema:
    return _told({"type": "number", **more}, about)


def whole(about: str = "", **more: Any) -> Schema:
    """A whole number, from 0 on unless told."""
    return _told({"type": "integer", "minimum": 0, **more}, about)


def boolean(about: str = "", **more: Any) -> Schema:
    return _told({"type": "boolean", **more}, about)


def moment(about: str = "") -> Schema:
    """A time of RFC 3339; answers tell it in UTC."""
    return text(about, format="date-time")


def uuid(about: str = "") -> Schema:
    return text(about, format="uuid")


def one_of(words: Iterable[str], about: str = "") -> Schema:
    return text(about, enum=list(words))


def items(schema: Schema, about: str = "", **more: Any) -> Schema:
    return _told({"type": "array", "items": schema, **more}, about)


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    either = schema | {"type": [schema["type"], "null"]}
    return either | {"enum": [*schema["enum"], None]} if "enum" in schema else either


def record(about: str = "", /, **members: Schema) -> Schema:
    """An object of an answer: every member is always there."""
    return _told({"type": "object", "properties": members, "required": list(members)}, about)


def document(needed: Iterable[str] = (), /, **members: Schema) -> Schema:
    """An object that a client sends: an unknown member is refused."""
    schema: Schema = {"type": "object", "properties": members, "additionalProperties": False}
    wanted = list(needed)
    return schema | ({"required": wanted} if wanted else {})


def _told(schema: Schema, about: str) -> Schema:
    return schema | {"description": about} if about else schema
