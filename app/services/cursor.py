"""Keyset cursors: where the next page begins, opaque to clients.

A cursor is base64url of ``version u8 | key i64 | id 16 bytes``; the key is microseconds of
Unix time, or bytes where a list is sorted by size. It authorises nothing: a forged one
begins the list elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.errors import InvalidInput, Mistake

_FORM = struct.Struct(">Bq16s")
_VERSION = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of the page before: its sort key and its id."""

    key: int
    row_id: UUID

    @property
    def moment(self) -> datetime:
        """The key as a time."""
        return _EPOCH + timedelta(microseconds=self.key)

    def encode(self) -> str:
        raw = _FORM.pack(_VERSION, self.key, self.row_id.bytes)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def microseconds(moment: datetime) -> int:
    """Return a time as the key of a cursor (exact, unlike a float)."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def decode_cursor(text: str | None) -> Cursor | None:
    """Return the cursor, None for none; InvalidInput when it is not one of ours."""
    if not text:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        version, key, row_id = _FORM.unpack(raw)
        cursor = Cursor(key, UUID(bytes=row_id))
        _ = cursor.moment
    except (binascii.Error, struct.error, ValueError, OverflowError):
        raise _not_a_cursor() from None
    if version != _VERSION:
        raise _not_a_cursor()
    return cursor


def _not_a_cursor() -> InvalidInput:
    return InvalidInput(
        "This page does not exist. Begin again at the first one.",
        mistakes=[Mistake("cursor", "is not a cursor that this server gave out")],
        operation="list.cursor",
    )
