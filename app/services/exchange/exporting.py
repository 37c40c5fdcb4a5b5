"""A data set made of a collection: its losses first, then an archive of any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.formats.dataset import Options, Written
from app.formats.losses import Ledger, Loss, LossCode
from app.jobs.watch import UNWATCHED, Watch
from app.media.stripping import Policy, can_strip
from app.models import LabelSchema
from app.services.audit import Subject
from app.services.collection_access import CollectionAccess, require_collection
from app.services.exchange.catalogue import format_named
from app.services.exchange.crop_writing import CropSource, CropWriting, note_crops
from app.services.exchange.crops import CropPlan
from app.services.exchange.gathering import Gathered, gather
from app.services.exchange.manifest import Manifest
from app.services.exchange.options import ExportOptions
from app.services.exchange.packing import Packing, PictureBytes, Target
from app.services.exchange.report import Report, losses_json

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.media.decoder_client import Decoder
    from app.services.audit import AuditLog
    from app.services.delivery import DeliveryService


@dataclass(frozen=True, slots=True)
class Prepared:
    """An export that is known whole, before its first byte is written."""

    access: CollectionAccess
    options: ExportOptions
    gathered: Gathered
    written: Written
    losses: tuple[Loss, ...]
    crops: CropPlan | None = None

    def report(self) -> Report:
        """What would be in it, and what would be lost."""
        pictures = self.gathered.dataset.pictures
        return {
            "options": self.options.told(),
            "collection": self.access.slug,
            "format": self.options.format,
            "words": format_named(self.options.format).WORDS,
            "pictures": sum(place is not None for place in self.written.places),
            "annotations": sum(len(picture.items) for picture in pictures),
            "crops": len(self.crops) if self.crops is not None else 0,
            "splits": _counted(self),
            "losses": losses_json(self.losses),
            "mistakes": [],
            "needs_acceptance": bool(self.losses),
            "can_apply": True,
        }


@dataclass(frozen=True, slots=True)
class Exporting:
    """Used by jobs and by the command line alike; keeps no state."""

    uow: UnitOfWork
    delivery: DeliveryService
    audit: AuditLog
    decoder: Decoder
    clock: Callable[[], datetime] = field(default=utc_now)

    def prepare(
        self, actor: Actor, slug: str, options: ExportOptions, watch: Watch = UNWATCHED
    ) -> Prepared:
        """``InvalidInput`` for a format that is none; ``NotFound``, ``NotPermitted``. For crops
        every picture that has one is looked at, which ``watch`` is told."""
        format_ = format_named(options.format)
        with self.uow.read_rows() as connection:
            access = require_collection(connection, actor, Action.EXPORT, slug)
        ledger = Ledger()
        gathered = gather(self.uow, access.id, options, ledger)
        written = format_.write(
            gathered.dataset, Options(origin=options.origin, task=options.task)
        )
        if options.images and options.metadata is not Policy.KEEP:
            _note_metadata(gathered, ledger)
        for loss in written.losses:
            ledger.add(loss.code, loss.place, loss.count)
        plan = CropPlan(gathered, written.places) if options.crops else None
        if plan is not None:
            note_crops(plan, self._crop_source(actor), ledger, watch)
        return Prepared(access, options, gathered, written, ledger.losses, plan)

    def write(
        self, actor: Actor, prepared: Prepared, target: Target, watch: Watch = UNWATCHED
    ) -> Mapping[str, Any]:
        """Write the archive; the counts. ``missing``: pictures that went meanwhile, or whose
        metadata could not be taken out, named in the manifest.

        Raises ``Quarantined`` for damage that shows in the middle of a picture, and what
        ``target`` raises.
        """
        at = self.clock()
        manifest = Manifest(self._head(prepared, at))
        packing = Packing(target, manifest)
        for name, content in prepared.written.files:
            packing.document(name, content)
        crops = None
        if prepared.crops is not None:
            crops = CropWriting(prepared.crops, self._crop_source(actor), packing)
        missing = self._pictures(actor, prepared, packing, crops, watch)
        losses = Ledger(prepared.losses)
        if missing:
            losses.add(LossCode.PICTURE_UNAVAILABLE, missing[0], len(missing))
        tail: dict[str, Any] = {"missing": missing, "pictures": _pictures_told(prepared)}
        if crops is not None:
            tail["crops"] = crops.end(losses)
        told = losses_json(losses.losses)
        packing.end(manifest.encode({"losses": told, **tail}))
        self._note(actor, prepared, len(missing))
        return {
            **prepared.report(),
            "needs_acceptance": False,
            "missing": len(missing),
            "crops": crops.count if crops is not None else 0,
            "losses": told,
        }

    def _pictures(
        self,
        actor: Actor,
        prepared: Prepared,
        packing: Packing,
        crops: CropWriting | None,
        watch: Watch,
    ) -> list[str]:
        """The places of those that could not be written."""
        options = prepared.options
        source = PictureBytes(self.delivery, _owner(actor), options.metadata)
        places = prepared.written.places
        missing: list[str] = []
        for n, (known, place) in enumerate(zip(prepared.gathered.known, places, strict=True)):
            watch.advance(n, len(places))
            if place is not None and options.images:
                blocks = source.blocks(known)
                if blocks is None:
                    missing.append(place)
                else:
                    packing.picture(place, blocks)
            if crops is not None:
                crops.picture(n)
        watch.advance(len(places), len(places))
        return missing

    def _crop_source(self, actor: Actor) -> CropSource:
        return CropSource(self.delivery, self.decoder, _owner(actor))

    def _head(self, prepared: Prepared, at: datetime) -> dict[str, Any]:
        return {
            "format": prepared.options.format,
            "made_at": at.isoformat(),
            "schema_version": _schema_version(self.uow, prepared.access.id),
            "collection": prepared.access.slug,
            "options": _options_told(prepared),
            "counts": {
                "pictures": prepared.report()["pictures"],
                "annotations": prepared.report()["annotations"],
                "splits": _counted(prepared),
            },
        }

    def _note(self, actor: Actor, prepared: Prepared, missing: int) -> None:
        with self.uow.write() as session:
            self.audit.append(
                session,
                "collection.export",
                actor=actor,
                subject=Subject("collection", prepared.access.id),
                details={
                    "format": prepared.options.format,
                    "images": prepared.options.images,
                    "crops": prepared.options.crops,
                    "metadata": prepared.options.metadata.value,
                    "pictures": len(prepared.gathered.known) - missing,
                    "losses": [loss.code.value for loss in prepared.losses],
                },
            )


def _owner(actor: Actor) -> Actor:
    """The export was allowed; a key needs no further scope for what it holds."""
    return Actor(actor.user_id)


def _note_metadata(gathered: Gathered, ledger: Ledger) -> None:
    for known, told in zip(gathered.known, gathered.dataset.pictures, strict=True):
        if not can_strip(known.mime_type):
            ledger.add(LossCode.METADATA_KEPT, told.file_name)


def _counted(prepared: Prepared) -> dict[str, int]:
    counts: dict[str, int] = {}
    for picture in prepared.gathered.dataset.pictures:
        if picture.split:
            counts[picture.split] = counts.get(picture.split, 0) + 1
    return counts


def _options_told(prepared: Prepared) -> dict[str, Any]:
    """As they were chosen, and the task of YOLO that was found where none was."""
    told = prepared.options.told()
    return told | {"task": prepared.written.task.value} if prepared.written.task else told


def _pictures_told(prepared: Prepared) -> list[dict[str, Any]]:
    """So that an import finds the pictures again, whatever they are called here."""
    dataset = prepared.gathered.dataset
    written = prepared.written
    names = written.names or written.places
    rows = zip(prepared.gathered.known, dataset.pictures, written.places, names, strict=True)
    return [
        {"file": place, "name": name, "id": str(known.id), "split": told.split}
        for known, told, place, name in rows
        if place is not None
    ]


def _schema_version(uow: UnitOfWork, collection_id: UUID) -> int:
    with uow.read_rows() as connection:
        found = connection.scalar(
            select(LabelSchema.version).where(LabelSchema.collection_id == collection_id)
        )
    return int(found or 1)
