"""The pages of the stage, with the sample view-models."""

from __future__ import annotations

from types import SimpleNamespace as Model
from typing import Any
from uuid import UUID

from flask import Flask, redirect, render_template, request, url_for

from app.web import keymap_view
from tests.browser.harness import sample_account, samples, stage_labels


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
    by_size = request.args.get("sort") == "size"
    sorts = (
        ("date", "Date", None if by_size else "desc"),
        ("size", "Size", "desc" if by_size else None),
        ("state", "State", None),
    )
    return render_template(
        "gallery/page.html",
        months=() if empty else samples.months(start, stop),
        view=request.args.get("view", "grid"),
        sorts=tuple(
            Model(
                key=k, title=t, direction=d, url=url_for("gallery.page", **{**here, "sort": k})
            )
            for k, t, d in sorts
        ),
        grid_url=url_for("gallery.page", **{**here, "view": "grid"}),
        list_url=url_for("gallery.page", **{**here, "view": "list"}),
        next_url=url_for("gallery.page", **{**here, "cursor": stop})
        if stop < count and not empty
        else None,
        newer_url=url_for("gallery.page", **here) if start else None,
        filters=stage_labels.chips(),
        panel=stage_labels.panel(),
        errors=_wrong(to="A day reads like 2026-11-22."),
        looked=Model(at=2000, total=41_000) if "looked" in request.args else None,
        scrubber=()
        if empty
        else tuple(
            Model(key=k, title=t, count=n, url=url_for("gallery.page", month=k))
            for k, t, n in samples.month_counts()
        ),
        total=0 if empty else count,
        can_edit=True,
        can_trash=True,
        can_upload=True,
        max_upload_bytes=104_857_600,
        move_targets=samples.COLLECTIONS,
        can_lead=False,
        can_relabel=False,
        chosen_labels=(),
        suggested_tags=("orchard", "evening light", "row 12"),
    )


def add(app: Flask) -> None:
    def page(rule: str, endpoint: str, view: Any, **options: Any) -> None:
        app.add_url_rule(rule, endpoint, view, **options)

    nothing: dict[str, str] = {}
    page("/", "gallery.index", lambda: redirect(url_for("gallery.page")))
    page("/gallery", "gallery.page", _gallery_page)
    page(
        "/setup",
        "harness.setup",
        lambda: render_template(
            "auth/setup.html",
            needs_code="code" in request.args,
            values=nothing,
            min_password=12,
            errors=_wrong(password="Use at least 12 characters."),
        ),
    )
    page("/auth/login", "auth.login", _login, methods=["GET", "POST"])
    page(
        "/auth/register",
        "auth.register",
        lambda: render_template(
            "auth/register.html",
            values=nothing,
            errors=_wrong(email="That is not an e-mail address."),
            min_password=12,
        ),
        methods=["GET", "POST"],
    )
    page(
        "/auth/password",
        "auth.password",
        lambda: render_template(
            "auth/password.html",
            values=nothing,
            errors=_wrong(current_password="That is not your password."),
            min_password=12,
        ),
        methods=["GET", "POST"],
    )
    page(
        "/auth/sessions",
        "auth.sessions",
        lambda: render_template("auth/sessions.html", sessions=sample_account.session_rows()),
    )
    page(
        "/auth/api-keys",
        "auth.api_keys",
        lambda: render_template(
            "auth/api_keys.html",
            keys=sample_account.api_key_rows(),
            scopes=sample_account.SCOPES,
            values=nothing,
            errors=nothing,
            new_key="dk_3f9aJQ7vX2mZk8sWq1RtYb6Lc0NdEe4Hg"
            if request.method == "POST" or "new" in request.args
            else None,
        ),
        methods=["GET", "POST"],
    )
    page("/account", "auth.account", _account, methods=["GET", "POST"])
    page(
        "/account/keys",
        "auth.keymap",
        lambda: render_template(
            "account/keys.html",
            sections=keymap_view.sections({"draw": "y"}),
            titles={},
            values=nothing,
            errors=_wrong(draw="r stands at “Boxes” too."),
        ),
        methods=["GET", "POST"],
    )
    page(
        "/api/docs",
        "reference.page",
        lambda: render_template("reference/page.html", reference=sample_account.REFERENCE),
    )
    page("/api/v1/openapi.json", "openapi.spec", dict)
    page("/upload", "upload.page", _upload_page, methods=["GET", "POST"])
    page(
        "/trash",
        "gallery.trash",
        lambda: render_template(
            "gallery/trash.html",
            tiles=()
            if request.args.get("as") == "empty"
            else tuple(samples.tile(i) for i in range(20, 32)),
            next_url=None,
            trash_days=30,
            can_destroy=True,
        ),
    )
    page(
        "/images/<uuid:image_id>",
        "gallery.show",
        lambda image_id: render_template(
            "gallery/show.html",
            picture=picture(image_id),
            back_url=url_for("gallery.page"),
            newer_url=_beside("gallery.show", image_id, -1),
            older_url=_beside("gallery.show", image_id, 1),
        ),
    )
    page(
        "/images/<uuid:image_id>/annotate",
        "annotate.page",
        lambda image_id: render_template(
            "annotate/page.html",
            editor=_editor(image_id),
        ),
    )
    page(
        "/collections",
        "collections.page",
        lambda: render_template(
            "collections/page.html",
            collections=samples.collection_cards(),
            values=nothing,
            errors=_wrong(name="Give it a name."),
        ),
        methods=["GET", "POST"],
    )
    page(
        "/collections/<slug>",
        "collections.show",
        lambda slug: render_template(
            "collections/show.html",
            collection=samples.collection_page(slug),
            roles=samples.ROLES,
            palette=samples.PALETTE,
            values=nothing,
            errors=_wrong(**{"": "There is no account with that address."}),
        ),
    )
    page(
        "/error/<int:status>",
        "harness.error",
        lambda status: (
            render_template(
                "errors/error.html",
                status=status,
                title="Something",
                detail="A sentence from the server.",
                request_id="6f1c2a9e-0b3d",
                retry_after=40 if status in {429, 503} else None,
            ),
            status,
        ),
    )
    page(
        "/bare-error",
        "harness.bare",
        lambda: (
            render_template(
                "errors/error.html",
                frame=None,
                status=503,
                title="Temporarily unavailable",
                detail="The database cannot be reached.",
            ),
            503,
        ),
    )
    page(
        "/blank",
        "harness.blank",
        lambda: '<!doctype html><html lang="en"><title>Blank</title><body data-root="">',
    )


def _login() -> Any:
    """The password of the sample account is ``right``."""
    typed = request.form.get("password")
    if typed == "right":
        return redirect(request.form.get("next") or url_for("gallery.page"), 303)
    wrong = "errors" if request.method == "POST" else request.args.get("as")
    words = {"": "That e-mail and password do not go together."} if wrong == "errors" else {}
    values = {"email": "ada@example.org"} if words else {}
    page = render_template("auth/login.html", values=values, next=None, errors=words)
    return page, 401 if typed is not None else 200


def _account() -> Any:
    if request.method == "POST":
        return redirect(url_for("auth.account"), 303)
    account = sample_account.ACCOUNT
    return render_template("account/page.html", account=account, values={}, errors={})


def _upload_page() -> str:
    outcome = None
    if request.method == "POST":
        outcome = Model(
            accepted=(
                Model(id=samples.id_of(3), name="Walk.jpg", duplicate=False),
                Model(id=samples.id_of(4), name="Walk again.jpg", duplicate=True),
            ),
            refused=(
                Model(name="notes.pdf", reason="This is not a picture that Darkroom can open."),
            ),
        )
    return render_template(
        "upload/page.html",
        limits=sample_account.LIMITS,
        targets=samples.COLLECTIONS,
        values={},
        errors={},
        today=samples.NOW.date(),
        quota=Model(used_bytes=3_412_000_000, limit_bytes=10 * 1024**3),
        outcome=outcome,
    )


def picture(image_id: UUID) -> Model:
    picture = samples.picture(samples.index_of(image_id))
    if "trashed" in request.args:
        picture.kept_until = None
    else:
        picture.destroyed_at = None
    return picture


def _editor(image_id: UUID) -> Model:
    shown = picture(image_id)
    annotations = f"/api/v1/images/{image_id}/annotations"
    return Model(
        **{name: getattr(shown, name) for name in ("name", "width", "height", "placeholder")},
        preview_url=url_for("serving.preview", image_id=image_id),
        back_url=url_for("gallery.show", image_id=image_id),
        newer_url=_beside("annotate.page", image_id, -1),
        older_url=_beside("annotate.page", image_id, 1),
        addresses={
            "full": url_for("serving.original", image_id=image_id),
            "set": annotations,
            "changes": f"{annotations}/changes",
            "history": f"{annotations}/history",
            "restore": f"{annotations}/restore",
            "comments": f"/api/v1/images/{image_id}/comments",
            "labels": url_for("api.labels", slug="orchard-survey"),
            **_newer_set(image_id),
        },
        can_write="read" not in request.args,
        label_set_open="closed" not in request.args,
        keys=keymap_view.sections({}),
        key_table=keymap_view.key_table({}),
        short_keys=keymap_view.short_keys({}),
        keys_url=url_for("auth.keymap"),
    )


def _newer_set(image_id: UUID) -> dict[str, str]:
    index = samples.index_of(image_id) - 1
    if index < 0:
        return {}
    return {"previous-set": f"/api/v1/images/{samples.id_of(index)}/annotations"}


def _beside(endpoint: str, image_id: UUID, step: int) -> str | None:
    index = samples.index_of(image_id) + step
    return url_for(endpoint, image_id=samples.id_of(index)) if index >= 0 else None
