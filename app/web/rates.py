"""Rate limits: which limit a request falls under, and who is counted.

Anonymous requests and API keys count by address; a signed-in browser, and media fetched
with a key, count by account; media fetched by a signed-in browser is not counted at all.
"""

from __future__ import annotations

import math
import time

from flask import current_app, request
from flask_limiter import Limiter
from limits import parse

from app.errors import RateLimited
from app.web.guards import Rate, current_gate
from app.web.identity import caller

APPLICATION = "global"
"""The scope under which Flask-Limiter counts limits of the whole application."""


def limiter_key() -> str:
    """Return what the request is counted under: the kind of limit and whom it counts."""
    kind, _ = _kind()
    return f"{kind}:{_counted(kind)}"


def limit_of_request() -> str:
    """Return the limit as text, such as ``10 per minute``."""
    kind, own = _kind()
    return own or str(current_app.config["RATES"][kind])


def is_exempt() -> bool:
    """Static files, probes, pages for nobody and a browser's own media are not counted."""
    gate = current_gate()
    if gate is None or gate.rate == "none":
        return True
    who = caller()
    if who is None:
        return gate.rate == "page"
    return gate.rate == "media" and who.by == "session"


def uploads_left() -> int:
    """Return how many uploads the caller has left now, under the limit that counts theirs."""
    kind, own = _kind_of("upload")
    limit = parse(own or str(current_app.config["RATES"][kind]))
    limiter: Limiter = current_app.extensions["darkroom.limiter"]
    return limiter.limiter.get_window_stats(
        limit, f"{kind}:{_counted(kind)}", APPLICATION
    ).remaining


def _kind() -> tuple[str, str | None]:
    gate = current_gate()
    return _kind_of(gate.rate if gate is not None else "page")


def _kind_of(rate: Rate) -> tuple[str, str | None]:
    if rate == "none":
        return "api", None  # the limiter asks even where it is exempt: look at no key for that
    who = caller()
    if who is not None and (who.by == "session" or rate == "media"):
        return "session", None
    if who is not None and who.user.rate:
        return "key", who.user.rate
    return (rate if rate in {"upload", "limits"} else "api"), None


def _counted(kind: str) -> str:
    who = caller() if kind in {"session", "key"} else None
    if who is not None and kind == "session":
        return f"account:{who.user_id}"
    if who is not None:
        return f"key:{who.user.api_key_id}"
    return f"address:{request.remote_addr or 'unknown'}"


def seconds_to_wait() -> int:
    """Return when the limit that this request broke lets the next one through."""
    limiter: Limiter = current_app.extensions["darkroom.limiter"]
    broken = limiter.current_limit
    return max(1, math.floor(broken.reset_at - time.time())) if broken is not None else 60


def spend(kind: str, whom: str) -> None:
    """Count one try of ``kind`` for ``whom``; RateLimited when there are none left."""
    limiter: Limiter = current_app.extensions["darkroom.limiter"]
    limit = parse(current_app.config["RATES"][kind])
    if limiter.limiter.hit(limit, kind, whom):
        return
    reset = limiter.limiter.get_window_stats(limit, kind, whom).reset_time
    wait = max(1, math.floor(reset - time.time()))
    raise RateLimited(
        f"Too many tries. Wait {_in_words(wait)}, then try again.",
        retry_after=wait,
        operation=f"rate.{kind}",
    )


def _in_words(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{math.ceil(seconds / 60)} minutes"
