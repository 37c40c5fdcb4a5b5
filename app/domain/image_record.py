"""The record of an image: what changes after its upload, as one JSON document.

::

    {"v":1,"kind":"image","id":"<uuid>","image":{…},"tags":["<uuid>",…],
     "annotations":[{…},…]}

``image`` holds the columns of its row that neither its path nor its blob tells, annotations
stand in their order, tags by id. The document is padded with spaces to a multiple of 1 KiB.
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
    },
)
_MEMBERS: Final = frozenset({"v", "kind", "id", "image", "tags", "annotations"})
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class ImageRecord:
    """Rows by the names of their columns; ``tags`` are ids. Nothing of it is in its repr."""

    id: UUID
    image: Row
    tags: tuple[UUID, ...]
    annotations: tuple[Row, ...]

    def __repr__(self) -> str:
        return "<ImageRecord>"

    def encode(self) -> bytes:
        """The padded document; the same record is the same bytes."""
        raw = to_bytes(
            {
                "v": VERSION,
                "kind": "image",
                "id": str(self.id),
                "image": IMAGE.write(self.image),
                "tags": sorted(map(str, self.tags)),
                "annotations": [ANNOTATION.write(row) for row in self.annotations],
            }
        )
        return raw.ljust(-(-len(raw) // PADDED_TO) * PADDED_TO)

    @classmethod
    def decode(cls, raw: bytes, image_id: UUID) -> ImageRecord:
        """The record of this image; ``StoreError`` for anything else."""
        value = from_bytes(raw)
        if not isinstance(value, dict) or value.keys() != _MEMBERS:
            raise invalid("This is no record of an image.")
        if (value["v"], value["kind"], value["id"]) != (VERSION, "image", str(image_id)):
            raise invalid("This is a record of another version, or of another image.")
        tags, annotations = value["tags"], value["annotations"]
        if not isinstance(tags, list) or not isinstance(annotations, list):
            raise invalid()
        return cls(
            id=image_id,
            image=IMAGE.read(value["image"]),
            tags=tuple(_TAG.read({"tag_id": tag})["tag_id"] for tag in tags),
            annotations=tuple(map(ANNOTATION.read, annotations)),
        )


_TAG: Final = Fields("image_tags", {"tag_id": ID})
