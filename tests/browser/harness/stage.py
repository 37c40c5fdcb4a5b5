"""A stand-in for the server: the real templates, modules and style sheets under the real CSP.

``python -m tests.browser.harness.stage`` serves it on port 5055 for looking at. State (boxes,
uploads) is kept in memory. ``?as=…`` chooses among sample situations: ``nobody`` (signed
out), ``empty``, ``errors``. The cookie ``theme`` is honoured.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace as Model
from typing import Any
from uuid import UUID

from flask import Flask, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask_bootstrap import Bootstrap5

from tests.browser.harness import pictures, samples

APP = Path(__file__).resolve().parents[3] / "app"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; manifest-src 'self'"
)
TOKEN = "sample-token"


def create_app() -> Flask:
    app = Flask("harness", template_folder=str(APP / "templates"), static_folder=str(APP / "static"))
    app.secret_key = "only for looking"
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    Bootstrap5(app)
    app.jinja_env.globals["csrf_token"] = lambda: TOKEN
    app.jinja_env.undefined = _strict()
    app.boxes = {}
    app.puts = []
    app.bulk = []
    app.context_processor(_frame)
    app.after_request(_headers)
    _pages(app)
    _forms(app)
    _media(app)
    _api(app)
    return app


def _strict() -> Any:
    from jinja2 import StrictUndefined

    return StrictUndefined


def _headers(response: Any) -> Any:
    response.headers["Content-Security-Policy"] = CSP
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if not request.path.startswith("/static"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _frame() -> dict[str, Any]:
    slug = request.args.get("collection")
    out = request.args.get("as") == "nobody" or request.path.startswith(("/auth/login", "/auth/register", "/setup"))
    return {
        "frame": Model(
            user=None if out else Model(name="Ada Lindqvist", email="ada@example.org", is_admin=True),
            theme=request.cookies.get("theme", "system"),
            collections=samples.COLLECTIONS,
            collection=next((c for c in samples.COLLECTIONS if c.slug == slug), None),
            registration_open=True,
        )
    }


def _wrong(**errors: str) -> dict[str, str]:
    return errors if request.args.get("as") == "errors" else {}


def _gallery_page() -> str:
    count = request.args.get("count", samples.MANY, int)
    keys = [key for key, _, _ in samples.month_counts()]
    first = request.args.get("month")
    start = request.args.get("cursor", 0, int)
    if first in keys:
        start = next(i for i in range(count) if samples.taken(i).strftime("%Y-%m") == first)
    stop = min(count, start + samples.PAGE)
    empty = request.args.get("as") == "empty"
    here = {k: v for k, v in request.args.items() if k not in {"cursor", "month"}}
    sorts = (("date", "Date", "desc"), ("size", "Size", None), ("state", "State", None))
    return render_template(
        "gallery/page.html",
        months=() if empty else samples.months(start, stop),
        view=request.args.get("view", "grid"),
        sorts=tuple(
            Model(key=k, title=t, direction=d, url=url_for("gallery.page", **{**here, "sort": k})) for k, t, d in sorts
        ),
        grid_url=url_for("gallery.page", **{**here, "view": "grid"}),
        list_url=url_for("gallery.page", **{**here, "view": "list"}),
        next_url=url_for("gallery.page", **{**here, "cursor": stop}) if stop < count and not empty else None,
        newer_url=url_for("gallery.page", **here) if start else None,
        filters=(Model(name="Tag", value=request.args["tag"], remove_url="/gallery"),) if "tag" in request.args else (),
        scrubber=()
        if empty
        else tuple(
            Model(key=k, title=t, count=n, url=url_for("gallery.page", month=k)) for k, t, n in samples.month_counts()
        ),
        total=0 if empty else count,
        can_edit=True,
        can_trash=True,
        can_upload=True,
        move_targets=samples.COLLECTIONS,
        suggested_tags=("orchard", "evening light", "row 12"),
    )


def _pages(app: Flask) -> None:
    def page(rule: str, endpoint: str, view: Any, **options: Any) -> None:
        app.add_url_rule(rule, endpoint, view, **options)

    nothing: dict[str, str] = {}
    page("/", "gallery.index", lambda: redirect(url_for("gallery.page")))
    page("/gallery", "gallery.page", _gallery_page)
    page("/setup", "harness.setup", lambda: render_template(
        "auth/setup.html", needs_code="code" in request.args, values=nothing, min_password=12,
        errors=_wrong(password="Use at least 12 characters.")))
    page("/auth/login", "auth.login", lambda: render_template(
        "auth/login.html", values={"email": "ada@example.org"} if _wrong(a="") else nothing, next=None,
        errors=_wrong(**{"": "That e-mail and password do not go together."})), methods=["GET", "POST"])
    page("/auth/register", "auth.register", lambda: render_template(
        "auth/register.html", values=nothing, errors=_wrong(email="That is not an e-mail address."), min_password=12),
        methods=["GET", "POST"])
    page("/auth/password", "auth.password", lambda: render_template(
        "auth/password.html", values=nothing, errors=_wrong(current_password="That is not your password."),
        min_password=12), methods=["GET", "POST"])
    page("/auth/sessions", "auth.sessions", lambda: render_template(
        "auth/sessions.html", sessions=samples.session_rows()))
    page("/auth/api-keys", "auth.api_keys", lambda: render_template(
        "auth/api_keys.html", keys=samples.api_key_rows(), scopes=samples.SCOPES, values=nothing, errors=nothing,
        new_key="dk_3f9aJQ7vX2mZk8sWq1RtYb6Lc0NdEe4Hg" if request.method == "POST" or "new" in request.args else None),
        methods=["GET", "POST"])
    page("/account", "auth.account", _account, methods=["GET", "POST"])
    page("/upload", "upload.page", _upload_page, methods=["GET", "POST"])
    page("/trash", "gallery.trash", lambda: render_template(
        "gallery/trash.html", tiles=() if request.args.get("as") == "empty" else
        tuple(samples.tile(i) for i in range(20, 32)), next_url=None, trash_days=30, can_destroy=True))
    page("/images/<uuid:image_id>", "gallery.show", lambda image_id: render_template(
        "gallery/show.html", picture=_picture(image_id), back_url=url_for("gallery.page"),
        newer_url=_beside("gallery.show", image_id, -1), older_url=_beside("gallery.show", image_id, 1)))
    page("/images/<uuid:image_id>/annotate", "annotate.page", lambda image_id: render_template(
        "annotate/page.html", picture=_picture(image_id), can_write="read" not in request.args,
        label_set_open="closed" not in request.args, image_url=url_for("serving.original", image_id=image_id),
        newer_url=_beside("annotate.page", image_id, -1), older_url=_beside("annotate.page", image_id, 1)))
    page("/collections", "collections.page", lambda: render_template(
        "collections/page.html", collections=samples.collection_cards(), values=nothing,
        errors=_wrong(name="Give it a name.")), methods=["GET", "POST"])
    page("/collections/<slug>", "collections.show", lambda slug: render_template(
        "collections/show.html", collection=samples.collection_page(slug), roles=samples.ROLES,
        palette=samples.PALETTE, values=nothing, errors=_wrong(**{"": "There is no account with that address."})))
    page("/error/<int:status>", "harness.error", lambda status: (render_template(
        "errors/error.html", status=status, title="Something", detail="A sentence from the server.",
        request_id="6f1c2a9e-0b3d", retry_after=40 if status in {429, 503} else None), status))
    page("/bare-error", "harness.bare", lambda: (render_template(
        "errors/error.html", frame=None, status=503, title="Temporarily unavailable",
        detail="The database cannot be reached."), 503))
    page("/blank", "harness.blank", lambda: '<!doctype html><html lang="en"><title>Blank</title><body data-root="">')


def _account() -> Any:
    if request.method == "POST":
        return redirect(url_for("auth.account"), 303)
    return render_template("account/page.html", account=samples.ACCOUNT, values={}, errors={})


def _upload_page() -> str:
    outcome = None
    if request.method == "POST":
        outcome = Model(
            accepted=(Model(id=samples.id_of(3), name="Walk.jpg", duplicate=False),
                      Model(id=samples.id_of(4), name="Walk again.jpg", duplicate=True)),
            refused=(Model(name="notes.pdf", reason="This is not a picture that Darkroom can open."),))
    return render_template(
        "upload/page.html", limits=samples.LIMITS, targets=samples.COLLECTIONS, values={}, errors={},
        quota=Model(used_bytes=3_412_000_000, limit_bytes=10 * 1024**3), outcome=outcome)


def _picture(image_id: UUID) -> Model:
    picture = samples.picture(samples.index_of(image_id))
    picture.destroyed_at = picture.destroyed_at if "trashed" in request.args else None
    return picture


def _beside(endpoint: str, image_id: UUID, step: int) -> str | None:
    index = samples.index_of(image_id) + step
    return url_for(endpoint, image_id=samples.id_of(index)) if index >= 0 else None


def _forms(app: Flask) -> None:
    def back(endpoint: str, **fixed: Any) -> Any:
        def view(**values: Any) -> Any:
            flash("Done.", "success")
            return redirect(url_for(endpoint, **{**values, **fixed}), 303)

        return view

    post = {"methods": ["POST"]}
    app.add_url_rule("/auth/setup", "auth.setup", back("gallery.page"), **post)
    app.add_url_rule("/auth/logout", "auth.logout", back("auth.login"), **post)
    app.add_url_rule("/auth/sessions/<uuid:session_id>/revoke", "auth.revoke_session",
                     lambda session_id: back("auth.sessions")(), **post)
    app.add_url_rule("/auth/sessions/revoke-others", "auth.revoke_other_sessions", back("auth.sessions"), **post)
    app.add_url_rule("/auth/api-keys/<uuid:key_id>/revoke", "auth.revoke_api_key",
                     lambda key_id: back("auth.api_keys")(), **post)
    app.add_url_rule("/collections/<slug>", "collections.edit", back("collections.show"), **post)
    app.add_url_rule("/collections/<slug>/remove", "collections.remove",
                     lambda slug: back("collections.page")(), **post)
    for rule, name in (("members", "add_member"), ("labels", "add_label")):
        app.add_url_rule(f"/collections/<slug>/{rule}", f"collections.{name}", back("collections.show"), **post)
    app.add_url_rule("/collections/<slug>/members/<uuid:user_id>", "collections.edit_member",
                     lambda slug, user_id: back("collections.show")(slug=slug), **post)
    app.add_url_rule("/collections/<slug>/labels/<uuid:label_id>", "collections.edit_label",
                     lambda slug, label_id: back("collections.show")(slug=slug), **post)

    def bulk() -> Any:
        ids, action = request.form.getlist("ids"), request.form["action"]
        app.bulk.append((action, ids, request.form.get("tags"), request.form.get("collection")))
        done = {"trash": "moved to the trash", "restore": "restored", "destroy": "destroyed", "move": "moved"}
        words = f"{len(ids)} picture{'s' if len(ids) != 1 else ''} {done.get(action, 'tagged')}."
        if request.accept_mimetypes.best == "application/json":
            return jsonify(message=words, results=[{"id": i, "ok": True, "message": ""} for i in ids])
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

    app.add_url_rule("/images/<uuid:image_id>/thumb/<int:size>", "serving.thumb", lambda image_id, size: send(image_id, size))
    app.add_url_rule("/images/<uuid:image_id>/preview", "serving.preview", lambda image_id: send(image_id, 1600))
    app.add_url_rule("/images/<uuid:image_id>/original", "serving.original", lambda image_id: send(image_id, 4000))


def _problem(status: int, detail: str, **more: Any) -> Any:
    return jsonify(type="urn:darkroom:problem:x", title=detail, status=status, detail=detail, **more), status


def _api(app: Flask) -> None:
    def labels(slug: str) -> Any:
        return jsonify(labels=samples.LABELS)

    def annotations(image_id: UUID) -> Any:
        picture = _picture(image_id)
        fresh = lambda: {"rev": 1, "state": picture.state, "annotations": samples.boxes(  # noqa: E731
            app.config.get("BOXES", 6), picture.width, picture.height)}
        kept = app.boxes.setdefault(image_id, fresh())
        if request.method == "PUT":
            status = app.config.get("PUT_STATUS")
            if status:
                return _problem(status, "The database cannot be reached.")
            if request.headers.get("If-Match") not in {f'"{kept["rev"]}"', "*"}:
                response = make_response(*_problem(412, "Somebody changed these boxes in the meantime.",
                                                   current={k: kept[k] for k in ("state", "annotations")}))
                response.headers["ETag"] = f'"{kept["rev"]}"'
                return response
            app.puts.append(request.json)
            kept = {"rev": kept["rev"] + 1, "state": request.json.get("state") or ("in_progress" if kept["state"] == "new" else kept["state"]), "annotations": [
                {"frame": 0, "attributes": {}, **a, "rev": kept["rev"] + 1} for a in request.json["annotations"]]}
            app.boxes[image_id] = kept
        response = jsonify(state=kept["state"], annotations=kept["annotations"])
        response.headers["ETag"] = f'"{kept["rev"]}"'
        return response

    def upload() -> Any:
        file = request.files["files"]
        size = len(file.read())
        time.sleep(0.15)
        name = file.filename or ""
        if name.endswith((".pdf", ".svg", ".txt")):
            return _problem(415, "Not a supported type", errors=[
                {"file": name, "code": "unsupported_type", "message": "This is not a picture that Darkroom can open."}])
        if "flaky" in name and name not in app.config.setdefault("SEEN", set()):
            app.config["SEEN"].add(name)
            return _problem(503, "The store is away for a moment.")
        return jsonify(images=[{"id": str(samples.id_of(size % 30)), "original_name": name, "size": size,
                                "width": 1200, "height": 800, "duplicate": "again" in name}], errors=[]), 201

    app.add_url_rule("/api/v1/collections/<slug>/labels", "api.labels", labels)
    app.add_url_rule("/api/v1/images/<uuid:image_id>/annotations", "api.annotations", annotations, methods=["GET", "PUT"])
    app.add_url_rule("/api/v1/images", "api.images", upload, methods=["POST"])


if __name__ == "__main__":
    create_app().run(port=int(sys.argv[1]) if len(sys.argv) > 1 else 5055, threaded=True, debug=False)
