"""``/api/v1/images``: verdicts, lists, trash."""

from __future__ import annotations

import hashlib

import pytest

from tests.fixtures import pictures
from tests.fixtures.installation import ApiClient, Installation
from tests.fixtures.uploads import PictureRoom, picture


@pytest.fixture
def api(installation: Installation) -> ApiClient:
    return installation.api()


def test_an_upload_tells_what_was_stored(api: ApiClient) -> None:
    content = pictures.camera_jpeg()
    answer = api.upload((content, "holiday/2021/one.jpg"), tags=["a, b", "c"], is_public="true")
    assert answer.status_code == 201
    (image,) = answer.json["images"]
    assert answer.json["errors"] == []
    assert image["original_name"] == "one.jpg"
    assert image["size"] == len(content)
    assert image["content_type"] == "image/jpeg"
    assert image["duplicate"] is False
    detail = api.get(f"/api/v1/images/{image['id']}").json
    assert detail["tags"] == ["a", "b", "c"]
    assert detail["is_public"] is True
    assert detail["checksums"] == {
        "md5": hashlib.md5(content).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    assert detail["status"] == "ready"
    assert detail["annotation_state"] == "new"
    assert detail["taken_at"] == pictures.TAKEN_AT
    assert detail["uploaded_from"] == "127.0.0.1"


def test_some_bad_some_good_is_207_with_both_lists(api: ApiClient) -> None:
    answer = api.upload((pictures.png(), "good.png"), (b"not a picture at all", "bad.txt"))
    assert answer.status_code == 207
    assert [image["original_name"] for image in answer.json["images"]] == ["good.png"]
    (error,) = answer.json["errors"]
    assert error["file"] == "bad.txt"
    assert error["code"] == "unsupported_type"
    assert "JPEG" in error["message"]


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_type"),
        (pictures.jpeg()[:300], 422, "undecodable_media"),
        (b"", 422, "invalid_input"),
        (pictures.png_of_claimed_size(60000, 60000), 422, "undecodable_media"),
    ],
)
def test_all_bad_is_the_status_of_the_refusal(
    api: ApiClient, content: bytes, status: int, code: str
) -> None:
    answer = api.upload((content, "bad.bin"))
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["errors"][0]["code"] == code
    assert answer.json["errors"][0]["file"] == "bad.bin"
    assert answer.headers["X-Request-ID"]
    assert api.get("/api/v1/images").json["images"] == []


def test_a_file_over_the_limit_is_413_and_spares_the_others(install) -> None:
    api = install(UPLOAD_MAX_SIZE="20000").api()
    large = pictures.jpeg(pictures.photograph(900, 700), quality=98)
    assert len(large) > 20000
    both = api.upload((large, "large.jpg"), (pictures.jpeg(), "small.jpg"))
    assert both.status_code == 207
    assert both.json["errors"][0]["code"] == "file_too_large"
    assert api.upload((large, "large.jpg")).status_code == 413


def test_a_body_over_the_limit_is_refused_by_its_length(install) -> None:
    api = install(UPLOAD_MAX_SIZE="1000", UPLOAD_MAX_FILES="2").api()
    body = {"data": bytes(2_000_000), "content_type": "multipart/form-data; boundary=b"}
    answer = api.post("/api/v1/images", **body)
    assert answer.status_code == 413
    assert answer.mimetype == "application/problem+json"


def test_too_many_files_and_none(install) -> None:
    api = install(UPLOAD_MAX_FILES="2").api()
    three = [(pictures.png(), f"{n}.png") for n in range(3)]
    assert api.upload(*three).status_code == 422
    assert api.post("/api/v1/images", data={}).status_code == 422


def test_an_exhausted_quota_is_507(install) -> None:
    api = install(QUOTA_DEFAULT="2000").api()
    content = pictures.jpeg(pictures.photograph(300, 200), quality=95)
    assert api.upload((content, "a.jpg")).status_code == 507
    assert api.get("/api/v1/me").json["quota"] == {"used": 0, "limit": 2000}


def test_the_eleventh_upload_of_a_minute_is_429(install) -> None:
    api = install(RATELIMIT_UPLOAD="10 per minute").api()
    for _ in range(10):
        assert api.upload((b"x", "x")).status_code == 415
    answer = api.upload((b"x", "x"))
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.mimetype == "application/problem+json"


def test_the_limits_tell_the_uploads_left_and_cost_none(install) -> None:
    api = install(RATELIMIT_UPLOAD="10 per minute").api()
    assert api.get("/api/v1/upload").json["rate_left"] == 10
    for _ in range(3):
        api.upload((b"x", "x"))
    looks = [api.get("/api/v1/upload") for _ in range(14)]
    assert [look.status_code for look in looks] == [200] * 9 + [429] * 5
    assert looks[0].json["rate_left"] == 7
    assert int(looks[-1].headers["Retry-After"]) >= 1
    assert api.upload((b"x", "x")).status_code == 415


def test_the_same_file_again_is_a_duplicate(api: ApiClient) -> None:
    content = pictures.png()
    first = api.upload((content, "a.png")).json["images"][0]
    again = api.upload((content, "b.png"))
    assert again.status_code == 200
    assert again.json["images"][0]["id"] == first["id"]
    assert again.json["images"][0]["duplicate"] is True
    api.delete(f"/api/v1/images/{first['id']}")
    back = api.upload((content, "b.png"))
    assert (back.status_code, back.json["images"][0]["id"]) == (200, first["id"])
    assert api.get(f"/api/v1/images/{first['id']}").json["status"] == "ready"


def test_unknown_and_foreign_collections_are_404(installation: Installation) -> None:
    bob = installation.api("bob")
    slug = bob.get("/api/v1/collections").json["collections"][0]["slug"]
    ann = installation.api("ann")
    for name in (slug, "no-such-thing"):
        answer = ann.upload((pictures.png(), "a.png"), collection=name)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("expires_at", "yesterday"),
        ("expires_at", "2001-01-01T00:00:00Z"),
        ("is_public", "perhaps"),
        ("tags", "x" * 65),
    ],
)
def test_wrong_fields_are_named(api: ApiClient, field: str, value: str) -> None:
    answer = api.upload((pictures.png(), "a.png"), **{field: value})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["path"] == field
    assert api.get("/api/v1/images").json["images"] == []


def test_lists_page_by_cursor_without_gap_or_double(api: ApiClient) -> None:
    ids = []
    for n in range(7):
        content = pictures.png(pictures.scene(20 + n, 20))
        ids.append(api.upload((content, f"{n}.png")).json["images"][0]["id"])
    for sort, wanted in (("-uploaded", ids[::-1]), ("uploaded", ids)):
        seen: list[str] = []
        cursor = ""
        while True:
            page = api.get(f"/api/v1/images?limit=3&sort={sort}&cursor={cursor}").json
            seen += [image["id"] for image in page["images"]]
            cursor = page["pagination"]["next_cursor"]
            assert page["pagination"]["total"] is None
            if cursor is None:
                break
        assert seen == wanted
    assert api.get("/api/v1/images?total=1").json["pagination"]["total"] == 7


def test_a_total_is_of_the_list_that_was_asked_for(installation: Installation) -> None:
    api, room = installation.api(), PictureRoom(installation)
    other = room.services.collections.create(room.actor, name="Other").slug
    ids = [room.upload(picture(n), tags=("sea",) * (n < 2)).id for n in range(5)]
    room.upload(picture(9), collection=other, tags=("sea", "dog"))
    room.services.trash.trash(room.actor, ids[0])
    room.run_out(ids[4])
    room.services.annotations.put(room.actor, ids[2], {"state": "done", "annotations": []}, "*")
    totals = {
        "": 4,
        "tag=sea": 2,
        "tag=dog": 1,
        "tag=nobody": 0,
        f"collection={other}": 1,
        f"collection={other}&tag=sea": 1,
        "status=trashed": 2,
        "status=ready": 4,
        "status=error": 0,
        "kind=image": 4,
        "kind=video": 0,
        "state=done": 1,
        "state=new&tag=sea": 2,
        "from=2020-01-01": 4,
        "to=2020-01-01": 0,
    }
    for query, total in totals.items():
        seen, cursor = 0, ""
        while cursor is not None:
            page = api.get(f"/api/v1/images?total=1&limit=1&{query}&cursor={cursor}").json
            assert page["pagination"]["total"] == total, query
            seen, cursor = seen + len(page["images"]), page["pagination"]["next_cursor"]
        assert seen == total, query
    bob = installation.api("bob")
    assert bob.get("/api/v1/images?total=1&kind=image").json["pagination"]["total"] == 0
    assert bob.get(f"/api/v1/images?total=1&kind=image&collection={other}").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "cursor=xx", "sort=name", "state=odd", "from=when",
     "status=destroyed", "attribute=:3", "annotator=x", "kind=song",
     "to=2026-01-01&from=2026-01-02"],
)  # fmt: skip
def test_wrong_list_arguments_are_422(api: ApiClient, query: str) -> None:
    answer = api.get(f"/api/v1/images?{query}")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["path"] == query.split("=")[0]


def test_trash_restore_and_destroy(api: ApiClient) -> None:
    image_id = api.upload((pictures.png(), "a.png")).json["images"][0]["id"]
    path = f"/api/v1/images/{image_id}"
    gone = api.delete(path)
    assert (gone.status_code, gone.json["status"]) == (200, "trashed")
    assert gone.json["destroyed_at"]
    assert api.get("/api/v1/images").json["images"] == []
    listed = api.get("/api/v1/images?status=trashed").json["images"]
    assert [image["id"] for image in listed] == [image_id]
    assert api.post(f"{path}/restore").status_code == 200
    assert api.get(path).json["status"] == "ready"
    assert api.post(f"{path}/restore").status_code == 403
    shredded = api.delete(f"{path}?permanent=true")
    assert (shredded.status_code, shredded.json["status"]) == (200, "destroyed")
    for again in (api.get(path), api.delete(path), api.post(f"{path}/restore")):
        assert again.status_code == 404
    assert api.get("/api/v1/me").json["quota"]["used"] == 0


def test_upload_tells_its_limits(api: ApiClient) -> None:
    told = api.get("/api/v1/upload").json
    assert told["max_size"] == 104857600
    assert "image/jpeg" in told["accepted_types"]
    assert (
        api.post(
            "/api/v1/upload",
            data={"files": [(__import__("io").BytesIO(pictures.png()), "a.png")]},
        ).status_code
        == 201
    )
