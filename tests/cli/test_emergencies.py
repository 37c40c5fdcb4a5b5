"""Every chapter of docs/emergencies.md, walked through with the commands that stand there."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from app.config import load_settings
from app.crypto.keys import generate_key
from app.domain.access import OPERATOR
from app.services.listing import ListQuery
from app.wiring import House
from tests.fixtures import programs
from tests.fixtures.installation import Installation, environment, running_installation
from tests.fixtures.place import unique_png

TOP = Path(__file__).resolve().parents[2]
PAGE = (TOP / "docs" / "emergencies.md").read_text()
COMMAND = re.compile(r"`\.venv/bin/flask --app wsgi ([^`]+)`")
EMAIL = "ann@people.example"
PASSWORD = "a new and better one"

pytestmark = pytest.mark.slow


def chapter(title: str) -> list[str]:
    """The commands of one chapter, in their order."""
    text = PAGE.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    return [" ".join(found.split()) for found in COMMAND.findall(text)]


class Walk:
    """Takes the commands of a chapter one after the other; none may be left out."""

    def __init__(self, title: str, environ: dict[str, str]) -> None:
        self.environ = environ
        self._left = chapter(title)

    def step(self, shown: str, stdin: str = "", **values: str) -> str:
        """Run the next command, with values for its words in capitals."""
        assert self._left, f"the page does not go on with {shown}"
        assert self._left.pop(0) == shown
        words = [values.get(word.replace("-", "_"), word) for word in shown.split()]
        done = programs.flask(*words, environ=self.environ, stdin=stdin)
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def ends(self) -> None:
        assert self._left == []


@pytest.fixture
def lived_in(tmp_path: Path) -> Iterator[Installation]:
    """An installation with three pictures, that was stopped."""
    with running_installation(environment(tmp_path / "site")) as installation:
        installation.person("chief", admin=True)
        installation.person("deputy", admin=False)
        installation.person()
        api = installation.api("ann", "images:write")
        for number in range(3):
            assert api.upload((unique_png(), f"holiday {number}.png")).status_code == 201
        installation.services.records.run()  # as the running program does within seconds
        yield installation


def pictures_of(environ: dict[str, str]) -> dict[UUID, str]:
    """The hash of every original as the services of these settings give it."""
    settings, _ = load_settings(environ)
    with closing(House(settings)) as house:
        services = house.services
        owner = services.account_administration.find(OPERATOR, EMAIL).actor
        found: dict[UUID, str] = {}
        for card in services.library.page(owner, ListQuery()).cards:
            with services.delivery.open(services.delivery.original(owner, card.id)) as blob:
                found[card.id] = sha256(blob.reader.read_all()).hexdigest()
    return found


def test_the_database_is_lost(lived_in: Installation) -> None:
    before, environ = pictures_of(lived_in.environ), lived_in.environ
    lived_in.house.close()
    for left in lived_in.instance.glob("darkroom.db*"):
        left.rename(left.with_name("aside-" + left.name))
    walk = Walk("The database is lost", environ)
    walk.step("store rebuild-db --yes")
    walk.step("users disable --undo EMAIL", EMAIL=EMAIL)
    walk.step("users reset-password EMAIL --password-file -", stdin=PASSWORD, EMAIL=EMAIL)
    walk.step("store verify --full")
    walk.ends()
    assert pictures_of(environ) == before


def test_the_vault_is_lost(lived_in: Installation, tmp_path: Path) -> None:
    before, target = pictures_of(lived_in.environ), tmp_path / "backup"
    flask(lived_in.environ, "backup", "create", str(target))
    lived_in.house.close()
    shutil.rmtree(lived_in.instance / "secrets")
    folder = tmp_path / "restored"
    walk = Walk("The vault is lost", lived_in.environ)
    walk.step("backup restore TARGET --to FOLDER", TARGET=str(target), FOLDER=str(folder))
    walk.ends()
    assert pictures_of(lived_in.environ | {"INSTANCE_PATH": str(folder)}) == before


def test_the_master_key_is_lost(lived_in: Installation, tmp_path: Path) -> None:
    kit, env = tmp_path / "kit.txt", tmp_path / "env.txt"
    flask(lived_in.environ, "keys", "export-kit", "--out", str(kit))
    lost = {name: value for name, value in lived_in.environ.items() if name != "ENCRYPTION_KEY"}
    walk = Walk("The master key is lost", lost)
    shown = "keys restore-kit kit.txt --out env.txt"
    walk.step(shown, **{"kit.txt": str(kit), "env.txt": str(env)})
    name, _, value = env.read_text().strip().partition("=")
    assert (name, value) == ("ENCRYPTION_KEY", lived_in.environ["ENCRYPTION_KEY"])
    walk.environ = lost | {name: value}
    walk.step("keys status")
    walk.ends()


def test_the_master_key_was_seen(lived_in: Installation, tmp_path: Path) -> None:
    before = pictures_of(lived_in.environ)
    old, new = lived_in.environ["ENCRYPTION_KEY"], generate_key().reveal().hex()
    walk = Walk("The master key was seen", lived_in.environ)
    walk.step("backup create TARGET", TARGET=str(tmp_path / "backup"))
    walk.step("encryption generate-key")
    walk.environ = lived_in.environ | {"ENCRYPTION_KEY": new, "ENCRYPTION_KEY_PREVIOUS": old}
    lived_in.house.close()
    walk.step("keys rewrap")
    walk.environ = lived_in.environ | {"ENCRYPTION_KEY": new}
    shown = "keys export-kit --out kit.txt"
    walk.step(shown, **{"kit.txt": str(tmp_path / "kit.txt")})
    walk.ends()
    assert pictures_of(walk.environ) == before


def test_the_server_was_broken_into(lived_in: Installation, tmp_path: Path) -> None:
    before = pictures_of(lived_in.environ)
    lived_in.house.close()
    flask(lived_in.environ, "keys", "rekey", "--to", "envelope")
    environ = lived_in.environ | {"KEY_VAULT_KEYING": "envelope"}
    walk = Walk("The server was broken into", environ)
    walk.step("store verify --full")
    walk.step("audit verify")
    walk.step("api-keys revoke-all")
    told = walk.step("users reset-password --all")
    assert EMAIL in told
    walk.step("keys rotate --root columns")
    walk.step("keys rotate --all")
    walk.step("keys rotate --kek")
    flask(walk.environ, "users", "make-admin", "deputy@people.example")
    walk.step("backup create NEW-TARGET", NEW_TARGET=str(tmp_path / "new"))
    assert walk._left.pop(0) == "doctor --strict"
    looked = json.loads(flask(walk.environ, "doctor", "--json"))
    wrong = {box["title"] for box in looked["boxes"] if box["verdict"] == "wrong"}
    assert wrong == set()
    walk.ends()
    assert pictures_of(walk.environ) == before


def test_a_file_key_was_seen(lived_in: Installation) -> None:
    before = pictures_of(lived_in.environ)
    walk = Walk("A file key was seen", lived_in.environ)
    walk.step("keys rotate --image ID", ID=str(next(iter(before))))
    walk.ends()
    assert pictures_of(lived_in.environ) == before


def flask(environ: dict[str, str], *words: str) -> str:
    done = programs.flask(*words, environ=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout
