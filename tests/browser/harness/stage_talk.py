"""What the stage answers about the past of a picture, and what people say about it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Flask, jsonify, request

from tests.browser.harness import samples
from tests.browser.harness.sample_set import first_set, named

ADA = {"name": "Ada Lindqvist", "initials": "AL", "you": True}
BEN = {"name": "Ben Okafor", "initials": "BO", "you": False}


def add(app: Flask) -> None:
    """``app.comments`` and ``app.restored`` show a test what was sent."""
    app.comments = []
    app.restored = []
    rule = "/api/v1/images/<uuid:image_id>"
    app.add_url_rule(
        f"{rule}/annotations/history", "api.history", lambda image_id: _history(app, image_id)
    )
    app.add_url_rule(
        f"{rule}/annotations/restore",
        "api.restore",
        lambda image_id: _restore(app),
        methods=["POST"],
    )
    app.add_url_rule(
        f"{rule}/comments",
        "api.comments",
        lambda image_id: _comments(app, image_id),
        methods=["GET", "POST"],
    )
    app.add_url_rule(
        "/api/v1/comments/<uuid:comment_id>",
        "api.comment",
        lambda comment_id: _comment(app, comment_id),
        methods=["PATCH", "DELETE"],
    )


def _at(minutes: int) -> str:
    return (samples.NOW - timedelta(minutes=minutes)).isoformat()


def _history(app: Flask, image_id: UUID) -> Any:
    one, other, third = (named(box) for box in first_set(app, image_id)["annotations"][:3])
    moved = {**one, "box": {**one["box"], "x": one["box"]["x"] + 220}}

    def change(before: Any, after: Any) -> dict[str, Any]:
        kind = "add" if before is None else "update" if after else "delete"
        return {"op": kind, "id": (after or before)["id"], "before": before, "after": after}

    state = {"op": "state", "id": None, "before": "in_progress", "after": "done"}
    told: list[tuple[int, int, dict[str, Any], str, list[Any]]] = [
        (9, 2, BEN, "patch", [change(one, moved)]),
        (8, 3, ADA, "patch", [change(None, third), state]),
        (7, 40, BEN, "restore", [change(other, None), change(None, one)]),
        (6, 200, ADA, "patch", [change(None, one), change(None, other)]),
    ]
    history = [
        {"seq": seq, "at": _at(minutes), "person": person, "way": way, **entry}
        for seq, minutes, person, way, entries in told
        for entry in entries
    ]
    return jsonify(history=history, pagination={"limit": 20, "next_cursor": None})


def _restore(app: Flask) -> Any:
    app.restored.append(request.json["seq"])
    return jsonify(revision=10, state="in_progress")


def _samples(image_id: UUID, app: Flask) -> list[dict[str, Any]]:
    boxes = first_set(app, image_id)["annotations"]
    box = boxes[0]["id"] if boxes else None
    words = (
        ("The leaf in the corner is missing.", BEN, None, True, None),
        ("Is this one apple or two?", ADA, box, False, None),
        ("The box was too wide.", BEN, box, False, _at(60)),
    )
    return [
        {
            "id": str(samples.id_of(700 + place)),
            "text": text,
            "author": author,
            "annotation_id": about,
            "rejection": rejection,
            "created_at": _at(90 + place),
            "resolved_at": done,
        }
        for place, (text, author, about, rejection, done) in enumerate(words)
    ]


def _comments(app: Flask, image_id: UUID) -> Any:
    if not app.comments:
        app.comments.extend(_samples(image_id, app))
    if request.method == "POST":
        made = {
            "id": str(samples.id_of(720 + len(app.comments))),
            "author": ADA,
            "annotation_id": None,
            "rejection": False,
            "created_at": _at(0),
            "resolved_at": None,
            **request.json,
        }
        app.comments.append(made)
        return jsonify(_told(made)), 201
    return jsonify(comments=[_told(one) for one in app.comments])


def _told(comment: dict[str, Any]) -> dict[str, Any]:
    """With what Ada may do, who annotates."""
    can = ["reopen" if comment["resolved_at"] else "resolve"]
    return comment | {"can": [*can, *(["delete"] if comment["author"] is ADA else [])]}


def _comment(app: Flask, comment_id: UUID) -> Any:
    chosen = next(one for one in app.comments if one["id"] == str(comment_id))
    if request.method == "DELETE":
        app.comments.remove(chosen)
        return "", 204
    chosen["resolved_at"] = _at(0) if request.json["resolved"] else None
    return jsonify(_told(chosen))
