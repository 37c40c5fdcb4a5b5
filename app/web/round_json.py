"""Blind rounds and what was found in them as the API tells them."""

from __future__ import annotations

from typing import Any

from app.domain.agreement import Tally
from app.services.agreement.round_view import PictureLine, RoundLine, RoundView
from app.web.receipt_json import rfc3339
from app.web.task_json import person_json


def line_json(line: RoundLine) -> dict[str, Any]:
    """A round in the list."""
    return {
        "id": str(line.id),
        "name": line.name,
        "created_at": rfc3339(line.created_at),
        "pictures": line.pictures,
        "people": line.people,
        "copies": line.copies,
        "submitted": line.done,
        "mine": {"submitted": line.mine[0], "copies": line.mine[1]},
        "stuck": line.stuck,
    }


def round_json(view: RoundView) -> dict[str, Any]:
    """A round with its figures."""
    return {
        "id": str(view.id),
        "name": view.name,
        "iou": view.iou,
        "seed": view.seed,
        "created_at": rfc3339(view.created_at),
        "pairs": [
            {
                "a": person_json(pair.a),
                "b": person_json(pair.b),
                "agreement": figures_json(pair.tally),
            }
            for pair in view.pairs
        ],
        "pictures": [_picture_json(line) for line in view.pictures],
        "waiting": [
            {"annotator": person_json(line.person), "copies": line.copies, "able": line.able}
            for line in view.waiting
        ],
    }


def figures_json(told: Tally) -> dict[str, Any]:
    """What was counted, and what comes of it; null where there is nothing to divide by."""
    return {
        "in_a": told.in_a,
        "in_b": told.in_b,
        "matched": told.matched,
        "precision": told.precision,
        "recall": told.recall,
        "f1": told.f1,
        "mean_iou": told.mean_iou,
        "kappa": told.kappa,
        "kappa_of_all": told.kappa_of_all,
    }


def _picture_json(line: PictureLine) -> dict[str, Any]:
    return {
        "image_id": str(line.card.id),
        "copies": [
            {"annotator": person_json(person), "state": state} for person, state in line.states
        ],
        "outcome": line.outcome.value if line.outcome is not None else None,
        "agreement": figures_json(line.tally) if line.tally is not None else None,
        "adjudicated_at": rfc3339(line.adjudicated_at),
        "mine": str(line.mine[0]) if line.mine is not None else None,
    }
