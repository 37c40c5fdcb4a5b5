"""What has to be told to somebody: pure judgements of figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.services.alerts.meter import Counts

ENOUGH_SEALED: Final = 20
"""Files in the window from which a percentile says something."""
ENOUGH_ERRORS: Final = 5
ERROR_SHARE: Final = 0.01
REFUSED_SIGN_INS: Final = 50
REFUSED_FOR_RATE: Final = 200
VAULT_FAULTS: Final = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """``seal_p95_ms`` is ALERT_CRYPTO_P95_MS; ``disk_share`` is of the whole file system.

    ``backup_age``: how old the last backup may be; None where none is asked for.
    """

    seal_p95_ms: int
    backup_age: timedelta | None = None
    disk_share: float = 0.8


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at the installation; ``recent`` is of the last five minutes.

    ``disk_share`` None: nobody can say (a bucket). ``overdue`` counts keys whose rotation
    should have been done a day ago. ``last_backup`` None: there is none.
    """

    now: datetime
    recent: Counts
    disk_share: float | None
    vault_problem: str | None
    overdue: int
    quarantined: int
    damage_found: int
    failed_jobs: int
    last_backup: datetime | None


@dataclass(frozen=True, slots=True)
class Condition:
    """``judge`` returns the sentence to tell while the condition holds, else None."""

    name: str
    title: str
    judge: Callable[[Figures, Limits], str | None]


def judge(figures: Figures, limits: Limits) -> Iterator[tuple[Condition, str]]:
    """Give every condition that holds, with its sentence."""
    for condition in CONDITIONS:
        sentence = condition.judge(figures, limits)
        if sentence is not None:
            yield condition, sentence


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _seal_failures(figures: Figures, _limits: Limits) -> str | None:
    failed = int(figures.recent.seal_failures)
    return (
        f"{_count(failed, 'file')} could not be sealed in the last 5 minutes."
        if failed
        else None
    )


def _open_failures(figures: Figures, _limits: Limits) -> str | None:
    failed = int(figures.recent.open_failures)
    if not failed:
        return None
    return f"{_count(failed, 'blob')} failed verification in the last 5 minutes."


def _slow_sealing(figures: Figures, limits: Limits) -> str | None:
    if figures.recent.sealed < ENOUGH_SEALED:
        return None
    took = figures.recent.seal_seconds(0.95) * 1000
    if took <= limits.seal_p95_ms:
        return None
    return (
        f"Sealing takes {took:.0f} ms at the 95th percentile; the limit is"
        f" {limits.seal_p95_ms} ms."
    )


def _full_disk(figures: Figures, limits: Limits) -> str | None:
    share = figures.disk_share
    if share is None or share <= limits.disk_share:
        return None
    return f"The disk of the store is {share:.0%} full."


def _server_errors(figures: Figures, _limits: Limits) -> str | None:
    failed, all_of_them = figures.recent.server_errors, figures.recent.requests
    if failed < ENOUGH_ERRORS or failed <= all_of_them * ERROR_SHARE:
        return None
    return f"{failed:.0f} of {all_of_them:.0f} requests failed in the last 5 minutes."


def _overdue(figures: Figures, _limits: Limits) -> str | None:
    if not figures.overdue:
        return None
    return f"{_count(figures.overdue, 'key')} should have been rotated more than a day ago."


def _vault(figures: Figures, _limits: Limits) -> str | None:
    if figures.vault_problem is not None:
        return f"{figures.vault_problem.rstrip('.')}."
    failed = int(figures.recent.vault_failures)
    if failed < VAULT_FAULTS:
        return None
    return f"{_count(failed, 'call')} of the key vault failed in the last 5 minutes."


def _old_backup(figures: Figures, limits: Limits) -> str | None:
    if limits.backup_age is None:
        return None
    if figures.last_backup is None:
        return "A backup is scheduled, and none was ever completed."
    age = figures.now - figures.last_backup
    if age <= limits.backup_age:
        return None
    return f"The last complete backup is {age / timedelta(hours=1):.0f} hours old."


def _damage(figures: Figures, _limits: Limits) -> str | None:
    if figures.damage_found:
        return f"The last verification found {_count(figures.damage_found, 'problem')}."
    if figures.quarantined:
        return f"Set aside as damaged: {_count(figures.quarantined, 'picture')}."
    return None


def _sign_ins(figures: Figures, _limits: Limits) -> str | None:
    refused = int(figures.recent.refused_sign_ins)
    if refused < REFUSED_SIGN_INS:
        return None
    return f"{refused} sign-ins were refused in the last 5 minutes."


def _rates(figures: Figures, _limits: Limits) -> str | None:
    refused = int(figures.recent.refused_for_rate)
    if refused < REFUSED_FOR_RATE:
        return None
    return f"{refused} requests over their limit were refused in the last 5 minutes."


def _jobs(figures: Figures, _limits: Limits) -> str | None:
    if not figures.failed_jobs:
        return None
    return f"{_count(figures.failed_jobs, 'job')} of the installation failed in the last day."


CONDITIONS: Final = (
    Condition("seal_failures", "Files cannot be sealed", _seal_failures),
    Condition("open_failures", "Blobs fail verification", _open_failures),
    Condition("seal_slow", "Sealing is slow", _slow_sealing),
    Condition("disk_full", "The disk is filling up", _full_disk),
    Condition("server_errors", "Requests fail", _server_errors),
    Condition("rotation_overdue", "Rotation is overdue", _overdue),
    Condition("vault_errors", "The key vault is not in order", _vault),
    Condition("backup_old", "The backup is too old", _old_backup),
    Condition("damage_found", "Damage was found", _damage),
    Condition("sign_ins_refused", "Many sign-ins are refused", _sign_ins),
    Condition("rate_limited", "Many requests are over their limit", _rates),
    Condition("jobs_failed", "Jobs of the installation fail", _jobs),
)
TITLES: Final = {condition.name: condition.title for condition in CONDITIONS}
