"""``flask encryption``: make a master key; prove that everything is sealed and opens."""

from __future__ import annotations

from itertools import chain

import click

from app.cli.moving_in import import_legacy, migrate, verify_migration
from app.cli.progress import STOPPED, progress, until_stopped
from app.cli.terminal import all_services, as_json, command, say_json
from app.crypto.keys import generate_key
from app.services.verification import Finding


@click.group("encryption")
def group() -> None:
    """Make a master key; verify that everything is sealed."""


for moving in (import_legacy, migrate, verify_migration):
    group.add_command(moving)


@group.command("generate-key")
def generate_key_command() -> None:
    """Print a fresh ENCRYPTION_KEY. Needs no setting and stores nothing."""
    click.echo(f"ENCRYPTION_KEY={generate_key().reveal().hex()}")


@group.command("verify")
@click.option("--show-raw", is_flag=True, help="Show the first bytes as they lie on the disk.")
@as_json
@command
def verify(show_raw: bool, as_json: bool) -> None:
    """Open every blob, sidecar and sealed column. Changes nothing; 1 if anything is wrong,
    130 if it was stopped."""
    verification = all_services().verification
    wrong: list[Finding] = []
    opened = 0
    everything = chain(verification.images(), verification.columns())
    with until_stopped() as stop, progress(everything, "Verifying") as findings:
        for finding in findings:
            opened += 1
            if finding.problem:
                wrong.append(finding)
    _say(wrong, opened, as_json=as_json, stopped=stop.requested)
    if stop.requested:
        raise SystemExit(STOPPED)
    if show_raw:
        for sample in verification.samples():
            click.echo(f"{sample.what}: {sample.hex}")
    if wrong:
        raise SystemExit(1)


def _say(wrong: list[Finding], opened: int, *, as_json: bool, stopped: bool) -> None:
    if as_json:
        problems = [_told(finding) for finding in wrong]
        say_json({"problems": problems, "opened": opened, "stopped": stopped})
        return
    for finding in wrong:
        click.echo(f"{finding.subject} {finding.part}: {finding.problem}. Cure: {finding.cure}")
    if stopped:
        click.echo(f"Stopped: {opened} opened, {len(wrong)} problems among them.")
    else:
        click.echo(f"{len(wrong)} problems." if wrong else "Everything is sealed and opens.")


def _told(finding: Finding) -> dict[str, str | None]:
    return {
        "subject": finding.subject,
        "part": finding.part,
        "problem": finding.problem,
        "cure": finding.cure,
    }
