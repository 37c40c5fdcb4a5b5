"""A picture between being accepted and being recorded."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from app.domain.media_kinds import MediaKind
from app.media.rendered import Rendered
from app.services.collection_access import CollectionAccess
from app.storage.sidecar import PrivateFacts, PublicFacts

SEALED: Final = "sealed"
UNVERIFIED: Final = "legacy-cbc-unverified"
"""Provenance, as the sidecar tells it: a file that came as CBC may have been changed before."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What goes for every file of a request; no collection means the caller's own.

    ``provenance`` other than ``sealed``: the bytes lay somewhere before where nothing could
    tell whether they were touched.
    """

    collection: str | None = None
    tags: tuple[str, ...] = ()
    is_public: bool = False
    expires_at: datetime | None = None
    uploaded_from: str | None = None
    provenance: str = SEALED


@dataclass(frozen=True, slots=True, repr=False)
class NewImage:
    """All that rows, sidecar and answer are made from; digests are of the plaintext."""

    id: UUID
    target: CollectionAccess
    uploader_id: UUID
    name: str
    size: int
    sha256: bytes
    md5: bytes
    rendered: Rendered
    wishes: Wishes
    at: datetime

    @property
    def sort_at(self) -> datetime:
        """The upload time, or the capture time where the collection is sorted by it."""
        taken = self.rendered.taken_at
        if not self.target.by_capture_time or taken is None:
            return self.at
        try:
            return datetime.fromisoformat(taken).replace(tzinfo=UTC)
        except ValueError:  # a camera may write month 0
            return self.at

    @property
    def public(self) -> PublicFacts:
        return PublicFacts(file_type=MediaKind.IMAGE, mime_type=self.rendered.mime_type)

    @property
    def private(self) -> PrivateFacts:
        return PrivateFacts(
            filename=self.name,
            owner_id=self.uploader_id,
            collection_id=self.target.id,
            uploaded_at=self.at.isoformat(),
            sha256=self.sha256.hex(),
            md5=self.md5.hex(),
            taken_at=self.rendered.taken_at,
            width=self.rendered.width,
            height=self.rendered.height,
            uploaded_from=self.wishes.uploaded_from,
            provenance=self.wishes.provenance,
        )

    @property
    def card(self) -> dict[str, Any]:
        """What a page of the gallery opens; the placeholder is a data: address."""
        placeholder = base64.b64encode(self.rendered.placeholder).decode("ascii")
        return {
            "name": self.name,
            "width": self.rendered.width,
            "height": self.rendered.height,
            "placeholder": f"data:image/webp;base64,{placeholder}",
        }

    @property
    def meta(self) -> dict[str, Any]:
        """What the page of the picture opens."""
        return {
            "sha256": self.sha256.hex(),
            "md5": self.md5.hex(),
            "taken_at": self.rendered.taken_at,
            "frames": self.rendered.frames,
            "exif": self.rendered.metadata,
            "uploaded_from": self.wishes.uploaded_from,
        }
