"""Media addresses: who gets what, ranges, ETags, caching, names, headers."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest

from tests.fixtures import pictures
from tests.fixtures.installation import ApiClient, Installation

NAME = "Zoë & friends' day; 100%.jpg"


@pytest.fixture
def content() -> bytes:
    return pictures.camera_jpeg()


@pytest.fixture
def api(installation: Installation) -> ApiClient:
    return installation.api()


@pytest.fixture
def image_id(api: ApiClient, content: bytes) -> str:
    answer = api.upload((content, NAME))
    assert answer.status_code == 201, answer.json
    return str(answer.json["images"][0]["id"])


def test_the_original_comes_back_byte_by_byte(
    api: ApiClient, image_id: str, content: bytes
) -> None:
    answer = api.get(f"/images/{image_id}/original")
    assert answer.status_code == 200
    assert answer.data == content
    assert answer.mimetype == "image/jpeg"
    assert answer.headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize("path", ["original", "preview", "thumb/320", "thumb/640", "thumb/160"])
def test_media_headers(api: ApiClient, image_id: str, path: str) -> None:
    headers = api.get(f"/images/{image_id}/{path}").headers
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Content-Disposition"] == "inline"
    assert headers["Vary"] == "Cookie, Authorization"
    assert "public" not in headers["Cache-Control"]


def test_a_known_etag_is_answered_without_a_body(api: ApiClient, image_id: str) -> None:
    for path in ("original", "preview", "thumb/320"):
        etag = api.get(f"/images/{image_id}/{path}").headers["ETag"]
        again = api.get(f"/images/{image_id}/{path}", headers={"If-None-Match": etag})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == etag
        other = api.get(f"/images/{image_id}/{path}", headers={"If-None-Match": '"other"'})
        assert other.status_code == 200


def test_a_304_opens_neither_store_nor_vault(
    installation: Installation, api: ApiClient, image_id: str
) -> None:
    etag = api.get(f"/images/{image_id}/thumb/320").headers["ETag"]
    store, vault = installation.settings.store_path, installation.settings.vault_path
    store.rename(store.with_name("away"))
    vault.rename(vault.with_name("gone"))
    again = api.get(f"/images/{image_id}/thumb/320", headers={"If-None-Match": etag})
    assert again.status_code == 304


def test_head_has_the_headers_of_get(api: ApiClient, image_id: str, content: bytes) -> None:
    for path in ("original", "thumb/320"):
        full = api.get(f"/images/{image_id}/{path}")
        head = api.open("HEAD", f"/images/{image_id}/{path}")
        assert (head.status_code, head.data) == (200, b"")
        for name in ("Content-Length", "Content-Type", "ETag", "Cache-Control"):
            assert head.headers[name] == full.headers[name]


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-99", 5, 100),
        ("bytes=100-", 100, None),
        ("bytes=-7", -7, None),
    ],
)
def test_one_range(
    api: ApiClient, image_id: str, content: bytes, asked: str, start: int, stop: int | None
) -> None:
    answer = api.get(f"/images/{image_id}/original", headers={"Range": asked})
    wanted = content[start:stop]
    first = len(content) + start if start < 0 else start
    assert answer.status_code == 206
    assert answer.data == wanted
    last = first + len(wanted) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(content)}"


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "bytes=x", "lines=0-3", "bytes=5-2"])
def test_what_is_no_single_range_gives_the_whole(
    api: ApiClient, image_id: str, content: bytes, asked: str
) -> None:
    answer = api.get(f"/images/{image_id}/original", headers={"Range": asked})
    assert (answer.status_code, answer.data) == (200, content)


def test_a_range_beyond_the_end_is_416(api: ApiClient, image_id: str, content: bytes) -> None:
    answer = api.get(
        f"/images/{image_id}/original", headers={"Range": f"bytes={len(content)}-"}
    )
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(content)}"


def test_if_range(api: ApiClient, image_id: str, content: bytes) -> None:
    etag = api.get(f"/images/{image_id}/original").headers["ETag"]
    path = f"/images/{image_id}/original"
    same = api.get(path, headers={"Range": "bytes=0-3", "If-Range": etag})
    assert (same.status_code, same.data) == (206, content[:4])
    changed = api.get(path, headers={"Range": "bytes=0-3", "If-Range": '"old"'})
    assert (changed.status_code, changed.data) == (200, content)


def test_a_download_has_the_real_name_and_is_not_kept(api: ApiClient, image_id: str) -> None:
    answer = api.get(f"/images/{image_id}/original?download=1")
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment; ")
    assert f"filename*=UTF-8''{quote(NAME, safe='')}" in disposition
    assert answer.headers["Cache-Control"] == "no-store"


def test_types_that_browsers_do_not_show_are_attachments(api: ApiClient) -> None:
    image_id = api.upload((pictures.tiff(), "scan.tif")).json["images"][0]["id"]
    answer = api.get(f"/images/{image_id}/original")
    assert answer.headers["Content-Disposition"] == "attachment"


def test_the_address_of_the_store(api: ApiClient, image_id: str, content: bytes) -> None:
    path = api.get(f"/api/v1/images/{image_id}").json["path"]
    assert path.startswith("/dam/c-")
    assert path.endswith(".jpg.enc")
    assert api.get(path).data == content
    elsewhere = api.get(path.replace("/dam/c-", "/dam/d-"))
    assert (elsewhere.status_code, elsewhere.headers["Location"]) == (308, path)
    assert api.get(path.replace("image_1", "image_2")).status_code == 404
    assert api.get("/dam/x/../../darkroom.db.enc").status_code == 404


@pytest.mark.parametrize(
    "path", ["original", "preview", "thumb/320", "thumb/321", "thumb/0", "nothing"]
)
def test_another_persons_picture_does_not_exist(
    installation: Installation, image_id: str, path: str
) -> None:
    answer = installation.api("bob").get(f"/images/{image_id}/{path}")
    assert answer.status_code == 404


def test_nobody_gets_nothing(installation: Installation, image_id: str) -> None:
    client = installation.app.test_client()
    for path in ("original", "preview", "thumb/320"):
        assert client.get(f"/images/{image_id}/{path}").status_code == 401
    page = client.get(f"/images/{image_id}/original", headers={"Accept": "text/html"})
    assert page.status_code == 303
    assert "/auth/login" in page.headers["Location"]


def test_a_key_without_the_scope_is_refused(installation: Installation, image_id: str) -> None:
    narrow = installation.api("ann", "collections:read")
    assert narrow.get(f"/images/{image_id}/thumb/320").status_code == 403


def test_a_signed_address_works_without_a_session_until_it_expires(
    installation: Installation, api: ApiClient, image_id: str, content: bytes
) -> None:
    url = api.get(f"/api/v1/images/{image_id}").json["url"]
    path = url.removeprefix(installation.settings.public_url)
    client = installation.app.test_client()
    answer = client.get(path)
    assert (answer.status_code, answer.data) == (200, content)
    assert answer.headers["Cache-Control"] == "no-store"
    token = installation.services.delivery.sign_view(
        installation.services.library.page(installation.person().actor, _query()).cards[0].id,
        0,
        int(time.time()) - 1,
    )
    assert client.get(f"/m/{token}").status_code == 410
    assert client.get(path[:-2] + ("AA" if path[-2:] != "AA" else "BB")).status_code == 404


def _query() -> object:
    from app.services.listing import ListQuery

    return ListQuery()


def test_media_cache_can_be_switched_off(install) -> None:
    installation = install(MEDIA_CACHE="off")
    api = installation.api()
    image_id = api.upload((pictures.jpeg(), "a.jpg")).json["images"][0]["id"]
    assert api.get(f"/images/{image_id}/thumb/320").headers["Cache-Control"] == "no-store"
