"""The record of an image: what changes after its upload, as one JSON document.

::

    {"v":1,"kind":"image","id":"<uuid>","image":{…},"tags":["<uuid>",…],
     "annotations":[{…},…],"task":{…}}

``image`` holds the columns of its row that neither its path nor its blob tells, annotations
stand in their order, tags by id; ``task`` is there where somebody took the picture, ``copies``
where it is labelled in rounds (`agreement_copies`), each as far as its annotator saved it. The
document is padded with spaces to a multiple of 1 KiB.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.domain.record_fields import (
    BOX,
    FLAG,
    ID,
    NUMBER,
    OBJECT,
    TEXT,
    TIME,
    Fields,
    from_bytes,
    invalid,
    optional,
    to_bytes,
)

VERSION: Final = 1
PADDED_TO: Final = 1024
#: Bytes: the most boxes of a picture, each with all the attributes that it may have.
MAX_BYTES: Final = 64 << 20

IMAGE: Final = Fields(
    "images",
    {
        "collection_id": ID,
        "uploader_id": optional(ID),
        "kind": TEXT,
        "mime_type": TEXT,
        "status": TEXT,
        "trashed_at": optional(TIME),
        "destroy_at": optional(TIME),
        "sort_at": TIME,
        "created_at": TIME,
        "updated_at": TIME,
        "is_public": FLAG,
        "expires_at": optional(TIME),
        "annotation_state": TEXT,
        "annotation_rev": NUMBER,
        "link_epoch": NUMBER,
        "provenance": TEXT,
        "card": optional(OBJECT),
        "meta": optional(OBJECT),
    },
)
ANNOTATION: Final = Fields(
    "annotations",
    {
        "id": ID,
        "rev": NUMBER,
        "label": TEXT,
        "box": BOX,
        "frame": optional(NUMBER),
        "attributes": optional(OBJECT),
        "position": NUMBER,
        "author_id": optional(ID),
        "created_at": TIME,
        "updated_at": TIME,
        "shape": optional(OBJECT),
    },
    later=frozenset({"shape"}),
)
TASK: Final = Fields(
    "image_tasks",
    {
        "id": ID,
        "assignee_id": optional(ID),
        "submitted_by": optional(ID),
        "submitted_at": optional(TIME),
        "reviewed_by": optional(ID),
        "reviewed_at": optional(TIME),
        "worked_seconds": NUMBER,
        "body": optional(OBJECT),
    },
)
NOTE: Final = Fields(
    "exchange_notes", {"id": ID, "format": TEXT, "created_at": TIME, "body": OBJECT}
)
COMMENT: Final = Fields(
    "comments",
    {
        "id": ID,
        "annotation_id": optional(ID),
        "author_id": optional(ID),
        "created_at": TIME,
        "updated_at": TIME,
        "resolved_at": optional(TIME),
        "resolved_by": optional(ID),
        "body": OBJECT,
    },
)
COPY: Final = Fields(
    "agreement_copies",
    {
        "id": ID,
        "round_id": ID,
        "annotator_id": ID,
        "state": TEXT,
        "rev": NUMBER,
        "submitted_at": optional(TIME),
        "adjudicated_at": optional(TIME),
        "adjudicated_by": optional(ID),
        "body": optional(OBJECT),
    },
)
#: What older records lack, and newer ones where there is nothing to say.
_LISTS: Final = {"notes": NOTE, "comments": COMMENT, "copies": COPY}
_LATER: Final = frozenset({"task", *_LISTS})
_MEMBERS: Final = frozenset({"v", "kind", "id", "image", "tags", "annotations"})
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class ImageRecord:
    """Rows by the names of their columns; ``tags`` are ids. Nothing of it is in its repr."""

    id: UUID
    image: Row
    tags: tuple[UUID, ...]
    annotations: tuple[Row, ...]
    task: Row | None = None
    notes: tuple[Row, ...] = ()
    comments: tuple[Row, ...] = ()
    copies: tuple[Row, ...] = ()

    def __repr__(self) -> str:
        return "<ImageRecord>"

    def encode(self) -> bytes:
        """The padded document; the same record is the same bytes."""
        told: dict[str, Any] = {
            "v": VERSION,
            "kind": "image",
            "id": str(self.id),
            "image": IMAGE.write(self.image),
            "tags": sorted(map(str, self.tags)),
            "annotations": [ANNOTATION.write(row) for row in self.annotations],
        }
        if self.task is not None:
            told["task"] = TASK.write(self.task)
        for name, fields in _LISTS.items():
            if rows := getattr(self, name):
                told[name] = [fields.write(row) for row in rows]
        raw = to_bytes(told)
        return raw.ljust(-(-len(raw) // PADDED_TO) * PADDED_TO)

    @classmethod
    def decode(cls, raw: bytes, image_id: UUID) -> ImageRecord:
        """The record of this image; ``StoreError`` for anything else."""
        value = from_bytes(raw)
        if not isinstance(value, dict) or value.keys() - _LATER != _MEMBERS:
            raise invalid("This is no record of an image.")
        if (value["v"], value["kind"], value["id"]) != (VERSION, "image", str(image_id)):
            raise invalid("This is a record of another version, or of another image.")
        tags, annotations = value["tags"], value["annotations"]
        lists = {name: value.get(name, []) for name in _LISTS}
        if not all(isinstance(each, list) for each in (tags, annotations, *lists.values())):
            raise invalid()
        return cls(
            id=image_id,
            image=IMAGE.read(value["image"]),
            tags=tuple(_TAG.read({"tag_id": tag})["tag_id"] for tag in tags),
            annotations=tuple(map(ANNOTATION.read, annotations)),
            task=TASK.read(value["task"]) if "task" in value else None,
            **{name: tuple(map(_LISTS[name].read, rows)) for name, rows in lists.items()},
        )


_TAG: Final = Fields("image_tags", {"tag_id": ID})
