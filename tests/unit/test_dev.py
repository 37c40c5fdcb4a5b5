"""``dev.py`` as a newcomer meets it: in a clone, with nothing of this machine's settings."""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from tests.fixtures.clone import TOP, Clone

KEY = "0123456789abcdef" * 4
SECRETS = {"ENCRYPTION_KEY": KEY, "SECRET_KEY": secrets.token_hex(32)}


@pytest.fixture
def dev(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """Return dev.py as a module whose clone is an empty folder."""
    spec = importlib.util.spec_from_file_location("dev", TOP / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "TOP", tmp_path)
    monkeypatch.setattr(module, "ENV_FILE", tmp_path / ".env")
    return module


def make_keys(dev: ModuleType) -> str:
    """Do what ``run`` does about keys; return what ``.env`` then holds."""
    if names := dev.missing_keys():
        dev.write_keys(names)
    return (dev.TOP / ".env").read_text() if (dev.TOP / ".env").exists() else ""


def private(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)


# -- keys


def test_an_empty_instance_gets_fresh_keys_once(dev: ModuleType) -> None:
    first = make_keys(dev)
    assert re.fullmatch(r"ENCRYPTION_KEY=[0-9a-f]{64}\nSECRET_KEY=[0-9a-f]{64}\n", first)
    assert stat.S_IMODE((dev.TOP / ".env").stat().st_mode) == 0o600
    assert [path.name for path in dev.TOP.iterdir()] == [".env"]
    assert make_keys(dev) == first


def test_keys_differ_between_instances(dev: ModuleType, tmp_path: Path) -> None:
    first = make_keys(dev)
    (tmp_path / ".env").unlink()
    assert make_keys(dev) != first


def test_the_notice_says_to_back_up_and_shows_no_key(
    dev: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    written = make_keys(dev)
    said = capsys.readouterr().out
    assert "BACK UP" in said
    assert not any(line.partition("=")[2] in said for line in written.split())


def test_other_settings_in_env_are_kept(dev: ModuleType) -> None:
    private(dev.ENV_FILE, "# mine\nBIND=127.0.0.1:9000")
    lines = make_keys(dev).splitlines()
    assert lines[:2] == ["# mine", "BIND=127.0.0.1:9000"]
    assert [line.partition("=")[0] for line in lines[2:]] == ["ENCRYPTION_KEY", "SECRET_KEY"]


def test_a_secret_key_that_is_there_is_not_made_again(dev: ModuleType) -> None:
    private(dev.ENV_FILE, "SECRET_KEY=mine")
    assert "\nENCRYPTION_KEY=" in make_keys(dev)
    assert make_keys(dev).count("SECRET_KEY=") == 1


@pytest.mark.parametrize(
    "line",
    [
        f"ENCRYPTION_KEY={KEY}",
        f"export ENCRYPTION_KEY='{KEY}'",
        f'  ENCRYPTION_KEY = "{KEY}" # a comment',
        "ENCRYPTION_KEY=wrong",
        "ENCRYPTION_KEY_FILE=/run/secrets/not-there-yet",
    ],
)
def test_a_key_in_env_is_left_alone(dev: ModuleType, line: str) -> None:
    private(dev.ENV_FILE, line)
    assert make_keys(dev) == line


@pytest.mark.parametrize("line", ["ENCRYPTION_KEY=", "ENCRYPTION_KEY=''", "#ENCRYPTION_KEY=a"])
def test_an_empty_key_is_no_key(dev: ModuleType, line: str) -> None:
    private(dev.ENV_FILE, line)
    assert "\nENCRYPTION_KEY=" in make_keys(dev)


@pytest.mark.parametrize("name", ["ENCRYPTION_KEY", "ENCRYPTION_KEY_FILE"])
def test_a_key_in_the_environment_is_left_alone(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, KEY)
    assert make_keys(dev) == ""


@pytest.mark.parametrize("used", ["darkroom.db", "secrets/aa/root-columns.json", "store/x.enc"])
def test_a_used_instance_is_never_given_a_new_key(dev: ModuleType, used: str) -> None:
    place = dev.TOP / "instance" / used
    place.parent.mkdir(parents=True)
    place.write_text("x")
    with pytest.raises(dev.Refused, match="ENCRYPTION_KEY is not set, but there is data"):
        make_keys(dev)
    assert not dev.ENV_FILE.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INSTANCE_PATH", "{}"),
        ("KEY_VAULT_LOCAL_PATH", "{}"),
        ("STORE_URL", "file:{}"),
        ("DATABASE_URL", "sqlite:///{}/x.db"),
        ("STORE_URL", "s3://bucket/prefix"),
        ("DATABASE_URL", "postgresql://host/name"),
    ],
)
def test_data_elsewhere_counts(
    dev: ModuleType, tmp_path_factory: pytest.TempPathFactory, name: str, value: str
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "x.db").write_text("x")
    private(dev.ENV_FILE, f"{name}={value.format(elsewhere)}")
    with pytest.raises(dev.Refused, match="there is data"):
        make_keys(dev)


def test_empty_folders_are_an_empty_instance(dev: ModuleType) -> None:
    (dev.TOP / "instance" / "store" / "dam").mkdir(parents=True)
    assert make_keys(dev)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_an_env_that_others_can_read_is_refused(dev: ModuleType, mode: int) -> None:
    dev.ENV_FILE.write_text(f"ENCRYPTION_KEY={KEY}")
    dev.ENV_FILE.chmod(mode)
    with pytest.raises(dev.Refused, match="chmod 600"):
        make_keys(dev)


def test_two_first_starts_agree_on_one_key(dev: ModuleType) -> None:
    start = threading.Barrier(2)

    def first_start() -> None:
        start.wait()
        with dev.alone():
            make_keys(dev)

    starts = [threading.Thread(target=first_start) for _ in range(2)]
    for thread in starts:
        thread.start()
    for thread in starts:
        thread.join()
    assert dev.ENV_FILE.read_text().count("ENCRYPTION_KEY=") == 1


# -- packages of the system


def fake_apt(dev: ModuleType, monkeypatch: pytest.MonkeyPatch, user: int) -> list[list[str]]:
    """Let apt-get only be remembered; ``user`` 0 is root."""
    calls: list[list[str]] = []

    def succeeds(*command: str, **_options: object) -> bool:
        calls.append(list(command))
        return True

    monkeypatch.setattr(dev, "succeeds", succeeds)
    monkeypatch.setattr(dev.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(dev.os, "geteuid", lambda: user)
    return calls


def test_what_a_linked_environment_leads_to_is_left_alone(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "pyvenv.cfg").write_text("of another place\n")
    venv = tmp_path / ".venv"
    venv.symlink_to(other)
    monkeypatch.setattr(dev, "VENV", venv)
    monkeypatch.setattr(dev, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(dev, "succeeds", lambda *command: command[-1] == venv)
    dev.make_venv()
    assert not venv.is_symlink()
    assert (other / "pyvenv.cfg").exists()


def test_root_gets_the_venv_module(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = fake_apt(dev, monkeypatch, user=0)
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda _name: calls or None)
    dev.need_venv_module()
    assert calls[0][-1] == "update"
    assert calls[1][-1] == "python3-venv"


def test_an_ordinary_user_is_told_the_one_line(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fake_apt(dev, monkeypatch, user=1000)
    monkeypatch.setattr(dev.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(dev.Refused, match="sudo apt-get install -y python3-venv"):
        dev.need_venv_module()
    assert calls == []


def test_root_gets_the_programs_of_the_tests(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fake_apt(dev, monkeypatch, user=0)
    monkeypatch.setattr(dev, "TEST_PROGRAMS", {"strace": ("/nowhere", "x"), "sh": ("/", "y")})
    dev.install_test_programs()
    assert calls[1][-2:] == ["--no-install-recommends", "strace"]


def test_an_ordinary_user_is_told_what_is_skipped(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_apt(dev, monkeypatch, user=1000)
    monkeypatch.setattr(dev, "TEST_PROGRAMS", {"strace": ("/nowhere", "system calls")})
    dev.install_test_programs()
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert "Skipped: system calls" in said
    assert "apt-get install -y strace" in said


# -- as programs


def test_usage(clone: Clone) -> None:
    assert clone.run().returncode == 2
    assert clone.run("nonsense").returncode == 2
    assert clone.run("run", "extra").returncode == 2
    helped = clone.run("--help")
    assert helped.returncode == 0
    assert "python3 dev.py run" in helped.stdout


def test_a_refusal_is_one_sentence_and_exit_code_2(clone: Clone) -> None:
    (clone.top / "instance").mkdir()
    (clone.top / "instance" / "darkroom.db").write_text("x")
    done = clone.run("run")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "ENCRYPTION_KEY is not set" in done.stderr
    assert not (clone.top / ".env").exists()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"ENCRYPTION_KEY": "abc"}, "Key must be exactly 32 bytes (64 hex characters)"),
        ({"SECRET_KEY": "changeme"}, "SECRET_KEY"),
        ({"WEB_THREADS": "many"}, "WEB_THREADS must be a whole number"),
        ({"ENCRYPTION_ENABLED": "false"}, "ENCRYPTION_ENABLED accepts no other value"),
        ({"WEB_CONCURRENCY": "4"}, "WEB_CONCURRENCY must be 1"),
    ],
)
def test_a_wrong_setting_ends_the_start(
    clone: Clone, settings: dict[str, str], sentence: str
) -> None:
    done = clone.run("run", **{**SECRETS, **settings})
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not (clone.top / "instance").exists()


def test_one_command_serves(clone: Clone) -> None:
    clone.start()
    assert stat.S_IMODE((clone.top / ".env").stat().st_mode) == 0o600
    assert "BACK UP" in clone.log()
    assert (clone.top / "instance" / "darkroom.db").exists()
    assert list(clone.home.iterdir()) == []


def test_it_becomes_gunicorn_in_the_same_process(clone: Clone) -> None:
    process = clone.start(**SECRETS)
    command = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
    assert b"gunicorn" in command
    assert b"--no-control-socket" in command
    assert os.getpgid(process.pid) == process.pid
    assert not (clone.top / ".env").exists()


def test_a_second_start_spends_under_two_seconds_on_set_up(clone: Clone) -> None:
    clone.start()
    clone.end()
    before = (clone.top / ".env").read_bytes()
    clone.start()
    spent = re.search(r"^Set up in ([\d.]+) s$", clone.log(), re.MULTILINE)
    assert spent is not None
    assert float(spent[1]) < 2
    assert (clone.top / ".env").read_bytes() == before


def test_sigterm_frees_the_port_within_ten_seconds(clone: Clone) -> None:
    process = clone.start(**SECRETS)
    assert not clone.port_is_free()
    process.send_signal(signal.SIGTERM)
    assert clone.wait_until(clone.port_is_free, seconds=10) < 10
    assert process.wait(timeout=10) == 0


def test_it_starts_again_at_once_after_sigkill(clone: Clone) -> None:
    process = clone.start(**SECRETS)
    process.kill()
    process.wait()
    clone.wait_until(clone.port_is_free, seconds=2)
    clone.start(**SECRETS)
    assert "Connection in use" not in clone.log()


def test_the_environment_beats_env(clone: Clone) -> None:
    private(clone.top / ".env", "BIND=127.0.0.1:1\nWEB_THREADS=2\n")
    process = clone.start(**SECRETS)
    assert process.poll() is None
    assert clone.answers()


def test_a_wrong_master_key_is_refused_and_changes_nothing(clone: Clone) -> None:
    clone.start(**SECRETS)
    clone.end()
    files = [path for path in (clone.top / "instance").rglob("*") if path.is_file()]
    passing = ("-shm", "-wal", ".running")  # they come and go with connections
    before = {path: path.read_bytes() for path in files if not path.name.endswith(passing)}
    done = clone.run("run", **{**SECRETS, "ENCRYPTION_KEY": secrets.token_hex(32)})
    assert done.returncode == 2
    assert "ENCRYPTION_KEY is not the key" in done.stderr
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.slow
def test_from_nothing_to_the_first_answer(bare_clone: Clone) -> None:
    """The real thing: virtual environment, uv, locked packages; needs the package index."""
    reachable = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", "x", "-r"]
    lock = bare_clone.top / "requirements-setup.txt"
    tried = subprocess.run([*reachable, str(lock)], cwd=bare_clone.home, check=False)
    if tried.returncode:
        pytest.skip("the package index cannot be reached")
    bare_clone.start()
    assert "Making the virtual environment .venv" in bare_clone.log()
    installed = bare_clone.top / ".venv" / ".installed-requirements.txt"
    assert installed.exists()
    assert (bare_clone.top / ".venv" / "bin" / "flask").exists()


# -- what a setting needs


@pytest.mark.parametrize(
    ("line", "locked"),
    [
        ("", "requirements.txt"),
        ("KEY_VAULT_MODE=local", "requirements.txt"),
        ("KEY_VAULT_MODE=azure", "requirements-scale.txt"),
        ("KEY_VAULT_MODE=hashicorp", "requirements-scale.txt"),
        ("DATABASE_URL=postgresql://host/darkroom", "requirements-scale.txt"),
        ("STORE_URL=s3://bucket", "requirements-scale.txt"),
    ],
)
def test_settings_decide_what_is_installed(dev: ModuleType, line: str, locked: str) -> None:
    private(dev.ENV_FILE, line)
    assert dev.run_requirements(dev.read_env_file()) == locked


# -- test


def test_files_of_tests_lie_in_memory_where_there_is_room(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dev, "ROOM", 1)
    assert dev.has_room(tmp_path)
    assert not dev.has_room(tmp_path / "missing")
    monkeypatch.setattr(dev, "ROOM", 1 << 62)
    assert not dev.has_room(tmp_path)
