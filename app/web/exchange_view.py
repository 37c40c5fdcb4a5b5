"""What the pages of an exchange are given; see app/templates/README.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.domain.access import Action, Actor, CollectionFacts, allows
from app.domain.labels import LabelClass
from app.errors import NotFound
from app.services.collections import CollectionView
from app.services.exchange.catalogue import formats
from app.services.exchange.export_jobs import EXPORT
from app.services.exchange.import_jobs import APPLY, EXAMINE
from app.services.job_view import JobView
from app.web.job_words import error_words

KINDS: Final = {EXAMINE: "examine", APPLY: "import", EXPORT: "export"}
WEIGHTS: Final = {
    "lost": "Lost",
    "changed": "Changed",
    "kept": "Kept",
    "check": "Please look",
}
MODES: Final = (
    ("add", "Add what is not there yet"),
    ("replace", "Replace what the pictures have"),
    ("empty", "Only pictures without annotations"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list: what is sent, and what people read."""

    value: str
    title: str


@dataclass(frozen=True, slots=True)
class ExchangePage:
    """``max_bytes``: of one upload."""

    slug: str
    name: str
    pictures: int
    formats: tuple[Choice, ...]
    labels: tuple[str, ...]
    max_bytes: int
    can_import: bool
    can_export: bool
    can_upload: bool


@dataclass(frozen=True, slots=True)
class LossLine:
    """A loss: its stable code, how much it weighs, how often, where first."""

    code: str
    weight: str
    weight_words: str
    count: int
    place: str
    words: str


@dataclass(frozen=True, slots=True)
class ModeLine:
    """What an import would do in one mode; ``chosen``: the one that was asked for."""

    value: str
    title: str
    chosen: bool
    pictures: int
    added: int
    updated: int
    deleted: int
    kept: int
    left_alone: int


@dataclass(frozen=True, slots=True)
class ReportPage:
    """``kind``: examine, import or export. ``told``: the rest of what the job says, {} while
    it works. ``waits``: there is something to accept."""

    slug: str
    name: str
    job_id: UUID
    kind: str
    label: str
    state: str
    is_open: bool
    done: int
    total: int | None
    error: str | None
    finished_at: datetime | None
    file_bytes: int | None
    keep_days: int
    told: Mapping[str, Any]
    losses: tuple[LossLine, ...]
    modes: tuple[ModeLine, ...]
    waits: bool


def exchange_page(
    view: CollectionView, actor: Actor, labels: Sequence[LabelClass], max_bytes: int
) -> ExchangePage:
    """The forms for whoever asks."""
    facts = CollectionFacts(view.role)
    return ExchangePage(
        slug=view.slug,
        name=view.name,
        pictures=view.pictures,
        formats=tuple(Choice(name, each.WORDS) for name, each in formats().items()),
        labels=tuple(label.name for label in labels),
        max_bytes=max_bytes,
        can_import=allows(actor, Action.IMPORT, facts),
        can_export=allows(actor, Action.EXPORT, facts),
        can_upload=allows(actor, Action.UPLOAD, facts),
    )


def report_page(view: CollectionView, actor: Actor, job: JobView, keep_days: int) -> ReportPage:
    """One job of an exchange; ``NotFound`` for any other, and for one of elsewhere."""
    del actor
    told = job.result if job.state == "done" and job.result else {}
    if job.kind not in KINDS or told.get("collection", view.slug) != view.slug:
        raise NotFound("There is no such report.", operation="exchange.report")
    kind = KINDS[job.kind]
    waits = bool(told) and _waits(kind, told)
    return ReportPage(
        slug=view.slug,
        name=view.name,
        job_id=job.id,
        kind=kind,
        label=job.label,
        state=job.state,
        is_open=job.is_open,
        done=job.done,
        total=job.total,
        error=error_words(job.error),
        finished_at=job.finished_at,
        file_bytes=job.result_size if job.has_file else None,
        keep_days=keep_days,
        told=told,
        losses=tuple(map(_loss, told.get("losses", ()))),
        modes=tuple(_modes(told)),
        waits=waits,
    )


def _waits(kind: str, told: Mapping[str, Any]) -> bool:
    if kind == "examine":
        return bool(told["can_apply"])
    return kind == "export" and bool(told["needs_acceptance"])


def _loss(told: Mapping[str, Any]) -> LossLine:
    weight = told["weight"]
    return LossLine(
        told["code"], weight, WEIGHTS[weight], told["count"], told["place"], told["words"]
    )


def _modes(told: Mapping[str, Any]) -> list[ModeLine]:
    counts = told.get("modes") or {}
    wanted = (told.get("options") or {}).get("mode")
    return [
        ModeLine(
            value=value,
            title=title,
            chosen=value == wanted,
            pictures=counts[value]["pictures"],
            added=counts[value]["added"],
            updated=counts[value]["updated"],
            deleted=counts[value]["deleted"],
            kept=counts[value]["kept"],
            left_alone=counts[value]["left_alone"],
        )
        for value, title in MODES
        if value in counts
    ]
