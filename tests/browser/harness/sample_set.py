"""The sample annotations of a picture, and refusals, as the API would tell them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Flask, jsonify

from tests.browser.harness import samples, stage_pages


def problem(status: int, detail: str, **more: Any) -> Any:
    return jsonify(
        type="urn:darkroom:problem:x", title=detail, status=status, detail=detail, **more
    ), status


def first_set(app: Flask, image_id: UUID) -> dict[str, Any]:
    shown = stage_pages.picture(image_id)
    annotations = samples.boxes(app.config.get("BOXES", 6), shown.width, shown.height)
    return {"rev": 1, "state": shown.state, "annotations": annotations}


def named(sent: dict[str, Any]) -> dict[str, Any]:
    """With the name and the id of its class, of which one was sent."""
    for label in samples.LABELS:
        if sent.get("label_id") == label["id"] or sent.get("label") == label["name"]:
            return {**sent, "label": label["name"], "label_id": label["id"]}
    return sent
