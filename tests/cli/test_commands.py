"""Commands as scripts call them: a process, its environment, its exit code, its output.

Two start the interpreter themselves; what they show holds for the others, which are forked.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from app import create_app
from app.cli import GROUPS
from tests.fixtures import pictures
from tests.fixtures.installation import Installation
from tests.fixtures.programs import BARE, TOP, flask


def interpreter(*words: str) -> subprocess.CompletedProcess[str]:
    """A command without settings as a shell starts it."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    return subprocess.run(
        command, cwd=TOP, env=BARE, text=True, capture_output=True, timeout=120, check=False
    )


def commands() -> list[list[str]]:
    app = create_app()
    return [
        [group, name]
        for group in GROUPS
        for name in app.cli.commands[group].list_commands(None)
    ]


def test_help_needs_no_setting() -> None:
    runner = create_app().test_cli_runner()
    for words in commands():
        answer = runner.invoke(args=[*words, "--help"])
        assert (answer.exit_code, "Usage:" in answer.output) == (0, True), words


def test_a_key_is_made_without_any_setting() -> None:
    made = interpreter("encryption", "generate-key")
    assert made.returncode == 0
    assert len(bytes.fromhex(made.stdout.strip().removeprefix("ENCRYPTION_KEY="))) == 32


def test_wrong_settings_are_2_and_one_sentence() -> None:
    answer = interpreter("users", "list")
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1


def test_accounts_and_keys_as_scripts_make_them(installation: Installation) -> None:
    words = ("users", "create", "--email", "op@people.example", "--name", "Op", "--admin")
    made = flask(
        *words, "--password-file", "-", "--json",
        environ=installation.environ, stdin="correct horse battery staple\n",
    )  # fmt: skip
    account = json.loads(made.stdout)
    assert account.keys() == {"id", "email"}
    browser = installation.browser(None)
    browser.sign_in("op@people.example")
    assert browser.client.get("/api/v1/me").json["id"] == account["id"]
    key = json.loads(
        flask(
            "api-keys", "create", "--user", "op@people.example", "--scope", "all",
            "--expires", "90d", "--json", environ=installation.environ,
        ).stdout
    )  # fmt: skip
    assert key.keys() == {"id", "key", "scopes", "expires_at"}
    assert "admin" in key["scopes"]
    unknown = flask("users", "disable", "no@people.example", environ=installation.environ)
    assert (unknown.returncode, "Traceback" in unknown.stderr) == (1, False)


def test_the_state_of_keys_tells_no_part_of_one(installation: Installation) -> None:
    status = flask("keys", "status", environ=installation.environ)
    assert status.returncode == 0
    key = installation.environ["ENCRYPTION_KEY"]
    assert not any(key[at : at + 8] in status.stdout for at in range(0, 64, 8))
    assert flask("encryption", "verify", environ=installation.environ).returncode == 0


def test_everybody_gets_another_password_and_no_key_lives_on(
    installation: Installation,
) -> None:
    people = [installation.person(name) for name in ("ann", "bob")]
    keys = [installation.key(name) for name in ("ann", "bob")]
    session = installation.services.sessions.create(people[0].id)
    reset = flask("users", "reset-password", "--all", "--json", environ=installation.environ)
    told = [json.loads(line) for line in reset.stdout.splitlines()]
    assert {line["email"] for line in told} >= {person.email for person in people}
    accounts = installation.services.accounts
    for line in told:
        assert accounts.authenticate(line["email"], line["password"]).email == line["email"]
    assert installation.services.sessions.resolve(session.token) is None
    ended = flask("api-keys", "revoke-all", environ=installation.environ)
    assert ended.stdout == "2 keys are revoked.\n"
    assert [installation.services.api_keys.resolve(key) for key in keys] == [None, None]
    both = flask("users", "reset-password", "ann@people.example", environ=installation.environ)
    assert (both.returncode, "--all alone" in both.stderr) == (2, True)


def test_a_key_is_rotated_with_what_it_may(installation: Installation) -> None:
    person = installation.person()
    made = installation.services.api_keys.create(
        person.actor, name="script", scopes=["images:read"], expires=timedelta(days=90)
    )
    words = ("api-keys", "rotate", str(made.id), "--user", person.email, "--json")
    new = json.loads(flask(*words, environ=installation.environ).stdout)
    assert new["scopes"] == ["images:read"]
    assert installation.services.api_keys.resolve(made.key) is None
    assert installation.services.api_keys.resolve(new["key"]) is not None
    again = flask(*words, environ=installation.environ)
    assert (again.returncode, "no such key" in again.stderr) == (1, True)


def test_the_checklist_tells_faults_by_its_exit_code(installation: Installation) -> None:
    looked = flask("doctor", "--json", environ=installation.environ)
    verdicts = {box["verdict"] for box in json.loads(looked.stdout)["boxes"]}
    assert (looked.returncode, verdicts) == (0, {"ok", "open"})
    strict = flask("doctor", "--strict", environ=installation.environ)
    assert (strict.returncode, "[ ] Backups are scheduled" in strict.stdout) == (1, True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "to import"
    (place / "deep").mkdir(parents=True)
    (place / "one.png").write_bytes(pictures.png())
    (place / "deep" / "two.jpg").write_bytes(pictures.jpeg())
    return place


def test_an_import_tries_stores_and_goes_on(installation: Installation, folder: Path) -> None:
    person = installation.person()
    words = ("images", "import", str(folder), "--user", person.email, "--json")
    tried = flask(*words, "--dry-run", environ=installation.environ)
    assert json.loads(tried.stdout)["counts"] == {"could be stored": 2}
    assert installation.api().get("/api/v1/images").json["images"] == []
    stored = flask(*words, environ=installation.environ)
    assert (stored.returncode, json.loads(stored.stdout)["counts"]) == (0, {"stored": 2})
    again = flask(*words, environ=installation.environ)
    assert (again.returncode, json.loads(again.stdout)["counts"]) == (0, {"there already": 2})


def test_an_import_tells_what_it_refused_and_takes_the_rest(
    installation: Installation, folder: Path
) -> None:
    (folder / "bad.txt").write_text("no picture")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.txt")).write_text("no name either")
    person = installation.person()
    for form in ((), ("--json",)):
        words = ("images", "import", str(folder), "--user", person.email, *form)
        answer = flask(*words, environ=installation.environ)
        assert (answer.returncode, "Traceback" in answer.stderr) == (1, False)
    assert len(json.loads(answer.stdout)["refused"]) == 2
    assert len(installation.api().get("/api/v1/images").json["images"]) == 2


def test_a_file_that_cannot_be_read_stops_no_import(
    installation: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root every file can be read, so the refusal is made by hand."""
    real = Path.open

    def refuse(self: Path, *more: object, **named: object):
        if self.name == "one.png":
            raise PermissionError(13, "Permission denied")
        return real(self, *more, **named)

    monkeypatch.setattr(Path, "open", refuse)
    person = installation.person()
    args = ["images", "import", str(folder), "--user", person.email, "--json"]
    answer = installation.app.test_cli_runner().invoke(args=args)
    assert answer.exit_code == 1
    assert '"stored": 1' in answer.output


def test_a_folder_that_cannot_be_read_is_told(
    installation: Installation, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "dark").mkdir()
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("dark"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    args = ["images", "import", str(folder), "--user", installation.person().email, "--json"]
    answer = installation.app.test_cli_runner().invoke(args=args)
    assert answer.exit_code == 1
    assert json.loads(answer.stdout)["refused"] == [
        {"file": str(folder / "dark"), "message": "It cannot be read."}
    ]
