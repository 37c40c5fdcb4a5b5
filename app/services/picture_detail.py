"""What the page of one picture is told beyond its card: names, tags, metadata, key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import FileKey, ImageTag, Tag, User


@dataclass(frozen=True, slots=True)
class Seal:
    """How a picture is sealed now."""

    generation: int
    key_changed_at: datetime
    key_due_at: datetime | None


def name_in(row: Any) -> str | None:
    """A sealed name, or None where it is damaged: a page is shown all the same."""
    name: str | None = row.name.told(row.id, None)
    return name


def opened_meta(row: Any) -> Mapping[str, Any]:
    """What was sealed of a picture (EXIF, checksums, origin); empty where it is damaged."""
    return dict(row.meta.told(row.id, {})) if row.meta is not None else {}


def tag_names_of(session: Session, image_id: UUID) -> tuple[str, ...]:
    """The tags of a picture by name, those that open."""
    rows = session.execute(
        select(Tag.id, Tag.name)
        .join(ImageTag, ImageTag.tag_id == Tag.id)
        .where(ImageTag.image_id == image_id)
    )
    names = {name for row in rows if (name := name_in(row)) is not None}
    return tuple(sorted(names, key=str.casefold))


def name_of_user(session: Session, user_id: UUID | None) -> str | None:
    """The name of an account; None for one that is gone."""
    row = session.execute(select(User.id, User.name).where(User.id == user_id)).first()
    return name_in(row) if row is not None else None


def seal_of(session: Session, image_id: UUID) -> Seal | None:
    """The key that a picture is sealed with now."""
    row = session.execute(
        select(FileKey.generation, FileKey.created_at, FileKey.expires_at).where(
            FileKey.file_id == image_id, FileKey.state == "active"
        )
    ).first()
    return Seal(row.generation, row.created_at, row.expires_at) if row is not None else None
