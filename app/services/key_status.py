"""The figures of ``keys status``: how many keys in which state, which master key, the vault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.errors import KeyDamaged, KeyNotFound, KeyVaultError
from app.models.file_key import KEY_STATES, FileKey
from app.services.keys import ROOT_NAMES, KeyVaulting
from app.services.keys.envelope_rows import EnvelopeRows
from app.services.keys.vaulting import master_of
from app.vault.interface import KeyVault


@dataclass(frozen=True, slots=True)
class KeyCounts:
    """``by_state`` has every state, with 0 where there are none; ``past_expiry`` counts the
    active keys whose rotation is due."""

    by_state: Mapping[str, int]
    past_expiry: int


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """``master`` and ``previous_masters`` are the first 8 hex digits of check values.
    ``by_master`` counts what lies under each, in vault and envelopes; only while there are
    previous ones, since it reads every key. ``vault_problem`` is a sentence, or None for a
    vault in order."""

    counts: KeyCounts
    master: str
    previous_masters: tuple[str, ...]
    vault_problem: str | None
    by_master: Mapping[str, int] = field(default_factory=dict)


class KeyReport:
    """The figures of this installation, for commands and pages."""

    def __init__(
        self, work: UnitOfWork, vaulting: KeyVaulting, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._work = work
        self._vaulting = vaulting
        self._clock = clock

    def status(self) -> KeyStatus:
        """All figures of this moment."""
        return key_status(self._work, self._vaulting, self._clock())


def key_status(work: UnitOfWork, vaulting: KeyVaulting, now: datetime) -> KeyStatus:
    """All figures of this moment. The vault is asked outside the transaction."""
    with work.read() as session:
        counts = count_keys(session, now)
    problem = vault_problem(vaulting.vault)
    counted = not problem and bool(vaulting.previous_ids)
    return KeyStatus(
        counts=counts,
        master=vaulting.master_id,
        previous_masters=vaulting.previous_ids,
        vault_problem=problem,
        by_master=count_by_master(work, vaulting.vault) if counted else {},
    )


def count_keys(session: Session, now: datetime) -> KeyCounts:
    """Count the rows of ``file_keys``; ``now`` is aware."""
    grouped = select(FileKey.state, func.count()).group_by(FileKey.state)
    found = dict(session.execute(grouped).all())
    overdue = select(func.count()).where(FileKey.state == "active", FileKey.expires_at <= now)
    return KeyCounts(
        by_state={state: found.get(state, 0) for state in KEY_STATES},
        past_expiry=session.scalar(overdue) or 0,
    )


def count_by_master(work: UnitOfWork, vault: KeyVault) -> dict[str, int]:
    """How many keys lie under which master key; ``damaged`` for what names none."""
    counts: Counter[str] = Counter(EnvelopeRows(work).by_master())
    for reference in vault.references():
        try:
            infos = vault.versions(reference)
        except KeyNotFound:  # deleted since it was listed
            continue
        except KeyDamaged:
            counts["damaged"] += 1
            continue
        counts.update(master_of(info.content_type) or "damaged" for info in infos)
    return dict(counts)


def vault_problem(vault: KeyVault) -> str | None:
    """What is wrong with the vault, in a sentence.

    A vault without root keys is an empty folder in the place of a lost mount, however well
    it can be written.
    """
    try:
        vault.check()
        for name in ROOT_NAMES:
            vault.versions(f"root-{name}")
    except KeyNotFound:
        return "The vault lacks root keys; mount it or restore it from a backup"
    except KeyVaultError as error:
        return error.message
    return None
