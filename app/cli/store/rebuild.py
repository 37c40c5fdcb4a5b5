"""``flask store rebuild-db``: a lost database, made anew from what the store keeps sealed."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from app.cli.progress import STOPPED, until_stopped
from app.cli.terminal import all_services, as_json, command, say_json, say_table
from app.services.rebuild import RebuildReport


class _Told:
    """Tells on standard error how many pictures were looked at."""

    def advance(self, done: int, total: int | None = None) -> None:
        del total
        if done % 1000 == 0:
            click.echo(f"Rebuilding: {done} pictures", err=True)


@click.command("rebuild-db")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@command
def rebuild_db(yes: bool, as_json: bool) -> None:
    """Make the database anew from store, vault and master key. Accounts come back disabled
    and without passwords. 1 if anything was lost, 130 if it was stopped: nothing is in place
    then, and it can be run again."""
    if not yes:
        _ask()
    with until_stopped() as stop:
        report = all_services().rebuild.run(_Told())
    if stop.requested:
        click.echo("Stopped: no database was made.", err=True)
        raise SystemExit(STOPPED)
    if as_json:
        say_json(asdict(report))
    else:
        _say(report)
    if not report.is_whole:
        raise SystemExit(1)


def _ask() -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("Say --yes: nobody is here to ask.")
    click.confirm(
        "Make a new database from the store? Passwords, sessions, API keys, links and the"
        " audit log do not come back.",
        abort=True,
    )


def _say(report: RebuildReport) -> None:
    say_table(("pictures", ""), [
        ("found", report.found), ("rebuilt", report.rebuilt),
        ("incomplete", report.incomplete), ("failed", report.failed),
    ])  # fmt: skip
    for reason, count in sorted(report.reasons.items()):
        click.echo(f"{count} with: {reason}")
        for key in report.examples[reason]:
            click.echo(f"  {key}")
    made = ", ".join(f"{count} {kind}s" for kind, count in report.rows.items())
    click.echo(f"Directory: {report.directory}. Rows: {made or 'none'}.")
    if report.stand_ins:
        named = ", ".join(f"{count} {kind}s" for kind, count in report.stand_ins.items())
        click.echo(f"Made with stand-in names: {named}.")
    if report.foreign or report.leftover:
        click.echo(f"Left alone: {report.foreign} foreign, {report.leftover} left over.")
    click.echo(
        f"All accounts are disabled ({report.disabled_before} were before). Let the first one"
        " in: users reset-password EMAIL --password-file F, then users disable EMAIL --undo."
    )
