"""What the rooms of the loopback vault say to each other: a request and its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Request:
    """``parts`` is the path without its first slash, split; ``origin`` the own address."""

    method: str
    parts: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: dict[str, Any]
    form: Mapping[str, str]
    origin: str


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """An error in the form of Key Vault: a code, and often one inside that says more."""

    def __init__(self, status: int, code: str, inner: str = "", **headers: str) -> None:
        super().__init__(code)
        error: dict[str, Any] = {"code": code, "message": f"{code}: told in many words"}
        if inner:
            error["innererror"] = {"code": inner}
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answer = Answer(status, {"error": error}, names)


def missing(what: str, name: str) -> Refusal:
    return Refusal(404, f"{what}NotFound", f"{name} was not found")


def page(request: Request, items: list[dict[str, Any]], most: int) -> Answer:
    """One page of a list; the next link carries where it goes on."""
    start = int(request.query.get("$skiptoken", "0"))
    size = min(most, int(request.query.get("maxresults", "25")))
    link = None
    if start + size < len(items):
        path = "/".join(request.parts)
        version = request.query["api-version"]
        link = (
            f"{request.origin}/{path}?api-version={version}"
            f"&maxresults={size}&$skiptoken={start + size}"
        )
    return Answer(200, {"value": items[start : start + size], "nextLink": link})
