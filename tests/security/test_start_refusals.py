"""What must not start says so in one sentence, exits with 2 and has written nothing."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.config import load_settings
from app.errors import DarkroomError
from app.startup import prepare, start
from app.wiring import House
from tests.fixtures import programs
from tests.fixtures.installation import PASSWORD, environment
from tests.fixtures.uploads import picture
from tests.unit.storage import os_faults

TOP = Path(__file__).resolve().parents[2]
Environ = dict[str, str]


@dataclass
class Result:
    code: int
    said: str


def interpreter(environ: Environ) -> Result:
    """``python -W error -m app.startup`` as gunicorn's start would be, from nothing."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "app.startup"],
        cwd=TOP,
        env={"PATH": os.environ["PATH"], "DARKROOM_ENV_FILE": os.devnull, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Result(done.returncode, done.stderr)


def run(environ: Environ) -> Result:
    """The same, without the time that importing takes."""
    bare = {"PATH": os.environ["PATH"], "DARKROOM_ENV_FILE": os.devnull, **environ}
    done = programs.run("app.startup", environ=bare, strict=True)
    return Result(done.returncode, done.stderr)


def tree(folder: Path) -> dict[str, tuple[int, str]]:
    """Mode and content of everything below a folder; nothing where there is none."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def used(tmp_path: Path) -> Environ:
    """The environment of an installation with one account and one picture."""
    from io import BytesIO

    from app.services.examination import Offer
    from app.services.new_image import Wishes

    environ = environment(tmp_path)
    settings, _ = load_settings(environ)
    start(settings)
    house = House(settings)
    account = house.services.accounts.register(
        email="a@b.example", name="Ann", password=PASSWORD
    )
    offer = Offer("a.bmp", BytesIO(picture()), len(picture()))
    house.services.ingest.accept(account.actor, offer, Wishes())
    house.close()
    return environ


def check_refused(environ: Environ, says: str, folder: Path) -> None:
    """One sentence that fits ``says``, exit code 2, the tree as it was."""
    before = tree(folder)
    result = run(environ)
    assert result.code == 2, result.said
    lines = result.said.strip().splitlines()
    assert len(lines) == 1, result.said
    assert re.search(says, lines[0]), lines[0]
    assert "Traceback" not in result.said
    for name in ("ENCRYPTION_KEY", "SECRET_KEY", "ENCRYPTION_KEY_PREVIOUS"):
        value = environ.get(name, "")
        assert len(value) < 8 or value not in result.said
    assert tree(folder) == before


SETTINGS = {
    "no key": ({"ENCRYPTION_KEY": ""}, r"ENCRYPTION_KEY not configured"),
    "a short key": ({"ENCRYPTION_KEY": "ab" * 31}, r"exactly 32 bytes \(64 hex"),
    "a long key": ({"ENCRYPTION_KEY": "ab" * 33}, r"exactly 32 bytes \(64 hex"),
    "no hex": ({"ENCRYPTION_KEY": "zz" * 32}, r"exactly 32 bytes \(64 hex"),
    "a former key that is none": ({"ENCRYPTION_KEY_PREVIOUS": "12"}, r"exactly 32 bytes"),
    "no secret": ({"SECRET_KEY": ""}, r"SECRET_KEY"),
    "a default secret": ({"SECRET_KEY": "change-me"}, r"SECRET_KEY .*default"),
    "a dull secret": ({"SECRET_KEY": "a" * 64}, r"SECRET_KEY .*default"),
    "encryption off": ({"ENCRYPTION_ENABLED": "false"}, r"ENCRYPTION_ENABLED"),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_a_wrong_setting_on_a_first_start(tmp_path: Path, what: str) -> None:
    more, says = SETTINGS[what]
    check_refused(environment(tmp_path) | more, says, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", SETTINGS)
def test_a_wrong_setting_of_a_used_installation(
    used: Environ, tmp_path: Path, what: str
) -> None:
    more, says = SETTINGS[what]
    check_refused(used | more, says, tmp_path)


def _lose(*names: str) -> Callable[[Path], None]:
    def lose(instance: Path) -> None:
        for name in names:
            place = instance / name
            shutil.rmtree(place) if place.is_dir() else place.unlink()

    return lose


def _empty(name: str) -> Callable[[Path], None]:
    def empty(instance: Path) -> None:
        shutil.rmtree(instance / name)
        (instance / name).mkdir(mode=0o700)

    return empty


def _open_to_others(name: str, mode: int) -> Callable[[Path], None]:
    return lambda instance: (instance / name).chmod(mode)


def _bend_marker(instance: Path) -> None:
    marker = instance / "store" / ".darkroom-store"
    marker.write_bytes(marker.read_bytes()[:-5])


def _from_the_future(instance: Path) -> None:
    with sqlite3.connect(instance / "darkroom.db") as direct:
        direct.execute("UPDATE alembic_version SET version_num = '29990101_future'")
    direct.close()


def _no_database(instance: Path) -> None:
    for path in instance.glob("darkroom.db*"):
        path.write_bytes(b"this is not a database" * 1000)


def _vault_file(instance: Path) -> Path:
    return next(iter((instance / "secrets").rglob("root-columns.json")))


STATES = {
    "the store is gone": (_lose("store"), r"marker file .* missing"),
    "the store is empty": (_empty("store"), r"marker file .* missing"),
    "the marker is damaged": (_bend_marker, r"marker"),
    "the vault is gone": (_lose("secrets"), r"[Vv]ault"),
    "the vault is empty": (_empty("secrets"), r"vault lacks root-columns"),
    "a root key is gone": (lambda i: _vault_file(i).unlink(), r"vault lacks root-columns"),
    "the vault can be read by others": (_open_to_others("secrets", 0o750), r"others|0700"),
    "a key can be read by others": (lambda i: _vault_file(i).chmod(0o644), r"others|0600"),
    "the instance can be read by others": (_open_to_others(".", 0o755), r"chmod 700"),
    "the database is gone": (_lose("darkroom.db"), r"store rebuild-db"),
    "database and vault are gone": (_lose("darkroom.db", "secrets"), r"store rebuild-db"),
    "the database is of a later release": (_from_the_future, r"later|newer"),
    "the database is none": (_no_database, r"database"),
}


@pytest.mark.parametrize("what", STATES)
def test_a_state_that_must_not_start(used: Environ, tmp_path: Path, what: str) -> None:
    change, says = STATES[what]
    change(tmp_path / "instance")
    check_refused(used, says, tmp_path)


def test_a_foreign_key(used: Environ, tmp_path: Path) -> None:
    foreign = secrets.token_hex(32)
    check_refused(used | {"ENCRYPTION_KEY": foreign}, r"not the key that this", tmp_path)
    (tmp_path / "instance" / "darkroom.db").unlink()
    check_refused(used | {"ENCRYPTION_KEY": foreign}, r"not the key that this", tmp_path)


@pytest.mark.parametrize("same_master", [False, True])
def test_the_vault_of_another_installation(
    used: Environ, tmp_path: Path, same_master: bool
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    environ = environment(other)
    if same_master:
        environ["ENCRYPTION_KEY"] = used["ENCRYPTION_KEY"]
    prepare(environ, None)
    shutil.rmtree(tmp_path / "instance" / "secrets")
    shutil.copytree(other / "instance" / "secrets", tmp_path / "instance" / "secrets")
    check_refused(used, r"vault|not configured", tmp_path / "instance")


def test_the_store_of_another_installation(used: Environ, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    environ = environment(other) | {"ENCRYPTION_KEY": used["ENCRYPTION_KEY"]}
    prepare(environ, None)
    shutil.rmtree(tmp_path / "instance" / "store")
    shutil.copytree(other / "instance" / "store", tmp_path / "instance" / "store")
    check_refused(used, r"another installation", tmp_path / "instance")


def test_a_first_start_with_a_vault_of_another_key(tmp_path: Path) -> None:
    """Nothing else is there yet: the vault alone tells that it belongs to somebody."""
    environ = environment(tmp_path)
    prepare(environ, None)
    for path in (tmp_path / "instance").iterdir():
        if path.name != "secrets":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    check_refused(
        environ | {"ENCRYPTION_KEY": secrets.token_hex(32)}, r"not configured", tmp_path
    )


def test_an_env_file_that_others_can_read(tmp_path: Path) -> None:
    env_file = tmp_path / "planted.env"
    env_file.write_text("SECRET_KEY=x\n")
    env_file.chmod(0o644)
    with pytest.raises(DarkroomError, match=r"read by others|chmod 600"):
        prepare(environment(tmp_path), env_file)
    assert not (tmp_path / "instance").exists()


def test_a_sound_start_says_the_code_once_and_is_quiet_after(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    first, second = interpreter(environ), run(environ)
    assert (first.code, second.code) == (0, 0)
    code = re.search(r"Set-up code: ([a-z2-7]{4}(-[a-z2-7]{4}){3})", first.said)
    assert code is not None
    assert code[1] in second.said, "until there is an account"


def test_a_former_key_is_accepted_until_it_is_dropped(used: Environ, tmp_path: Path) -> None:
    """The new key seals what is new; what is old opens with the former one."""
    new = secrets.token_hex(32)
    both = used | {"ENCRYPTION_KEY": new, "ENCRYPTION_KEY_PREVIOUS": used["ENCRYPTION_KEY"]}
    assert run(both).code == 0
    settings, _ = load_settings(both)
    house = House(settings)
    assert [one.problem for one in house.services.verification.images() if one.problem] == []
    house.close()
    check_refused(used | {"ENCRYPTION_KEY": new}, r"not the key that this", tmp_path)


def test_two_first_starts_at_once_are_one(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(run, [environ] * 3))
    assert [result.code for result in results] == [0, 0, 0], results
    assert run(environ).code == 0


CHANGES = frozenset(["fsync", "link", "makedirs", "mkdir", "replace", "unlink", "write"])


def _places_to_die(folder: Path) -> list[int]:
    """The calls of a first start that change the disk: between two of them, nothing does."""
    with os_faults.watched(lambda number, name: None) as trace:
        prepare(environment(folder), None)
    return [number for number, name in enumerate(trace, 1) if name in CHANGES]


@pytest.mark.slow
def test_a_first_start_that_was_cut_short_is_finished_by_the_next(tmp_path: Path) -> None:
    rehearsal = tmp_path / "rehearsal"
    rehearsal.mkdir()
    places = _places_to_die(rehearsal)
    assert len(places) > 20
    for at in places:
        folder = tmp_path / f"start-{at}"
        folder.mkdir()
        environ = environment(folder)
        os_faults.killed_at(at, lambda environ=environ: prepare(environ, None))
        settings, _ = load_settings(environ)
        start(settings)  # finishes what was begun
        house = House(settings)
        assert house.services.accounts.is_empty()
        assert house.services.health.report().is_ready, at
        house.close()
        start(settings)
        shutil.rmtree(folder)
