"""What the pages of one picture are given; see app/templates/README.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.domain.access import Action, Actor, allows
from app.domain.annotation import Annotation
from app.domain.labels import LabelClass
from app.domain.states import ImageStatus
from app.media.formats import shows_inline
from app.services.library import Detail
from app.services.views import View
from app.web.destruction import destruction_of
from app.web.frame import FrameCollection
from app.web.gallery_view import page_url

DAMAGED = "The file is damaged and was set aside. Restore it from a backup."
CAMERA = (
    ("Camera", "Model"),
    ("Maker", "Make"),
    ("Lens", "LensModel"),
    ("Exposure", "ExposureTime"),
    ("Aperture", "FNumber"),
    ("ISO", "ISOSpeedRatings"),
    ("Focal length", "FocalLength"),
    ("Software", "Software"),
    ("Description", "ImageDescription"),
)
MAX_FACT = 120
ABILITIES = {
    "can_edit": Action.EDIT_METADATA,
    "can_annotate": Action.ANNOTATE,
    "can_trash": Action.TRASH,
    "can_restore": Action.RESTORE,
    "can_download": Action.DOWNLOAD,
}


@dataclass(frozen=True, slots=True)
class TagChip:
    """A tag, and the gallery filtered by it."""

    name: str
    url: str | None


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How many boxes have a label."""

    name: str
    colour: str
    count: int


@dataclass(frozen=True, slots=True)
class SealFacts:
    """How the picture is sealed, in words."""

    algorithm: str
    generation: int
    key_changed_at: datetime
    key_due_at: datetime | None
    vault: str
    views: tuple[View, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as its pages show it."""

    id: UUID
    name: str
    width: int
    height: int
    size: int
    content_type: str
    placeholder: str | None
    status: str
    state: str
    status_detail: str | None
    uploaded_at: datetime
    taken_at: str | None
    uploaded_by: str | None
    collection: FrameCollection | None
    tags: tuple[TagChip, ...]
    suggested_tags: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    labels: tuple[LabelCount, ...]
    boxes: int
    seal: SealFacts | None
    original_displays: bool
    destroyed_at: datetime | None
    kept_until: datetime | None
    can_edit: bool
    can_annotate: bool
    can_trash: bool
    can_restore: bool
    can_download: bool


def picture(
    detail: Detail,
    actor: Actor,
    *,
    suggested: tuple[str, ...] = (),
    boxes: Iterable[Annotation] = (),
    classes: Iterable[LabelClass] = (),
    views: tuple[View, ...] = (),
) -> Picture:
    """Return the view of one picture for whoever asks."""
    card, facts = detail.card, detail.access.facts
    return Picture(
        id=card.id,
        name=card.name or "Unreadable name",
        width=card.width,
        height=card.height,
        size=card.size,
        content_type=card.mime_type,
        placeholder=card.placeholder,
        status=card.status,
        state=card.state,
        status_detail=DAMAGED if facts.status is ImageStatus.QUARANTINED else None,
        uploaded_at=card.created_at,
        taken_at=detail.meta.get("taken_at"),
        uploaded_by=detail.uploaded_by,
        collection=_place(detail),
        tags=tuple(TagChip(name, _tag_url(name, detail)) for name in detail.tags),
        suggested_tags=suggested,
        facts=camera_facts(detail.meta.get("exif") or {}),
        labels=label_counts(boxes, classes),
        boxes=card.annotation_count,
        seal=_seal(detail, views),
        original_displays=shows_inline(card.mime_type),
        destroyed_at=destruction_of(card),
        kept_until=None if card.trashed_at else card.expires_at,
        **{name: allows(actor, action, facts) for name, action in ABILITIES.items()},
    )


def label_counts(
    boxes: Iterable[Annotation], classes: Iterable[LabelClass]
) -> tuple[LabelCount, ...]:
    """Count the boxes by label, most first."""
    colours = {label.id: label.colour for label in classes}
    counted = Counter((box.label_id, box.label) for box in boxes)
    return tuple(
        LabelCount(name, colours.get(label_id, "#8a8a8a"), count)
        for (label_id, name), count in counted.most_common()
    )


def camera_facts(exif: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what the camera wrote, in words and bounded."""
    flat = _flattened(exif)
    return tuple(
        (title, str(flat[key])[:MAX_FACT])
        for title, key in CAMERA
        if flat.get(key) not in {None, ""}
    )


def _flattened(exif: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in exif.items():
        if isinstance(value, Mapping):
            flat |= _flattened(value)
        elif isinstance(value, str | int | float):
            flat.setdefault(key, value)
    return flat


def _place(detail: Detail) -> FrameCollection | None:
    place = detail.place
    return FrameCollection(place.slug, place.name) if place is not None else None


def _tag_url(name: str, detail: Detail) -> str | None:
    place = detail.place
    return page_url({"collection": place.slug, "tag": name}) if place is not None else None


def _seal(detail: Detail, views: tuple[View, ...]) -> SealFacts | None:
    if detail.seal is None:
        return None
    return SealFacts(
        algorithm="AES-256-GCM",
        generation=detail.seal.generation,
        key_changed_at=detail.seal.key_changed_at,
        key_due_at=detail.seal.key_due_at,
        vault="local vault",
        views=views,
    )
