"""Receipts of destructions, for programs and as a text to keep; and times as the API tells
them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.services.receipts import Receipt


def rfc3339(moment: datetime | None) -> str | None:
    """Return a time in UTC with a Z."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def receipt_json(receipt: Receipt) -> dict[str, Any]:
    """Return a receipt for a program; its id is that of the event in the audit log."""
    return {
        "id": str(receipt.id),
        "image_id": str(receipt.image_id),
        "destroyed_at": rfc3339(receipt.destroyed_at),
        "files": receipt.files,
        "keys": receipt.keys,
        "horizons": [
            {"place": one.place, "until": rfc3339(one.until), "words": one.words}
            for one in receipt.horizons
        ],
    }


def receipt_text(receipt: Receipt) -> str:
    """Return a receipt as lines of plain text."""
    lines = [
        "Darkroom: receipt of a destruction",
        "",
        f"Receipt (audit event)  {receipt.id}",
        f"Picture                {receipt.image_id}",
        f"Destroyed              {rfc3339(receipt.destroyed_at)}",
        f"Sealed files removed   {receipt.files}",
        f"Versions of its key    {receipt.keys}",
        "",
    ]
    for one in receipt.horizons:
        lines.append(f"{one.place}: {rfc3339(one.until) or 'see below'}")
        lines.append(f"  {one.words}")
    return "\n".join(lines) + "\n"
