"""The receipt of a destruction: what was destroyed, and from when on nothing can bring it back.

Its facts lie sealed in the event ``image.destroy`` of the audit log; the receipt's number is
the event's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import Row, select

from app.domain.access import Action, Actor, may_see_receipt, require
from app.errors import DecryptionFailed, NotFound
from app.models import AuditEvent

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.audit_chain import Details

ACTION = "image.destroy"
MOST = 500


@dataclass(frozen=True, slots=True)
class ShredTerms:
    """What this installation does with copies of a key: the mode of its vault, how long the
    memory of another worker may hold one, how many backups are kept (None: not known)."""

    vault: str = "local"
    memory: timedelta = timedelta(minutes=60)
    backups_kept: int | None = None

    def facts(self, files: int, keys: int, uploader: UUID | None) -> Details:
        """What the audit log keeps of a destruction."""
        return {
            "files": files,
            "keys": keys,
            "uploader": str(uploader) if uploader is not None else None,
            "vault": self.vault,
            "memory_seconds": int(self.memory.total_seconds()),
            "backups_kept": self.backups_kept,
        }


DEFAULT_TERMS = ShredTerms()


@dataclass(frozen=True, slots=True)
class Horizon:
    """One place where something could be left; ``until`` None: it depends on what people do,
    as ``words`` say."""

    place: str
    until: datetime | None
    words: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """``files`` and ``keys`` count what was removed: sealed files, and versions of the key."""

    id: UUID
    image_id: UUID
    destroyed_at: datetime
    files: int
    keys: int
    horizons: tuple[Horizon, ...]


class Receipts:
    """Reads only."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def get(self, actor: Actor, receipt_id: UUID) -> Receipt:
        """The receipt, for who destroyed, who had uploaded, and administrators; NotFound."""
        require(actor, Action.LIST_IMAGES)
        wanted = _EVENTS.where(AuditEvent.id == receipt_id)
        with self._uow.read_rows() as connection:
            row = connection.execute(wanted).first()
        details = _details(row) if row is not None else {}
        uploader = details.get("uploader")
        uploaded_by = UUID(uploader) if uploader else None
        if row is None or not may_see_receipt(actor, row.actor_id, uploaded_by):
            raise NotFound("There is no such receipt.", operation="receipts.get")
        return receipt_of(row.id, UUID(row.subject_id), row.at, details)

    def mine(self, actor: Actor) -> tuple[Receipt, ...]:
        """The latest receipts of what the caller destroyed, newest first."""
        require(actor, Action.LIST_IMAGES)
        wanted = _EVENTS.where(AuditEvent.actor_id == actor.user_id)
        with self._uow.read_rows() as connection:
            rows = connection.execute(wanted.order_by(AuditEvent.seq.desc()).limit(MOST)).all()
        return tuple(
            receipt_of(row.id, UUID(row.subject_id), row.at, _details(row)) for row in rows
        )


_EVENTS = select(
    AuditEvent.id,
    AuditEvent.at,
    AuditEvent.actor_id,
    AuditEvent.subject_id,
    AuditEvent.details,
).where(AuditEvent.action == ACTION)


def receipt_of(
    receipt_id: UUID, image_id: UUID, at: datetime, details: Mapping[str, Any]
) -> Receipt:
    """The receipt that these facts of the audit log make."""
    memory = timedelta(seconds=int(details.get("memory_seconds") or 0))
    return Receipt(
        id=receipt_id,
        image_id=image_id,
        destroyed_at=at,
        files=int(details.get("files") or 0),
        keys=int(details.get("keys") or 0),
        horizons=(
            Horizon("requests", at, "Nobody can open the picture any more, in any process."),
            Horizon(
                "memory",
                at + memory,
                "Until then the memory of another process may still hold the key; no request"
                " uses it, since each asks the database first.",
            ),
            _vault(str(details.get("vault") or "local"), at),
            _backups(details.get("backups_kept")),
            Horizon(
                "database",
                None,
                "Copies of the database from before hold sealed values of the picture until"
                " the root key columns is rotated and its old version destroyed.",
            ),
        ),
    )


def _vault(mode: str, at: datetime) -> Horizon:
    words = {
        "local": "The vault has removed every version of the key and its copies.",
        "hashicorp": "The vault has destroyed every version of the key and what it knew of it.",
        "azure": "The vault has deleted the key. Where it protects from purging, its"
        " administrators can recover it until the days of retention are over (90 unless set).",
    }
    return Horizon("vault", None if mode == "azure" else at, words.get(mode, words["local"]))


def _backups(kept: int | None) -> Horizon:
    told = f", of which {kept} are kept" if kept else ""
    return Horizon(
        "backups",
        None,
        f"Backups from before hold the sealed files and the key{told}: when the last of them"
        " is gone, or its key, nothing can open the picture.",
    )


def _details(row: Row[Any]) -> Mapping[str, Any]:
    try:
        return dict(row.details.of(row.id)) if row.details is not None else {}
    except DecryptionFailed:
        return {}
