"""The audit log: who did what to what, each event chained to the one before.

``mac = HMAC(k_audit, previous mac, seq, id, at, actor, action, subject, outcome, details)``
with every part length-prefixed and the details as canonical JSON. An event that is
changed, left out or put in breaks the chain at its place. Cutting events off the end
leaves a chain that holds: compare the last number with a backup's.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from app.crypto import mac
from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.domain.ids import new_id
from app.domain.limits import clean_page_size
from app.errors import DecryptionFailed
from app.models import AuditEvent

if TYPE_CHECKING:
    from app.services.keys import RootKeys

ROOT: Final = "audit"
_CHUNK = 500

Fact = str | int | float | bool | None
Details = Mapping[str, Fact | Sequence[Fact]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about: ``Subject("image", image_id)``."""

    kind: str
    id: UUID | str


@dataclass(frozen=True, slots=True)
class Noted:
    """An event that was appended just now."""

    id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The end of the chain at some moment; kept elsewhere, it tells when a tail was cut off.

    Written ``<seq>:<64 hex>``.
    """

    seq: int
    mac: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.mac.hex()}"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """``details`` None: there are none, or, with ``intact`` false, they do not open."""

    seq: int
    id: UUID
    at: datetime
    actor_id: UUID | None
    action: str
    subject_kind: str | None
    subject_id: str | None
    outcome: str
    details: Mapping[str, Any] | None
    intact: bool


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Newest first; ``before`` is what to ask the next page with, None at the end."""

    entries: tuple[AuditEntry, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class ChainVerdict:
    """``broken_at``: the number of the first event that does not fit, None when all do."""

    checked: int
    last: int
    broken_at: int | None


class AuditLog:
    """Appends in the caller's transaction, so that no act is without its event."""

    def __init__(
        self, uow: UnitOfWork, roots: RootKeys, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._uow = uow
        self._roots = roots
        self._clock = clock

    def append(
        self,
        session: Session,
        action: str,
        *,
        actor: Actor | None = None,
        subject: Subject | None = None,
        outcome: str = "ok",
        details: Details | None = None,
    ) -> Noted:
        """Add one event; ``action`` is ``noun.verb``, details are sealed."""
        last = session.execute(
            select(AuditEvent.seq, AuditEvent.mac).order_by(AuditEvent.seq.desc()).limit(1)
        ).first()
        seq, before = (last.seq + 1, last.mac or b"") if last else (1, b"")
        noted = Noted(new_id(), self._clock())
        event = {
            "seq": seq,
            "id": noted.id,
            "at": noted.at,
            "actor_id": actor.user_id if actor else None,
            "action": action,
            "subject_kind": subject.kind if subject else None,
            "subject_id": str(subject.id) if subject else None,
            "outcome": outcome,
            "details": _told(actor, details),
        }
        parts = _canonical(event)
        event["mac"] = mac.sign(self._roots.active(ROOT).key, before, *parts)
        session.execute(insert(AuditEvent), [event])
        return noted

    def record(self, action: str, **facts: Any) -> None:
        """Append in a transaction of its own, for what changes no row (a refused login)."""
        with self._uow.write() as session:
            self.append(session, action, **facts)

    def page(
        self,
        actor: Actor,
        *,
        before: int | None = None,
        limit: int | None = None,
        action: str | None = None,
        subject: Subject | None = None,
    ) -> AuditPage:
        """A page of the log, for administrators; raises ``NotPermitted``."""
        require(actor, Action.SEE_AUDIT)
        size = clean_page_size(limit)
        chosen = select(AuditEvent.__table__).order_by(AuditEvent.seq.desc()).limit(size + 1)
        if before is not None:
            chosen = chosen.where(AuditEvent.seq < before)
        if action is not None:
            chosen = chosen.where(AuditEvent.action == action)
        if subject is not None:
            chosen = chosen.where(
                AuditEvent.subject_kind == subject.kind,
                AuditEvent.subject_id == str(subject.id),
            )
        with self._uow.read_rows() as connection:
            rows = connection.execute(chosen).all()
        entries = tuple(_entry(row) for row in rows[:size])
        return AuditPage(entries, entries[-1].seq if len(rows) > size else None)

    def checkpoint(self) -> Checkpoint | None:
        """The last event; None for an empty log."""
        last = select(AuditEvent.seq, AuditEvent.mac).order_by(AuditEvent.seq.desc()).limit(1)
        with self._uow.read_rows() as connection:
            row = connection.execute(last).first()
        return Checkpoint(row.seq, row.mac or b"") if row is not None else None

    def holds(self, known: Checkpoint) -> bool:
        """Whether the event of an earlier checkpoint is still there, and is that one."""
        wanted = select(AuditEvent.mac).where(AuditEvent.seq == known.seq)
        with self._uow.read_rows() as connection:
            found = connection.scalar(wanted)
        return found is not None and hmac.compare_digest(found, known.mac)

    def entries(self) -> Iterator[AuditEntry]:
        """Every event, oldest first; whoever asks runs commands on the machine."""
        return map(_entry, self._rows())

    def verify(self) -> ChainVerdict:
        """Walk the whole chain. Where retention cut its beginning off, the first event that
        is left is taken as it stands.
        """
        self._roots.refresh()
        keys = tuple(self._roots.all(ROOT).values())
        before: bytes | None = b""
        last = checked = 0
        for row in self._rows():
            if checked == 0 and row.seq > 1:
                last, before = row.seq - 1, None
            parts = _parts_of(row)
            fits = row.seq == last + 1 and row.mac is not None and parts is not None
            if fits and before is not None:
                fits = any(mac.verify(key, row.mac, before, *(parts or ())) for key in keys)
            if not fits:
                return ChainVerdict(checked, last, row.seq)
            last, before, checked = row.seq, row.mac, checked + 1
        return ChainVerdict(checked, last, None)

    def _rows(self) -> Iterator[Row[Any]]:
        """Every event, oldest first, a few hundred in memory."""
        seq = 0
        while True:
            chosen = select(AuditEvent.__table__).where(AuditEvent.seq > seq)
            with self._uow.read_rows() as connection:
                rows = connection.execute(chosen.order_by(AuditEvent.seq).limit(_CHUNK)).all()
            yield from rows
            if len(rows) < _CHUNK:
                return
            seq = rows[-1].seq


def _told(actor: Actor | None, details: Details | None) -> dict[str, Any] | None:
    told = dict(details or {})
    if actor is not None and actor.operator:
        told["by"] = "command line"
    return told or None


def _canonical(event: Mapping[str, Any]) -> tuple[bytes, ...]:
    """The parts under the MAC; None and "" of an optional part are one."""
    at: datetime = event["at"].astimezone(UTC)
    actor: UUID | None = event["actor_id"]
    details = json.dumps(event["details"], sort_keys=True, separators=(",", ":"))
    return (
        int(event["seq"]).to_bytes(8, "big"),
        event["id"].bytes,
        at.isoformat(timespec="microseconds").encode(),
        actor.bytes if actor else b"",
        event["action"].encode(),
        (event["subject_kind"] or "").encode(),
        (event["subject_id"] or "").encode(),
        event["outcome"].encode(),
        details.encode(),
    )


def _parts_of(row: Row[Any]) -> tuple[bytes, ...] | None:
    """The same parts of a row that was read; None when its details do not open."""
    try:
        details = row.details.of(row.id) if row.details is not None else None
    except DecryptionFailed:
        return None
    return _canonical({**row._mapping, "details": details})  # noqa: SLF001 - Row's public name


def _entry(row: Row[Any]) -> AuditEntry:
    try:
        details, intact = row.details.of(row.id) if row.details is not None else None, True
    except DecryptionFailed:
        details, intact = None, False
    return AuditEntry(
        seq=row.seq,
        id=row.id,
        at=row.at,
        actor_id=row.actor_id,
        action=row.action,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        outcome=row.outcome,
        details=details,
        intact=intact,
    )
