"""Pictures as the API tells them: snake_case, RFC 3339 times in UTC."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from flask import current_app

from app.services.image_card import ImageCard
from app.services.ingest import Stored
from app.services.library import Detail
from app.services.search import Found
from app.services.trash import Removal
from app.web.context import services
from app.web.destruction import destruction_of
from app.web.receipt_json import receipt_json, rfc3339


def view_url(image_id: UUID, link_epoch: int = 0) -> str:
    """Return a signed address at which the original can be seen for SIGNED_URL_EXPIRY."""
    settings = current_app.config["SETTINGS"]
    expires = int(time.time()) + settings.signed_url_expiry
    token = services().delivery.sign_view(image_id, link_epoch, expires)
    return f"{settings.public_url}/m/{token}"


def stored_json(stored: Stored) -> dict[str, Any]:
    """Return an accepted file of an upload."""
    return {
        "id": str(stored.id),
        "original_name": stored.name,
        "url": view_url(stored.id, stored.link_epoch),
        "size": stored.size,
        "content_type": stored.mime_type,
        "width": stored.width,
        "height": stored.height,
        "duplicate": stored.duplicate,
    }


def card_json(card: ImageCard) -> dict[str, Any]:
    """Return an image of a list."""
    return {
        "id": str(card.id),
        "original_name": card.name,
        "content_type": card.mime_type,
        "kind": card.kind,
        "size": card.size,
        "dimensions": {"width": card.width, "height": card.height},
        "status": card.status,
        "annotation_state": card.state,
        "annotation_count": card.annotation_count,
        "is_public": card.is_public,
        "uploaded_at": rfc3339(card.created_at),
        "sort_at": rfc3339(card.sort_at),
        "updated_at": rfc3339(card.updated_at),
        "expires_at": rfc3339(card.expires_at),
        "trashed_at": rfc3339(card.trashed_at),
        "destroyed_at": rfc3339(destruction_of(card)),
    }


def page_json(page: Found, limit: int, total: int | None) -> dict[str, Any]:
    """Return a page of images with where the next one begins."""
    return {
        "images": [card_json(card) for card in page.cards],
        "pagination": {
            "limit": limit,
            "total": total,
            "next_cursor": page.next_cursor,
            "looked_at": page.looked_at,
        },
    }


def detail_json(detail: Detail) -> dict[str, Any]:
    """Return one image with all that is known of it."""
    meta, card = detail.meta, detail.card
    return card_json(card) | {
        "url": view_url(card.id, detail.access.link_epoch),
        "path": detail.stored_path,
        "collection": detail.place.slug if detail.place is not None else None,
        "tags": list(detail.tags),
        "checksums": {"md5": meta.get("md5"), "sha256": meta.get("sha256")},
        "taken_at": meta.get("taken_at"),
        "frames": meta.get("frames"),
        "metadata": meta.get("exif", {}),
        "uploaded_from": detail.uploaded_from,
        "uploaded_by": detail.uploaded_by,
        "annotation_revision": detail.annotation_rev,
        "access": {"is_public": card.is_public, "expires_at": rfc3339(card.expires_at)},
        "key": None
        if detail.seal is None
        else {
            "generation": detail.seal.generation,
            "changed_at": rfc3339(detail.seal.key_changed_at),
            "due_at": rfc3339(detail.seal.key_due_at),
        },
    }


def removal_json(removal: Removal) -> dict[str, Any]:
    """Return what became of a deleted image."""
    return {
        "id": str(removal.id),
        "status": removal.status,
        "destroyed_at": rfc3339(removal.destroyed_at),
        "receipt": receipt_json(removal.receipt) if removal.receipt is not None else None,
    }
