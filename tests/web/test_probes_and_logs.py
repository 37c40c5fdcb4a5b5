"""Probes, figures, and what a log may say."""

from __future__ import annotations

import io
import logging

import pytest

from app.logs import ConsoleFormatter, JsonFormatter
from tests.fixtures import pictures
from tests.fixtures.installation import Installation

SECRET = "marker-holiday-4711"


def test_metrics_take_their_token_and_nothing_else(install) -> None:
    site = install(METRICS_TOKEN="t" * 40)
    client = site.app.test_client()
    for shown, status in (
        ("Bearer " + "t" * 40, 200),
        ("Bearer wrong", 404),
        ("Bearer ²", 404),
    ):
        assert client.get("/metrics", headers={"Authorization": shown}).status_code == status
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize(
    "name",
    ["Forwarded", "X-Forwarded-For", "X-Forwarded-Server", "X-Forwarded-Ssl", "X-Real-Ip"],
)
def test_metrics_are_for_loopback_without_any_proxy(site: Installation, name: str) -> None:
    client = site.app.test_client()
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", headers={name: "127.0.0.1"}).status_code == 404
    away = {"REMOTE_ADDR": "203.0.113.1"}
    assert client.get("/metrics", environ_overrides=away).status_code == 404


@pytest.mark.parametrize("part", ["store", "vault"])
def test_readyz_names_what_is_away_and_recovers(installation: Installation, part: str) -> None:
    client = installation.app.test_client()
    assert client.get("/readyz").status_code == 200
    path = getattr(installation.settings, f"{part}_path")
    path.rename(path.with_name("away"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["parts"][part] != "ok"
    assert client.get("/livez").status_code == 200
    path.with_name("away").rename(path)
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize("formatter", [JsonFormatter(), ConsoleFormatter()])
def test_logs_hold_no_secret(installation: Installation, formatter: logging.Formatter) -> None:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        key, token = _use(installation)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert said.getvalue()
    for secret in (key, token, SECRET, "people.example", installation.environ["SECRET_KEY"]):
        assert secret not in said.getvalue()


def _use(installation: Installation) -> tuple[str, str]:
    """Work and fail in many ways; return the key and a signed token."""
    api = installation.api()
    made = api.upload((pictures.jpeg(), f"{SECRET}.jpg"), tags=SECRET).json["images"][0]
    api.upload((b"none", f"{SECRET}.txt"))
    api.get(f"/api/v1/images?tag={SECRET}&cursor={SECRET}")
    token = made["url"].rpartition("/")[2]
    installation.app.test_client().get(f"/m/{token}")
    browser = installation.browser(None)
    browser.get(f"/auth/login?next=/{SECRET}")
    browser.post("/auth/login", {"email": "ann@people.example", "password": SECRET})
    store = installation.settings.store_path
    store.rename(store.with_name("away"))
    api.get(f"/images/{made['id']}/original")
    store.with_name("away").rename(store)
    return api.headers["Authorization"].removeprefix("Bearer "), token


def test_a_line_break_makes_no_second_line() -> None:
    record = logging.makeLogRecord({"msg": "one\ntwo\r\nthree", "levelname": "INFO"})
    assert len(ConsoleFormatter().format(record).splitlines()) == 1
