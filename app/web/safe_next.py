"""Where to go after signing in: within the site only."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

MAX_LENGTH = 2000


def safe_next(wanted: str | None) -> str | None:
    """Return the path if it stays within the site, else None.

    Browsers drop TAB, CR and LF from addresses and read a backslash as a slash, so
    ``/\\t/evil.example`` and ``/\\evil.example`` would leave it; so would ``//``.
    """
    if not wanted or len(wanted) > MAX_LENGTH or not _is_plain(wanted):
        return None
    if not wanted.startswith("/") or wanted.startswith("//"):
        return None
    parts = urlsplit(wanted)
    if parts.scheme or parts.netloc or unquote(parts.path).startswith("//"):
        return None
    return wanted


def _is_plain(text: str) -> bool:
    """Neither control characters nor backslashes, encoded ones included."""
    for form in (text, unquote(text)):
        if "\\" in form or any(char < " " or char == "\x7f" for char in form):
            return False
    return True
