"""The API in OpenAPI 3.1: what each view declares, and what its gate means for callers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from apiflask import APIFlask
from werkzeug.routing import Rule

from app.blueprints.api.v1.schemas_accounts import SCHEMAS as OF_ACCOUNTS
from app.blueprints.api.v1.schemas_admin import SCHEMAS as OF_ADMIN
from app.blueprints.api.v1.schemas_annotations import SCHEMAS as OF_ANNOTATIONS
from app.blueprints.api.v1.schemas_exchange import SCHEMAS as OF_EXCHANGE
from app.blueprints.api.v1.schemas_images import SCHEMAS as OF_IMAGES
from app.blueprints.api.v1.schemas_jobs import SCHEMAS as OF_JOBS
from app.blueprints.api.v1.schemas_labels import SCHEMAS as OF_LABELS
from app.blueprints.api.v1.schemas_rounds import SCHEMAS as OF_ROUNDS
from app.blueprints.api.v1.schemas_tasks import SCHEMAS as OF_TASKS
from app.blueprints.api.v1.shapes import Schema, ref, text, uuid
from app.domain.scopes import Scope
from app.web.guards import READING

View = TypeVar("View", bound=Callable[..., Any])

JSON = "application/json"
PROBLEM = "application/problem+json"
FORM = "multipart/form-data"
FILE = "*/*"
"""In the place of a schema's name: the answer is a file of some type."""
ALWAYS = (400, 401, 403, 429, 503)
"""Host and token, key or session, scope, rate, and what the answer is made of."""
WITH_A_BODY = (413, 415, 422)
REFUSALS = {
    400: "The request is malformed, for another host, or without the CSRF token",
    401: "No key and no session, or one that has ended",
    403: "Seen, but not permitted: a scope or a role is missing",
    404: "Not there, or not to be seen",
    409: "In conflict with what is there",
    412: "Changed in the meantime",
    413: "Too large",
    415: "Not a type that is taken here",
    422: "Not valid",
    428: "A revision is required",
    429: "Too often",
    503: "Database, store, vault or decoder cannot be reached now",
    507: "The quota or the disk is full",
}
ANSWERS = {
    200: "Done",
    201: "Made",
    202: "Asked for; not done yet",
    204: "Done; no content",
    206: "A part, as Range asked for",
    207: "Some were refused",
    304: "Not changed",
}
REQUEST_ID: dict[str, Any] = {
    "X-Request-ID": {"schema": text(), "description": "the log names it too"}
}
RETRY_AFTER = {"Retry-After": {"schema": text(), "description": "seconds to wait"}}
CHALLENGE = {"WWW-Authenticate": {"schema": text()}}
ETAG = {"ETag": {"schema": text(), "description": "the revision"}}
MORE_HEADERS: dict[int, dict[str, Any]] = {
    401: CHALLENGE,
    412: ETAG,
    429: RETRY_AFTER,
    503: RETRY_AFTER,
}
PLACES = {
    "image_id": uuid(),
    "job_id": uuid(),
    "round_id": uuid(),
    "copy_id": uuid("of a picture in a blind round"),
    "key_id": uuid(),
    "session_id": uuid(),
    "user_id": uuid(),
    "label_id": uuid(),
    "comment_id": uuid(),
    "filter_id": uuid(),
    "receipt_id": uuid("that of the event in the audit log"),
    "slug": text("the collection's address"),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """What a view declares: schemas by name, ``None`` for an answer without content.

    ``scope`` is what a key needs; None: no key may. ``refuses`` are the statuses beyond
    those that every call may answer; ``problems`` name schemas other than ``Problem``.
    """

    scope: Scope | None
    answers: dict[int, str | None]
    refuses: tuple[int, ...] = ()
    takes: str | None = None
    form: str | None = None
    parameters: tuple[dict[str, Any], ...] = ()
    problems: dict[int, str] = field(default_factory=dict)
    etag: bool = False


def described(
    scope: Scope | None, answers: dict[int, str | None], **more: Any
) -> Callable[[View], View]:
    """Declare what a view answers and takes; see `Operation`."""
    operation = Operation(scope, answers, **more)

    def declare(view: View) -> View:
        view.operation = operation  # type: ignore[attr-defined]
        return view

    return declare


def parameter(
    name: str, schema: Schema, about: str = "", *, place: str = "query"
) -> dict[str, Any]:
    """Return a parameter that may be left out."""
    told = {"name": name, "in": place, "required": False, "schema": schema}
    return told | ({"description": about} if about else {})


def describe(app: APIFlask, prefix: str) -> None:
    """Let the document be finished from what the views below ``prefix`` declare."""

    def finish(document: Any) -> Any:
        document["servers"] = [{"url": "/"}]
        document["components"] = {
            "schemas": OF_IMAGES
            | OF_ANNOTATIONS
            | OF_ACCOUNTS
            | OF_LABELS
            | OF_EXCHANGE
            | OF_JOBS
            | OF_ADMIN
            | OF_TASKS
            | OF_ROUNDS,
            "securitySchemes": _schemes(app.config["SESSION_COOKIE_NAME"]),
        }
        for rule in app.url_map.iter_rules():
            operation = getattr(app.view_functions[rule.endpoint], "operation", None)
            if operation is not None and rule.rule.startswith(prefix):
                _finish(document, app, rule, operation)
        return document

    app.spec_processor(finish)


def _finish(document: dict[str, Any], app: APIFlask, rule: Rule, operation: Operation) -> None:
    path = document["paths"][_address(rule)]
    for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
        told = path[method.lower()]
        told["operationId"] = rule.endpoint.removeprefix("api.").replace(".", "_")
        told["description"] = _about(app.view_functions[rule.endpoint])
        told["security"] = _security(operation, method)
        told["parameters"] = [*_places(rule), *operation.parameters]
        told["responses"] = {str(status): it for status, it in _responses(operation, rule)}
        if operation.takes or operation.form:
            told["requestBody"] = _body(operation)


def _address(rule: Rule) -> str:
    address = rule.rule
    for name in rule.arguments:
        address = address.replace(f"<uuid:{name}>", f"{{{name}}}")
        address = address.replace(f"<{name}>", f"{{{name}}}")
    return address


def _about(view: Callable[..., Any]) -> str:
    return (inspect.getdoc(view) or "").replace("``", "`")


def _places(rule: Rule) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": PLACES[name]}
        for name in sorted(rule.arguments, key=rule.rule.index)
    ]


def _security(operation: Operation, method: str) -> list[dict[str, list[str]]]:
    session: dict[str, list[str]] = {"session": []}
    if method not in READING:
        session["csrf"] = []
    if operation.scope is None:
        return [session]
    return [{"apiKey": [operation.scope.value]}, session]


def _schemes(cookie: str) -> dict[str, Any]:
    return {
        "apiKey": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "dk_…",
            "description": "An API key; an operation names the scope that the key needs.",
        },
        "session": {"type": "apiKey", "in": "cookie", "name": cookie},
        "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRFToken"},
    }


def _body(operation: Operation) -> dict[str, Any]:
    kind, name = (FORM, operation.form) if operation.form else (JSON, operation.takes)
    return {"required": True, "content": {kind: {"schema": ref(name or "")}}}


def _responses(operation: Operation, rule: Rule) -> Iterator[tuple[int, dict[str, Any]]]:
    headers = REQUEST_ID | (ETAG if operation.etag else {})
    for status, name in sorted(operation.answers.items()):
        told = {"description": ANSWERS[status], "headers": headers}
        yield status, told | ({"content": _content(name)} if name else {})
    for status in sorted(_refusals(operation, rule)):
        schema = ref(operation.problems.get(status, "Problem"))
        yield (
            status,
            {
                "description": REFUSALS[status],
                "headers": REQUEST_ID | MORE_HEADERS.get(status, {}),
                "content": {PROBLEM: {"schema": schema}},
            },
        )


def _content(name: str) -> dict[str, Any]:
    if name == FILE:
        return {FILE: {"schema": ref("File")}}
    return {JSON: {"schema": ref(name)}}


def _refusals(operation: Operation, rule: Rule) -> set[int]:
    found = {*ALWAYS, *operation.refuses}
    if rule.arguments:
        found.add(404)
    if "GET" not in (rule.methods or set()):
        found |= {413, 507}
    if operation.takes or operation.form:
        found |= set(WITH_A_BODY)
    return found
