"""Media answers: streams that are verified before the status line, ranges, ETags, names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

from flask import Response, g, request
from werkzeug.http import parse_range_header

CLIENT_PATIENCE = 30.0
"""Seconds after which a client that takes nothing is cut."""


class Plaintext(Protocol):
    """An authenticated blob: its length in bytes, and any slice of it."""

    @property
    def plain_size(self) -> int: ...

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What the headers say: ``etag`` without quotes, ``cache`` the Cache-Control value."""

    mime_type: str
    etag: str
    cache: str
    inline: bool
    download_name: str | None = None


def not_modified(etag: str, cache: str) -> Response | None:
    """Return the 304 if the client has it; asked before store or vault is touched."""
    if not request.if_none_match.contains_weak(etag):
        return None
    g.is_media = True
    response = Response(status=304)
    response.set_etag(etag)
    response.headers["Cache-Control"] = cache
    response.headers["Vary"] = "Cookie, Authorization"
    return response


def send_bytes(data: bytes, facts: MediaFacts) -> Response:
    """Answer with a derivative, which is small and was verified whole."""
    g.is_media = True
    response = Response(data if request.method != "HEAD" else b"", status=200)
    _describe(response, facts, ranges=False)
    response.content_length = len(data)
    return response


def stream_media(
    plain: Plaintext,
    facts: MediaFacts,
    *,
    close: Callable[[], None],
    on_error: Callable[[BaseException], None],
) -> Response:
    """Answer with the whole or one range; the first chunk is verified in here.

    Raises what the first read raises, while an error page is still possible; a later error
    is told to ``on_error`` and ends the connection short. ``close`` is called in any case,
    perhaps twice.
    """
    g.is_media = True
    try:
        response = _respond(plain, facts, close, on_error)
    except BaseException:
        close()
        raise
    _describe(response, facts, ranges=True)
    return response


def _respond(
    plain: Plaintext,
    facts: MediaFacts,
    close: Callable[[], None],
    on_error: Callable[[BaseException], None],
) -> Response:
    size = plain.plain_size
    start, stop, status = _wanted(facts.etag, size)
    if status == 416:
        close()
        return Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    body = plain.chunks(start, stop)
    first = next(body, b"")
    response = Response(status=status)
    if request.method == "HEAD":
        close()
    else:
        _cut_idle_clients()
        response.response = _watched(first, body, on_error, close)
        response.call_on_close(close)  # for a body that nobody began to read
    response.content_length = stop - start
    if status == 206:
        response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return response


def _cut_idle_clients() -> None:
    """Give the socket a send timeout, so that a stuck client frees its thread and stream."""
    connection = request.environ.get("gunicorn.socket")
    if connection is not None:
        connection.settimeout(CLIENT_PATIENCE)


def _describe(response: Response, facts: MediaFacts, ranges: bool) -> None:
    response.mimetype = facts.mime_type
    response.set_etag(facts.etag)
    response.headers["Cache-Control"] = facts.cache
    response.headers["Vary"] = "Cookie, Authorization"
    response.headers["Accept-Ranges"] = "bytes" if ranges else "none"
    disposition = "inline" if facts.inline else "attachment"
    response.headers["Content-Disposition"] = content_disposition(
        disposition, facts.download_name
    )


def _wanted(etag: str, size: int) -> tuple[int, int, int]:
    """Return (start, stop, status) in bytes for the Range header of this request.

    A malformed header, several ranges and an If-Range that does not fit mean the whole.
    """
    ranges = parse_range_header(request.headers.get("Range"))
    if ranges is None or ranges.units != "bytes" or len(ranges.ranges) != 1:
        return 0, size, 200
    if_range = request.headers.get("If-Range")
    if if_range is not None and if_range != f'"{etag}"':
        return 0, size, 200
    bounds = ranges.range_for_length(size)
    return (*bounds, 206) if bounds is not None else (0, 0, 416)


def content_disposition(kind: str, name: str | None) -> str:
    """Return the header of RFC 6266: an ASCII fallback and the real name in UTF-8."""
    if name is None:
        return kind
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    plain = re.sub(r'[\\"%;/\x00-\x1f\x7f]', "_", plain).strip() or "picture"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _watched(
    first: bytes,
    body: Iterator[bytes],
    on_error: Callable[[BaseException], None],
    close: Callable[[], None],
) -> Iterator[bytes]:
    """Hand the body on; tell of an error that ends it short, then let it end so.

    With its last byte the file and the turn are given back, whether or not the server
    remembers to close the response; before them ends whoever still reads ahead.
    """
    try:
        yield first
        yield from body
    except Exception as error:
        on_error(error)
        raise
    finally:
        close()
