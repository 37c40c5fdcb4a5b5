"""``flask keys rewrap``, ``rekey`` and ``move``: commands that change how keys are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol, TypeVar

import click
from flask import current_app

from app.cli.progress import STOPPED, TerminalWatch, until_stopped
from app.cli.terminal import all_services, as_json, command, say_json
from app.config import Settings
from app.config_vault import VaultMode
from app.jobs.watch import Watch
from app.services.keys import KeyMode, RootName


class Report(Protocol):
    """``found`` = ``done`` + ``failed`` + ``remaining``; ``complete``: nothing is left."""

    @property
    def found(self) -> int: ...
    @property
    def done(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def remaining(self) -> int: ...
    @property
    def failures(self) -> tuple[str, ...]: ...
    @property
    def complete(self) -> bool: ...


R = TypeVar("R", bound=Report)


@click.command("rewrap")
@as_json
@command
def rewrap(as_json: bool) -> None:
    """Wrap every key under the present ENCRYPTION_KEY, from those of
    ENCRYPTION_KEY_PREVIOUS. Touches no file; may be stopped and run again. 1 if the old key
    is still needed, 130 if it was stopped."""
    say(watched("Wrapping keys", all_services().key_changes.rewrap.run), as_json=as_json)
    if _settings().encryption_key_previous:
        click.echo(
            "Nothing needs ENCRYPTION_KEY_PREVIOUS now: empty it, start again.", err=True
        )


@click.command("rekey")
@click.option(
    "--to",
    "to",
    type=click.Choice(["direct", "envelope"]),
    required=True,
    help="In the vault itself, or beside the file under a key encryption key.",
)
@as_json
@command
def rekey(to: KeyMode, as_json: bool) -> None:
    """Keep the keys of all files as KEY_VAULT_KEYING keeps new ones: set that first. Changes
    no file; may be stopped and run again. 1 if any remains, 130 if it was stopped."""
    work = all_services().key_changes.rekey
    say(watched("Turning keys", lambda watch: work.run(watch, to)), as_json=as_json)
    if _settings().keying != to:
        click.echo(f"New files are still kept otherwise: set KEY_VAULT_KEYING={to}.", err=True)


def rotate_wrapping(root: RootName | None, *, as_json: bool) -> None:
    """``keys rotate --root NAME``, or ``--kek`` where no root key is named."""
    changes = all_services().key_changes
    if root == "blind":
        click.echo("Waits until every process knows the new key: 45 s.", err=True)
    if root is None:
        say(watched("Rotating", changes.keks.run), as_json=as_json)
    else:
        say(watched("Rotating", lambda watch: changes.roots.run(watch, root)), as_json=as_json)


_MODES = click.Choice(["local", "azure", "hashicorp"])


@click.command("move")
@click.option("--to", "to", type=_MODES, required=True, help="The vault that keys go to.")
@click.option(
    "--from", "source", type=_MODES, help="Where they are; KEY_VAULT_MODE if not said."
)
@click.option(
    "--remove-source", is_flag=True, help="After the switch: destroy there what is here."
)
@as_json
@command
def move(to: VaultMode, source: VaultMode | None, remove_source: bool, as_json: bool) -> None:
    """Copy every key into another vault, whose settings stand beside those of the present
    one, and compare. Then set KEY_VAULT_MODE, start again, and run it once more. 1 if any
    key failed, 130 if it was stopped."""
    with current_app.extensions["darkroom"].two_vaults(to, source) as (old, new, present):
        work = all_services().key_changes.move
        if remove_source and present != to:
            raise click.UsageError(
                f"Set KEY_VAULT_MODE={to} and start again before the source is emptied."
            )
        if remove_source:
            report = watched("Removing keys", lambda watch: work.remove(watch, old, new))
        else:
            switched = present == to
            report = watched(
                "Copying keys", lambda watch: work.copy(watch, old, new, switched=switched)
            )
        say(report, as_json=as_json)


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def watched(label: str, work: Callable[[Watch], R]) -> R:
    """Do the work and tell how far it is; Ctrl-C ends it with what was done so far kept."""
    watch = TerminalWatch(label)
    with until_stopped() as stop:
        report = work(watch)
    watch.over()
    if stop.requested:
        click.echo("Stopped. What was done stays; run it again to go on.", err=True)
        raise SystemExit(STOPPED)
    return report


def say(report: Report, *, as_json: bool) -> None:
    """Print the figures; exit with 1 where something failed or remains."""
    if as_json:
        say_json({**asdict(report), "complete": report.complete})  # type: ignore[call-overload]
    else:
        for reference in report.failures:
            click.echo(f"failed: {reference}", err=True)
        click.echo(
            f"found {report.found}, done {report.done}, failed {report.failed},"
            f" remaining {report.remaining}"
        )
    if not report.complete:
        raise SystemExit(1)
