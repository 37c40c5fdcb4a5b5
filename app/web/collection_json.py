"""Collections, members and label classes as the API tells them."""

from __future__ import annotations

from typing import Any

from app.domain.labels import LabelClass
from app.services.collections import CollectionView
from app.services.members import MemberView
from app.web.receipt_json import rfc3339


def collection_json(view: CollectionView) -> dict[str, Any]:
    """Return a collection as one of its members sees it."""
    return {
        "id": str(view.id),
        "slug": view.slug,
        "name": view.name,
        "description": view.description,
        "role": view.role.word,
        "is_private": view.is_personal,
        "label_set": "closed" if view.labels_closed else "open",
        "timeline": view.timeline,
        "images": view.pictures,
        "created_at": rfc3339(view.created_at),
    }


def member_json(member: MemberView) -> dict[str, Any]:
    """Return a member as the others see it."""
    return {
        "id": str(member.id),
        "name": member.name,
        "email": member.email,
        "role": member.role.word,
        "since": rfc3339(member.since),
    }


def label_json(label: LabelClass) -> dict[str, Any]:
    """Return a label class; ``order`` starts at 0."""
    return {
        "id": str(label.id),
        "name": label.name,
        "colour": label.colour,
        "hotkey": label.hotkey,
        "order": label.position,
        "attributes": dict(label.attributes),
    }
