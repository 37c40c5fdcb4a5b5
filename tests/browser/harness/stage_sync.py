"""What the stage answers to the editor's saving: operations, changes of others, sessions."""

from __future__ import annotations

import base64
from typing import Any
from uuid import UUID

from flask import Flask, jsonify, make_response, request

from tests.browser.harness import samples
from tests.browser.harness.sample_set import first_set, named, problem

USER = str(samples.id_of(500))
OTHER = str(samples.id_of(501))


def add(app: Flask) -> None:
    """``app.patches`` shows a test what was sent; ``PATCH_STATUS`` makes saving fail."""
    app.patches = []
    app.add_url_rule(
        "/api/v1/images/<uuid:image_id>/annotations",
        "api.patch",
        lambda image_id: _patch(app, image_id),
        methods=["PATCH"],
    )
    app.add_url_rule(
        "/api/v1/images/<uuid:image_id>/annotations/changes",
        "api.changes",
        lambda image_id: _changes(app, image_id),
    )
    app.add_url_rule(
        "/api/v1/sessions/draft-key", "api.draft_key", lambda: _draft_key(app), methods=["GET"]
    )


def _set(app: Flask, image_id: UUID) -> dict[str, Any]:
    kept: dict[str, Any] = app.boxes.setdefault(image_id, first_set(app, image_id))
    return kept


def _patch(app: Flask, image_id: UUID) -> Any:
    status = app.config.get("SAVE_STATUS")
    if status:
        return problem(status, "The database cannot be reached.")
    app.patches.append(request.json)
    kept = _set(app, image_id)
    applied, conflicts = [], []
    revision = kept["rev"] + 1
    for op in request.json["ops"]:
        done = _do(kept, op, revision, conflicts)
        if done:
            applied.append({"op_id": op["op_id"], "id": op.get("id"), "rev": revision})
    state = "in_progress" if kept["state"] == "new" else kept["state"]
    kept.update(rev=revision, state=request.json.get("state") or state)
    told = {"revision": revision, "state": kept["state"], "applied": applied}
    if conflicts:
        return problem(
            409, "Somebody changed some of these boxes.", **told, conflicts=conflicts
        )
    return make_response(jsonify(**told))


def _do(kept: dict[str, Any], op: dict[str, Any], revision: int, conflicts: list[Any]) -> bool:
    boxes = kept["annotations"]
    if op["op"] == "order":
        places = {id_: place for place, id_ in enumerate(op["ids"])}
        boxes.sort(key=lambda one: places.get(one["id"], len(places)))
        return True
    at = next((i for i, one in enumerate(boxes) if one["id"] == op["id"]), None)
    now = boxes[at] if at is not None else None
    if (now is None) != (op["op"] == "add") or (now and now["rev"] != op["rev"]):
        base = kept.get("bases", {}).get(op["id"])
        conflicts.append({"id": op["id"], "base": base, "mine": None, "theirs": now})
        return op["op"] == "delete" and now is None
    if op["op"] == "delete":
        del boxes[at]  # type: ignore[arg-type]
        return True
    told = {name: value for name, value in op.items() if name not in {"op", "op_id"}}
    new = {"frame": 0, "attributes": {}, **named(told), "rev": revision}
    if at is None:
        boxes.append(new)
    else:
        boxes[at] = new
    return True


def _changes(app: Flask, image_id: UUID) -> Any:
    kept = _set(app, image_id)
    return jsonify(
        revision=kept["rev"],
        state=kept["state"],
        changes=kept.pop("news", []),
        people=[
            {"name": "Ada Lindqvist", "initials": "AL", "you": True},
            *kept.get("people", []),
        ],
    )


def _draft_key(app: Flask) -> Any:
    if app.config.get("KEYS_AWAY"):
        return problem(503, "The key vault cannot be reached.")
    if app.config.get("SAVE_STATUS") == 401:
        return problem(401, "Sign in first.")
    key = base64.b64encode(bytes(range(32))).decode("ascii")
    return jsonify(user=app.config.get("USER") or USER, keys=[{"id": "00c0ffee", "key": key}])
