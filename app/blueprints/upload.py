"""``/upload``: the page; its form works without JavaScript."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app

from app.domain.access import Role
from app.errors import DarkroomError
from app.services.examination import Offer
from app.services.new_image import Wishes
from app.web import forms, pages
from app.web.context import services
from app.web.error_handlers import status_of
from app.web.frame import FrameCollection
from app.web.guards import PAGE, Gate, gate
from app.web.identity import actor
from app.web.taking_in import take_in

blueprint = Blueprint("upload", __name__)
FILES = Gate("signed_in", "page", files=True)
KINDS = "JPEG, PNG, GIF, WebP, AVIF, HEIC, TIFF and BMP"
ACCEPT = ".jpg,.jpeg,.png,.gif,.webp,.avif,.heic,.heif,.tif,.tiff,.bmp"


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What a file may be; sizes in bytes."""

    max_bytes: int
    max_pixels: int
    max_files: int
    kinds: str
    accept: str


@dataclass(frozen=True, slots=True)
class Quota:
    """Space of the account in bytes; no limit: None."""

    used_bytes: int
    limit_bytes: int | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A file that is stored now."""

    id: UUID
    name: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was not stored, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the files of the plain form."""

    accepted: tuple[Accepted, ...]
    refused: tuple[Refused, ...]


@blueprint.get("/upload")
@gate(PAGE)
def page() -> Response:
    """The drop zone, and a plain form in its place without JavaScript."""
    return pages.render("upload/page.html", outcome=None, **_context())


@blueprint.post("/upload", endpoint="store")
@gate(FILES)
def store() -> Response:
    """Store the files of the plain form and say what became of each."""
    settings = current_app.config["SETTINGS"]
    try:
        wishes = forms.wishes_of_form()
        offers = forms.offers_of_form(settings.upload_max_files)
    except DarkroomError as error:
        return pages.again("upload/page.html", error, outcome=None, **_context())
    accepted: list[Accepted] = []
    refused: list[tuple[Refused, DarkroomError]] = []
    for offer in offers:
        try:
            accepted.append(_accept(offer, wishes))
        except DarkroomError as error:
            refused.append((Refused(offer.filename, error.message), error))
    outcome = Outcome(tuple(accepted), tuple(told for told, _ in refused))
    status = 200 if accepted else status_of(refused[0][1])[0]
    return pages.render("upload/page.html", status, outcome=outcome, **_context())


def _accept(offer: Offer, wishes: Wishes) -> Accepted:
    stored = take_in(offer, wishes)
    return Accepted(stored.id, stored.name, stored.duplicate)


def _context() -> dict[str, Any]:
    settings, who = current_app.config["SETTINGS"], actor()
    usage = services().accounts.get(who).usage
    places = services().library.places(who)
    return {
        "limits": UploadLimits(
            max_bytes=settings.upload_max_size,
            max_pixels=settings.image_max_pixels,
            max_files=settings.upload_max_files,
            kinds=KINDS,
            accept=ACCEPT,
        ),
        "today": datetime.now(UTC).date(),
        "quota": Quota(usage.used, usage.limit),
        "targets": tuple(
            FrameCollection(place.slug, place.name)
            for place in places
            if place.role >= Role.EDITOR
        ),
    }
