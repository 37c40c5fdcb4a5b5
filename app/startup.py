"""The start check: ``python -m app.startup``, gunicorn's on_starting, and the tests.

It says in one sentence what is wrong and exits with 2, or brings the installation up:
folders, tables, root keys, store marker.
"""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import Engine

from app.config import ENV_FILE, Settings, load_settings
from app.db.migrate import upgrade
from app.errors import ConfigurationError, DarkroomError, KeyVaultUnavailable
from app.logs import set_up_logging
from app.services.backup import RESTORING
from app.services.installation import Places, Starter
from app.services.setup_code import setup_code
from app.wiring import House

log = logging.getLogger("darkroom.start")


def prepare(environ: Mapping[str, str], env_file: Path | None = ENV_FILE) -> None:
    """Check everything and complete a first start; raises a DarkroomError."""
    settings, warnings = load_settings(environ, env_file)
    for warning in warnings:
        log.warning(warning)
    start(settings)


def prepare_or_wait(
    environ: Mapping[str, str], env_file: Path | None = ENV_FILE
) -> KeyVaultUnavailable | None:
    """As `prepare`, but a vault on the network that does not answer is no refusal: it is
    returned, and the start has to be completed later (`app.late_start`)."""
    try:
        prepare(environ, env_file)
    except KeyVaultUnavailable as away:
        if not load_settings(environ, env_file)[0].vault.is_remote:
            raise
        log.warning("Darkroom starts, but waits for its key vault", exc_info=away)
        return away
    return None


def start(settings: Settings, *, told: bool = True) -> None:
    """Bring up the installation that the settings describe; raises a DarkroomError. ``told``:
    say how the first account is made on the set-up page."""
    _check_instance(settings.instance_path)
    with _alone(settings.instance_path), closing(House(settings)) as house:
        starter = Starter(
            places=_places(settings),
            engine=house.plain_engine,
            blobs=house.blobs,
            vaulting=house.vaulting,
            masters=house.masters,
            migrate=_upgrade,
        )
        starter.start()
        if told:
            _tell_setup_code(house)


def start_if_empty(settings: Settings) -> bool:
    """Complete a first start where nothing is yet, so that a command can be the first thing
    that is ever run; raises a DarkroomError. Tells whether nothing was there."""
    if not is_empty(settings):
        return False
    start(settings, told=False)
    return True


def is_empty(settings: Settings) -> bool:
    """Whether there is neither database nor store, nor a vault on this machine."""
    places = _places(settings)
    vault = places.vault and not settings.vault.is_remote
    return not (places.database or places.store or vault)


def _upgrade(engine: Engine) -> None:
    try:
        upgrade(engine)
    except CommandError:  # a revision that this release does not know; nothing was written
        raise ConfigurationError(
            "The database was made by a later release of Darkroom: start that one.",
            operation="start.database",
        ) from None


def _places(settings: Settings) -> Places:
    database = Path(settings.database_url.removeprefix("sqlite:///"))
    vault = settings.vault.is_remote or settings.vault_path.exists()
    return Places(database.exists(), settings.store_path.exists(), vault)


def _check_instance(instance: Path) -> None:
    """The instance holds sealed data only, but nobody else has any business in it."""
    if instance.exists() and stat.S_IMODE(instance.stat().st_mode) & 0o077:
        raise ConfigurationError(
            "INSTANCE_PATH can be read by others: run chmod 700 on it, then start again.",
            operation="start.instance",
        )
    if (instance / RESTORING).exists():
        raise ConfigurationError(
            "A backup was being restored into this instance and did not come to its end: run"
            " flask --app wsgi backup restore again.",
            operation="start.restore",
        )


@contextmanager
def _alone(instance: Path) -> Iterator[None]:
    """Let two starts at once go one after the other; makes the folder."""
    try:
        instance.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(instance, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        raise ConfigurationError(
            "INSTANCE_PATH cannot be made or opened: is it on a writable disk?",
            operation="start.instance",
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _tell_setup_code(house: House) -> None:
    """Print the one-time code that the set-up page asks of whoever is not on this machine."""
    if house.services.accounts.is_empty():
        log.info("No account exists yet. Set-up code: %s", setup_code(house.roots))


def main() -> int:
    """Run the start check alone."""
    set_up_logging("console")
    try:
        prepare(os.environ)
    except (DarkroomError, OSError) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
