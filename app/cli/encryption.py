"""``flask encryption``: make a master key; prove that everything is sealed and opens."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from app.cli.terminal import all_services, as_json, command, say_json
from app.crypto.keys import generate_key
from app.services.verification import Finding


@click.group("encryption")
def group() -> None:
    """Make a master key; verify that everything is sealed."""


@group.command("generate-key")
def generate_key_command() -> None:
    """Print a fresh ENCRYPTION_KEY. Needs no setting and stores nothing."""
    click.echo(f"ENCRYPTION_KEY={generate_key().reveal().hex()}")


@group.command("verify")
@click.option("--show-raw", is_flag=True, help="Show the first bytes as they lie on the disk.")
@as_json
@command
def verify(show_raw: bool, as_json: bool) -> None:
    """Open every blob, sidecar and sealed column. Changes nothing; 1 if anything is wrong."""
    verification = all_services().verification
    wrong = [finding for finding in _seen(verification.images()) if finding.problem]
    wrong += [finding for finding in verification.columns() if finding.problem]
    if as_json:
        say_json({"problems": [_told(finding) for finding in wrong]})
    else:
        for finding in wrong:
            click.echo(f"{finding.subject} {finding.part}: {finding.problem}")
        click.echo(f"{len(wrong)} problems." if wrong else "Everything is sealed and opens.")
    if show_raw:
        for sample in verification.samples():
            click.echo(f"{sample.what}: {sample.hex}")
    if wrong:
        raise SystemExit(1)


def _seen(findings: Iterator[Finding]) -> Iterator[Finding]:
    with click.progressbar(findings, label="Verifying", file=sys.stderr) as bar:
        yield from bar


def _told(finding: Finding) -> dict[str, str | None]:
    return {
        "subject": finding.subject,
        "part": finding.part,
        "problem": finding.problem,
    }
