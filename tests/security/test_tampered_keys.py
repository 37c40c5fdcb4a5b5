"""A key that was touched in the vault costs its own picture, which is noticed and recorded;
a vault that is not there, or is another one, costs none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import KeyDamaged, KeyNotFound, KeyVaultUnavailable, NotFound
from tests.fixtures.tampering import FOREIGN, WAYS, Lab


def key_file(lab: Lab, image_id: object) -> Path:
    vault = lab.installation.settings.vault_path
    return next(vault.glob(f"*/file-{image_id}.json"))


def other_version(path: Path, _: Path) -> None:
    version = path.read_text().split('"current":"')[1][:32]
    path.write_text(path.read_text().replace(version, "0" * 32))


TOUCHES: dict[str, Callable[[Path, Path], object]] = {
    "deleted": lambda path, _: path.unlink(),
    "emptied": lambda path, _: path.write_bytes(b""),
    "null": lambda path, _: path.write_text("null"),
    "a list": lambda path, _: path.write_text("[]"),
    "deeply nested": lambda path, _: path.write_text("[" * 100_000),
    "endless": lambda path, _: os.truncate(path, 1 << 30),
    "another picture's": lambda path, other: path.write_bytes(other.read_bytes()),
    "another content": lambda path, _: path.write_text(
        path.read_text().replace("x-darkroom-dek", "x-other")
    ),
    "another version": other_version,
    **FOREIGN,
}


@pytest.mark.parametrize("what", TOUCHES)
def test_a_touched_key_costs_its_own_picture(lab: Lab, what: str) -> None:
    TOUCHES[what](key_file(lab, lab.bad), key_file(lab, lab.good))
    lab.forget()
    assert lab.client.get(lab.url()).status_code == 409
    lab.check_quarantined()
    lab.check_good()
    assert lab.room.audited("image.quarantined") == 1
    assert (str(lab.bad), "original") in lab.problems()


@pytest.mark.parametrize("what", TOUCHES)
def test_a_picture_with_a_touched_key_can_be_destroyed(lab: Lab, what: str) -> None:
    """And with it goes whatever lay in the place of its key."""
    path = key_file(lab, lab.bad)
    TOUCHES[what](path, key_file(lab, lab.good))
    lab.forget()
    lab.room.services.trash.destroy(lab.room.actor, lab.bad)
    assert not os.path.lexists(path)
    lab.check_good()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", ["original", "preview", "thumb/320", "thumb/160"])
def test_the_first_to_notice_may_ask_for_anything(lab: Lab, way: str, what: str) -> None:
    key_file(lab, lab.bad).unlink()
    lab.forget()
    assert lab.get(way, what).status_code == 409
    lab.check_quarantined()


def test_a_vault_that_is_away_costs_nothing_not_even_once_it_is_back(lab: Lab) -> None:
    vault = lab.installation.settings.vault_path
    away = vault.with_name("away")
    vault.rename(away)
    for empty in (False, True):
        if empty:
            vault.mkdir(mode=0o700)
        lab.forget()
        for way in WAYS:
            for what in ("original", "thumb/320"):
                assert lab.get(way, what).status_code == 503
    vault.rmdir()
    away.rename(vault)
    # Without forgetting: that a key was missing then says nothing now.
    assert lab.client.get(lab.url()).status_code == 200
    lab.check_good()
    assert lab.room.audited("image.quarantined") == 0


def test_another_installations_vault_costs_nothing(lab: Lab, install) -> None:
    vault = lab.installation.settings.vault_path
    vault.rename(vault.with_name("away"))
    shutil.copytree(install().settings.vault_path, vault)
    lab.forget()
    assert lab.client.get(lab.url()).status_code == 503
    assert lab.room.row(lab.bad).status == "ready"
    assert lab.room.audited("image.quarantined") == 0


def test_a_vault_that_comes_back_between_two_looks_costs_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key was missing, and when the root keys are looked for the vault is there again."""
    house = lab.installation.house
    lab.forget()
    real, missing = house.vault.get, [KeyNotFound("none")]
    monkeypatch.setattr(house.vault, "get", lambda *asked: _pop_or(missing, real, asked))
    assert lab.client.get(lab.url()).status_code == 200
    assert not missing


def _pop_or(errors: list[Exception], real: Callable[..., object], asked: tuple) -> object:
    if errors:
        raise errors.pop()
    return real(*asked)


@pytest.mark.parametrize("touch", [Path.unlink, lambda path: path.write_text("null")])
def test_a_vault_whose_root_keys_are_lost_judges_no_picture(lab: Lab, touch) -> None:
    vault = lab.installation.settings.vault_path
    touch(next(vault.glob("*/root-audit.json")))
    key_file(lab, lab.bad).unlink()
    lab.forget()
    with pytest.raises(KeyVaultUnavailable, match="root keys"):
        lab.room.original(lab.bad)
    assert lab.room.row(lab.bad).status == "ready"


def test_a_picture_that_is_being_destroyed_is_not_damaged(lab: Lab) -> None:
    """Its key goes before its row: who had the ticket meets a missing key."""
    delivery = lab.room.services.delivery
    ticket = delivery.original(lab.room.actor, lab.bad)
    house = lab.installation.house
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.store, "discard", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            lab.room.services.trash.destroy(lab.room.actor, lab.bad)
    with pytest.raises(NotFound):
        delivery.open(ticket)
    assert lab.room.audited("image.quarantined") == 0


def _interrupted(_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("kind", [KeyNotFound, KeyDamaged])
def test_where_nothing_sets_aside_a_missing_key_is_a_503(lab: Lab, kind, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise kind("The vault's file /secret/place is damaged")

    monkeypatch.setattr(lab.installation.services.search, "page", fail)
    answer = lab.client.get("/api/v1/images")
    assert answer.status_code == 503
    assert "/secret/place" not in answer.text
    assert "key vault" in answer.json["detail"]
    assert answer.headers["Retry-After"]
