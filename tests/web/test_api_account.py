"""``/me``, ``/api-keys``, ``/sessions``."""

from __future__ import annotations

from tests.fixtures import pictures
from tests.fixtures.installation import ApiClient, Installation


def test_me(installation: Installation) -> None:
    api = installation.api()
    content = pictures.png()
    api.upload((content, "a.png"))
    me = api.get("/api/v1/me").json
    assert (me["email"], me["name"]) == ("ann@people.example", "Ann")
    assert me["quota"] == {"used": len(content), "limit": 10 << 30}


def test_a_key_makes_no_wider_key(installation: Installation) -> None:
    narrow = installation.api("ann", "account:read", "account:write", "images:read")
    made = narrow.post("/api/v1/api-keys", json={"name": "x", "scopes": ["images:read"]})
    assert made.status_code == 201
    assert made.json["key"].startswith("dk_")
    wider = narrow.post("/api/v1/api-keys", json={"name": "x", "scopes": ["images:write"]})
    assert wider.status_code == 422
    listed = narrow.get("/api/v1/api-keys").json["api_keys"]
    assert made.json["key"] not in str(listed)
    fresh = ApiClient(installation.app.test_client(), made.json["key"])
    assert fresh.get("/api/v1/images").status_code == 200
    assert fresh.get("/api/v1/me").status_code == 403
    assert narrow.delete(f"/api/v1/api-keys/{made.json['id']}").status_code == 204
    assert fresh.get("/api/v1/images").status_code == 401


def test_only_an_administrator_gives_a_rate(installation: Installation) -> None:
    installation.person("root", admin=True)
    asked = {"name": "x", "scopes": ["images:read"], "rate": "3 per minute"}
    assert installation.api("ann").post("/api/v1/api-keys", json=asked).status_code == 403
    made = installation.api("root").post("/api/v1/api-keys", json=asked)
    assert made.status_code == 201
    limited = ApiClient(installation.app.test_client(), made.json["key"])
    answers = [limited.get("/api/v1/images").status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]


def test_a_lifetime_is_a_length_of_time(installation: Installation) -> None:
    api = installation.api()
    good = {"name": "x", "scopes": ["all"], "expires_in": "90d"}
    assert api.post("/api/v1/api-keys", json=good).json["expires_at"].endswith("Z")
    bad = api.post("/api/v1/api-keys", json=good | {"expires_in": "soon"})
    assert (bad.status_code, bad.json["errors"][0]["path"]) == (422, "expires_in")


def test_no_key_ends_a_session(installation: Installation) -> None:
    installation.browser("ann")
    api = installation.api("ann")
    (session,) = api.get("/api/v1/sessions").json["sessions"]
    assert api.delete(f"/api/v1/sessions/{session['id']}").status_code == 403


def test_a_text_that_is_no_length_of_time_makes_no_key_for_ever(site: Installation) -> None:
    api = site.api()
    for text in ("", " ", "0d", "soon"):
        body = {"name": "n", "scopes": ["images:read"], "expires_in": text}
        assert api.post("/api/v1/api-keys", json=body).status_code == 422
