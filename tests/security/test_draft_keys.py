"""The keys of drafts in a browser: one's own, of a session, told to nobody else."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.fixtures.installation import Installation

PATH = "/api/v1/sessions/draft-key"


def asked(installation: Installation, name: str) -> dict[str, Any]:
    answer = installation.browser(name).get(PATH)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json
    return found


def test_a_person_has_the_same_in_every_session_and_nobody_else_has_it(
    installation: Installation,
) -> None:
    mine, again, theirs = (asked(installation, who) for who in ("ann", "ann", "ben"))
    assert mine == again
    assert mine["user"] == str(installation.person("ann").id)
    assert len(base64.b64decode(mine["keys"][0]["key"])) == 32
    values = {one[name] for one in mine["keys"] for name in ("id", "key")}
    assert values.isdisjoint(one[name] for one in theirs["keys"] for name in ("id", "key"))


def test_it_is_derived_as_is_written(installation: Installation) -> None:
    """By another implementation of HKDF; no root key is its own draft key."""
    told = asked(installation, "ann")["keys"][0]
    root = installation.services.roots.active("transient").key.reveal()
    info = b"darkroom/drafts/v1" + installation.person("ann").id.bytes
    made = HKDF(SHA256(), 36, None, info).derive(root)
    assert (told["id"], base64.b64decode(told["key"])) == (made[:4].hex(), made[4:])


def test_it_is_kept_by_no_cache_and_read_by_no_other_site(
    installation: Installation,
) -> None:
    headers = installation.browser("ann").get(PATH).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Credentials" not in headers


def test_no_key_of_the_api_and_nobody_signed_out_gets_it(installation: Installation) -> None:
    assert installation.api("ann").get(PATH).status_code == 403
    browser = installation.browser("ann")
    assert browser.get(PATH).status_code == 200
    browser.post("/auth/logout")
    assert browser.get(PATH).status_code == 401


def test_the_log_does_not_know_it(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        told = asked(installation, "ann")
    service = installation.services.draft_keys
    shown = caplog.text + repr(service.of(installation.person("ann").actor))
    for one in told["keys"]:
        raw = base64.b64decode(one["key"])
        assert one["key"] not in shown
        assert raw.hex() not in shown
        assert repr(raw) not in shown
