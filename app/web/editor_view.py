"""What the page of the box editor is given; see app/templates/README.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for

from app.web import keymap_view
from app.web.keymap_view import KeySection


@dataclass(frozen=True, slots=True)
class EditorPage:
    """A picture to be labelled; width and height in pixels.

    ``addresses`` are what the modules ask, as ``data-<name>-url`` of the page's root: no module
    makes up an address, so that blind copies open in the same page.
    """

    name: str
    width: int
    height: int
    placeholder: str | None
    preview_url: str
    back_url: str
    newer_url: str | None
    older_url: str | None
    addresses: Mapping[str, str]
    can_write: bool
    label_set_open: bool
    keys: tuple[KeySection, ...]
    key_table: Sequence[Mapping[str, Any]]
    short_keys: Mapping[str, str]
    keys_url: str


def key_parts(changed: Mapping[str, str], *, can_write: bool) -> dict[str, Any]:
    """Return the fields of `EditorPage` that tell the keys, of what somebody changed."""
    return {
        "keys": keymap_view.sections(changed, can_write=can_write),
        "key_table": keymap_view.key_table(changed),
        "short_keys": keymap_view.short_keys(changed),
        "keys_url": url_for("auth.keymap"),
    }


def picture_addresses(
    image_id: UUID, slug: str | None, *, full: str, previous: UUID | None
) -> dict[str, str]:
    """Return the addresses of a picture; ``previous`` is the one that was labelled before."""
    annotations = url_for("api.annotations.show", image_id=image_id)
    picture = annotations.removesuffix("/annotations")
    found = {
        "full": full,
        "set": annotations,
        "changes": f"{annotations}/changes",
        "history": f"{annotations}/history",
        "restore": f"{annotations}/restore",
        "comments": f"{picture}/comments",
        "picture": picture,
        "task": picture,
    }
    if slug is not None:
        found["labels"] = url_for("api.collections.labels", slug=slug)
        found["home"] = url_for("collections.show", slug=slug)
        found["next"] = found["labels"].removesuffix("/labels") + "/next"
    if previous is not None:
        found["previous-set"] = url_for("api.annotations.show", image_id=previous)
    return found


def copy_addresses(copy_id: UUID, slug: str, *, full: str, home: str) -> dict[str, str]:
    """Return the addresses of a blind copy; news are of one's own other tabs."""
    annotations = url_for("api.copies.show", copy_id=copy_id)
    copy = annotations.removesuffix("/annotations")
    return {
        "full": full,
        "set": annotations,
        "changes": f"{annotations}/changes",
        "task": copy,
        "labels": url_for("api.collections.labels", slug=slug),
        "home": home,
        "next": f"{copy}/next",
    }
