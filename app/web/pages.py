"""Pages and forms: rendered again with what was typed, or answered with a redirect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, flash, jsonify, make_response, redirect, render_template, request

from app.errors import DarkroomError, InvalidInput
from app.web.error_handlers import status_of

SECRETS = frozenset({"password", "current_password", "new_password", "code"})


def render(template: str, status: int = 200, **context: Any) -> Response:
    """Render a page; ``values`` and ``errors`` of its forms are empty unless given."""
    context.setdefault("values", {})
    context.setdefault("errors", {})
    return make_response(render_template(template, **context), status)


def again(template: str, error: DarkroomError, **context: Any) -> Response:
    """Render a form again: what was typed (never a secret), and a sentence at each field."""
    status, _ = status_of(error)
    page = render(template, status, values=typed(), errors=errors_of(error), **context)
    retry = getattr(error, "retry_after", None)
    if retry is not None:
        page.headers["Retry-After"] = str(retry)
    return page


def typed() -> dict[str, str]:
    """Return the fields of this form without its secrets."""
    return {name: value for name, value in request.form.items() if name not in SECRETS}


def errors_of(error: DarkroomError) -> dict[str, str]:
    """Return a sentence a field; the key '' is for the form as a whole."""
    mistakes = error.mistakes if isinstance(error, InvalidInput) else ()
    by_field = {mistake.path.removeprefix("$."): mistake.message for mistake in mistakes}
    sent = {*request.form, *request.files}
    known = {name: text for name, text in by_field.items() if name in sent}
    return known if known and len(known) == len(by_field) else {"": error.message} | known


def words_of(error: DarkroomError) -> str:
    """The first thing that is wrong, for a page that shows no form again."""
    mistakes = error.mistakes if isinstance(error, InvalidInput) else ()
    return mistakes[0].message if mistakes and not error.message else error.message


def done(url: str, said: str | None = None, category: str = "success") -> Response:
    """Answer a form that succeeded: 303, with a word on the next page."""
    if said is not None:
        flash(said, category)
    answer = redirect(url, 303)
    return make_response(answer)


def wants_json() -> bool:
    """Tell whether a module sent the form and waits for JSON."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def done_or_json(url: str, body: Mapping[str, Any], said: str | None = None) -> Response:
    """Answer a module with JSON, a form without JavaScript with 303."""
    return jsonify(body) if wants_json() else done(url, said)
