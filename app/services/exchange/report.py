"""What an import or export would lose, for the person who decides; JSON with stable codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from app.errors import Mistake
from app.formats.losses import Loss

Report = dict[str, Any]
MOST_MISTAKES: Final = 50
LONGEST_PLACE: Final = 300


def losses_json(losses: Iterable[Loss]) -> list[dict[str, Any]]:
    return [
        {
            "code": loss.code.value,
            "weight": loss.weight.value,
            "count": loss.count,
            "place": loss.place[:LONGEST_PLACE],
            "words": loss.words,
        }
        for loss in losses
    ]


def mistakes_json(mistakes: Sequence[Mistake]) -> list[dict[str, str]]:
    return [
        {"path": mistake.path[:LONGEST_PLACE], "message": mistake.message}
        for mistake in mistakes[:MOST_MISTAKES]
    ]


def refused_report(options: Mapping[str, Any], mistakes: Sequence[Mistake]) -> Report:
    """Of a file that cannot be taken in at all."""
    return {
        "options": dict(options),
        "format": options.get("format"),
        "losses": [],
        "mistakes": mistakes_json(mistakes),
        "needs_acceptance": False,
        "can_apply": False,
    }


def mistakes_of(report: Mapping[str, Any]) -> tuple[Mistake, ...]:
    return tuple(Mistake(each["path"], each["message"]) for each in report["mistakes"])
