"""The deployment checklist: every box is looked at, and says what to do where it is open."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.config import Settings
from app.crypto.context import BlobContext, Role
from app.crypto.keys import generate_key
from app.crypto.stream import open_bytes, seal_bytes
from app.db.times import utc_now
from app.domain.ids import new_id
from app.errors import DarkroomError
from app.models import AuditEvent, User

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.health import Health
    from app.services.posture import PostureReport

A_QUARTER: Final = timedelta(days=90)
A_MONTH: Final = timedelta(days=31)
DISK_SHARE: Final = 0.8
LOOPBACK: Final = ("127.", "localhost", "[::1]")
LOCAL: Final = "Nobody comes from elsewhere without https: it listens on this machine alone"
FOR_PEOPLE: Final = (
    "The recovery kit lies where fire and theft do not reach both copies.",
    "Somebody beside you knows where it is, and has walked through docs/operations.md.",
)
"""What no program can look at."""


class Verdict(StrEnum):
    GOOD = "ok"
    OPEN = "open"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Box:
    """A line of the checklist; ``advice`` says what to do, or what was found."""

    title: str
    verdict: Verdict
    advice: str = ""


class Doctor:
    """Looks at settings, files, database, store, vault and runs; changes nothing."""

    def __init__(
        self,
        *,
        settings: Settings,
        env_file: Path,
        uow: UnitOfWork,
        health: Health,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._settings = settings
        self._env_file = env_file
        self._uow = uow
        self._health = health
        self._clock = clock

    def look(self, report: PostureReport) -> Iterator[Box]:
        """Give every box in the order of a checklist; never raises one of our errors."""
        yield from self._secrets(report)
        yield from self._parts()
        yield self._round_trip()
        yield from self._reach()
        yield from self._keys(report)
        yield from self._safety(report)
        yield from self._care(report)

    def _secrets(self, report: PostureReport) -> Iterator[Box]:
        yield Box(
            "The master key is 64 hex characters",
            Verdict.GOOD,
            f"its check value is {report.master}",
        )
        yield _box(
            "No former master key is left",
            not report.previous_masters,
            "run keys rewrap, then empty ENCRYPTION_KEY_PREVIOUS",
        )
        for title, path in (
            (".env", self._env_file),
            ("The instance", self._settings.instance_path),
        ):
            if path.exists():
                closed = not stat.S_IMODE(path.stat().st_mode) & 0o077
                yield _box(f"{title} is closed to others", closed, "chmod go-rwx", wrong=True)

    def _parts(self) -> Iterator[Box]:
        found = self._health.report()
        for part in found.parts:
            problem = found.problems.get(part)
            yield _box(f"The {part} works", problem is None, problem or "", wrong=True)

    def _round_trip(self) -> Box:
        """Seal and open with a key that exists in this call only."""
        key, file_id, plain = generate_key(), new_id(), b"darkroom doctor"
        context = BlobContext(file_id=file_id, role=Role.ORIGINAL, key_version_id=bytes(16))
        try:
            sealed, _ = seal_bytes(plain, key, context)
            works = open_bytes(sealed, key, file_id=file_id, role=Role.ORIGINAL) == plain
        except DarkroomError:
            works = False
        return _box(
            "What is sealed opens again", works, "install the requirements anew", wrong=True
        )

    def _reach(self) -> Iterator[Box]:
        local = self._settings.bind.startswith(LOOPBACK)
        yield _box(
            LOCAL if local and not self._settings.https else "People come by https",
            self._settings.https or local,
            "set PUBLIC_URL to the https address of the proxy in front",
            wrong=not local,
        )

    def _keys(self, report: PostureReport) -> Iterator[Box]:
        yield _box(
            "Keys rotate by themselves",
            report.setting.cryptoperiod_days > 0,
            "set ENCRYPTION_KEY_ROTATION_DAYS",
        )
        yield _box(
            "No key is past its cryptoperiod",
            not report.inventory.past_cryptoperiod,
            f"{report.inventory.past_cryptoperiod} are: keys rotate --due",
        )
        yield _box(
            "Every column value is under the active key",
            not report.columns.former,
            "keys rotate --root columns goes on where it stopped",
        )

    def _safety(self, report: PostureReport) -> Iterator[Box]:
        yield _box(
            "Backups are scheduled", report.setting.backup_scheduled, "set BACKUP_TARGET"
        )
        title = "A backup of the last two days"
        yield self._within(report, "backup", timedelta(days=2), title, "backup create")
        title = "A restore drill of the last quarter"
        yield self._within(report, "drill", A_QUARTER, title, "backup verify TARGET")
        yield _box(
            "A recovery kit was printed", self._kit_exported(), "keys export-kit, on paper"
        )
        title = "A verification of the last month"
        yield self._within(report, "verify", A_MONTH, title, "store verify")
        yield _box(
            "Nothing is set aside as damaged",
            not report.inventory.quarantined,
            "store verify says which; store heal --from BACKUP",
            wrong=True,
        )

    def _care(self, report: PostureReport) -> Iterator[Box]:
        told = self._settings.alert_webhook_url or self._settings.alert_email
        yield _box("Alerts reach somebody", bool(told), "set ALERT_WEBHOOK_URL or ALERT_EMAIL")
        space = shutil.disk_usage(self._settings.instance_path)
        share = 1 - space.free / space.total
        yield _box("The disk has room", share <= DISK_SHARE, f"it is {share:.0%} full")
        yield _box(
            "There is a second administrator", self._administrators() > 1, "users make-admin"
        )
        yield _box(
            "Nothing of older programs is left over",
            not report.legacy_left,
            f"{report.legacy_left} files: encryption import-legacy",
        )

    def _within(
        self, report: PostureReport, kind: str, span: timedelta, title: str, by: str
    ) -> Box:
        """``by``: the command that ticks the box."""
        run = report.last.get(kind)
        ended = run.finished_at if run is not None else None
        fresh = ended is not None and ended >= self._clock() - span
        last = f"last: {ended:%Y-%m-%d}" if ended else "there was none yet"
        return _box(title, fresh, f"{last}; {by}")

    def _kit_exported(self) -> bool:
        wanted = select(AuditEvent.seq).where(AuditEvent.action == "keys.export_kit").limit(1)
        with self._uow.read() as session:
            return session.scalar(wanted) is not None

    def _administrators(self) -> int:
        wanted = select(User.id).where(User.is_admin.is_(True), User.state == "active")
        with self._uow.read() as session:
            return len(session.scalars(wanted.limit(2)).all())


def _box(title: str, good: bool, advice: str, *, wrong: bool = False) -> Box:
    """``wrong``: being open is not only a task, but a fault."""
    if good:
        return Box(title, Verdict.GOOD)
    return Box(title, Verdict.WRONG if wrong else Verdict.OPEN, advice)
