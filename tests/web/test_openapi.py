"""The description of the API: valid, complete, and what every operation really answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import TestResponse

from app.errors import Conflict
from app.jobs.registry import JobRun
from app.services import relabelling
from app.services.exchange.options import ExportOptions, ImportOptions
from app.services.labels import LabelEdit
from tests.fixtures import pictures
from tests.fixtures.callers import Crowd
from tests.fixtures.exchange import coco
from tests.fixtures.installation import Installation
from tests.fixtures.jobs import JobRoom
from tests.fixtures.place import (
    Place,
    make_empty_collection,
    make_job,
    make_key,
    make_place,
    unique_png,
)
from tests.security.access_table import TABLE, Row

PREFIX = "/api/v1"
BOX = {"x": 1.5, "y": 2, "w": 3, "h": 4}
SET = {"state": "done", "annotations": [{"label": "car", "box": BOX, "attributes": {"a": [1]}}]}
ADD = {"op": "add", "label": "a", "box": BOX}
GONE = {"op": "update", "id": "00000000-0000-4000-8000-000000000001", "rev": 1, "box": BOX}
STALE_OPS = {"ops": [ADD, GONE, {"op": "order", "ids": []}], "state": "done"}
ANY = {"If-Match": "*"}
EVERYBODYS = {"user_id": None, "count": 3}
ROUND = {"name": "Twice", "annotators": ["{owner}", "{second}"], "images": ["{image}"]}
HAND_OVER = "/collections/{slug}/rounds/{round}/hand-over"
LEFT = {"from": "{second}", "to": None}
FILES = {"jobs_result"}
"""Operations that answer with a file of some type."""


@dataclass(frozen=True)
class Call:
    """One request whose answer is held against the description."""

    operation: str
    method: str
    path: str
    status: int
    json: Any = None
    files: tuple[bytes, ...] | None = None
    data_set: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    who: str = "owner"

    def __str__(self) -> str:
        return f"{self.operation} {self.status}"


def call(operation: str, line: str, status: int, **more: Any) -> Any:
    method, path = line.split(" ")
    made = Call(operation, method, path, status, **more)
    return pytest.param(made, id=f"{made} {path}")


EXPORT = {
    "format": "yolo",
    "images": False,
    "crops": True,
    "metadata": "gps",
    "filenames": "id",
    "splits": {"train": 80, "val": 20},
    "seed": 7,
    "states": ["done"],
    "labels": ["car"],
    "accept_losses": True,
}
DAMAGED = pictures.jpeg()[:300]
CALLS = [
    call("account_me", "GET /me", 200),
    call("account_keymap", "GET /me/keymap", 200),
    call("account_set_keymap", "PUT /me/keymap", 200, json={"keymap": {"draw": "y"}}),
    call("account_set_keymap", "PUT /me/keymap", 422, json={"keymap": {"draw": "?"}}),
    call("account_keys", "GET /api-keys", 200),
    call("admin_keys", "GET /admin/keys", 200, who="admin"),
    call("admin_keys", "GET /admin/keys", 403),
    call("account_create_key", "POST /api-keys", 201, json={"name": "n", "scopes": ["all"]}),
    call(
        "account_create_key",
        "POST /api-keys",
        201,
        json={"name": "n", "scopes": ["images:read"], "expires_in": "90d"},
    ),
    call("account_create_key", "POST /api-keys", 422, json={"name": "n", "scopes": ["x"]}),
    call("account_create_key", "POST /api-keys", 415, files=()),
    call("account_revoke_key", "DELETE /api-keys/{key}", 204),
    call("account_revoke_key", "DELETE /api-keys/{nothing}", 404),
    call("account_sessions", "GET /sessions", 200),
    call("account_draft_key", "GET /sessions/draft-key", 200),
    call("account_end_session", "DELETE /sessions/{session}", 204),
    call("account_end_session", "DELETE /sessions/{nothing}", 404),
    call("jobs_index", "GET /jobs", 200),
    call("jobs_index", "GET /jobs?limit=0", 422),
    call("jobs_index", "GET /jobs?cursor=x", 422),
    call("jobs_show", "GET /jobs/{job}", 200),
    call("jobs_show", "GET /jobs/{failed_job}", 200),
    call("jobs_show", "GET /jobs/{nothing}", 404),
    call("jobs_result", "GET /jobs/{job}/result", 200),
    call("jobs_result", "GET /jobs/{job}/result", 206, headers={"Range": "bytes=0-2"}),
    call("jobs_result", "GET /jobs/{failed_job}/result", 404),
    call("jobs_remove", "DELETE /jobs/{running_job}", 202),
    call("jobs_remove", "DELETE /jobs/{job}", 204),
    call("jobs_remove", "DELETE /jobs/{nothing}", 404),
    call("exchange_export", "POST /collections/{slug}/exports", 202, json={"format": "coco"}),
    call("exchange_export", "POST /collections/{slug}/exports", 202, json=EXPORT),
    call("exchange_export", "POST /collections/{slug}/exports", 422, json={"format": "x"}),
    call("exchange_export", "POST /collections/{slug}/exports", 422, json={"seed": 1}),
    call("exchange_accept_export", "POST /collections/{slug}/exports/{nothing}/accept", 404),
    call(
        "exchange_accept_export",
        "POST /collections/{slug}/exports/{unaccepted_job}/accept",
        202,
    ),
    call("exchange_examine", "POST /collections/{slug}/imports", 202, data_set=b"[]"),
    call("exchange_examine", "POST /collections/{slug}/imports", 422, data_set=b"PK\3\4"),
    call("exchange_examine", "POST /collections/{slug}/imports", 422, files=()),
    call("exchange_examine", "POST /collections/nothing/imports", 404, files=()),
    call(
        "exchange_accept_import",
        "POST /collections/{slug}/imports/{examined_job}/accept",
        202,
        json={"accept_losses": True, "mode": "replace"},
    ),
    call(
        "exchange_accept_import",
        "POST /collections/{slug}/imports/{examined_job}/accept",
        409,
        json={},
    ),
    call(
        "exchange_accept_import",
        "POST /collections/{slug}/imports/{nothing}/accept",
        404,
        json={"accept_losses": True},
    ),
    call(
        "exchange_accept_import",
        "POST /collections/{slug}/imports/{nothing}/accept",
        422,
        json={"mode": "x"},
    ),
    call("images_upload", "POST /images", 201, files=(b"",)),
    call("images_upload", "POST /images", 200, files=(b"again",)),
    call("images_upload", "POST /images", 207, files=(b"", b"no picture")),
    call("images_upload", "POST /images", 415, files=(b"no picture",)),
    call("images_upload", "POST /images", 422, files=(DAMAGED,)),
    call("images_upload", "POST /images", 422, files=()),
    call("images_upload_alias", "POST /upload", 201, files=(b"",)),
    call("images_upload_alias", "POST /upload", 200, files=(b"again",)),
    call("images_upload_alias", "POST /upload", 207, files=(b"", b"no picture")),
    call("images_upload_alias", "POST /upload", 422, files=()),
    call("images_upload_limits", "GET /upload", 200),
    call("images_index", "GET /images?collection={slug}&total=1&limit=1", 200),
    call("images_index", "GET /images?status=trashed", 200),
    call("images_index", "GET /images?limit=0", 422),
    call("images_index", "GET /images?collection=nothing", 404),
    call("images_show", "GET /images/{image}", 200),
    call("images_show", "GET /images/{public}", 200, who="other"),
    call("images_show", "GET /images/{nothing}", 404),
    call("images_remove", "DELETE /images/{image}", 200),
    call("images_remove", "DELETE /images/{image}?permanent=true", 200),
    call("images_remove", "DELETE /images/{image}?permanent=perhaps", 422),
    call("admin_rotate_keys", "POST /admin/keys/rotate", 202, json={}, who="admin"),
    call("admin_rotate_keys", "POST /admin/keys/rotate", 422, json={"scope": "x"}, who="admin"),
    call("admin_rotate_keys", "POST /admin/keys/rotate", 403, json={}),
    call("images_receipt", "GET /receipts/{receipt}", 200),
    call("images_receipt", "GET /receipts/{receipt}", 404, who="other"),
    call("images_restore", "POST /images/{trashed}/restore", 200),
    call("images_restore", "POST /images/{image}/restore", 403),
    call("annotations_show", "GET /images/{image}/annotations", 200),
    call(
        "annotations_show",
        "GET /images/{image}/annotations",
        304,
        headers={"If-None-Match": '"0"'},
    ),
    call("annotations_replace", "PUT /images/{image}/annotations", 200, json=SET, headers=ANY),
    call("annotations_replace", "PUT /images/{image}/annotations", 428, json=SET),
    call(
        "annotations_replace",
        "PUT /images/{image}/annotations",
        412,
        json=SET,
        headers={"If-Match": '"99"'},
    ),
    call(
        "annotations_replace",
        "PUT /images/{image}/annotations",
        422,
        json={"annotations": [{}]},
        headers=ANY,
    ),
    call("annotations_patch", "PATCH /images/{image}/annotations", 200, json={"ops": [ADD]}),
    call("annotations_patch", "PATCH /images/{image}/annotations", 409, json=STALE_OPS),
    call("annotations_patch", "PATCH /images/{image}/annotations", 422, json={"ops": [{}]}),
    call("copies_show", "GET /copies/{copy}/annotations", 200),
    call("copies_show", "GET /copies/{copy}/annotations", 404, who="editor"),
    call("copies_patch", "PATCH /copies/{copy}/annotations", 200, json={"ops": [ADD]}),
    call(
        "copies_patch",
        "PATCH /copies/{copy}/annotations",
        409,
        json=STALE_OPS | {"state": None},
    ),
    call("copies_patch", "PATCH /copies/{copy}/annotations", 422, json={"ops": [{}]}),
    call("copies_changes", "GET /copies/{copy}/annotations/changes?since=0", 200),
    call("copies_changes", "GET /copies/{copy}/annotations/changes?since=x", 422),
    call("copies_task", "GET /copies/{copy}/task", 200),
    call("copies_submit", "POST /copies/{copy}/submit", 200),
    call("copies_reopen", "POST /copies/{copy}/reopen", 200),
    call("copies_following", "GET /copies/{copy}/next", 200),
    call("rounds_index", "GET /collections/{slug}/rounds", 200),
    call("rounds_create", "POST /collections/{slug}/rounds", 201, json=ROUND),
    call("rounds_create", "POST /collections/{slug}/rounds", 422, json=ROUND | {"seed": 1}),
    call("rounds_show", "GET /collections/{slug}/rounds/{round}", 200),
    call("rounds_show", "GET /collections/{slug}/rounds/{nothing}", 404),
    call("rounds_hand_over", f"POST {HAND_OVER}", 200, json=LEFT),
    call("rounds_hand_over", f"POST {HAND_OVER}", 422, json={"from": "{second}"}),
    call("rounds_hand_over", f"POST {HAND_OVER}", 404, json=LEFT, who="viewer"),
    call("tasks_following", "GET /collections/{slug}/next", 200),
    call("tasks_following", "GET /collections/{slug}/next?state=rejected", 200),
    call("tasks_following", "GET /collections/{slug}/next?state=asleep", 422),
    call("tasks_following", "GET /collections/{slug}/next?after=x", 422),
    call("tasks_take_next", "POST /collections/{slug}/next", 200, json={"state": "new"}),
    call("tasks_take_next", "POST /collections/{slug}/next", 422, json={"after": "x"}),
    call("tasks_assign_some", "POST /collections/{slug}/assign", 200, json=EVERYBODYS),
    call("tasks_assign_some", "POST /collections/{slug}/assign", 422, json={"user_id": None}),
    call("tasks_show", "GET /images/{image}/task", 200),
    call("tasks_take", "POST /images/{image}/lease", 200),
    call("tasks_release", "POST /images/{image}/release", 200),
    call("tasks_submit", "POST /images/{image}/submit", 200),
    call("tasks_skip", "POST /images/{image}/skip", 200, json={"reason": "dark"}),
    call("tasks_skip", "POST /images/{image}/skip", 422, json={"reason": " "}),
    call("tasks_reopen", "POST /images/{image}/reopen", 200),
    call("tasks_review", "POST /images/{done}/review", 200, json={"verdict": "accept"}),
    call("tasks_review", "POST /images/{image}/review", 409, json={"verdict": "accept"}),
    call("tasks_review", "POST /images/{done}/review", 422, json={"verdict": "reject"}),
    call("tasks_review", "POST /images/{done}/review", 422, json={"verdict": "maybe"}),
    call("tasks_assign", "POST /images/{image}/assign", 200, json={"user_id": None}),
    call("tasks_assign", "POST /images/{image}/assign", 422, json={"user_id": "{member}"}),
    call(
        "annotation_history_changes",
        "GET /images/{image}/annotations/changes?since=0&tab={nothing}",
        200,
    ),
    call("annotation_history_changes", "GET /images/{image}/annotations/changes?tab=x", 422),
    call("comments_index", "GET /images/{image}/comments", 200),
    call("comments_add", "POST /images/{image}/comments", 201, json={"text": "a"}),
    call("comments_add", "POST /images/{image}/comments", 422, json={"text": " "}),
    call("comments_change", "PATCH /comments/{comment}", 200, json={"resolved": True}),
    call(
        "comments_change", "PATCH /comments/{comment}", 403, json={"text": "b"}, who="reviewer"
    ),
    call("comments_change", "PATCH /comments/{nothing}", 404, json={"text": "b"}),
    call("comments_remove", "DELETE /comments/{comment}", 204),
    call("annotation_history_history", "GET /images/{image}/annotations/history", 200),
    call("annotation_history_history", "GET /images/{image}/annotations/history?limit=0", 422),
    call(
        "annotation_history_restore",
        "POST /images/{image}/annotations/restore",
        200,
        json={"seq": 0},
    ),
    call(
        "annotation_history_restore",
        "POST /images/{image}/annotations/restore",
        422,
        json={"seq": 99999},
    ),
    call("collections_index", "GET /collections", 200),
    call("collections_create", "POST /collections", 201, json={"name": "A", "slug": None}),
    call("collections_create", "POST /collections", 409, json={"name": "A", "slug": "{slug}"}),
    call("collections_create", "POST /collections", 422, json={"surprise": 1}),
    call("collections_show", "GET /collections/{slug}", 200),
    call("collections_show", "GET /collections/nothing", 404),
    call("collections_edit", "PATCH /collections/{slug}", 200, json={"label_set": "closed"}),
    call("collections_edit", "PATCH /collections/{slug}", 422, json={"label_set": "ajar"}),
    call("collections_remove", "DELETE /collections/{empty}", 204),
    call("collections_remove", "DELETE /collections/{slug}", 409),
    call("collections_members", "GET /collections/{slug}/members", 200),
    call(
        "collections_add_member",
        "POST /collections/{slug}/members",
        201,
        json={"email": "other@people.example", "role": "viewer"},
    ),
    call(
        "collections_add_member",
        "POST /collections/{slug}/members",
        409,
        json={"email": "sixth@people.example", "role": "viewer"},
    ),
    call(
        "collections_edit_member",
        "PATCH /collections/{slug}/members/{member}",
        200,
        json={"role": "editor"},
    ),
    call(
        "collections_edit_member",
        "PATCH /collections/{slug}/members/{nothing}",
        404,
        json={"role": "editor"},
    ),
    call("collections_remove_member", "DELETE /collections/{slug}/members/{member}", 204),
    call("collections_labels", "GET /collections/{slug}/labels", 200),
    call("collections_add_label", "POST /collections/{slug}/labels", 201, json={"name": "b"}),
    call("collections_add_label", "POST /collections/{slug}/labels", 409, json={"name": "car"}),
    call(
        "collections_edit_label",
        "PATCH /collections/{slug}/labels/{label}",
        200,
        json={"colour": "#AABBCC", "hotkey": ""},
    ),
    call(
        "collections_edit_label",
        "PATCH /collections/{slug}/labels/{label}",
        422,
        json={"colour": "red"},
    ),
    call(
        "collections_order_labels",
        "PUT /collections/{slug}/labels/order",
        200,
        json={"ids": ["{label}"], "version": None},
    ),
    call(
        "collections_order_labels",
        "PUT /collections/{slug}/labels/order",
        409,
        json={"ids": ["{label}"], "version": 99},
    ),
    call("collections_label_versions", "GET /collections/{slug}/labels/versions", 200),
    call("collections_label_versions", "GET /collections/{slug}/labels/versions?before=x", 422),
    call(
        "collections_preview_label",
        "GET /collections/{slug}/labels/{label}/preview?attribute=a",
        200,
    ),
    call(
        "collections_merge_label",
        "POST /collections/{slug}/labels/{label}/merge",
        200,
        json={"into": "{bus}"},
    ),
    call(
        "collections_merge_label",
        "POST /collections/{slug}/labels/{label}/merge",
        202,
        json={"into": "{bus}"},
    ),
    call(
        "collections_merge_label",
        "POST /collections/{slug}/labels/{label}/merge",
        409,
        json={"into": "{bus}", "version": 999},
    ),
    call(
        "collections_split_label",
        "POST /collections/{slug}/labels/{label}/split",
        200,
        json={"attribute": "a", "values": {"1": "one"}},
    ),
    call(
        "collections_split_label",
        "POST /collections/{slug}/labels/{label}/split",
        202,
        json={"images": ["{image}"], "name": "two"},
    ),
    call(
        "collections_split_label",
        "POST /collections/{slug}/labels/{label}/split",
        422,
        json={"values": {"1": "one"}},
    ),
    call(
        "collections_switch_label_index",
        "PUT /collections/{slug}/label-index",
        202,
        json={"on": True},
    ),
    call("collections_switch_label_index", "PUT /collections/{slug}/label-index", 422, json={}),
    call("filters_index", "GET /filters?collection={slug}", 200),
    call("filters_create", "POST /filters", 201, json={"name": "n", "query": {"q": "a"}}),
    call("filters_create", "POST /filters", 422, json={"name": "n", "query": {"x": "a"}}),
    call("filters_remove", "DELETE /filters/{filter}", 204),
    call("filters_remove", "DELETE /filters/{nothing}", 404),
    call("images_index", "GET /images?collection={slug}&q=a&label=car&attribute=a:>1", 200),
    call("images_index", "GET /images?annotator=me&total=1", 200),
    call("images_index", "GET /images?annotator=nobody", 422),
    call("collections_remove_label", "DELETE /collections/{slug}/labels/{label}", 204),
]


@pytest.fixture(scope="module")
def document(site: Installation) -> dict[str, Any]:
    answer = site.app.test_client().get(f"{PREFIX}/openapi.json")
    assert answer.status_code == 200
    return answer.json


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the method and the description of every operation."""
    for path in document["paths"].values():
        yield from path.items()


# -- the document


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()


def test_every_schema_is_valid_and_used(document: dict[str, Any]) -> None:
    told = str(document)
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert f"'#/components/schemas/{name}'" in told, f"{name} is used nowhere"


def test_every_route_is_described(site: Installation, document: dict[str, Any]) -> None:
    routes = {
        (rule.endpoint.removeprefix("api.").replace(".", "_"), method.lower())
        for rule in site.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(PREFIX) and rule.endpoint != "openapi.spec"
    }
    told = {(it["operationId"], method) for method, it in operations(document)}
    assert told == routes
    assert len(list(operations(document))) == len(routes)
    assert all(path.startswith(PREFIX) for path in document["paths"])


def test_every_operation_says_all_there_is_to_say(document: dict[str, Any]) -> None:
    for method, it in operations(document):
        assert it["summary"], it
        assert it["description"], it
        assert it["tags"], it
        assert it["security"], it
        assert ("requestBody" in it) <= (method in {"post", "put", "patch"}), it
        told = {int(status): answer for status, answer in it["responses"].items()}
        assert any(status < 300 for status in told)
        for status, answer in told.items():
            kind = "application/problem+json" if status >= 400 else "application/json"
            kind = "*/*" if it["operationId"] in FILES and status < 400 else kind
            assert list(answer.get("content", ())) == ([] if status in {204, 304} else [kind])
            assert all(media["schema"] for media in answer.get("content", {}).values())


def test_a_writing_browser_shows_its_token(document: dict[str, Any]) -> None:
    for method, it in operations(document):
        session = {"session": []} | ({"csrf": []} if method != "get" else {})
        assert session in it["security"], it


def test_the_scope_of_a_key_is_the_one_that_is_asked_for(document: dict[str, Any]) -> None:
    told = {it["operationId"]: it["security"] for _, it in operations(document)}
    for (endpoint, _), row in TABLE.items():
        if endpoint.startswith("api.") and isinstance(row, Row):
            security = told[endpoint.removeprefix("api.").replace(".", "_")]
            scopes = [way["apiKey"] for way in security if "apiKey" in way]
            assert scopes == ([[row.scope]] if row.scope else []), endpoint


# -- what is answered


class World:
    """A place for every call, so that none sees what another did."""

    def __init__(self, site: Installation) -> None:
        self.site = site
        self.crowd = Crowd(site)
        owner = site.api("owner")
        shown = owner.upload((unique_png(), "public.png"), is_public="true")
        self.public = shown.json["images"][0]["id"]
        self.known = unique_png()
        owner.upload((self.known, "known.png"))

    def names(self, path: str) -> dict[str, str]:
        place: Place = make_place(self.site)
        people = {who: str(self.site.person(who).id) for who in ("owner", "second")}
        names = place.names | people | {"public": self.public}
        if "{trashed}" in path:
            names["trashed"] = str(make_place(self.site, trashed=True).image)
        if "{receipt}" in path:
            gone = make_place(self.site).image
            owner = self.site.person("owner").actor
            names["receipt"] = str(self.site.services.trash.destroy(owner, gone).receipt.id)
        if "{done}" in path:
            names["done"] = names["image"]
            self.site.services.tasks.submit(self.site.person("owner").actor, place.image)
        if "{empty}" in path:
            names["empty"] = make_empty_collection(self.site)
        if "{key}" in path:
            names["key"] = str(make_key(self.site).id)
        if "/merge" in path:
            owner = self.site.person("owner").actor
            bus = self.site.services.labels.create(owner, place.slug, LabelEdit(name="bus"))
            names["bus"] = str(bus.id)
        if "{filter}" in path:
            owner = self.site.person("owner").actor
            kept = self.site.services.saved_filters.add(owner, "mine", {"q": "a"}, place.slug)
            names["filter"] = str(kept.id)
        if "job}" in path:
            names |= jobs_of_every_kind(self.site) | reports_of(self.site, place.slug)
        if "{session}" in path:
            person = self.site.person("owner")
            names["session"] = str(self.site.services.sessions.create(person.id).id)
        return names

    def send(self, wanted: Call) -> TestResponse:
        names = self.names(wanted.path)
        more: dict[str, Any] = {"headers": dict(wanted.headers)}
        if wanted.files is not None:
            more["data"] = {"files": [self.file(content) for content in wanted.files]}
            more["content_type"] = "multipart/form-data"
        if wanted.data_set is not None:
            more["data"] = {"file": (BytesIO(wanted.data_set), "set.json")}
        if wanted.json is not None:
            more["json"] = self.filled(wanted.json, names)
        caller = self.crowd.caller(wanted.who)
        with pytest.MonkeyPatch.context() as patch:
            if wanted.status == 202:  # any picture is one too many to do it at once
                patch.setattr(relabelling, "FEW", -1)
            return caller.open(wanted.method, PREFIX + wanted.path.format(**names), **more)

    def file(self, content: bytes) -> tuple[BytesIO, str]:
        real = {b"": unique_png(), b"again": self.known}.get(content, content)
        return BytesIO(real), "one.png"

    def filled(self, body: Any, names: dict[str, str]) -> Any:
        if isinstance(body, dict):
            return {name: self.filled(value, names) for name, value in body.items()}
        if isinstance(body, list):
            return [self.filled(value, names) for value in body]
        return body.format(**names) if isinstance(body, str) else body


def jobs_of_every_kind(site: Installation) -> dict[str, str]:
    """One that is done, one that failed, one that some worker is at."""
    room, worker = JobRoom(site, "owner"), site.house.jobs.worker

    def fail(_: JobRun) -> None:
        raise Conflict("no")

    failed, running = room.enqueue(after=fail), room.enqueue()
    worker.work(failed)
    assert site.house.jobs.rows.claim(running, timedelta(minutes=1))
    done = make_job(site)
    return {"job": str(done), "failed_job": str(failed), "running_job": str(running)}


def reports_of(site: Installation, slug: str) -> dict[str, str]:
    """An import and an export of a place that each wait for somebody to accept a loss."""
    owner = site.person("owner").actor
    document = json.dumps(coco("one.png", "gone.png")).encode()
    imports, exports = site.services.imports, site.services.exports
    examined = imports.start(owner, slug, BytesIO(document), "a.json", ImportOptions("coco"))
    waiting = exports.start(owner, slug, ExportOptions("coco"))
    for job in (examined, waiting):
        site.house.jobs.worker.work(job)
    return {"examined_job": str(examined), "unaccepted_job": str(waiting)}


@pytest.fixture(scope="module")
def world(site: Installation) -> World:
    return World(site)


def closed(schema: Any) -> Any:
    """The same schema, in which an object holds what is told of it and no more."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    told = {name: closed(part) for name, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and "type" in schema:
        told.setdefault("additionalProperties", False)
    return told


def check(document: dict[str, Any], operation: str, answer: TestResponse) -> None:
    """Hold status, headers, type and body of an answer against the description."""
    it = next(it for _, it in operations(document) if it["operationId"] == operation)
    told = it["responses"][str(answer.status_code)]
    assert set(told["headers"]) <= set(answer.headers.keys())
    if "content" not in told:
        assert answer.data == b""
        return
    ((kind, media),) = told["content"].items()
    if kind == "*/*":
        assert answer.headers["Content-Disposition"].startswith("attachment")
        return
    assert answer.mimetype == kind
    schema = closed(media["schema"] | {"components": document["components"]})
    checker = Draft202012Validator.FORMAT_CHECKER
    Draft202012Validator(schema, format_checker=checker).validate(answer.json)


def test_formats_are_really_checked() -> None:
    checker = Draft202012Validator.FORMAT_CHECKER
    assert {"date-time", "uuid"} <= set(checker.checkers)


@pytest.mark.parametrize("wanted", CALLS)
def test_the_answer_is_as_described(
    world: World, document: dict[str, Any], wanted: Call
) -> None:
    answer = world.send(wanted)
    assert answer.status_code == wanted.status, answer.text
    check(document, wanted.operation, answer)


def test_every_success_is_tried(document: dict[str, Any]) -> None:
    told = {
        (it["operationId"], int(status))
        for _, it in operations(document)
        for status in it["responses"]
        if int(status) < 400
    }
    tried = [param.values[0] for param in CALLS]
    assert told == {(it.operation, it.status) for it in tried if it.status < 400}


def addresses(document: dict[str, Any], names: dict[str, str]) -> Iterator[Any]:
    """Yield method, a real address and the name of every operation."""
    real = {"image_id": "image", "key_id": "nothing", "session_id": "nothing"}
    real |= {"job_id": "nothing", "receipt_id": "nothing", "filter_id": "nothing"}
    real |= {"comment_id": "comment", "copy_id": "copy", "round_id": "round"}
    real |= {"user_id": "member", "label_id": "label"}
    values = names | {parameter: names[name] for parameter, name in real.items()}
    for path, methods in document["paths"].items():
        for method, it in methods.items():
            yield method.upper(), path.format(**values), it


def test_who_has_no_key_or_too_small_a_key_is_told_so_as_described(
    world: World, document: dict[str, Any]
) -> None:
    names = make_place(world.site).names
    for method, path, it in addresses(document, names):
        nobody = world.crowd.caller("anonymous").open(method, path, headers=ANY)
        assert nobody.status_code == 401, path
        check(document, it["operationId"], nobody)
        other = "account:read" if "account:read" not in str(it["security"]) else "images:read"
        narrow = world.crowd.caller("narrow key", scope=other)
        refused = narrow.open(method, path, headers=ANY, json=_least(document, it))
        assert refused.status_code == 403, (path, refused.text)
        check(document, it["operationId"], refused)


def _least(document: dict[str, Any], it: dict[str, Any]) -> Any:
    """The smallest body that gets past the form, by the description itself."""
    media = it.get("requestBody", {}).get("content", {}).get("application/json")
    if media is None:
        return None
    name = media["schema"]["$ref"].rpartition("/")[2]
    schema = document["components"]["schemas"][name]
    return {
        member: _some(schema["properties"][member]) for member in schema.get("required", ())
    }


def _some(schema: dict[str, Any]) -> Any:
    if schema["type"] == "array":
        return [] if not schema.get("minItems") else [_some(schema["items"])]
    if "null" in schema["type"]:
        return None
    if schema["type"] == "integer":
        return schema["minimum"]
    if schema.get("format") == "uuid":
        return "00000000-0000-4000-8000-000000000000"
    plain = {"boolean": True, "object": {}}.get(schema["type"], "word")
    return schema.get("enum", [plain])[0]
