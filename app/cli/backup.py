"""``flask backup``: make backups, look at them, put them back. Never asks a question."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from flask import current_app

from app.cli.progress import STOPPED, until_stopped
from app.cli.terminal import all_services, as_json, command, say_json
from app.cli.watching import TerminalWatch, watching
from app.errors import WorkStopped
from app.services.backup import BackupReport, DrillReport, Recovery, RestoreReport

if TYPE_CHECKING:
    from app.jobs.watch import Watch

T = TypeVar("T")
PASSPHRASE = click.Path(exists=True, dir_okay=False, path_type=Path)
passphrase_option = click.option(
    "--passphrase-file",
    type=PASSPHRASE,
    help="A file (mode 0600) with the passphrase; else the master key is the lock.",
)
name_option = click.option(
    "--backup", "name", help="Its name, as create tells it; else the newest."
)


@click.group("backup")
def group() -> None:
    """Make backups, look at them, put them back."""


@group.command("create")
@click.argument("target", required=False)
@passphrase_option
@click.option("--keep", type=click.IntRange(1, 1000), help="How many stay; else BACKUP_KEEP.")
@as_json
@command
def create(
    target: str | None, passphrase_file: Path | None, keep: int | None, as_json: bool
) -> None:
    """Back up to TARGET, a folder or s3://bucket/prefix (else BACKUP_TARGET), while people
    work. 1 if a picture was damaged or missing, 130 if it was stopped: the next one goes on
    with what is there."""
    backups = all_services().backups

    def work(watch: Watch) -> BackupReport:
        return backups.run(watch, target, passphrase_file=passphrase_file, keep=keep)

    report = _worked("Backing up", work, as_json=as_json)
    if as_json:
        say_json(asdict(report) | {"sound": report.is_sound, "stopped": False})
    else:
        _say_created(report)
        click.echo(backups.plan.horizon if target is None else _HORIZON)
    if not report.is_sound:
        raise SystemExit(1)


@group.command("list")
@click.argument("target")
@as_json
@command
def list_backups(target: str, as_json: bool) -> None:
    """Name the complete backups in TARGET, oldest first."""
    names = _recovery().names(target)
    if as_json:
        say_json(names)
    else:
        click.echo("\n".join(names) or "There is none.")


@group.command("verify")
@click.argument("target")
@name_option
@passphrase_option
@click.option(
    "--sample",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="How many pictures are decrypted to the last byte.",
)
@click.option("--quick", is_flag=True, help="Do not read every file for its hash.")
@as_json
@command
def verify(
    target: str, name: str | None, passphrase_file: Path | None, sample: int, quick: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Look at a backup with nothing but itself and its key: every file, the database, and a
    random sample decrypted in memory. 1 if anything is wrong."""
    recovery = _recovery()

    def work(watch: Watch) -> DrillReport:
        return recovery.verify(
            watch, target, name=name, passphrase_file=passphrase_file, sample=sample,
            whole=not quick,
        )  # fmt: skip

    report = _worked("Verifying", work, as_json=as_json)
    if as_json:
        say_json(asdict(report) | {"sound": report.is_sound, "stopped": False})
    else:
        _say_verified(report)
    if not report.is_sound:
        raise SystemExit(1)


@group.command("restore")
@click.argument("target")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="The empty folder to restore into; else INSTANCE_PATH.",
)
@name_option
@passphrase_option
@click.option("--skip-damaged", is_flag=True, help="Restore the rest of a damaged backup.")
@click.option("--keep-api-keys", is_flag=True, help="Let API keys work again.")
@as_json
@command
def restore(
    target: str, to: Path | None, name: str | None, passphrase_file: Path | None,
    skip_damaged: bool, keep_api_keys: bool, as_json: bool,
) -> None:  # fmt: skip
    """Put a backup back into an empty instance: whole, or not at all. Refused, before
    anything is written: a wrong key, a damaged backup, an instance in use."""
    recovery = _recovery()

    def work(watch: Watch) -> RestoreReport:
        return recovery.restore(
            watch, target, to=to, name=name, passphrase_file=passphrase_file,
            skip_damaged=skip_damaged, keep_api_keys=keep_api_keys,
        )  # fmt: skip

    report = _worked("Restoring", work, as_json=as_json)
    if as_json:
        say_json(asdict(report) | {"stopped": False})
    else:
        _say_restored(report, to)
    if report.left_out:
        raise SystemExit(1)


def _recovery() -> Recovery:
    recovery: Recovery = current_app.extensions["darkroom"].recovery
    return recovery


def _worked(label: str, work: Callable[[TerminalWatch], T], *, as_json: bool) -> T:
    """Do the work with progress; SystemExit 130 where it was stopped."""
    with until_stopped(), watching(label) as watch:
        try:
            return work(watch)
        except WorkStopped:
            pass
    if as_json:
        say_json({"stopped": True})
    else:
        click.echo("Stopped. Nothing half is left; run it again to go on.")
    raise SystemExit(STOPPED)


_HORIZON = "Pictures that are destroyed from now on stay in this backup until it is removed."


def _say_created(report: BackupReport) -> None:
    click.echo(f"Backup {report.backup} is complete.")
    click.echo(
        f"{report.pictures} pictures, {report.files} sealed files ({_mib(report.bytes)}),"
        f" {report.keys} keys, {report.rows} rows."
    )
    click.echo(
        f"Copied {report.copied_files} files ({_mib(report.copied_bytes)});"
        f" {report.reused_files} were there."
    )
    if report.gone:
        click.echo(f"{report.gone} pictures were destroyed meanwhile and are not in it.")
    if report.removed_backups:
        click.echo(
            f"Removed {report.removed_backups} older backups and {report.removed_files} files"
            " that only they needed."
        )
    if report.held_back:
        click.echo("Files stay: an older backup does not open with these keys.", err=True)
    if not report.is_sound:
        click.echo(
            f"{report.damaged} pictures were damaged and {report.missing} missing before:"
            " see encryption verify.",
            err=True,
        )


def _say_verified(report: DrillReport) -> None:
    for one in report.problems:
        click.echo(f"{one.what}: {one.problem}")
    click.echo(
        f"Backup {report.backup}, made {_minute(report.made_at)}: {report.files} files"
        f" ({_mib(report.bytes)}), {report.keys} keys, {report.rows} rows;"
        f" {report.sampled} pictures decrypted ({_mib(report.sampled_bytes)})."
    )
    click.echo(
        f"{len(report.problems)} problems." if report.problems else "It can be restored."
    )


def _say_restored(report: RestoreReport, to: Path | None) -> None:
    click.echo(
        f"Restored {report.backup}, made {_minute(report.made_at)}: {report.pictures} pictures,"
        f" {report.files} files ({_mib(report.bytes)}), {report.keys} keys, {report.rows} rows."
    )
    click.echo(
        "All sessions and signed addresses have ended. Passwords are those of the backup."
    )
    if report.api_keys_ended:
        words = "key was" if report.api_keys_ended == 1 else "keys were"
        click.echo(f"{report.api_keys_ended} API {words} revoked: make new ones.")
    click.echo(
        "Pictures that were destroyed since the backup are there again: destroy them anew."
    )
    for key in report.left_out:
        click.echo(f"Left out, damaged: {key}", err=True)
    where = f"Set INSTANCE_PATH={to.resolve()}, start Darkroom" if to else "Start Darkroom"
    click.echo(f"{where}, then run encryption verify.")


def _minute(made_at: str) -> str:
    """An ISO time, as people read it."""
    return f"{datetime.fromisoformat(made_at):%Y-%m-%d %H:%M} UTC"


def _mib(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"
