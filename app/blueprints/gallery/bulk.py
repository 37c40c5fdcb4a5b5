"""One action on many pictures: a result for each, whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, flash, request, url_for

from app.blueprints.gallery.base import blueprint
from app.domain.ids import parse_id
from app.errors import RefusedError
from app.web import forms, pages
from app.web.context import services
from app.web.guards import PAGE, gate
from app.web.identity import actor
from app.web.safe_next import safe_next

MOST = 500
DONE = {
    "tag": "tagged",
    "untag": "untagged",
    "move": "moved",
    "trash": "moved to the trash",
    "restore": "restored",
    "destroy": "destroyed for good",
}


@blueprint.post("/gallery/bulk")
@gate(PAGE)
def bulk() -> Response:
    """``action``, ``ids`` (repeated), ``tags`` or ``collection``, ``next``."""
    action = forms.one_of(request.form.get("action"), "action", list(DONE))
    chosen = list(dict.fromkeys(request.form.getlist("ids")))
    if action is None or not 0 < len(chosen) <= MOST:
        raise forms.wrong("ids", f"must name 1 to {MOST} pictures, and an action")
    act = _action(action)
    results = [_one(act, text) for text in chosen]
    good = sum(result["ok"] for result in results)
    said = f"{_pictures(good)} {DONE[action]}."
    if good < len(results):
        said += f" {_pictures(len(results) - good)} could not be: " + _first_refusal(results)
        if not pages.wants_json():
            flash(said, "warning")
            said = ""
    back = safe_next(request.form.get("next")) or url_for("gallery.page")
    if action == "destroy" and good:
        back = url_for("gallery.receipts")
    return pages.done_or_json(back, {"message": said, "results": results}, said or None)


def _action(action: str) -> Callable[[UUID], object]:
    """Return what is done to one picture."""
    who, all_services = actor(), services()
    tags = forms.tags_of(request.form.getlist("tags"))
    slug = request.form.get("collection", "")
    actions: dict[str, Callable[[UUID], object]] = {
        "tag": lambda image_id: all_services.tags.add(who, image_id, tags),
        "untag": lambda image_id: all_services.tags.remove(who, image_id, tags),
        "move": lambda image_id: all_services.moves.move(who, image_id, slug),
        "trash": lambda image_id: all_services.trash.trash(who, image_id),
        "restore": lambda image_id: all_services.trash.restore(who, image_id),
        "destroy": lambda image_id: all_services.trash.destroy(who, image_id),
    }
    return actions[action]


def _one(act: Callable[[UUID], object], text: str) -> dict[str, Any]:
    try:
        act(parse_id(text))
    except RefusedError as refusal:
        return {"id": text, "ok": False, "message": refusal.message}
    return {"id": text, "ok": True, "message": ""}


def _first_refusal(results: list[dict[str, Any]]) -> str:
    return next(str(result["message"]) for result in results if not result["ok"])


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"
