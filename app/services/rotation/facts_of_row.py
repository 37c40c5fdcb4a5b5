"""What a sidecar says of an image, told from its row where the sidecar is lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.models import Image
from app.storage.sidecar import PrivateFacts, PublicFacts

_NOBODY = UUID(int=0)


def facts_of_row(session: Session, image_id: UUID) -> tuple[PublicFacts, PrivateFacts]:
    """The facts as far as the row knows them; raises NotFound and DecryptionFailed."""
    row = session.execute(
        select(
            Image.kind,
            Image.mime_type,
            Image.uploader_id,
            Image.collection_id,
            Image.created_at,
            Image.card,
            Image.meta,
        ).where(Image.id == image_id)
    ).first()
    if row is None:
        raise NotFound("There is nothing here.", operation="sidecar.facts")
    card: dict[str, Any] = row.card.of(image_id) if row.card is not None else {}
    meta: dict[str, Any] = row.meta.of(image_id) if row.meta is not None else {}
    return PublicFacts(row.kind, row.mime_type), PrivateFacts(
        filename=card.get("name", ""),
        owner_id=row.uploader_id or _NOBODY,
        collection_id=row.collection_id,
        uploaded_at=row.created_at.isoformat(),
        sha256=meta.get("sha256", ""),
        md5=meta.get("md5", ""),
        taken_at=meta.get("taken_at"),
        width=card.get("width"),
        height=card.get("height"),
        duration_ms=meta.get("duration_ms"),
        uploaded_from=meta.get("uploaded_from"),
        provenance=meta.get("provenance", "sealed"),
    )
