"""``/api/v1/images/<id>/annotations``: sets, revisions, label sets."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from app.domain.annotation import MAX_BOXES
from app.web.guards import BOXES_BYTES
from tests.fixtures import pictures
from tests.fixtures.installation import ApiClient, Installation


@pytest.fixture
def api(installation: Installation) -> ApiClient:
    return installation.api()


@pytest.fixture
def path(api: ApiClient) -> str:
    stored = api.upload((pictures.jpeg(), "a.jpg")).json["images"][0]
    return f"/api/v1/images/{stored['id']}/annotations"


def box(label: str = "car", **more: Any) -> dict[str, Any]:
    return {"label": label, "box": {"x": 1.25, "y": 2, "w": 30.5, "h": 40}, **more}


def put(api: ApiClient, path: str, boxes: list[dict[str, Any]], match: str = "*", **more: Any):
    return api.put(path, json={"annotations": boxes, **more}, headers={"If-Match": match})


def test_a_new_picture_has_an_empty_set(api: ApiClient, path: str) -> None:
    answer = api.get(path)
    assert answer.json == {"state": "new", "revision": 0, "schema": 1, "annotations": []}
    assert answer.headers["ETag"] == '"0"'
    assert api.get(path, headers={"If-None-Match": '"0"'}).status_code == 304


def test_a_set_comes_back_as_it_was_sent(api: ApiClient, path: str) -> None:
    mine = str(uuid4())
    saved = put(api, path, [box(id=mine), box("bus")], '"0"', state="done")
    assert saved.status_code == 200
    assert saved.headers["ETag"] == '"1"'
    assert saved.json["state"] == "done"
    first, second = saved.json["annotations"]
    assert first["id"] == mine
    assert first["box"] == {"x": 1.25, "y": 2.0, "w": 30.5, "h": 40.0}
    assert (first["label"], second["label"]) == ("car", "bus")
    assert api.get(path).json["annotations"] == saved.json["annotations"]
    listed = api.get("/api/v1/images?state=done").json["images"]
    assert [image["annotation_count"] for image in listed] == [2]


def test_only_what_changed_gets_a_new_revision(api: ApiClient, path: str) -> None:
    one, two = put(api, path, [box(), box("bus")]).json["annotations"]
    two["box"]["x"] = 9
    again = put(api, path, [one, two], '"1"').json["annotations"]
    assert [each["rev"] for each in again] == [1, 2]


def test_a_stale_revision_is_412_with_the_current_set(api: ApiClient, path: str) -> None:
    put(api, path, [box()])
    stale = put(api, path, [], '"0"')
    assert stale.status_code == 412
    assert stale.headers["ETag"] == '"1"'
    assert [each["label"] for each in stale.json["current"]["annotations"]] == ["car"]
    assert len(api.get(path).json["annotations"]) == 1


def test_a_put_without_a_revision_is_428(api: ApiClient, path: str) -> None:
    assert api.put(path, json={"annotations": []}).status_code == 428


@pytest.mark.parametrize(
    ("broken", "place"),
    [
        ({"box": {"x": 0, "y": 0, "w": 1, "h": "5"}}, "annotations[0].box.h"),
        ({"box": {"x": 0, "y": 0, "w": 1}}, "annotations[0].box.h"),
        ({"label": ""}, "annotations[0].label"),
        ({"id": "x"}, "annotations[0].id"),
    ],
)
def test_mistakes_are_named_by_their_place(
    api: ApiClient, path: str, broken: dict[str, Any], place: str
) -> None:
    answer = put(api, path, [box() | broken])
    assert answer.status_code == 422
    assert place in [error["path"] for error in answer.json["errors"]]
    assert api.get(path).json["annotations"] == []


@pytest.mark.parametrize("body", [b'{"annotations": [NaN]}', b"[[[", b'"x"', b"\xff"])
def test_what_is_no_document_is_422(api: ApiClient, path: str, body: bytes) -> None:
    answer = api.put(
        path, data=body, content_type="application/json", headers={"If-Match": "*"}
    )
    assert answer.status_code == 422


def test_a_closed_label_set_refuses_new_names(api: ApiClient, path: str) -> None:
    put(api, path, [box("car")])
    slug = api.get("/api/v1/collections").json["collections"][0]["slug"]
    closed = api.open("PATCH", f"/api/v1/collections/{slug}", json={"label_set": "closed"})
    assert closed.status_code == 200
    assert put(api, path, [box("car"), box("car")]).status_code == 200
    refused = put(api, path, [box("bus")])
    assert refused.status_code == 422
    assert refused.json["errors"][0]["path"] == "annotations[0].label"


def test_a_viewer_reads_and_does_not_write(installation: Installation, api: ApiClient) -> None:
    made = api.post("/api/v1/collections", json={"name": "Shared"}).json["slug"]
    stored = api.upload((pictures.png(), "a.png"), collection=made).json["images"][0]
    path = f"/api/v1/images/{stored['id']}/annotations"
    bob = installation.person("bob")
    api.post(f"/api/v1/collections/{made}/members", json={"email": bob.email, "role": "viewer"})
    viewer = installation.api("bob")
    assert viewer.get(path).status_code == 200
    assert put(viewer, path, [box()]).status_code == 403
    assert put(installation.api("eve"), path, [box()]).status_code == 404


def test_the_largest_set_fits_into_a_request_and_more_does_not(
    api: ApiClient, path: str
) -> None:
    stored = put(api, path, [box(f"class {n % 7}") for n in range(MAX_BOXES)])
    assert stored.status_code == 200
    again = put(api, path, stored.json["annotations"])
    assert (again.status_code, len(again.json["annotations"])) == (200, MAX_BOXES)
    padded = put(api, path, [], surprise="x" * BOXES_BYTES)
    assert padded.status_code == 413


def patch(api: ApiClient, path: str, *ops: dict[str, Any], **more: Any):
    return api.open("PATCH", path, json={"ops": list(ops), **more})


def test_single_boxes_are_added_changed_and_deleted(api: ApiClient, path: str) -> None:
    one, op_id = str(uuid4()), str(uuid4())
    shape = {"type": "rotated", "x": 1, "y": 2, "w": 3, "h": 4, "angle": 30}
    drawn = {"op": "add", "op_id": op_id, "id": one, "label": "car", "shape": shape}
    added = patch(api, path, drawn, state="done")
    assert (added.status_code, added.headers["ETag"]) == (200, '"1"')
    applied = [{"op_id": op_id, "id": one, "rev": 1}]
    assert added.json == {"state": "done", "revision": 1, "schema": 2, "applied": applied}
    (there,) = api.get(path).json["annotations"]
    assert (there["shape"], there["rev"]) == (shape, 1)
    assert patch(api, path, drawn, state="done").json == added.json
    gone = patch(api, path, {"op": "delete", "id": one, "rev": 1})
    assert gone.json["revision"] == 2
    assert api.get(path).json["annotations"] == []


def test_a_conflict_is_told_and_the_rest_is_saved(api: ApiClient, path: str) -> None:
    one, two = put(api, path, [box(), box("bus")]).json["annotations"]
    moved = {"op": "update", "id": one["id"], "rev": 1, "box": box()["box"] | {"x": 9}}
    patch(api, path, moved)
    theirs = api.get(path).json["annotations"][0]
    again = moved | {"op_id": str(uuid4()), "box": box()["box"] | {"x": 7}}
    other = {"op": "update", "op_id": str(uuid4()), "id": two["id"], "rev": 1, "label": "car"}
    refused = patch(api, path, again, other)
    assert (refused.status_code, refused.headers["ETag"]) == (409, '"3"')
    assert refused.json["type"] == "urn:darkroom:problem:stale_annotations"
    mine = {**one, "box": again["box"]}
    told = {"id": one["id"], "op_ids": [again["op_id"]], "base": one, "mine": mine}
    assert refused.json["conflicts"] == [{**told, "theirs": theirs}]
    assert [done["op_id"] for done in refused.json["applied"]] == [other["op_id"]]
    assert api.get(path).json["annotations"][1]["label"] == "car"


def test_a_mistake_in_an_operation_is_named_by_its_place(api: ApiClient, path: str) -> None:
    broken = {"op": "add", "label": "car", "box": {"x": 0, "y": 0, "w": 1}}
    answer = patch(api, path, {"op": "add", **box()}, broken)
    assert answer.status_code == 422
    assert [error["path"] for error in answer.json["errors"]] == ["$.ops[1].box.h"]
    assert api.get(path).json["annotations"] == []


def test_history_news_and_the_way_back(installation: Installation, api: ApiClient) -> None:
    made = api.post("/api/v1/collections", json={"name": "Shared"}).json["slug"]
    stored = api.upload((pictures.png(), "a.png"), collection=made).json["images"][0]
    path = f"/api/v1/images/{stored['id']}/annotations"
    bob = installation.person("bob")
    member = {"email": bob.email, "role": "annotator"}
    api.post(f"/api/v1/collections/{made}/members", json=member)
    theirs = installation.api("bob")
    one, two = put(api, path, [box(), box("bus")]).json["annotations"]
    patch(theirs, path, {"op": "delete", "id": one["id"], "rev": 1}, {"op": "order", "ids": []})
    tab, other = str(uuid4()), str(uuid4())
    theirs.get(f"{path}/changes?tab={other}")
    news = api.get(f"{path}/changes?since=1&tab={tab}").json
    assert (news["revision"], news["order"]) == (2, None)
    (gone,) = news["changes"]
    assert (gone["op"], gone["id"], gone["annotation"]) == ("delete", one["id"], None)
    assert gone["person"] == {"name": "Bob", "initials": "B", "you": False}
    assert [person["you"] for person in news["people"]] == [False]
    assert "@" not in str(news)
    assert api.get(f"{path}/changes?since=2").json["changes"] == []
    page = api.get(f"{path}/history?limit=2").json
    assert [(e["seq"], e["op"], e["way"]) for e in page["history"]] == [
        (2, "delete", "patch"), (1, "state", "put"),
    ]  # fmt: skip
    assert page["history"][0]["before"] == one
    rest = api.get(f"{path}/history?cursor={page['pagination']['next_cursor']}").json
    assert [e["after"] for e in rest["history"]] == [two, one]
    restored = theirs.post(f"{path}/restore", json={"seq": 1})
    assert (restored.status_code, restored.headers["ETag"]) == (200, '"3"')
    assert [a["id"] for a in restored.json["annotations"]] == [one["id"], two["id"]]
    assert api.get(path).json["annotations"] == restored.json["annotations"]
    assert api.post(f"{path}/restore", json={"seq": 9}).status_code == 422
