"""What the page of keys and posture is given; see app/templates/README.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.services.alerts import AlertView
from app.services.posture import Forecast, PostureReport

KINDS = {
    "rotation": "Rotation of file keys",
    "rewrap": "Re-wrap to a new master key",
    "rekey": "Change of the keying",
    "vault_move": "Move to another vault",
    "root_rotation": "Rotation of a root key",
    "kek_rotation": "Rotation of key encryption keys",
    "verify": "Verification",
    "scrub": "Scrub",
    "reconcile": "Reconciliation",
    "heal": "Healing from a backup",
    "backup": "Backup",
    "drill": "Restore drill",
    "restore": "Restore",
    "rebuild": "Rebuild of the database",
    "migration": "Migration of older files",
}
STATES = {
    "pending": ("pending", "made for a rotation that is under way"),
    "active": ("active", "seals and opens"),
    "retiring": ("retiring", "opens until the grace period is over"),
    "retired": ("retired", "out of use"),
    "destroyed": ("destroyed", "being shredded"),
}


@dataclass(frozen=True, slots=True)
class Count:
    """A line of a table; ``share`` in whole percent of the largest."""

    name: str
    about: str
    number: int
    share: int


@dataclass(frozen=True, slots=True)
class Concern:
    """What needs a hand: ``tone`` is danger or warning."""

    title: str
    detail: str
    tone: str


@dataclass(frozen=True, slots=True)
class PostureView:
    """The report, and what a page makes of it."""

    report: PostureReport
    concerns: tuple[Concern, ...]
    states: tuple[Count, ...]
    ages: tuple[Count, ...]
    generations: tuple[Count, ...]
    kinds: Mapping[str, str]
    due: str
    everything: str


def posture_view(report: PostureReport, alerts: Sequence[AlertView]) -> PostureView:
    """Return what the page shows."""
    inventory = report.inventory
    states = {STATES[state]: number for state, number in inventory.by_state.items()}
    generations = {(f"generation {at}", ""): n for at, n in inventory.by_generation.items()}
    return PostureView(
        report=report,
        concerns=(
            *(Concern(alert.title, alert.detail, "danger") for alert in alerts),
            *_concerns(report),
        ),
        states=_counts(states),
        ages=_counts({(age, ""): number for age, number in inventory.by_age.items()}),
        generations=_counts(generations),
        kinds=KINDS,
        due=forecast_words(report.due),
        everything=forecast_words(report.everything),
    )


def forecast_words(told: Forecast) -> str:
    """Say how long it takes: ``rotating 41,200 files takes 23 min at this vault's limit``."""
    if not told.files:
        return "nothing to rotate"
    files = f"{told.files:,} file" + ("" if told.files == 1 else "s")
    return f"rotating {files} takes {duration_words(told.seconds)} {told.why}"


def duration_words(seconds: float) -> str:
    """Round as a person would: 4 s, 23 min, 5 h, 3 days."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(1, round(seconds))} s"


def _counts(numbers: Mapping[tuple[str, str], int]) -> tuple[Count, ...]:
    most = max(numbers.values(), default=0) or 1
    return tuple(
        Count(name, about, number, round(100 * number / most))
        for (name, about), number in numbers.items()
    )


def _concerns(report: PostureReport) -> Iterator[Concern]:
    """What no alert says, since nothing is broken: it only should not stay so."""
    if report.previous_masters:
        yield Concern(
            "A former master key is still set",
            "Run keys rewrap, then take it out of ENCRYPTION_KEY_PREVIOUS.",
            "warning",
        )
    if report.columns.former:
        yield Concern(
            "Values under a former column key",
            f"{report.columns.former:,} sealed values are not at the active key.",
            "warning",
        )
    if report.inventory.unverified:
        yield Concern(
            "Unverified provenance",
            f"{report.inventory.unverified:,} pictures came from files without authentication.",
            "warning",
        )
    if report.legacy_left:
        yield Concern(
            "Older files are left",
            f"The last migration left {report.legacy_left:,} files where they were.",
            "warning",
        )
    yield from _about_backups(report)


def _about_backups(report: PostureReport) -> Iterator[Concern]:
    if report.last["backup"] is None:
        yield Concern("No backup yet", "Run backup create, or set BACKUP_TARGET.", "warning")
    elif report.last["drill"] is None:
        yield Concern(
            "No restore drill yet",
            "A backup counts once backup verify has opened it.",
            "warning",
        )
