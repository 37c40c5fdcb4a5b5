"""Moving in, wired: which folders are Darkroom's own, and what opens and stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.migration.moving_in import MovingIn, Terms

if TYPE_CHECKING:
    from app.services.annotations import Annotations
    from app.services.audit import AuditLog
    from app.services.image_rows import ImageRows
    from app.services.ingest import IngestService
    from app.wiring import House


def build_moving_in(
    house: House,
    rows: ImageRows,
    ingest: IngestService,
    annotations: Annotations,
    audit: AuditLog,
) -> MovingIn:
    """Return what the commands of moving in use; nothing is opened before it is asked."""
    settings = house.settings
    own = (settings.instance_path, settings.store_path, settings.vault_path)
    return MovingIn(
        uow=house.uow,
        store=house.store,
        rows=rows,
        ingest=ingest,
        annotations=annotations,
        audit=audit,
        decoder=house.decoder,
        terms=Terms(
            key_text=settings.image_encryption_key,
            max_size=settings.upload_max_size,
            spool_folder=settings.instance_path,
            own_places=own,
        ),
    )
