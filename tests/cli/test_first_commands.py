"""Commands where no server was ever started: some begin the installation, the others say so."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest

from tests.fixtures.programs import BARE, flask

CREATE = (
    "users",
    "create",
    "--email",
    "a@people.example",
    "--name",
    "A",
    "--password-file",
    "-",
)
PASSWORD = "correct horse battery staple\n"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    keys = {name: secrets.token_hex(32) for name in ("ENCRYPTION_KEY", "SECRET_KEY")}
    return BARE | keys | {"INSTANCE_PATH": str(tmp_path / "instance")}


def test_the_first_account_before_the_first_start(environ: dict[str, str]) -> None:
    made = flask(*CREATE, "--admin", "--json", environ=environ, stdin=PASSWORD)
    assert (made.returncode, json.loads(made.stdout)["email"]) == (0, "a@people.example")
    assert "Set-up code" not in made.stderr, "there is an account"
    listed = flask("users", "list", "--json", environ=environ)
    assert [one["email"] for one in json.loads(listed.stdout)] == ["a@people.example"]
    assert flask("encryption", "verify", environ=environ).returncode == 0


def test_tables_before_the_first_start(environ: dict[str, str]) -> None:
    assert flask("db", "upgrade", environ=environ).returncode == 0
    assert flask(*CREATE, environ=environ, stdin=PASSWORD).returncode == 0
    assert flask("db", "upgrade", environ=environ).returncode == 0


@pytest.mark.parametrize(
    "words", ["users list", "keys status", "store verify", "backup create x"]
)
def test_others_say_that_there_is_nothing_and_make_nothing(
    environ: dict[str, str], words: str
) -> None:
    refused = flask(*words.split(), environ=environ)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("Error: There is nothing in INSTANCE_PATH yet.")
    assert not (Path(environ["INSTANCE_PATH"]) / "darkroom.db").exists()


def test_a_vault_that_is_missing_beside_a_database_is_named(environ: dict[str, str]) -> None:
    assert flask(*CREATE, environ=environ, stdin=PASSWORD).returncode == 0
    (secrets_of,) = Path(environ["INSTANCE_PATH"]).glob("secrets")
    secrets_of.rename(secrets_of.with_name("elsewhere"))
    refused = flask(*CREATE, environ=environ, stdin=PASSWORD)
    assert (refused.returncode, "vault folder is missing" in refused.stderr) == (1, True)
    assert not secrets_of.exists(), "nothing was begun anew beside what there is"


@pytest.mark.parametrize("words", [("db", "upgrade"), CREATE])
def test_a_wrong_setting_is_one_sentence(
    environ: dict[str, str], words: tuple[str, ...]
) -> None:
    refused = flask(*words, environ=environ | {"SECRET_KEY": "x"}, stdin=PASSWORD)
    assert refused.returncode == 2
    assert refused.stderr.startswith("Error: SECRET_KEY is a default or too short")
    assert len(refused.stderr.splitlines()) == 1
