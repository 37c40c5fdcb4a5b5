"""Who may call what: written by hand, a row for each route and method.

``least`` is the role from which on a member succeeds; ``None`` where every account does.
``hidden`` rows do not exist for lesser members (404) instead of being forbidden (403).
``scope`` is the one that an API key needs; pages, which take no key, have none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["page", "api", "media"]


@dataclass(frozen=True)
class Row:
    """``ok``: the status for who may. ``fresh``: the call changes what the next one needs.
    ``admin``: for administrators alone; to any other account it is forbidden (403)."""

    path: str
    kind: Kind
    least: str | None = None
    ok: int = 200
    scope: str | None = None
    hidden: bool = False
    admin: bool = False
    fresh: Literal["", "place", "trashed", "empty", "key", "job"] = ""
    form: dict[str, Any] | None = None
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Open:
    """For everybody: what nobody gets, what an account gets, what a bad key gets."""

    path: str
    nobody: int
    account: int | None = None
    bad_key: int = 401
    form: dict[str, Any] | None = None


def page(path: str, least: str | None = None, ok: int = 200, **more: Any) -> Row:
    return Row(path, "page", least, ok, **more)


def form(path: str, least: str | None = None, ok: int = 303, **fields: Any) -> Row:
    fresh, hidden = fields.pop("fresh", ""), fields.pop("hidden", False)
    return Row(path, "page", least, ok, form=fields, fresh=fresh, hidden=hidden)


def media(path: str, scope: str = "images:read") -> Row:
    return Row(path, "media", "viewer", 200, scope)


def api(
    path: str, scope: str | None, least: str | None = None, ok: int = 200, **more: Any
) -> Row:
    return Row(f"/api/v1{path}", "api", least, ok, scope, **more)


JSON = {"Accept": "application/json"}
ANY = {"If-Match": "*"}
EXPORT = {"format": "coco"}
NOTHING = "00000000-0000-4000-8000-000000000000"
BOXES = {"state": "done", "annotations": []}

TABLE: dict[tuple[str, str], Row | Open] = {
    # for everybody
    ("gallery.index", "GET"): Open("/", 200, 303),
    ("auth.login", "GET"): Open("/auth/login", 200, 303),
    ("auth.login_post", "POST"): Open("/auth/login", 401, form={"email": "x", "password": "y"}),
    ("auth.logout", "POST"): Open("/auth/logout", 303),
    ("auth.setup", "POST"): Open("/auth/setup", 404),
    ("auth.register", "GET"): Open("/auth/register", 404),
    ("auth.register", "POST"): Open("/auth/register", 404),
    ("health.livez", "GET"): Open("/livez", 200, bad_key=200),
    ("health.readyz", "GET"): Open("/readyz", 200, bad_key=200),
    ("health.prometheus", "GET"): Open("/metrics", 200, bad_key=200),
    ("serving.signed", "GET"): Open("/m/{token}", 200, bad_key=200),
    ("static", "GET"): Open("/static/css/base.css", 200, bad_key=200),
    ("bootstrap.static", "GET"): Open(
        "/bootstrap/static/css/bootstrap.min.css", 200, bad_key=200
    ),
    ("openapi.spec", "GET"): Open("/api/v1/openapi.json", 200),
    ("reference.page", "GET"): Open("/api/docs", 200),
    # one's own account
    ("auth.account", "GET"): page("/account"),
    ("auth.edit_account", "POST"): form("/account", theme="dark"),
    ("auth.keymap", "GET"): page("/account/keys"),
    ("auth.edit_keymap", "POST"): form("/account/keys", draw="y"),
    ("auth.api_keys", "GET"): page("/auth/api-keys"),
    ("auth.create_api_key", "POST"): form("/auth/api-keys", ok=422, name=""),
    ("auth.revoke_api_key", "POST"): form("/auth/api-keys/{key}/revoke", "owner", fresh="key"),
    ("auth.password", "GET"): page("/auth/password"),
    ("auth.password", "POST"): form("/auth/password", ok=422, current_password="wrong"),
    ("auth.sessions", "GET"): page("/auth/sessions"),
    ("auth.revoke_session", "POST"): form("/auth/sessions/{nothing}/revoke", ok=404),
    ("auth.revoke_other_sessions", "POST"): form("/auth/sessions/revoke-others"),
    ("api.account.me", "GET"): api("/me", "account:read"),
    ("api.account.keymap", "GET"): api("/me/keymap", "account:read"),
    ("api.account.set_keymap", "PUT"): api(
        "/me/keymap", "account:write", json={"keymap": {"draw": "y"}}
    ),
    ("api.account.keys", "GET"): api("/api-keys", "account:read"),
    ("api.account.create_key", "POST"): api(
        "/api-keys", "account:write", ok=422, json={"name": "n"}
    ),
    ("api.account.revoke_key", "DELETE"): api(
        "/api-keys/{key}", "account:write", "owner", 204, fresh="key"
    ),
    ("api.account.sessions", "GET"): api("/sessions", "account:read"),
    ("api.account.draft_key", "GET"): api("/sessions/draft-key", None),
    ("api.account.end_session", "DELETE"): api("/sessions/{nothing}", None, ok=404),
    # the installation
    ("admin.keys", "GET"): page("/admin/keys", admin=True),
    ("admin.rotate_keys", "POST"): Row(
        "/admin/keys/rotate", "page", ok=303, form={"scope": "due"}, admin=True
    ),
    ("api.admin.keys", "GET"): api("/admin/keys", "admin", admin=True),
    # one's own jobs
    ("jobs.page", "GET"): page("/jobs"),
    ("jobs.result", "GET"): page("/jobs/{job}/result", "owner", fresh="job"),
    ("jobs.stop", "POST"): form("/jobs/{job}/stop", "owner", fresh="job"),
    ("jobs.remove", "POST"): form("/jobs/{job}/remove", "owner", fresh="job"),
    ("api.jobs.index", "GET"): api("/jobs", "account:read"),
    ("api.jobs.show", "GET"): api("/jobs/{job}", "account:read", "owner", fresh="job"),
    ("api.jobs.result", "GET"): api(
        "/jobs/{job}/result", "collections:read", "owner", fresh="job"
    ),
    ("api.jobs.remove", "DELETE"): api(
        "/jobs/{job}", "account:write", "owner", 204, fresh="job"
    ),
    ("api.admin.rotate_keys", "POST"): api(
        "/admin/keys/rotate", "admin", admin=True, ok=202, json={"scope": "due"}
    ),
    # pictures
    ("gallery.page", "GET"): page("/gallery?collection={slug}", "viewer"),
    ("gallery.trash", "GET"): page("/trash"),
    ("gallery.receipts", "GET"): page("/receipts"),
    ("gallery.receipt", "GET"): page("/receipts/{nothing}", ok=404),
    ("api.images.receipt", "GET"): api("/receipts/{nothing}", "images:read", ok=404),
    ("gallery.show", "GET"): page("/images/{image}", "viewer"),
    ("gallery.tags", "POST"): form("/images/{image}/tags", "editor", tags="a"),
    ("gallery.bulk", "POST"): form("/gallery/bulk", action="tag", ids="{image}", tags="b"),
    ("annotate.page", "GET"): page("/images/{image}/annotate", "viewer"),
    ("upload.page", "GET"): page("/upload"),
    ("upload.store", "POST"): form("/upload", ok=422),
    ("serving.original", "GET"): media("/images/{image}/original"),
    ("serving.preview", "GET"): media("/images/{image}/preview"),
    ("serving.thumb", "GET"): media("/images/{image}/thumb/320"),
    ("serving.stored", "GET"): media("{stored_path}"),
    ("api.images.upload", "POST"): api("/images", "images:write", ok=422, form={}),
    ("api.images.upload_alias", "POST"): api("/upload", "images:write", ok=422, form={}),
    ("api.images.upload_limits", "GET"): api("/upload", "images:write"),
    ("api.images.index", "GET"): api("/images?collection={slug}", "images:read", "viewer"),
    ("api.images.show", "GET"): api("/images/{image}", "images:read", "viewer"),
    ("api.images.remove", "DELETE"): api(
        "/images/{image}", "images:write", "editor", fresh="place"
    ),
    ("api.images.restore", "POST"): api(
        "/images/{image}/restore", "images:write", "editor", fresh="trashed", hidden=True
    ),
    ("api.annotations.show", "GET"): api(
        "/images/{image}/annotations", "annotations:read", "viewer"
    ),
    ("api.annotations.replace", "PUT"): api(
        "/images/{image}/annotations",
        "annotations:write",
        "annotator",
        json=BOXES,
        headers=ANY,
        fresh="place",
    ),
    # tasks
    ("api.tasks.following", "GET"): api(
        "/collections/{slug}/next", "annotations:write", "annotator"
    ),
    ("api.tasks.take_next", "POST"): api(
        "/collections/{slug}/next", "annotations:write", "annotator", json={}
    ),
    ("api.tasks.assign_some", "POST"): api(
        "/collections/{slug}/assign",
        "annotations:write",
        "reviewer",
        json={"user_id": None, "count": 1},
    ),
    ("api.tasks.show", "GET"): api("/images/{image}/task", "annotations:read", "viewer"),
    ("api.tasks.take", "POST"): api(
        "/images/{image}/lease", "annotations:write", "annotator", fresh="place"
    ),
    ("api.tasks.release", "POST"): api(
        "/images/{image}/release", "annotations:write", "annotator", fresh="place"
    ),
    ("api.tasks.submit", "POST"): api(
        "/images/{image}/submit", "annotations:write", "annotator", fresh="place"
    ),
    ("api.tasks.skip", "POST"): api(
        "/images/{image}/skip",
        "annotations:write",
        "annotator",
        json={"reason": "blurred"},
        fresh="place",
    ),
    ("api.tasks.reopen", "POST"): api(
        "/images/{image}/reopen", "annotations:write", "annotator", fresh="place"
    ),
    ("api.tasks.review", "POST"): api(
        "/images/{image}/review",
        "annotations:write",
        "reviewer",
        409,
        json={"verdict": "accept"},
        fresh="place",
    ),
    ("api.tasks.assign", "POST"): api(
        "/images/{image}/assign", "annotations:write", "reviewer", json={"user_id": None}
    ),
    ("api.annotations.patch", "PATCH"): api(
        "/images/{image}/annotations", "annotations:write", "annotator", json={"ops": []}
    ),
    ("api.annotation_history.changes", "GET"): api(
        "/images/{image}/annotations/changes?since=0", "annotations:read", "viewer"
    ),
    ("api.annotation_history.history", "GET"): api(
        "/images/{image}/annotations/history", "annotations:read", "viewer"
    ),
    ("api.annotation_history.restore", "POST"): api(
        "/images/{image}/annotations/restore", "annotations:write", "annotator", json={"seq": 0}
    ),
    ("api.comments.index", "GET"): api(
        "/images/{image}/comments", "annotations:read", "viewer"
    ),
    ("api.comments.add", "POST"): api(
        "/images/{image}/comments", "annotations:write", "annotator", 201, json={"text": "a"}
    ),
    ("api.comments.change", "PATCH"): api(
        "/comments/{comment}", "annotations:write", "annotator", json={"resolved": True}
    ),
    ("api.comments.remove", "DELETE"): api(
        "/comments/{comment}", "annotations:write", "reviewer", 204, fresh="place"
    ),
    ("work.start", "POST"): form("/collections/{slug}/next", "annotator"),
    ("work.progress", "GET"): page("/collections/{slug}/progress", "viewer"),
    ("work.progress_csv", "GET"): page("/collections/{slug}/progress.csv", "viewer"),
    ("work.assign", "POST"): form(
        "/collections/{slug}/assign", "reviewer", user_id="", count="1"
    ),
    ("work.review", "GET"): page("/collections/{slug}/review", "reviewer"),
    ("work.give_verdict", "POST"): form(
        "/collections/{slug}/review", "reviewer", 409, image_id="{image}", verdict="accept"
    ),
    ("work.agreement", "GET"): page("/collections/{slug}/agreement", "annotator"),
    ("work.make_round", "POST"): form(
        "/collections/{slug}/agreement", "reviewer", 422, name=""
    ),
    ("work.round", "GET"): page(
        "/collections/{slug}/agreement/{round}", "reviewer", hidden=True
    ),
    # one's own copy: nobody else's is there for anybody
    ("work.copy", "GET"): page(
        "/collections/{slug}/agreement/{round}/{image}", "owner", hidden=True
    ),
    ("work.adjudicate", "GET"): page(
        "/collections/{slug}/agreement/{round}/{image}/adjudicate", "reviewer", 404, hidden=True
    ),
    ("work.decide", "POST"): form(
        "/collections/{slug}/agreement/{round}/{image}/adjudicate",
        "reviewer",
        404,
        a="{member}",
        b="{label}",
    ),
    ("work.hand_over", "POST"): form(
        "/collections/{slug}/agreement/{round}/hand-over", "reviewer", 422, hidden=True
    ),
    ("work.choose_round", "POST"): form(
        "/collections/{slug}/agreement/chosen", "reviewer", 200, ids="{image}"
    ),
    ("api.rounds.index", "GET"): api(
        "/collections/{slug}/rounds", "annotations:write", "annotator"
    ),
    ("api.rounds.create", "POST"): api(
        "/collections/{slug}/rounds",
        "annotations:write",
        "reviewer",
        422,
        json={"name": "", "annotators": []},
    ),
    ("api.rounds.show", "GET"): api(
        "/collections/{slug}/rounds/{round}", "annotations:write", "reviewer", hidden=True
    ),
    ("api.rounds.hand_over", "POST"): api(
        "/collections/{slug}/rounds/{round}/hand-over",
        "annotations:write",
        "reviewer",
        422,
        hidden=True,
        json={"from": "{label}", "to": None},
    ),
    ("api.copies.show", "GET"): api(
        "/copies/{copy}/annotations", "annotations:read", "owner", hidden=True
    ),
    ("api.copies.patch", "PATCH"): api(
        "/copies/{copy}/annotations",
        "annotations:write",
        "owner",
        hidden=True,
        json={"ops": []},
    ),
    ("api.copies.changes", "GET"): api(
        "/copies/{copy}/annotations/changes?since=0", "annotations:read", "owner", hidden=True
    ),
    ("api.copies.task", "GET"): api(
        "/copies/{copy}/task", "annotations:read", "owner", hidden=True
    ),
    ("api.copies.following", "GET"): api(
        "/copies/{copy}/next", "annotations:write", "owner", hidden=True
    ),
    ("api.copies.submit", "POST"): api(
        "/copies/{copy}/submit", "annotations:write", "owner", hidden=True
    ),
    ("api.copies.reopen", "POST"): api(
        "/copies/{copy}/reopen", "annotations:write", "owner", hidden=True
    ),
    # collections
    ("collections.page", "GET"): page("/collections"),
    ("collections.create", "POST"): form("/collections", ok=422, name=""),
    ("collections.show", "GET"): page("/collections/{slug}", "viewer"),
    ("collections.edit", "POST"): form("/collections/{slug}", "owner", name="Place"),
    ("collections.remove", "POST"): form("/collections/{slug}/remove", "owner", fresh="empty"),
    ("collections.add_label", "POST"): form(
        "/collections/{slug}/labels", "editor", name="{new}"
    ),
    ("collections.labels", "GET"): page("/collections/{slug}/labels", "viewer"),
    ("collections.label", "GET"): page(
        "/collections/{slug}/labels/{label}", "editor", hidden=True
    ),
    ("collections.order_labels", "POST"): form(
        "/collections/{slug}/labels/order", "editor", up="{label}"
    ),
    ("collections.merge_label", "POST"): form(
        "/collections/{slug}/labels/{label}/merge", "editor", 404, into=NOTHING
    ),
    ("collections.split_label", "POST"): form(
        "/collections/{slug}/labels/{label}/split",
        "editor",
        attribute="a",
        value="1",
        name="{new}",
    ),
    ("collections.relabel_chosen", "POST"): form(
        "/collections/{slug}/labels/relabel",
        "editor",
        label="{label}",
        into="{new}",
        ids="{image}",
    ),
    ("collections.switch_label_index", "POST"): form(
        "/collections/{slug}/label-index", "owner", on="1"
    ),
    ("gallery.keep_filter", "POST"): form("/gallery/filters", name="{new}", q="a"),
    ("gallery.forget_filter", "POST"): form("/gallery/filters/{nothing}/remove", ok=404),
    ("collections.edit_label", "POST"): form(
        "/collections/{slug}/labels/{label}", "editor", name="car"
    ),
    ("collections.add_member", "POST"): form(
        "/collections/{slug}/members",
        "owner",
        422,
        email="nobody@people.example",
        role="viewer",
    ),
    ("collections.edit_member", "POST"): form(
        "/collections/{slug}/members/{member}", "owner", role="viewer"
    ),
    ("exchange.page", "GET"): page("/collections/{slug}/exchange", "viewer"),
    ("exchange.take", "POST"): form("/collections/{slug}/exchange/import", "reviewer", 422),
    ("exchange.give", "POST"): form("/collections/{slug}/exchange/export", "editor", 422),
    ("exchange.report", "GET"): page("/collections/{slug}/exchange/{nothing}", ok=404),
    ("exchange.accept", "POST"): form("/collections/{slug}/exchange/{nothing}/accept", ok=404),
    ("api.exchange.export", "POST"): api(
        "/collections/{slug}/exports", "collections:read", "editor", 202, json=EXPORT
    ),
    ("api.exchange.accept_export", "POST"): api(
        "/collections/{slug}/exports/{nothing}/accept", "collections:read", "editor", 404
    ),
    ("api.exchange.examine", "POST"): api(
        "/collections/{slug}/imports", "annotations:write", "reviewer", 422, form={}
    ),
    ("api.exchange.accept_import", "POST"): api(
        "/collections/{slug}/imports/{nothing}/accept",
        "annotations:write",
        "reviewer",
        404,
        json={},
    ),
    ("api.collections.index", "GET"): api("/collections", "collections:read"),
    ("api.collections.create", "POST"): api(
        "/collections", "collections:write", ok=422, json={"name": ""}
    ),
    ("api.collections.show", "GET"): api("/collections/{slug}", "collections:read", "viewer"),
    ("api.collections.edit", "PATCH"): api(
        "/collections/{slug}", "collections:write", "owner", json={"name": "Place"}
    ),
    ("api.collections.remove", "DELETE"): api(
        "/collections/{slug}", "collections:write", "owner", 204, fresh="empty"
    ),
    ("api.collections.members", "GET"): api(
        "/collections/{slug}/members", "collections:read", "viewer"
    ),
    ("api.collections.add_member", "POST"): api(
        "/collections/{slug}/members",
        "collections:write",
        "owner",
        422,
        json={"email": "nobody@people.example", "role": "viewer"},
    ),
    ("api.collections.edit_member", "PATCH"): api(
        "/collections/{slug}/members/{member}",
        "collections:write",
        "owner",
        json={"role": "viewer"},
    ),
    ("api.collections.remove_member", "DELETE"): api(
        "/collections/{slug}/members/{member}", "collections:write", "owner", 204, fresh="place"
    ),
    ("api.collections.labels", "GET"): api(
        "/collections/{slug}/labels", "collections:read", "viewer"
    ),
    ("api.collections.add_label", "POST"): api(
        "/collections/{slug}/labels", "collections:write", "editor", 201, json={"name": "{new}"}
    ),
    ("api.collections.edit_label", "PATCH"): api(
        "/collections/{slug}/labels/{label}",
        "collections:write",
        "editor",
        json={"name": "car"},
    ),
    ("api.collections.order_labels", "PUT"): api(
        "/collections/{slug}/labels/order",
        "collections:write",
        "editor",
        422,
        json={"ids": []},
    ),
    ("api.collections.label_versions", "GET"): api(
        "/collections/{slug}/labels/versions", "collections:read", "viewer"
    ),
    ("api.collections.preview_label", "GET"): api(
        "/collections/{slug}/labels/{label}/preview", "collections:write", "editor"
    ),
    ("api.collections.merge_label", "POST"): api(
        "/collections/{slug}/labels/{label}/merge",
        "collections:write",
        "editor",
        404,
        json={"into": NOTHING},
    ),
    ("api.collections.split_label", "POST"): api(
        "/collections/{slug}/labels/{label}/split",
        "collections:write",
        "editor",
        json={"images": [], "name": "{new}"},
    ),
    ("api.collections.switch_label_index", "PUT"): api(
        "/collections/{slug}/label-index", "collections:write", "owner", 202, json={"on": True}
    ),
    ("api.filters.index", "GET"): api("/filters", "account:read"),
    ("api.filters.create", "POST"): api(
        "/filters", "account:write", ok=201, json={"name": "{new}", "query": {"q": "a"}}
    ),
    ("api.filters.remove", "DELETE"): api("/filters/{nothing}", "account:write", ok=404),
    ("api.collections.remove_label", "DELETE"): api(
        "/collections/{slug}/labels/{label}", "collections:write", "editor", 204, fresh="place"
    ),
}
