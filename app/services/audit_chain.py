"""What the events of the audit log are made of, and what of it stands under their MACs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.db.sealed_ahead import SealedAhead
from app.domain.access import Actor
from app.errors import DecryptionFailed
from app.models import AuditEvent

Fact = str | int | float | bool | None
Details = Mapping[str, Fact | Sequence[Fact]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What an event is about: ``Subject("image", image_id)``."""

    kind: str
    id: UUID | str


@dataclass(frozen=True, slots=True)
class Event:
    """One of many of the same action."""

    subject: Subject
    details: Details


@dataclass(frozen=True, slots=True)
class EventsAhead:
    """Events without what only their place in the chain tells; ``facts`` are under the MAC."""

    facts: tuple[Mapping[str, Any], ...]
    sealed: SealedAhead


def end_of_chain(session: Session) -> tuple[int, bytes]:
    last = session.execute(
        select(AuditEvent.seq, AuditEvent.mac).order_by(AuditEvent.seq.desc()).limit(1)
    ).first()
    return (last.seq, last.mac or b"") if last else (0, b"")


def facts_of(
    action: str,
    actor: Actor | None,
    subject: Subject | None,
    outcome: str,
    details: Details | None,
) -> dict[str, Any]:
    return {
        "actor_id": actor.user_id if actor else None,
        "action": action,
        "subject_kind": subject.kind if subject else None,
        "subject_id": str(subject.id) if subject else None,
        "outcome": outcome,
        "details": _told(actor, details),
    }


def _told(actor: Actor | None, details: Details | None) -> dict[str, Any] | None:
    told = dict(details or {})
    if actor is not None and actor.operator:
        told["by"] = "command line"
    return told or None


def canonical(event: Mapping[str, Any]) -> tuple[bytes, ...]:
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


def parts_of(row: Row[Any]) -> tuple[bytes, ...] | None:
    """The same parts of a row that was read; None when its details do not open."""
    try:
        details = row.details.of(row.id) if row.details is not None else None
    except DecryptionFailed:
        return None
    return canonical({**row._mapping, "details": details})  # noqa: SLF001 - Row's public name
