#!/usr/bin/env python3
"""Set up, run, test, measure and check Darkroom.

    python3 dev.py run           set up what is missing, then serve (settings: README.md)
    python3 dev.py test [ARG…]   set up, then run the tests; arguments go to pytest
    python3 dev.py bench [NAME]  run the benchmarks, or the one called NAME
    python3 dev.py lint          ruff, mypy and the import contracts

Needs nothing but Python 3.11 and its standard library. Everything else is installed into
.venv beside this file, exactly as the locked and hashed requirement files say; a stamp in
there remembers what is installed, so that a repeat costs nothing. Exits with the code of
the program started, or with 2 and one sentence when the start is refused.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import re
import secrets
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOP = Path(__file__).resolve().parent
VENV = TOP / ".venv"
PYTHON = VENV / "bin" / "python"
ENV_FILE = TOP / ".env"
SETUP, RUN, DEV = "requirements-setup.txt", "requirements.txt", "requirements-dev.txt"
SCALE = "requirements-scale.txt"
# What needs it: a setting, and how its value begins.
SCALED = (
    ("KEY_VAULT_MODE", ("azure", "hashicorp")),
    ("DATABASE_URL", ("postgresql",)),
    ("STORE_URL", ("s3:",)),
)

TEST_PROGRAMS = {
    # Debian's package: (a path that exists once it is installed, what is skipped without it)
    "chromium": ("/usr/bin/chromium", "the journeys in a real browser"),
    "fonts-dejavu-core": ("/usr/share/fonts/truetype/dejavu", "tests that draw text"),
    "strace": ("/usr/bin/strace", "tests that watch system calls"),
}

MEMORY, ROOM = Path("/dev/shm"), 4 << 30
"""Where files lie in memory on Linux, and how many free bytes the tests want there."""


class Refused(Exception):
    """The command cannot go on; the text is one sentence for a person."""


def succeeds(*command: str | Path, quietly: bool = False, **environment: str) -> bool:
    """Run a program to its end at the top of the clone; tell whether it exited with 0."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=TOP,
        env={**venv_environment(), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if quietly else None,
        check=False,
    )
    return done.returncode == 0


def venv_environment() -> dict[str, str]:
    """Return the environment for programs of ``.venv``, as after activating it."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**os.environ, "VIRTUAL_ENV": str(VENV), "PATH": path}


def become(*arguments: str) -> None:
    """Replace this process by Python of ``.venv``: same process id, same process group."""
    os.chdir(TOP)
    os.execve(PYTHON, [str(PYTHON), *arguments], venv_environment())


@contextmanager
def alone() -> Iterator[None]:
    """Let two starts at once go one after the other (the lock dies with the process)."""
    folder = os.open(TOP, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def apt_install(packages: list[str]) -> bool:
    """Install packages as root; tell whether they are there. False for an ordinary user."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    print(f"Installing with apt-get: {' '.join(packages)}")
    apt, quiet = ("apt-get", "-qq"), {"DEBIAN_FRONTEND": "noninteractive"}
    succeeds(*apt, "update", quietly=True, **quiet)  # an old list may do just as well
    options = ("install", "-y", "--no-install-recommends")
    return succeeds(*apt, *options, *packages, quietly=True, **quiet)


def need_venv_module() -> None:
    """Make sure that this Python can make virtual environments (Debian packs that apart)."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    if apt_install(["python3-venv"]):
        importlib.invalidate_caches()
        if importlib.util.find_spec("ensurepip"):
            return
    raise Refused("Python's venv module is missing: run  sudo apt-get install -y python3-venv")


def install_test_programs() -> None:
    """Install the programs that some tests drive, or name what is skipped without them."""
    missing = [name for name, (path, _) in TEST_PROGRAMS.items() if not Path(path).exists()]
    if missing and not apt_install(missing):
        skipped = ", ".join(TEST_PROGRAMS[name][1] for name in missing)
        print(f"Skipped: {skipped}. To run them: sudo apt-get install -y {' '.join(missing)}")


def stamp_of(requirements: str) -> str:
    """Return what ``.venv`` must remember: its place, its Python and the locked files."""
    digest = hashlib.sha256(f"{VENV}\0{sys.version}\0".encode())
    for name in (SETUP, requirements):
        digest.update((TOP / name).read_bytes())
    return digest.hexdigest()


def is_installed(requirements: str) -> bool:
    stamp = VENV / f".installed-{requirements}"
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == stamp_of(requirements)


def set_up(requirements: str) -> None:
    """Make ``.venv`` hold what the locked file names; at once if it already does."""
    if is_installed(requirements):
        return
    with alone():
        if not is_installed(requirements):
            make_venv()
            install(requirements)
            (VENV / f".installed-{requirements}").write_text(stamp_of(requirements))


def make_venv() -> None:
    """Make ``.venv`` afresh, unless it was made by this Python for this place."""
    made = VENV / "pyvenv.cfg"
    about = made.read_text() if made.exists() and PYTHON.exists() else ""
    if f"= {platform.python_version()}\n" in about and str(VENV) in about:
        return
    need_venv_module()
    if VENV.is_symlink():
        VENV.unlink()  # what it leads to is not ours to clear
    print("Making the virtual environment .venv")
    if not succeeds(sys.executable, "-m", "venv", "--clear", VENV):
        raise Refused("The virtual environment .venv could not be made: see the lines above")


def install(requirements: str) -> None:
    """Install a locked file with uv, or with pip where uv cannot be had or fails."""
    print(f"Installing what {requirements} names")
    began = time.monotonic()
    uv = VENV / "bin" / "uv"
    pip = (PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-input")
    hashed = ("--require-hashes", "-r")
    # uv makes bytecode only when told; without it every start would compile everything.
    by_uv = (uv, "pip", "install", "-q", "--compile-bytecode", "--python", PYTHON)
    if not (succeeds(*pip, *hashed, SETUP) and succeeds(*by_uv, *hashed, requirements)):
        print("uv could not do it; trying pip, which takes longer")
        if not succeeds(*pip, *hashed, requirements):
            raise Refused(f"{requirements} could not be installed: see the lines above")
    print(f"Installed in {time.monotonic() - began:.0f} s")


def read_env_file() -> dict[str, str]:
    """Return the settings of ``.env``; refuse one that others can read."""
    if not ENV_FILE.exists():
        return {}
    if stat.S_IMODE(ENV_FILE.stat().st_mode) & 0o077:
        raise Refused(".env can be read by others: run chmod 600 .env, then start again")
    line = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*(.*)$", re.MULTILINE)
    found = line.findall(ENV_FILE.read_text(encoding="utf-8"))
    return {name: re.sub(r"(^|\s)#.*", "", value).strip(" \t\r'\"") for name, value in found}


def setting(name: str, env_file: dict[str, str], default: str = "") -> str:
    """Return a setting as the application reads it: the environment, then ``.env``."""
    for source in (os.environ, env_file):
        mounted = source.get(f"{name}_FILE", "").strip()
        value = Path(mounted).read_text(encoding="utf-8") if mounted else source.get(name, "")
        if value.strip():
            return value.strip()
    return default


def is_set(name: str, env_file: dict[str, str]) -> bool:
    """Tell whether a setting is given, be it by a file that cannot be read now."""
    both = (name, f"{name}_FILE")
    return any(source.get(n, "").strip() for source in (os.environ, env_file) for n in both)


def run_requirements(env_file: dict[str, str]) -> str:
    """Return the locked file that the settings ask for: more for a vault, a database or a
    store that is not on this disk."""
    scaled = any(setting(name, env_file).startswith(values) for name, values in SCALED)
    return SCALE if scaled else RUN


def place_in_use(env_file: dict[str, str]) -> str | None:
    """Name a part of the instance that holds something already; None while all is empty."""
    instance = TOP / setting("INSTANCE_PATH", env_file, "instance")
    store = setting("STORE_URL", env_file, "file:store")
    database = setting("DATABASE_URL", env_file, "sqlite:///darkroom.db")
    for address, scheme in ((store, "file:"), (database, "sqlite:///")):
        if not address.startswith(scheme):
            return address.partition(":")[0] + " storage elsewhere"  # it cannot be looked into
    vault = setting("KEY_VAULT_LOCAL_PATH", env_file, "secrets")
    parts = (vault, store[len("file:") :].removeprefix("//"), database[len("sqlite:///") :])
    places = (instance, *(instance / part for part in parts))
    return next((str(place) for place in places if holds_something(place)), None)


def holds_something(place: Path) -> bool:
    """Tell whether there is any file here or below; raises OSError where it cannot look."""

    def fail(error: OSError) -> None:
        raise error

    if not place.is_dir():
        return place.exists()
    return any(files for _, _, files in os.walk(place, onerror=fail))


def missing_keys() -> list[str]:
    """Return the keys to make: none but for an empty instance that has no key."""
    env_file = read_env_file()
    if is_set("ENCRYPTION_KEY", env_file):
        return []
    if used := place_in_use(env_file):
        raise Refused(
            f"ENCRYPTION_KEY is not set, but there is data ({used}): set the key that it was "
            "made with, in the environment or in .env, as a new key could not open it"
        )
    return [name for name in ("ENCRYPTION_KEY", "SECRET_KEY") if not is_set(name, env_file)]


def write_keys(names: list[str]) -> None:
    """Add fresh keys to ``.env``: replaced as a whole, readable by its owner alone."""
    before = ENV_FILE.read_text(encoding="utf-8").rstrip("\n") if ENV_FILE.exists() else ""
    lines = [before] * bool(before) + [f"{name}={secrets.token_hex(32)}" for name in names]
    temporary = ENV_FILE.with_name(f".env.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(ENV_FILE)
    print(
        f"\nWrote .env with a fresh {' and '.join(names)}.\n"
        "BACK UP the line ENCRYPTION_KEY now, away from this machine: without it nothing that\n"
        "Darkroom stores can ever be opened again, by anybody.\n"
    )


def run() -> None:
    """Serve: set up, make keys if there are none, then become gunicorn (which checks first)."""
    began = time.monotonic()
    missing_keys()  # refusals come before minutes of installing
    set_up(run_requirements(read_env_file()))
    with alone():
        if names := missing_keys():
            write_keys(names)
    print(f"Set up in {time.monotonic() - began:.2f} s")
    become("-m", "gunicorn", "--no-control-socket", "--config", "gunicorn.conf.py", "wsgi:app")


def has_room(folder: Path) -> bool:
    """Tell whether this user can write and run programs there, with enough space left."""
    if not os.access(folder, os.W_OK):
        return False
    about = os.statvfs(folder)
    return about.f_bavail * about.f_frsize >= ROOM and not about.f_flag & os.ST_NOEXEC


def test(*arguments: str) -> None:
    """Run pytest on every core and one more, since many tests wait for another program, with
    its files in memory, since a disk is waited for at every commit; the caller's own choice
    of processes and of TMPDIR wins."""
    set_up(DEV)
    install_test_programs()
    if has_room(MEMORY):
        os.environ.setdefault("TMPDIR", str(MEMORY))
    os.environ.setdefault("PYTHONHASHSEED", "0")  # every process collects in the same order
    own = ("-n", "--numprocesses", "--pdb", "--collect-only", "no:xdist")
    processes = str(1 + max(2, os.cpu_count() or 2))
    spread = ["-n", processes, "--dist", "loadfile", "--no-loadscope-reorder"]
    chosen = any(argument.startswith(own) for argument in arguments)
    become("-m", "pytest", *([] if chosen else spread), "-m", "not benchmark", *arguments)


def bench(*arguments: str) -> None:
    """Run the modules of ``tests/benchmarks``."""
    set_up(DEV)
    become("-m", "tests.benchmarks", *arguments)


def lint() -> None:
    """Run every checker, also after one has complained."""
    set_up(DEV)
    failed = []
    for line in ("ruff check .", "ruff format --check .", "mypy", "lint-imports"):
        program, *rest = line.split()
        print(f"-- {line}")
        if not succeeds(VENV / "bin" / program, *rest):
            failed.append(line)
    print(f"-- failed: {', '.join(failed)}" if failed else "-- all clean")
    sys.exit(1 if failed else 0)


def main(arguments: list[str]) -> None:
    """Raise Refused where a command cannot go on; otherwise it becomes or exits."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what an older Python meets first
        raise Refused("Darkroom needs Python 3.11 or newer")
    commands = {"run": run, "test": test, "bench": bench, "lint": lint}
    takes_more = arguments[:1] in (["test"], ["bench"])
    if not arguments or arguments[0] not in commands or (arguments[1:] and not takes_more):
        print(__doc__)
        sys.exit(0 if arguments in (["-h"], ["--help"]) else 2)
    commands[arguments[0]](*arguments[1:])


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        main(sys.argv[1:])
    except (Refused, OSError, UnicodeDecodeError) as refusal:
        print(f"dev.py: {refusal}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
