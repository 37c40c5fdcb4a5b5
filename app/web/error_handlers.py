"""From errors to answers: problem+json for the API, a plain page for people."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template, request
from flask.globals import request_ctx
from flask_wtf.csrf import CSRFError
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError

from app import errors as e
from app import metrics
from app.logs import request_id
from app.web.rates import seconds_to_wait

log = logging.getLogger("darkroom.web")

STATUS: tuple[tuple[type[e.DarkroomError], int, str], ...] = (
    (e.AuthenticationFailed, 401, "Sign in first"),
    (e.NotPermitted, 403, "Not permitted"),
    (e.NotFound, 404, "Not found"),
    (e.Gone, 410, "No longer available"),
    (e.Quarantined, 409, "Damaged and set aside"),
    (e.PictureSubmitted, 409, "Submitted"),
    (e.Conflict, 409, "In conflict"),
    (e.StaleRevision, 412, "Changed in the meantime"),
    (e.RevisionRequired, 428, "Revision required"),
    (e.FileTooLarge, 413, "Too large"),
    (e.UnsupportedType, 415, "Not a supported type"),
    (e.UndecodableMedia, 422, "Cannot be decoded"),
    (e.InvalidInput, 422, "Not valid"),
    (e.QuotaExceeded, 507, "Out of space"),
    (e.StoreFull, 507, "Out of space"),
    (e.RateLimited, 429, "Too many requests"),
    (e.StoreUnavailable, 503, "Temporarily unavailable"),
    (e.KeyVaultError, 503, "Temporarily unavailable"),
    (e.KeyManagementError, 503, "Temporarily unavailable"),
    (e.DatabaseUnavailable, 503, "Temporarily unavailable"),
    (e.DecoderUnavailable, 503, "Temporarily unavailable"),
    (e.BlobNotFound, 409, "Damaged and set aside"),
    (e.DecryptionFailed, 409, "Damaged and set aside"),
    (e.DarkroomError, 500, "Something went wrong"),
)
"""The first line that fits wins."""

RETRY_SECONDS = 30
DETAILS = {429: "Too many requests in a short time. Wait a little, then try again."}
NO_KEY = "The key vault does not give a key that this needs. Who runs this site has to look."
STALE_FORM = "The CSRF token is missing or from an earlier session: reload the page, try again."


def status_of(error: e.DarkroomError) -> tuple[int, str]:
    """Return the status code and the title for an error of ours."""
    return next((code, title) for kind, code, title in STATUS if isinstance(error, kind))


def detail_of(error: e.DarkroomError) -> str:
    """Return the sentence for the caller, who is not to read about files of the vault."""
    if status_of(error)[0] == 500:
        return "The error was recorded. Try again."
    if isinstance(error, e.KeyVaultError) and not isinstance(error, e.KeyVaultUnavailable):
        return NO_KEY
    return error.message


def as_item(file: str, error: e.DarkroomError) -> dict[str, str]:
    """Return one refused file of an upload as an entry of its ``errors``."""
    return {"file": file, "code": error.code, "message": error.message}


def wants_problem() -> bool:
    """Programs get problem+json, people get a page."""
    if request.path.startswith("/api/") or "Authorization" in request.headers:
        return True
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == (
        "application/json"
    )


def problem(status: int, title: str, detail: str, **members: Any) -> Response:
    """Return RFC 9457 problem details, with the request id as ``instance``."""
    body: dict[str, Any] = {
        "type": f"urn:darkroom:problem:{members.pop('code', status)}",
        "title": title,
        "status": status,
        "detail": detail,
        "errors": members.pop("errors", []),
        "request_id": request_id.get(),
    }
    response = make_response(jsonify(body | members), status)
    response.mimetype = "application/problem+json"
    return response


def page(status: int, title: str, detail: str, retry_after: int | None = None) -> Response:
    """Return the error page of this status in the look of the product."""
    html = render_template(
        [f"errors/{status}.html", "errors/error.html"],
        status=status,
        title=title,
        detail=detail,
        request_id=request_id.get(),
        retry_after=retry_after,
    )
    return make_response(html, status)


def answer(status: int, title: str, detail: str, **members: Any) -> Response:
    """Answer in the form that the client understands."""
    if wants_problem():
        return problem(status, title, detail, **members)
    if request_ctx.url_adapter is None:  # a foreign host: no page of ours has an address there
        return Response(f"{title}. {detail}\n", status, mimetype="text/plain")
    return page(status, title, detail, _retry_after(status))


def _retry_after(status: int) -> int | None:
    if status == 429:
        return seconds_to_wait()
    return RETRY_SECONDS if status == 503 else None


def on_darkroom_error(error: e.DarkroomError) -> Response:
    """Answer one of our errors; what is our fault is logged with where it happened."""
    status, title = status_of(error)
    metrics.errors.labels(error.code).inc()
    if status >= 500 or isinstance(error, e.EncryptionError | e.StoreError):
        log.error("request failed", exc_info=error)
    mistakes = error.mistakes if isinstance(error, e.InvalidInput) else ()
    listed = [{"path": mistake.path, "message": mistake.message} for mistake in mistakes]
    members: dict[str, Any] = {"code": error.code, "errors": listed}
    if isinstance(error, e.SchemaChanged):
        members["current"] = {"version": error.version}
    if isinstance(error, e.PictureSubmitted):
        members["may_reopen"] = error.details.get("may_reopen") is True
    response = answer(status, title, detail_of(error), **members)
    if isinstance(error, e.RateLimited):
        response.headers["Retry-After"] = str(error.retry_after)
    elif status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    elif status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Darkroom"'
    return response


def on_http_exception(error: HTTPException) -> Response:
    """Answer what Flask and werkzeug raise, with their headers (Allow, Retry-After)."""
    status = error.code or 500
    detail = DETAILS.get(status) or error.description or error.name
    if isinstance(error, RequestEntityTooLarge):
        detail = "The request is larger than this address accepts."
    elif isinstance(error, SecurityError):
        detail = "This host is not known here: ALLOWED_HOSTS names those that are."
    elif isinstance(error, CSRFError):  # the code tells modules to fetch a new token
        return answer(status, error.name, STALE_FORM, code="csrf")
    response = answer(status, error.name, detail)
    if status == 429:
        response.headers["Retry-After"] = str(seconds_to_wait())
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def on_broken_body(_error: ParseException) -> Response:
    """What a client sent as chunks is none: only read when the view asks for it."""
    return answer(400, "Bad Request", "The body does not have the form that was announced.")


def on_anything(error: Exception) -> Response:
    """A bug: recorded with its place, never with its text."""
    metrics.errors.labels("unexpected").inc()
    log.error("unexpected error", exc_info=error)
    return answer(500, "Something went wrong", "The error was recorded. Try again.")


def register(app: Flask) -> None:
    """Install the handlers."""
    app.register_error_handler(e.DarkroomError, on_darkroom_error)
    app.register_error_handler(HTTPException, on_http_exception)
    app.register_error_handler(ParseException, on_broken_body)
    app.register_error_handler(Exception, on_anything)
