"""Data sets in and out: the parts of an installation that imports and exports are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.jobs.registry import Guard, Handler, JobKind, JobRun
from app.services.exchange.archive_limits import USUAL
from app.services.exchange.export_jobs import EXPORT, Exports
from app.services.exchange.exporting import Exporting
from app.services.exchange.import_jobs import APPLY, EXAMINE, Imports
from app.services.exchange.importing import Importing
from app.services.exchange.reading import Reader
from app.services.exchange.stored_pictures import StoredPictures
from app.services.exchange.taking_in import TakingIn

if TYPE_CHECKING:
    from app.services.annotation_writing import AnnotationWriting
    from app.services.delivery import DeliveryService
    from app.services.ingest import IngestService
    from app.wiring import House


def build_exchange(
    house: House,
    ingest: IngestService,
    delivery: DeliveryService,
    writing: AnnotationWriting,
) -> dict[str, Any]:
    """The services by the names of their fields."""
    uow, settings = house.uow, house.settings
    pictures = StoredPictures(uow, ingest, house.trash)
    limits = replace(USUAL, picture=settings.upload_max_size)
    reader = Reader(uow, pictures, settings.instance_path, limits)
    importing = Importing(uow, reader, pictures, TakingIn(uow, writing), house.audit)
    exporting = Exporting(uow, delivery, house.audit, house.decoder)
    parts = house.jobs
    return {
        "exporting": exporting,
        "exports": Exports(uow, parts.service, parts.results, exporting),
        "importing": importing,
        "imports": Imports(uow, parts.service, parts.results, importing),
    }


def exchange_kinds(house: House) -> tuple[JobKind, ...]:
    """What is queued when somebody asks for it."""
    return (
        JobKind(EXAMINE, "Look at a data set", _examine(house), guard=_import_guard(house)),
        JobKind(APPLY, "Import a data set", _apply(house), guard=_import_guard(house)),
        JobKind(EXPORT, "Export a data set", _export(house), guard=_export_guard(house)),
    )


def _examine(house: House) -> Handler:
    def examine(run: JobRun) -> Mapping[str, Any]:
        return house.services.imports.examine(run)

    return examine


def _apply(house: House) -> Handler:
    def apply(run: JobRun) -> Mapping[str, Any]:
        return house.services.imports.apply(run)

    return apply


def _export(house: House) -> Handler:
    def export(run: JobRun) -> Mapping[str, Any]:
        return house.services.exports.run(run)

    return export


def _import_guard(house: House) -> Guard:
    def guard(owner: UUID, told: Mapping[str, Any]) -> None:
        house.services.imports.check_told(owner, told)

    return guard


def _export_guard(house: House) -> Guard:
    def guard(owner: UUID, told: Mapping[str, Any]) -> None:
        house.services.exports.check_file(owner, told)

    return guard
