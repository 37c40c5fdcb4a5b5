"""Pictures and files: authorised, compared by ETag, decrypted, streamed."""

from __future__ import annotations

import time
from uuid import UUID

from flask import Blueprint, current_app, redirect, request
from flask.typing import ResponseReturnValue

from app.errors import DecryptionFailed
from app.services.delivery import Ticket
from app.services.signed_urls import Purpose
from app.web.context import services
from app.web.guards import MEDIA, Gate, gate
from app.web.headers import cache_of_media
from app.web.identity import actor
from app.web.media_types import derivative_type
from app.web.responses import MediaFacts, not_modified, send_bytes, stream_media
from app.web.stream_slots import stream_slot

blueprint = Blueprint("serving", __name__)
SIGNED = Gate("anyone", "none")


@blueprint.get("/images/<uuid:image_id>/original")
@gate(MEDIA)
def original(image_id: UUID) -> ResponseReturnValue:
    """The file as it was uploaded; ``?download=1`` saves it under its real name."""
    return _original(services().delivery.original(actor(), image_id), _wants_download())


@blueprint.get("/images/<uuid:image_id>/preview")
@gate(MEDIA)
def preview(image_id: UUID) -> ResponseReturnValue:
    """The picture at no more than 1600 pixels, upright and without metadata."""
    return _derivative(services().delivery.preview(actor(), image_id), cache=_cache())


@blueprint.get("/images/<uuid:image_id>/thumb/<int:size>")
@gate(MEDIA)
def thumb(image_id: UUID, size: int) -> ResponseReturnValue:
    """A thumbnail of 160, 320, 640, 960, 1280 or 1920 pixels."""
    return _derivative(services().delivery.thumbnail(actor(), image_id, size), cache=_cache())


@blueprint.get("/dam/<slug>/<stored_name>.enc")
@gate(MEDIA)
def stored(slug: str, stored_name: str) -> ResponseReturnValue:
    """The original at the address that the store uses; 308 where the picture has moved."""
    ticket, moved = services().delivery.stored(actor(), slug, stored_name)
    if moved is not None:
        return redirect(moved + "?download=1" if _wants_download() else moved, 308)
    return _original(ticket, _wants_download())


@blueprint.get("/m/<token>")
@gate(SIGNED)
def signed(token: str) -> ResponseReturnValue:
    """A signed address: no session, until it expires or is revoked."""
    ticket, view = services().delivery.signed(token, int(time.time()))
    if ticket.is_original:
        return _original(ticket, view.purpose is Purpose.DOWNLOAD, cache="no-store")
    return _derivative(ticket, cache="no-store")


def _original(ticket: Ticket, download: bool, cache: str | None = None) -> ResponseReturnValue:
    cache = cache or ("no-store" if download else _cache())
    if (unchanged := not_modified(ticket.etag, cache)) is not None:
        return unchanged
    image = ticket.image
    facts = MediaFacts(
        mime_type=image.mime_type,
        etag=ticket.etag,
        cache=cache,
        inline=not download and ticket.shows_inline,
        download_name=image.name if download else None,
    )
    delivery = services().delivery  # damage may show after the request's context is gone
    slot = stream_slot()
    try:
        blob = delivery.open(ticket)
    except BaseException:
        slot.release()
        raise

    def close() -> None:
        blob.close()
        slot.release()

    def damaged(error: BaseException) -> None:
        if isinstance(error, DecryptionFailed):
            delivery.damaged(ticket, error)

    try:
        return stream_media(blob.reader, facts, close=close, on_error=damaged)
    except DecryptionFailed as damage:
        raise delivery.damaged(ticket, damage) from None


def _derivative(ticket: Ticket, *, cache: str) -> ResponseReturnValue:
    if (unchanged := not_modified(ticket.etag, cache)) is not None:
        return unchanged
    data = services().delivery.read(ticket)
    facts = MediaFacts(derivative_type(data), ticket.etag, cache, inline=True)
    return send_bytes(data, facts)


def _wants_download() -> bool:
    return request.args.get("download") == "1"


def _cache() -> str:
    return cache_of_media(current_app.config["SETTINGS"].media_cache)
