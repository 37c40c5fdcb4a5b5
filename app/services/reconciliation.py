"""``store reconcile``: what a crash left behind, looked at again under lock and put right.

By itself it mends only what is understood and loses nothing: a temporary file of an hour and
more, a sidecar that is missing or does not fit beside a sound blob, a counter. A file or key
that the database does not know may be all that is left after the database was restored from
an older backup: it is taken in or destroyed only by who says so. A row without its file is
never removed.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app.db.times import utc_now
from app.errors import BlobNotFound, DarkroomError, StoreUnavailable
from app.services.audit import Subject
from app.storage.reconcile import HOUR_MS, Orphan, OrphanKind

if TYPE_CHECKING:
    from app.domain.access import Actor
    from app.jobs.watch import Watch
    from app.services.audit import AuditLog
    from app.services.healing.placing import Placing
    from app.services.orphans import Orphans
    from app.services.reconciling import Outcome, Unknown
    from app.services.recount import Recount
    from app.services.runs import Runs
    from app.services.verification import ExpectedImages
    from app.services.verification.images import ImageCheck
    from app.storage.interface import BlobStore

log = logging.getLogger("darkroom.reconcile")
KIND = "reconcile"
EXAMPLES = 1000
UNKNOWN_FILES = frozenset([OrphanKind.BLOB_WITHOUT_ROW, OrphanKind.SIDECAR_WITHOUT_BLOB])


@dataclass(frozen=True, slots=True)
class Means:
    """What may be done about what is found: nothing, unless told. ``discard``: destroy files
    and keys that the database does not know."""

    repair: bool = False
    discard: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """``done`` is what was done, or None; ``why`` is what could be done, or why it was not."""

    kind: str
    where: str
    done: str | None
    why: str


@dataclass(slots=True)
class Reconciliation:
    found: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    items: list[Item] = field(default_factory=list)

    unknown_left: int = 0
    """Files that the database does not know and that were left where they are."""

    @property
    def left(self) -> int:
        return self.found.total() - self.done.total()

    def take(self, item: Item) -> None:
        self.found[item.kind] += 1
        self.unknown_left += item.done is None and item.kind in UNKNOWN_FILES
        if item.done is not None:
            self.done[item.done] += 1
        if len(self.items) < EXAMPLES:
            self.items.append(item)


class Reconciler:
    """Each find is looked at again right before it is touched."""

    def __init__(
        self,
        *,
        orphans: Orphans,
        blobs: BlobStore,
        rows: ExpectedImages,
        check: ImageCheck,
        placing: Placing,
        unknown: Unknown,
        recount: Recount,
        audit: AuditLog,
        runs: Runs,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._orphans = orphans
        self._blobs = blobs
        self._rows = rows
        self._check = check
        self._placing = placing
        self._unknown = unknown
        self._recount = recount
        self._audit = audit
        self._runs = runs
        self._clock = clock

    def run(
        self,
        watch: Watch,
        actor: Actor,
        means: Means,
        report: Reconciliation | None = None,
    ) -> Reconciliation:
        """Look through store, vault and counters; do what ``means`` allow.

        ``report``, where given, is filled on the way: whoever stops the work has it.
        """
        report = report or Reconciliation()
        with self._runs.started(KIND) as run:
            for orphan in self._orphans.found(watch):
                if orphan.kind is not OrphanKind.BLOB_WITHOUT_SIDECAR:
                    report.take(self._one(actor, orphan, means, report))
            for image_id in self._rows.ids():
                item = self._sidecar(image_id, means)
                if item is not None:
                    report.take(item)
                watch.advance(report.found.total())
            self._counters(report, means)
            run.figures |= {"found": dict(report.found), "done": dict(report.done)}
            run.count(done=report.done.total(), remaining=report.left)
            if report.done:
                self._note(actor, report)
        return report

    def _one(self, actor: Actor, orphan: Orphan, means: Means, report: Reconciliation) -> Item:
        try:
            done, why = self._treat(actor, orphan, means, report)
        except StoreUnavailable:
            raise
        except DarkroomError as error:
            done, why = None, error.message
        return Item(orphan.kind.value, orphan.key, done, why)

    def _treat(
        self, actor: Actor, orphan: Orphan, means: Means, report: Reconciliation
    ) -> Outcome:
        kind, key = orphan.kind, orphan.key
        if kind is OrphanKind.STALE_TEMPORARY:
            return (
                self._remove_temporary(key) if means.repair else (None, "--repair removes it")
            )
        if kind is OrphanKind.ROW_WITHOUT_BLOB:
            return None, "store heal --from BACKUP brings its file back"
        if kind is OrphanKind.FOREIGN:
            return None, "no file of Darkroom's: look at it and move it away"
        if not means.discard:
            return None, "--discard destroys it, if no older database was put back"
        if kind is not OrphanKind.KEY_WITHOUT_ROW:
            return self._unknown.discard_file(actor, key)
        if report.unknown_left:
            return None, "it may belong to a file that the database does not know"
        return self._unknown.discard_key(actor, key)

    def _sidecar(self, image_id: UUID, means: Means) -> Item | None:
        """A sidecar that is missing or bent, written again beside a file that is sound."""
        flaw = self._check.sidecar(image_id)
        if flaw is None or flaw.damage is None:
            return None
        why, expected = flaw.problem or "", self._rows.get(image_id)
        if not means.repair or expected is None:
            return Item(
                flaw.damage.slug, str(image_id), None, f"{why}: --repair writes it again"
            )
        try:
            self._placing.sidecar(expected)
        except StoreUnavailable:
            raise
        except DarkroomError as error:
            return Item(flaw.damage.slug, str(image_id), None, error.message)
        return Item(flaw.damage.slug, str(image_id), "written again", why)

    def _remove_temporary(self, key: str) -> tuple[str | None, str]:
        """Still there and still not written to: whoever writes it would have gone on."""
        now_ms = self._clock().timestamp() * 1000
        try:
            with self._blobs.open(key) as handle:
                modified_ms = handle.identity[-1] / 1_000_000
        except BlobNotFound:
            return None, "it is gone meanwhile"
        if modified_ms > now_ms - HOUR_MS:
            return None, "it is being written"
        self._blobs.delete(key)
        return "removed", ""

    def _counters(self, report: Reconciliation, means: Means) -> None:
        wrong = self._recount.repair() if means.repair else self._recount.look()
        for miscount in wrong:
            told = f"{miscount.kept}, counted {miscount.counted}"
            done = "recounted" if means.repair else None
            report.take(Item("counter", miscount.what, done, told))

    def _note(self, actor: Actor, report: Reconciliation) -> None:
        details = {f"found_{kind}": count for kind, count in report.found.items()}
        details |= {f"done_{what}": count for what, count in report.done.items()}
        self._audit.record(
            "store.reconcile", actor=actor, subject=Subject("store", "dam"), details=details
        )
