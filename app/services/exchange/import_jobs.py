"""Imports as jobs: an upload is kept sealed and examined; what was accepted is applied.

The upload lies where the result of its job would (role 07), under a key that goes with the
job's row: whoever removes the job, or lets it expire, has destroyed the upload.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from io import BufferedReader
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db.field_cipher import Bound
from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.errors import Conflict, Gone, InvalidInput, NotFound
from app.jobs.registry import JobRun
from app.models import Job
from app.services.collection_access import require_collection
from app.services.exchange.acting import SCOPES, actor_of, scopes_told
from app.services.exchange.classes import check_mapping
from app.services.exchange.importing import Importing
from app.services.exchange.options import ImportOptions, Mode, read_import
from app.services.exchange.report import Report, mistakes_of
from app.services.label_rows import all_classes

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.job_results import JobResults
    from app.services.jobs import Jobs

EXAMINE: Final = "exchange.examine"
APPLY: Final = "exchange.import"
LOOK_LATER: Final = timedelta(hours=1)
"""Until the upload is sealed; a job that comes to it finds nothing, and says so."""


class Imports:
    """What pages and the API ask, and what the two kinds of jobs do."""

    def __init__(
        self, uow: UnitOfWork, jobs: Jobs, results: JobResults, importing: Importing
    ) -> None:
        self._uow = uow
        self._jobs = jobs
        self._results = results
        self._importing = importing

    def check(self, actor: Actor, slug: str) -> None:
        """Whether the actor may import there at all; ``NotFound``, ``NotPermitted``."""
        with self._uow.read_rows() as connection:
            require_collection(connection, actor, Action.IMPORT, slug)

    def check_told(self, owner: UUID, told: Mapping[str, Any]) -> None:
        """Whether who had a file looked at may still import there: they may have left since.
        ``NotFound``, ``NotPermitted``."""
        self.check(Actor(owner), str(told.get("collection", "")))

    def start(
        self, actor: Actor, slug: str, file: BinaryIO, name: str, options: ImportOptions
    ) -> UUID:
        """Keep the upload and have it examined; the job. What is no archive and no file of
        labels is refused at once, and what can be told wrong of the choices: ``InvalidInput``,
        ``FileTooLarge``; ``NotFound``, ``NotPermitted``.
        """
        with self._uow.read_rows() as connection:
            access = require_collection(connection, actor, Action.IMPORT, slug)
            if options.classes:
                check_mapping(
                    all_classes(connection, access.id).values(),
                    options.classes,
                    is_open=not access.labels_closed,
                )
        self._importing.open(file, name).close()
        params = {
            "collection": slug,
            "name": name,
            "options": options.told(),
            SCOPES: scopes_told(actor),
        }
        with self._uow.write() as session:
            require_collection(session, actor, Action.IMPORT, slug)
            job_id = self._jobs.enqueue(
                session, EXAMINE, params, actor.user_id, run_at=utc_now() + LOOK_LATER
            )
        file.seek(0)
        self._results.attach(job_id, file)
        self._jobs.hasten(job_id)
        return job_id

    def report(self, actor: Actor, slug: str, job_id: UUID) -> Report:
        """What the examination found; ``NotFound`` unless it is the actor's and is done."""
        self.check(actor, slug)
        job = self._jobs.get(Actor(actor.user_id), job_id)  # a right of its owner, of no scope
        if job.kind != EXAMINE or job.state != "done" or job.result is None:
            raise NotFound("There is no such report.", operation="exchange.report")
        if job.result.get("collection") != slug:
            raise NotFound("There is no such report.", operation="exchange.report")
        return dict(job.result)

    def accept(
        self,
        actor: Actor,
        slug: str,
        job_id: UUID,
        *,
        accept_losses: bool,
        mode: Mode | None = None,
    ) -> UUID:
        """Have an examined upload applied; the job, the same one if it is asked twice.

        Raises ``InvalidInput`` with the mistakes of the file, ``Conflict`` where losses were
        not accepted, ``NotFound``, ``NotPermitted``.
        """
        report = self.report(actor, slug, job_id)
        if report["mistakes"]:
            raise InvalidInput("This data set has mistakes.", mistakes=mistakes_of(report))
        if not report["can_apply"]:
            raise Conflict("There is nothing here to take in.", operation="exchange.accept")
        if report["needs_acceptance"] and not accept_losses:
            raise Conflict(
                "Something of this data set would be lost. Read the report, then accept it.",
                operation="exchange.accept",
            )
        options = {**report["options"], "format": report["format"]}
        if mode is not None:
            options["mode"] = mode.value
        params = {
            "collection": slug,
            "examined": str(job_id),
            "options": options,
            "accepted": accept_losses,
            SCOPES: scopes_told(actor),
        }
        with self._uow.write() as session:
            require_collection(session, actor, Action.IMPORT, slug)
            return self._jobs.enqueue(
                session, APPLY, params, actor.user_id, purpose=f"{APPLY}:{job_id}"
            )

    def examine(self, run: JobRun) -> Mapping[str, Any]:
        """The handler of ``EXAMINE``."""
        actor = actor_of(self._uow, run)
        params = run.params
        slug = params["collection"]
        with (
            self._results.attached(run.id) as blob,
            BufferedReader(blob.reader.as_file()) as raw,
        ):
            upload = self._importing.open(raw, params["name"])
            with upload:
                options = read_import(params["options"])
                told = self._importing.examine(actor, slug, upload, options, run)
        return {**told, "collection": slug, "name": params["name"]}

    def apply(self, run: JobRun) -> Mapping[str, Any]:
        """The handler of ``APPLY``. A try after one that has written says what that did."""
        known = self._written(run.id)
        if known is not None:
            return known
        actor = actor_of(self._uow, run)
        params, examined = run.params, UUID(run.params["examined"])
        name = self._name_of(examined, run)
        with (
            self._results.attached(examined) as blob,
            BufferedReader(blob.reader.as_file()) as raw,
        ):
            upload = self._importing.open(raw, name)
            with upload:
                return self._importing.apply(
                    actor,
                    params["collection"],
                    upload,
                    read_import(params["options"]),
                    accepted=params["accepted"],
                    origin=str(run.id),
                    since=self._made_at(run.id),
                    finish=lambda session, told: _keep(session, run.id, told),
                    watch=run,
                )

    def _written(self, job_id: UUID) -> Mapping[str, Any] | None:
        with self._uow.read_rows() as connection:
            kept = connection.scalar(select(Job.result).where(Job.id == job_id))
        return dict(kept.of(job_id)) if kept is not None else None

    def _made_at(self, job_id: UUID) -> Any:
        with self._uow.read_rows() as connection:
            return connection.scalar(select(Job.created_at).where(Job.id == job_id))

    def _name_of(self, examined: UUID, run: JobRun) -> str:
        with self._uow.read_rows() as connection:
            kept = connection.scalar(
                select(Job.params).where(Job.id == examined, Job.owner_id == run.owner_id)
            )
        if kept is None:
            raise Gone("The upload was removed.", operation="exchange.upload")
        return str(kept.of(examined)["name"])


def _keep(session: Session, job_id: UUID, told: Mapping[str, Any]) -> None:
    """In the transaction that writes, so that a crash behind it does not import again."""
    session.execute(
        update(Job)
        .where(Job.id == job_id)
        .values(result=Bound(job_id, dict(told)))
        .execution_options(synchronize_session=False)
    )
