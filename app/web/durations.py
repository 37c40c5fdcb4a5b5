"""Lengths of time as people type them: ``90d``, ``12h``, ``30m``, ``2w``."""

from __future__ import annotations

import re
from datetime import timedelta

from app.web.forms import wrong

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str, path: str) -> timedelta:
    """Return the length of time, or InvalidInput with ``path`` as its place."""
    match = re.fullmatch(r"([1-9]\d{0,5})([mhdw])", text.strip(), re.ASCII)
    if match is None:
        raise wrong(path, "must be a length of time such as 90d, 12h or 30m")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
