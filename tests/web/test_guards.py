"""Host, proxies, bodies, methods and origins, before any view is asked."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.fixtures import pictures
from tests.fixtures.installation import Installation

FIVE_GB = 5 << 30
FORM = "multipart/form-data; boundary=b"


class Unreadable(BytesIO):
    """A body that nobody may look at."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("the body was read")

    readline = readinto = read1 = read  # type: ignore[assignment]


def announce(site: Installation, path: str, length: int, **headers: str) -> TestResponse:
    """Announce a body and send none: whoever reads it fails the test."""
    environ: dict[str, Any] = {"wsgi.input": Unreadable(), "CONTENT_LENGTH": str(length)}
    client = site.app.test_client()
    return client.post(path, content_type=FORM, headers=headers, environ_overrides=environ)


# -- hosts


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "evil.example:8000", "localhost@evil.example",
     "127.0.0.1.evil.example", "xlocalhost", "local host", "[::2]", "a" * 300],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/livez", "/api/v1/me", "/auth/login", "/no/such/page"])
def test_a_foreign_host_is_400(site: Installation, host: str, path: str) -> None:
    for accept in ("text/html", "application/json"):
        headers = {"Host": host, "Accept": accept}
        answer = site.app.test_client().get(path, headers=headers)
        assert answer.status_code == 400
        assert host not in answer.text


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:1234", "127.0.0.1:8000", "[::1]:8000"]
)
def test_own_hosts_are_known(site: Installation, host: str) -> None:
    assert site.app.test_client().get("/livez", headers={"Host": host}).status_code == 200


def test_a_host_in_a_forwarded_header_changes_nothing(site: Installation) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = site.app.test_client().get("/account", headers=headers | {"Accept": "text/html"})
    assert answer.status_code == 303
    assert "evil" not in answer.headers["Location"]


def test_the_short_way_of_thumbnails_knows_no_foreign_host_either(site: Installation) -> None:
    image = site.api().upload((pictures.jpeg(), "a.jpg")).json["images"][0]["id"]
    browser = site.browser()
    for path in (f"/images/{image}/thumb/320", f"/images/{image}/preview"):
        assert browser.client.get(path).status_code == 200
        cookie = browser.client.get_cookie("darkroom")
        headers = {"Host": "evil.example", "Cookie": f"darkroom={cookie.value}"}
        answer = site.app.test_client(use_cookies=False).get(path, headers=headers)
        assert answer.status_code == 400, path


# -- proxies


def address_seen(site: Installation, peer: str, **headers: str) -> str:
    """Return the address that a sign-in from there is noted with."""
    browser = site.browser(None)
    sent = {"environ_overrides": {"REMOTE_ADDR": peer}, "headers": headers}
    browser.get("/auth/login", **sent)
    form = {"email": site.person().email, "password": "correct horse battery staple"}
    assert browser.post("/auth/login", form, **sent).status_code == 303
    (current,) = [
        view
        for view in browser.client.get("/api/v1/sessions", **sent).json["sessions"]
        if view["is_current"]
    ]
    return str(current["address"])


def test_nobody_is_believed_who_is_no_trusted_proxy(site: Installation) -> None:
    spoofed = {"X-Forwarded-For": "10.9.8.7", "X-Real-Ip": "10.9.8.7"}
    assert address_seen(site, "203.0.113.5", **spoofed) == "203.0.113.5"


def test_a_trusted_proxy_is_believed_from_the_right(install) -> None:
    site = install(TRUSTED_PROXIES="10.0.0.0/8")
    chain = {"X-Forwarded-For": "6.6.6.6, 203.0.113.5, 10.1.1.1"}
    assert address_seen(site, "10.0.0.1", **chain) == "203.0.113.5"
    assert address_seen(site, "192.0.2.1", **chain) == "192.0.2.1"
    for nonsense in ("unknown", "", ", ,", "203.0.113.5:4711", "<script>"):
        assert address_seen(site, "10.0.0.1", **{"X-Forwarded-For": nonsense}) == "10.0.0.1"


def test_a_scheme_is_taken_from_a_trusted_proxy_alone(install) -> None:
    site = install(TRUSTED_PROXIES="10.0.0.1", PUBLIC_URL="https://localhost")
    for peer, status in (("10.0.0.1", 200), ("10.0.0.2", 302)):
        answer = site.app.test_client().get(
            "/auth/login",
            headers={"X-Forwarded-Proto": "https"},
            environ_overrides={"REMOTE_ADDR": peer},
        )
        assert answer.status_code == status


# -- bodies


@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/images", 401), ("/upload", 401), ("/auth/login", 413), ("/no/such/page", 404),
     ("/livez", 405), ("/api/v1/me", 405)],
)  # fmt: skip
def test_what_nobody_announces_is_not_read(site: Installation, path: str, status: int) -> None:
    answer = announce(site, path, FIVE_GB)
    assert answer.status_code == status


def test_a_body_over_the_limit_is_not_read(site: Installation) -> None:
    api = site.api()
    assert announce(site, "/api/v1/images", FIVE_GB, **api.headers).status_code == 413
    assert announce(site, "/api/v1/collections", 2 << 20, **api.headers).status_code == 413


def test_a_body_over_the_quota_is_not_read(install) -> None:
    site = install(QUOTA_DEFAULT="1 MiB")
    answer = announce(site, "/api/v1/images", 50 << 20, **site.api().headers)
    assert answer.status_code == 507
    assert answer.mimetype == "application/problem+json"


def test_a_key_without_the_scope_uploads_nothing(site: Installation) -> None:
    narrow = site.api("ann", "images:read")
    assert announce(site, "/api/v1/images", 1000, **narrow.headers).status_code == 403


@pytest.mark.parametrize("length", ["-1", "x", "1e9", "0x10", "9" * 40, "²", "+5", ""])
def test_an_odd_content_length_is_no_error_of_ours(site: Installation, length: str) -> None:
    environ: dict[str, Any] = {"wsgi.input": BytesIO(b""), "CONTENT_LENGTH": length}
    answer = site.app.test_client().post(
        "/api/v1/collections",
        headers=site.api().headers,
        content_type="application/json",
        environ_overrides=environ,
    )
    assert 400 <= answer.status_code < 500


def test_a_body_without_a_length_is_bounded_all_the_same(install) -> None:
    """As gunicorn hands on Transfer-Encoding: chunked."""
    site = install(UPLOAD_MAX_SIZE="1000", UPLOAD_MAX_FILES="1")
    for path, kind in (("/api/v1/images", FORM), ("/api/v1/collections", "application/json")):
        body = b"--b\r\n" + b" " * (3 << 20)
        environ: dict[str, Any] = {
            "wsgi.input": BytesIO(body),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        }
        answer = site.app.test_client().post(
            path, headers=site.api().headers, content_type=kind, environ_overrides=environ
        )
        assert answer.status_code in {413, 422}, path


def test_too_many_fields_are_413(site: Installation) -> None:
    browser = site.browser()
    many = {f"field{n}": "x" for n in range(1500)}
    assert browser.post("/collections", many, content_type=FORM[:19]).status_code == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"--b", b"--b\r\n\r\n\r\n--b--", b"--x\r\n--x--", b"\xff" * 100,
     b'--b\r\nContent-Disposition: form-data; name="files"; filename="a\x00b\r\n\r\nx\r\n--b--',
     b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\nno file\r\n--b--\r\n',
     b'--b\r\nContent-Disposition: form-data; name="tags"\r\nContent-Type: a; charset=x\r\n',
     b'--b\r\nContent-Disposition: form-data; name="\xff"; filename="\xff"\r\n\r\nx\r\n--b--'],
)  # fmt: skip
@pytest.mark.parametrize(
    "kind", [FORM, "multipart/form-data", "multipart/form-data; boundary="]
)
def test_a_broken_form_is_422(site: Installation, body: bytes, kind: str) -> None:
    answer = site.api().post("/api/v1/images", data=body, content_type=kind)
    assert answer.status_code in {400, 415, 422}


# -- methods


@pytest.mark.parametrize(("path", "status"), [("/no/such/page", 404), ("/gallery", 405)])
def test_wrong_addresses_and_methods_in_both_forms(
    site: Installation, path: str, status: int
) -> None:
    client = site.app.test_client()
    page = client.delete(path, headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (status, "text/html")
    problem = client.delete(path, headers={"Accept": "application/json"})
    assert (problem.status_code, problem.mimetype) == (status, "application/problem+json")
    assert problem.json["status"] == status
    assert problem.json["request_id"] == problem.headers["X-Request-ID"]
    assert client.delete("/api/v1/none").mimetype == "application/problem+json"
    if status == 405:
        assert "GET" in page.headers["Allow"]


def test_made_up_methods_are_refused_and_not_counted_by_name(site: Installation) -> None:
    client = site.app.test_client()
    for method in ("TRACE", "CONNECT", "BREW", "X" * 1000):
        assert client.open("/gallery", method=method).status_code == 405
    assert b"BREW" not in client.get("/metrics").data


def test_options_tell_methods_and_nothing_else(site: Installation) -> None:
    answer = site.api().open("OPTIONS", "/api/v1/images")
    assert answer.status_code == 200
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert answer.data == b""


def test_head_answers_as_get_does_without_a_body(site: Installation) -> None:
    browser = site.browser()
    for path in ("/gallery", "/account", "/auth/login", "/livez", "/api/v1/me"):
        head, get = browser.client.head(path), browser.client.get(path)
        assert (head.status_code, head.data) == (get.status_code, b""), path


@pytest.mark.parametrize("given", ["short", "has space in", "x" * 65, "né-ver-ever"])
def test_an_odd_request_id_is_replaced(site: Installation, given: str) -> None:
    answer = site.app.test_client().get("/livez", headers={"X-Request-ID": given})
    assert answer.headers["X-Request-ID"] != given
    assert len(answer.headers["X-Request-ID"]) == 36


def test_a_good_request_id_is_kept(site: Installation) -> None:
    answer = site.app.test_client().get("/livez", headers={"X-Request-ID": "trace-0001-abcd"})
    assert answer.headers["X-Request-ID"] == "trace-0001-abcd"


# -- origins


def test_only_named_origins_read_the_api(install) -> None:
    site = install(BACKEND_CORS_ORIGINS="https://app.example, http://localhost:3000")
    api = site.api()
    origins = {
        "https://app.example": True,
        "https://evil.example": False,
        "null": False,
        "https://app.example.evil.example": False,
    }
    for origin, known in origins.items():
        answer = api.get("/api/v1/me", headers={"Origin": origin})
        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if known else None)
        assert "Access-Control-Allow-Credentials" not in answer.headers
        asked = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
        preflight = site.app.test_client().options("/api/v1/images", headers=asked)
        assert (preflight.status_code == 204) is known
        assert ("Access-Control-Allow-Methods" in preflight.headers) is known
    page = site.app.test_client().get("/auth/login", headers={"Origin": "https://app.example"})
    assert "Access-Control-Allow-Origin" not in page.headers
    assert "Origin" in api.get("/api/v1/me").headers["Vary"]


def test_without_a_setting_no_origin_is_known(site: Installation) -> None:
    for origin in ("http://localhost", "https://app.example", "null"):
        answer = site.api().get("/api/v1/me", headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in answer.headers


# -- https


def test_https_means_secure_cookies_hsts_and_a_redirect(install) -> None:
    site = install(PUBLIC_URL="https://pictures.example")
    client = site.app.test_client()
    plain = client.get("/gallery?x=1", base_url="http://pictures.example")
    assert plain.status_code == 302
    assert plain.headers["Location"] == "https://pictures.example/gallery?x=1"
    secure = client.get("/auth/login", base_url="https://pictures.example")
    assert "max-age=63072000" in secure.headers["Strict-Transport-Security"]
    cookie = secure.headers["Set-Cookie"]
    assert cookie.startswith("__Host-darkroom=")
    for part in ("; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax"):
        assert part in cookie
    assert "Domain" not in cookie
    foreign = client.get("/gallery", base_url="http://evil.example")
    assert foreign.status_code == 400


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_probes_are_answered_over_http_all_the_same(install, path: str) -> None:
    site = install(PUBLIC_URL="https://pictures.example")
    assert site.app.test_client().get(path, base_url="http://127.0.0.1").status_code == 200


def test_http_promises_nothing_of_https(site: Installation) -> None:
    answer = site.app.test_client().get("/auth/login")
    assert "Strict-Transport-Security" not in answer.headers
    assert "Secure" not in answer.headers["Set-Cookie"]
