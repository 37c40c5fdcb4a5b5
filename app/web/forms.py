"""Fields of a form or query, read with a clear word about what is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from flask import request
from werkzeug.datastructures import FileStorage

from app.domain.names import split_tags
from app.errors import InvalidInput, Mistake
from app.services.examination import Offer
from app.services.new_image import Wishes
from app.web.request_class import FileOfForm

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"", "0", "false", "no", "off"})
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
#: Enough for every number of a form, and few enough for ``int``.
_DIGITS = re.compile(r"[0-9]{1,12}")


def wrong(path: str, message: str) -> InvalidInput:
    """Return the refusal of one field."""
    return InvalidInput(
        f"The field {path} {message}.",
        mistakes=[Mistake(path, message)],
        operation="request.field",
    )


def flag(text: str | None, path: str) -> bool:
    """Read ``true`` or ``false``; nothing means false."""
    word = (text or "").strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise wrong(path, "must be true or false")


def moment(text: str | None, path: str) -> datetime | None:
    """Read an RFC 3339 time, UTC if it names no zone; nothing means None."""
    if not text or not text.strip():
        return None
    try:
        parsed = datetime.fromisoformat(text.strip())
        zoned = parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)
        return zoned.astimezone(UTC)
    except (ValueError, OverflowError):
        raise wrong(path, "must be a time such as 2026-11-22T10:00:00Z") from None


def check_span(since: datetime | None, until: datetime | None) -> None:
    """Refuse, at ``to``, a span of time that ends before it begins."""
    if since is not None and until is not None and until < since:
        raise wrong("to", "must not lie before the beginning")


def future(text: str | None, path: str) -> datetime | None:
    """Read a time that is still to come; a day alone means its end."""
    at = moment(text, path)
    if at is not None and _DAY.fullmatch((text or "").strip()):
        at = _end_of_day(at, path)
    if at is not None and at <= datetime.now(UTC):
        raise wrong(path, "must be a time in the future")
    return at


def _end_of_day(begin: datetime, path: str) -> datetime:
    try:
        return begin + timedelta(days=1)
    except OverflowError:
        raise wrong(path, "must be a day before 9999-12-31") from None


def number(text: str | None, path: str, low: int, high: int, default: int) -> int:
    """Read a whole number within [low, high]."""
    if not text:
        return default
    found = int(text) if _DIGITS.fullmatch(text) else -1
    if not low <= found <= high:
        raise wrong(path, f"must be a whole number from {low} to {high}")
    return found


def one_of(text: str | None, path: str, allowed: Sequence[str]) -> str | None:
    """Read one word of a list; nothing means None."""
    if not text:
        return None
    if text not in allowed:
        raise wrong(path, "must be one of " + ", ".join(allowed))
    return text


def tags_of(values: Sequence[str]) -> tuple[str, ...]:
    """Read repeated fields, each of which may hold several tags parted by commas."""
    return tuple(dict.fromkeys(tag for value in values for tag in split_tags(value)))


def wishes_of_form() -> Wishes:
    """Read what an upload form says about all of its files."""
    form = request.form
    return Wishes(
        collection=form.get("collection", "").strip() or None,
        tags=tags_of(form.getlist("tags")),
        is_public=flag(form.get("is_public"), "is_public"),
        expires_at=future(form.get("expires_at"), "expires_at"),
        uploaded_from=request.remote_addr,
    )


def offers_of_form(most: int) -> list[Offer]:
    """Read the files of an upload form; InvalidInput for none, or for more than ``most``."""
    files = [file for file in request.files.getlist("files") if file.filename or _size(file)]
    if not files:
        raise wrong("files", "must hold at least one file")
    if len(files) > most:
        raise wrong("files", f"may hold at most {most} files at once")
    return [_offer(file) for file in files]


def _offer(file: FileStorage) -> Offer:
    spool = file.stream
    if not isinstance(spool, FileOfForm):
        raise wrong("files", "must be sent as files")
    return Offer(file.filename or "", spool, spool.size, spool.overflowed)


def _size(file: FileStorage) -> int:
    return getattr(file.stream, "size", 0)
