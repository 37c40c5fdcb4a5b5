"""Collections, members and label classes as the API tells them."""

from __future__ import annotations

from typing import Any

from app.domain.attribute_types import attribute_type_json
from app.domain.labels import LabelClass
from app.services.collections import CollectionView
from app.services.label_schema import History, Preview
from app.services.label_set import LabelSet
from app.services.members import MemberView
from app.services.saved_filters import FilterView
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
    """Return a label class; ``order`` starts at 0, ``number`` is the class's for ever."""
    return {
        "id": str(label.id),
        "name": label.name,
        "colour": label.colour,
        "hotkey": label.hotkey,
        "order": label.position,
        "number": label.number,
        "aliases": list(label.aliases),
        "attributes": [attribute_type_json(each) for each in label.attributes],
        "deprecated": label.removed,
        "merged_into": str(label.merged_into) if label.merged_into else None,
    }


def counted_json(found: LabelSet, label: LabelClass) -> dict[str, Any]:
    """Return a class with how many annotations have it, on how many pictures."""
    tally = found.tally(label.id)
    return label_json(label) | {"annotations": tally.annotations, "images": tally.pictures}


def label_set_json(found: LabelSet) -> dict[str, Any]:
    """Return all classes; ``labels`` are those that a new annotation may have."""
    return {
        "version": found.version,
        "labels": [counted_json(found, label) for label in found.offered],
        "deprecated": [counted_json(found, label) for label in found.removed],
        "indexed": found.is_indexed,
    }


def history_json(found: History) -> dict[str, Any]:
    """Return a page of the label set's history."""
    return {
        "versions": [
            {
                "version": each.version,
                "at": rfc3339(each.at),
                "by": each.who,
                "change": each.kind,
                "details": dict(each.details),
            }
            for each in found.versions
        ],
        "before": found.before,
    }


def preview_json(seen: Preview) -> dict[str, Any]:
    """Return what a change of a label class would be about."""
    return {
        "annotations": seen.annotations,
        "images": seen.pictures,
        "states": dict(seen.states),
        "values": dict(seen.values),
        "complete": seen.complete,
    }


def filter_json(kept: FilterView) -> dict[str, Any]:
    """Return a kept filter."""
    return {
        "id": str(kept.id),
        "name": kept.name,
        "collection": kept.collection,
        "query": dict(kept.query),
        "created_at": rfc3339(kept.created_at),
    }
