"""The audit log: who did what to what, each event chained to the one before.

``mac = HMAC(k_audit, previous mac, seq, id, at, actor, action, subject, outcome, details)``
with every part length-prefixed and the details as canonical JSON. An event that is
changed, left out or put in breaks the chain at its place. Cutting events off the end
leaves a chain that holds: compare the last number with a backup's.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import Engine, Row, insert, select
from sqlalchemy.orm import Session

from app.crypto import mac
from app.db.sealed_ahead import SealedAhead
from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.domain.ids import new_id
from app.domain.limits import clean_page_size
from app.errors import DecryptionFailed
from app.models import AuditEvent
from app.services.audit_chain import (
    Details,
    Event,
    EventsAhead,
    canonical,
    end_of_chain,
    facts_of,
    parts_of,
)
from app.services.audit_chain import Subject as Subject

if TYPE_CHECKING:
    from app.services.keys import RootKeys

ROOT: Final = "audit"
_CHUNK = 500
_PLACE: Final = ("seq", "at", "mac")


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
        seq, before = end_of_chain(session)
        noted = Noted(new_id(), self._clock())
        event = {
            "seq": seq + 1,
            "id": noted.id,
            "at": noted.at,
            **facts_of(action, actor, subject, outcome, details),
        }
        event["mac"] = self._mac(before, event)
        session.execute(insert(AuditEvent), [event])
        return noted

    def ahead(
        self, engine: Engine, action: str, actor: Actor | None, events: Sequence[Event]
    ) -> EventsAhead:
        """Many events, sealed before the transaction in which `append_all` adds them."""
        facts = tuple(
            {"id": new_id(), **facts_of(action, actor, event.subject, "ok", event.details)}
            for event in events
        )
        table = AuditEvent.metadata.tables[AuditEvent.__tablename__]
        return EventsAhead(facts, SealedAhead(engine, insert(table), facts, _PLACE))

    def append_all(self, session: Session, events: EventsAhead) -> None:
        """In their order, as `append` would one after the other."""
        seq, before = end_of_chain(session)
        at = self._clock()
        places = []
        for n, facts in enumerate(events.facts, seq + 1):
            before = self._mac(before, {**facts, "seq": n, "at": at})
            places.append({"seq": n, "at": at, "mac": before})
        events.sealed.write(session, places)

    def _mac(self, before: bytes, event: Mapping[str, Any]) -> bytes:
        return mac.sign(self._roots.active(ROOT).key, before, *canonical(event))

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
            parts = parts_of(row)
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
