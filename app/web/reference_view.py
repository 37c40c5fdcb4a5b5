"""The description of the API as a page shows it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

_HERE = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Part:
    """A parameter, a body or an answer; ``schema`` names one of the page's schemas."""

    name: str
    about: str
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One operation; ``scope`` is what a key needs, None where no key may."""

    method: str
    path: str
    title: str
    about: str
    scope: str | None
    parameters: tuple[Part, ...]
    body: tuple[Part, ...]
    answers: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """``schemas`` maps names to JSON."""

    groups: tuple[Group, ...]
    schemas: Mapping[str, str]


def reference_of(document: Mapping[str, Any]) -> Reference:
    """Return what the page shows of an OpenAPI document."""
    calls = sorted(_calls(document), key=lambda pair: pair[0])
    groups = groupby(calls, key=lambda pair: pair[0])
    schemas = document["components"]["schemas"]
    return Reference(
        tuple(Group(name, tuple(call for _, call in members)) for name, members in groups),
        {name: _json(schema) for name, schema in sorted(schemas.items())},
    )


def _calls(document: Mapping[str, Any]) -> Iterator[tuple[str, Call]]:
    for path, methods in sorted(document["paths"].items()):
        for method, told in methods.items():
            yield told["tags"][0], _call(path, method, told)


def _call(path: str, method: str, told: Mapping[str, Any]) -> Call:
    keys = [way["apiKey"][0] for way in told["security"] if "apiKey" in way]
    return Call(
        method=method.upper(),
        path=path,
        title=told["summary"],
        about=told["description"],
        scope=keys[0] if keys else None,
        parameters=tuple(_parameter(each) for each in told["parameters"]),
        body=tuple(_content(told.get("requestBody", {}))),
        answers=tuple(
            Part(status, answer["description"], _schema(answer))
            for status, answer in told["responses"].items()
        ),
    )


def _parameter(told: Mapping[str, Any]) -> Part:
    schema = told["schema"]
    words = [told["in"], *schema.get("enum", [schema["type"]])]
    about = told.get("description", schema.get("description", ""))
    return Part(told["name"], f"{', '.join(words)}. {about}".strip())


def _content(told: Mapping[str, Any]) -> Iterator[Part]:
    for kind in told.get("content", {}):
        yield Part(kind, "", _schema(told))


def _schema(told: Mapping[str, Any]) -> str | None:
    for media in told.get("content", {}).values():
        return str(media["schema"]["$ref"]).removeprefix(_HERE)
    return None


def _json(schema: Any) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False)
