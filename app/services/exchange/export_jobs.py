"""Exports as jobs: a report where something would be lost, else a sealed archive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.domain.access import Action, Actor
from app.errors import Conflict, NotFound
from app.jobs.registry import JobRun
from app.services.collection_access import require_collection
from app.services.exchange.acting import SCOPES, actor_of, scopes_told
from app.services.exchange.catalogue import format_named
from app.services.exchange.exporting import Exporting
from app.services.exchange.gathering import labels_meant
from app.services.exchange.options import ExportOptions, read_export
from app.services.exchange.report import Report
from app.services.job_results import FILE, told_file
from app.services.label_rows import all_classes

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.job_results import JobResults
    from app.services.jobs import Jobs

EXPORT: Final = "exchange.export"
ZIP: Final = "application/zip"


class Exports:
    """What pages and the API ask, and what the job does."""

    def __init__(
        self, uow: UnitOfWork, jobs: Jobs, results: JobResults, exporting: Exporting
    ) -> None:
        self._uow = uow
        self._jobs = jobs
        self._results = results
        self._exporting = exporting

    def check(self, actor: Actor, slug: str) -> None:
        """Whether the actor may export there at all; ``NotFound``, ``NotPermitted``."""
        with self._uow.read_rows() as connection:
            require_collection(connection, actor, Action.EXPORT, slug)

    def start(self, actor: Actor, slug: str, options: ExportOptions) -> UUID:
        """Have it made; the job. ``InvalidInput``, ``NotFound``, ``NotPermitted``."""
        format_named(options.format)
        params = {
            "collection": slug,
            "options": options.told(),
            SCOPES: scopes_told(actor),
        }
        with self._uow.write() as session:
            access = require_collection(session, actor, Action.EXPORT, slug)
            labels_meant(all_classes(session, access.id), options.labels)
            return self._jobs.enqueue(session, EXPORT, params, actor.user_id)

    def report(self, actor: Actor, slug: str, job_id: UUID) -> Report:
        """What the job found; ``NotFound`` unless it is the actor's and is done."""
        self.check(actor, slug)
        job = self._jobs.get(Actor(actor.user_id), job_id)  # a right of its owner, of no scope
        told = job.result if job.kind == EXPORT and job.state == "done" else None
        if told is None or told.get("collection") != slug:
            raise NotFound("There is no such report.", operation="exchange.report")
        return dict(told)

    def check_file(self, owner: UUID, told: Mapping[str, Any]) -> None:
        """Whether who had it made may still export there: they may have left since.
        ``NotFound``, ``NotPermitted``."""
        self.check(Actor(owner), str(told.get("collection", "")))

    def choices(self, actor: Actor, slug: str, job_id: UUID) -> ExportOptions:
        """What an export of the actor's was told; ``NotFound`` as `report`."""
        return read_export(self.report(actor, slug, job_id)["options"])

    def accept(self, actor: Actor, slug: str, job_id: UUID) -> UUID:
        """Have it made in spite of its losses; the new job. ``Conflict`` where none wait."""
        told = self.report(actor, slug, job_id)
        if not told["needs_acceptance"]:
            raise Conflict("This export has been made.", operation="exchange.accept")
        options = replace(read_export(told["options"]), accept_losses=True)
        return self.start(actor, slug, options)

    def run(self, run: JobRun) -> Mapping[str, Any]:
        """The handler of ``EXPORT``."""
        actor = actor_of(self._uow, run)
        slug, options = run.params["collection"], read_export(run.params["options"])
        prepared = self._exporting.prepare(actor, slug, options, run)
        if prepared.losses and not options.accept_losses:
            return prepared.report()
        with self._results.sealing(run) as sink:
            told = self._exporting.write(actor, prepared, sink, run)
        return {**told, FILE: told_file(f"{slug}-{options.format}.zip", ZIP)}
