"""Looks at the installation once a minute; remembers what is wrong; tells it once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app import metrics
from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.errors import AlertNotSent
from app.models import Alert, AlertMessage
from app.models.alert import UNSENT
from app.services.alerts.conditions import CONDITIONS, TITLES, Limits, judge
from app.services.alerts.looks import Looks
from app.services.alerts.senders import Message, Sender
from app.services.audit import AuditLog, Subject

if TYPE_CHECKING:
    from app.db.session import UnitOfWork

log = logging.getLogger("darkroom.alerts")
TRIES: Final = 12
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=6)
KEEP_MESSAGES: Final = timedelta(days=90)
AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert as people read it."""

    condition: str
    title: str
    detail: str
    since: datetime


class Alerts:
    """The conditions that hold are rows; a change of them is an event, a line in the log and
    a message for each sender, in one transaction. Messages are tried again, with growing
    pauses, until they are taken or 12 tries (about two days) are over."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        audit: AuditLog,
        looks: Looks,
        limits: Limits,
        senders: Sequence[Sender] = (),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._audit = audit
        self._looks = looks
        self._limits = limits
        self._senders = {sender.channel: sender for sender in senders}
        self._clock = clock

    def check(self) -> tuple[str, ...]:
        """Look, tell what changed, send what waits; return the conditions that hold."""
        found = {c.name: said for c, said in judge(self._looks.look(), self._limits)}
        with self._uow.write() as session:
            known = set(session.scalars(select(Alert.condition)))
            for name in sorted(found.keys() - known):
                self._raise(session, name, found[name])
            for name in sorted(known - found.keys()):
                self._clear(session, name)
            for name in sorted(known & found.keys()):
                self._still(session, name, found[name])
        for condition in CONDITIONS:
            metrics.alerts_raised.labels(condition.name).set(condition.name in found)
        self.deliver()
        return tuple(sorted(found))

    def active(self, actor: Actor) -> tuple[AlertView, ...]:
        """What is wrong now, longest first; for administrators."""
        require(actor, Action.SEE_SITE)
        with self._uow.read() as session:
            rows = session.scalars(select(Alert).order_by(Alert.raised_at)).all()
        return tuple(_view(row) for row in rows)

    def deliver(self) -> int:
        """Send what is due; return how many messages were taken."""
        with self._uow.read() as session:
            due = session.scalars(
                select(AlertMessage)
                .where(UNSENT, AlertMessage.due_at <= self._clock(), AlertMessage.tries < TRIES)
                .order_by(AlertMessage.due_at)
                .limit(AT_ONCE)
            ).all()
        return sum(self._send(row) for row in due)

    def _send(self, row: AlertMessage) -> bool:
        sender = self._senders.get(row.channel)
        try:
            if sender is None:
                raise AlertNotSent("Nobody is set for this kind of message")
            sender.send(_message(row))
        except AlertNotSent as error:
            log.warning("an alert could not be sent", exc_info=error)
            pause = min(FIRST_PAUSE * 2**row.tries, LONGEST_PAUSE)
            self._note(row, due_at=self._clock() + pause, tries=row.tries + 1)
            return False
        self._note(row, sent_at=self._clock(), tries=row.tries + 1)
        return True

    def _note(self, row: AlertMessage, **values: object) -> None:
        with self._uow.write() as session:
            session.execute(
                update(AlertMessage).where(AlertMessage.id == row.id).values(**values)
            )

    def _raise(self, session: Session, name: str, detail: str) -> None:
        now = self._clock()
        log.error("alert: %s", detail, extra={"condition": name})
        session.add(Alert(condition=name, detail=detail, raised_at=now, seen_at=now))
        self._tell(session, "raised", name, detail)

    def _clear(self, session: Session, name: str) -> None:
        log.warning("alert over", extra={"condition": name})
        session.execute(delete(Alert).where(Alert.condition == name))
        self._tell(session, "cleared", name, "")

    def _still(self, session: Session, name: str, detail: str) -> None:
        session.execute(
            update(Alert)
            .where(Alert.condition == name)
            .values(detail=detail, seen_at=self._clock())
        )

    def _tell(self, session: Session, event: str, name: str, detail: str) -> None:
        now = self._clock()
        self._audit.append(
            session, f"alert.{event}", subject=Subject("alert", name), details={"said": detail}
        )
        session.execute(delete(AlertMessage).where(AlertMessage.at < now - KEEP_MESSAGES))
        for channel in self._senders:
            session.add(_new_message(channel, event, name, detail, now))


def _message(row: AlertMessage) -> Message:
    title = TITLES.get(row.condition, row.condition)
    return Message(row.id, row.event, row.condition, title, row.detail, row.at)


def _new_message(
    channel: str, event: str, name: str, detail: str, at: datetime
) -> AlertMessage:
    return AlertMessage(
        channel=channel, event=event, condition=name, detail=detail, at=at, due_at=at
    )


def _view(row: Alert) -> AlertView:
    title = TITLES.get(row.condition, row.condition)
    return AlertView(row.condition, title, row.detail, row.raised_at)
