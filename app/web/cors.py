"""Other sites' scripts and the API: only the origins that BACKEND_CORS_ORIGINS names.

Programs in a browser there use an API key: cookies are never sent along, so no answer of
ours allows credentials.
"""

from __future__ import annotations

from flask import Flask, Response, request

API = "/api/"
METHODS = "GET, POST, PUT, PATCH, DELETE"
HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, X-Request-ID"
SHOWN = "ETag, Retry-After, X-Request-ID"


def install(app: Flask, origins: tuple[str, ...]) -> None:
    """Answer preflights and mark answers of the API for the named origins."""

    def preflight() -> Response | None:
        if request.method != "OPTIONS" or not _is_asked_from(origins):
            return None
        answer = Response(status=204)
        answer.headers["Access-Control-Allow-Methods"] = METHODS
        answer.headers["Access-Control-Allow-Headers"] = HEADERS
        answer.headers["Access-Control-Max-Age"] = "600"
        return answer

    def mark(response: Response) -> Response:
        if _is_asked_from(origins):
            response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
            response.headers["Access-Control-Expose-Headers"] = SHOWN
        if request.path.startswith(API):
            response.vary.add("Origin")
        return response

    if origins:
        app.before_request(preflight)
        app.after_request(mark)


def _is_asked_from(origins: tuple[str, ...]) -> bool:
    return request.path.startswith(API) and request.headers.get("Origin") in origins
