"""What the stage answers to forms, to the API and to requests for pictures."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from flask import Flask, flash, jsonify, make_response, redirect, request, url_for

from tests.browser.harness import pictures, samples
from tests.browser.harness.sample_set import first_set, problem


def add(app: Flask) -> None:
    """Everything that is not a page."""
    _forms(app)
    _media(app)
    _api(app)


def _forms(app: Flask) -> None:
    def back(endpoint: str, **fixed: Any) -> Any:
        def view(**values: Any) -> Any:
            flash("Done.", "success")
            return redirect(url_for(endpoint, **{**values, **fixed}), 303)

        return view

    post = {"methods": ["POST"]}
    app.add_url_rule("/auth/setup", "auth.setup", back("gallery.page"), **post)
    app.add_url_rule("/auth/logout", "auth.logout", back("auth.login"), **post)
    app.add_url_rule(
        "/auth/sessions/<uuid:session_id>/revoke",
        "auth.revoke_session",
        lambda session_id: back("auth.sessions")(),
        **post,
    )
    app.add_url_rule(
        "/auth/sessions/revoke-others",
        "auth.revoke_other_sessions",
        back("auth.sessions"),
        **post,
    )
    app.add_url_rule(
        "/auth/api-keys/<uuid:key_id>/revoke",
        "auth.revoke_api_key",
        lambda key_id: back("auth.api_keys")(),
        **post,
    )
    app.add_url_rule(
        "/collections/<slug>", "collections.edit", back("collections.show"), **post
    )
    app.add_url_rule(
        "/collections/<slug>/remove",
        "collections.remove",
        lambda slug: back("collections.page")(),
        **post,
    )
    for rule, name in (("members", "add_member"), ("labels", "add_label")):
        app.add_url_rule(
            f"/collections/<slug>/{rule}",
            f"collections.{name}",
            back("collections.show"),
            **post,
        )
    app.add_url_rule(
        "/collections/<slug>/members/<uuid:user_id>",
        "collections.edit_member",
        lambda slug, user_id: back("collections.show")(slug=slug),
        **post,
    )
    app.add_url_rule(
        "/collections/<slug>/labels/<uuid:label_id>",
        "collections.edit_label",
        lambda slug, label_id: back("collections.show")(slug=slug),
        **post,
    )

    def bulk() -> Any:
        ids, action = request.form.getlist("ids"), request.form["action"]
        app.bulk.append((action, ids, request.form.get("tags"), request.form.get("collection")))
        done = {
            "trash": "moved to the trash",
            "restore": "restored",
            "destroy": "destroyed",
            "move": "moved",
        }
        words = (
            f"{len(ids)} picture{'s' if len(ids) != 1 else ''} {done.get(action, 'tagged')}."
        )
        if request.accept_mimetypes.best == "application/json":
            return jsonify(
                message=words, results=[{"id": i, "ok": True, "message": ""} for i in ids]
            )
        flash(words, "success")
        return redirect(request.form.get("next") or url_for("gallery.page"), 303)

    def tags(image_id: UUID) -> Any:
        return jsonify(tags=[t.strip() for t in request.form["tags"].split(",") if t.strip()])

    app.add_url_rule("/gallery/bulk", "gallery.bulk", bulk, **post)
    app.add_url_rule("/images/<uuid:image_id>/tags", "gallery.tags", tags, **post)


def _media(app: Flask) -> None:
    def send(image_id: UUID, longest: int) -> Any:
        response = make_response(pictures.jpeg(samples.index_of(image_id), longest))
        response.headers["Content-Type"] = "image/jpeg"
        response.headers["Cache-Control"] = "private, no-cache"
        return response

    app.add_url_rule(
        "/images/<uuid:image_id>/thumb/<int:size>",
        "serving.thumb",
        lambda image_id, size: send(image_id, size),
    )
    app.add_url_rule(
        "/images/<uuid:image_id>/preview",
        "serving.preview",
        lambda image_id: send(image_id, 1600),
    )
    app.add_url_rule(
        "/images/<uuid:image_id>/original",
        "serving.original",
        lambda image_id: send(image_id, 4000),
    )


def _api(app: Flask) -> None:
    def labels(slug: str) -> Any:
        return jsonify(labels=samples.LABELS)

    def annotations(image_id: UUID) -> Any:
        kept = app.boxes.setdefault(image_id, first_set(app, image_id))
        response = jsonify(
            state=kept["state"], revision=kept["rev"], annotations=kept["annotations"]
        )
        response.headers["ETag"] = f'"{kept["rev"]}"'
        return response

    def upload() -> Any:
        file = request.files["files"]
        size = len(file.read())
        time.sleep(0.15)
        name = file.filename or ""
        if name.endswith((".pdf", ".svg", ".txt")):
            return problem(
                415,
                "Not a supported type",
                errors=[
                    {
                        "file": name,
                        "code": "unsupported_type",
                        "message": "This is not a picture that Darkroom can open.",
                    }
                ],
            )
        if "flaky" in name and name not in app.config.setdefault("SEEN", set()):
            app.config["SEEN"].add(name)
            return problem(503, "The store is away for a moment.")
        return jsonify(
            images=[
                {
                    "id": str(samples.id_of(size % 30)),
                    "original_name": name,
                    "size": size,
                    "width": 1200,
                    "height": 800,
                    "duplicate": "again" in name,
                }
            ],
            errors=[],
        ), 201

    app.add_url_rule("/api/v1/collections/<slug>/labels", "api.labels", labels)
    app.add_url_rule(
        "/api/v1/images/<uuid:image_id>/annotations",
        "api.annotations",
        annotations,
    )
    app.add_url_rule("/api/v1/images", "api.images", upload, methods=["POST"])
