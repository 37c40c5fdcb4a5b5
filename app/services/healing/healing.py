"""``store heal``: a sound blob of a backup in the place of a damaged one, and what lies beside.

Everything is verified before it is believed: a blob of the backup opens under a key of the
installation that may still be read, is not older than the database knows, and has the
SHA-256 that was taken at the upload. What is written is read back before it gets its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from app.crypto.context import Role
from app.db.times import utc_now
from app.errors import DarkroomError, StoreUnavailable
from app.models import StaleRecord
from app.services.healing.key_return import KeyReturn
from app.services.healing.placing import Placing
from app.services.verification.findings import Damage, Finding
from app.services.verification.images import KEY as KEY_PART
from app.services.verification.images import OF_KEYS, ORIGINAL, SIDECAR

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.domain.access import Actor
    from app.jobs.watch import Watch
    from app.services.healing.sources import BlobSource
    from app.services.quarantine import Quarantine
    from app.services.runs import Run, Runs
    from app.services.verification import Expected, ExpectedImages
    from app.services.verification.images import ImageCheck

KIND = "heal"
EXAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Healed:
    """``mended``: parts that are in order now; ``left``: what is still wrong, in words."""

    id: UUID
    mended: tuple[str, ...]
    released: bool
    left: tuple[str, ...]


@dataclass(slots=True)
class HealReport:
    """``pictures`` are the first of those with any damage."""

    looked: int = 0
    healed: int = 0
    failed: int = 0
    pictures: list[Healed] = field(default_factory=list)

    def take(self, healed: Healed) -> None:
        self.healed += not healed.left
        self.failed += bool(healed.left)
        if len(self.pictures) < EXAMPLES:
            self.pictures.append(healed)


class Healing:
    """Works picture by picture; what is mended stays mended wherever it is stopped."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        rows: ExpectedImages,
        check: ImageCheck,
        placing: Placing,
        keys: KeyReturn,
        quarantine: Quarantine,
        runs: Runs,
        sources: Callable[[str], BlobSource],
    ) -> None:
        """``sources`` opens what an operator names: see `source`."""
        self.source = sources
        self._uow = uow
        self._rows = rows
        self._check = check
        self._placing = placing
        self._keys = keys
        self._quarantine = quarantine
        self._runs = runs

    def run(
        self,
        watch: Watch,
        actor: Actor,
        source: BlobSource,
        wanted: Iterable[UUID] | None = None,
        *,
        full: bool = False,
        report: HealReport | None = None,
    ) -> HealReport:
        """Mend the ``wanted`` pictures, or all that a quick look finds damaged; ``full``
        looks at every chunk. What is set aside is always looked at whole."""
        source.check()
        report = report or HealReport()
        total = None if wanted is not None else self._rows.count()
        with self._runs.started(KIND) as run:
            for image_id in wanted if wanted is not None else self._rows.ids():
                found = self._damage(image_id, full=full or wanted is not None)
                if found:
                    report.take(self._heal(actor, source, image_id, found))
                report.looked += 1
                run.cursor = str(image_id)
                _count(run, report)
                watch.advance(report.looked, total)
        return report

    def _damage(self, image_id: UUID, *, full: bool) -> list[Finding]:
        expected = self._rows.get(image_id)
        whole = full or (expected is not None and expected.is_quarantined)
        found = [one for one in self._check.look(image_id, full=whole) if one.damage]
        if not found and expected is not None and expected.is_quarantined:
            return [Finding(str(image_id), "status", Damage.QUARANTINED)]
        return found

    def _heal(
        self, actor: Actor, source: BlobSource, image_id: UUID, found: list[Finding]
    ) -> Healed:
        left = [told for told in self._steps(source, image_id, found) if told is not None]
        now = self._check.look(image_id, full=True)
        wrong = {one.part: one.problem or "" for one in now if one.damage}
        before = {one.part for one in found}
        mended = tuple(sorted(part for part in before if part not in wrong))
        reasons = [f"{part}: {problem}" for part, problem in wrong.items()]
        released = False
        if not wrong.keys() & {ORIGINAL, SIDECAR, KEY_PART} and now:
            released = self._quarantine.note_healed(actor, image_id, mended)
        return Healed(image_id, mended, released, tuple(reasons + left if reasons else ()))

    def _steps(
        self, source: BlobSource, image_id: UUID, found: list[Finding]
    ) -> Iterator[str | None]:
        """Mend part by part, in the order in which they need each other; give what could not
        be done, in words."""
        expected = self._rows.get(image_id)
        if expected is None:
            return
        source.expect([expected.image.path.original])
        parts = {finding.part: finding.damage for finding in found}
        if parts.keys() & {KEY_PART} or OF_KEYS & set(parts.values()):
            yield _words(lambda: self._keys.give_back(source, expected))
        parts = {
            one.part: one.damage for one in self._check.look(image_id, full=True) if one.damage
        }
        if ORIGINAL in parts:
            told = _words(lambda: self._placing.original(source, expected))
            yield told
            if told is not None:
                return  # a bent preview may be all that is left of it
        elif SIDECAR in parts:
            yield _words(lambda: self._placing.sidecar(expected))
        yield _words(lambda: self._drop_derivatives(expected, parts))
        if "record" in parts:
            self._write_record_again(image_id)

    def _drop_derivatives(self, expected: Expected, parts: dict[str, Damage | None]) -> None:
        """A damaged thumbnail goes: it is made again when it is asked for."""
        for part, damage in parts.items():
            if damage is Damage.DERIVATIVE:
                name, _, variant = part.partition(" ")
                self._placing.drop(expected, Role[name.upper()], int(variant or 0))

    def _write_record_again(self, image_id: UUID) -> None:
        """The job that writes records replaces it from the database."""
        expected = self._rows.get(image_id)
        if expected is not None:
            self._placing.drop(expected, Role.RECORD, 0)
        with self._uow.write() as session:
            session.merge(StaleRecord(file_id=image_id, since=utc_now(), writer=None))


def _words(step: Callable[[], None]) -> str | None:
    """What kept a step from being done; an outage of the store ends the work."""
    try:
        step()
    except StoreUnavailable:
        raise
    except DarkroomError as error:
        return error.message
    return None


def _count(run: Run, report: HealReport) -> None:
    run.figures |= {"looked": report.looked}
    run.count(done=report.healed, failed=report.failed)
