"""``flask store reconcile``: what a crash left behind."""

from __future__ import annotations

from typing import Any

import click

from app.cli.progress import STOPPED, TerminalWatch, until_stopped
from app.cli.terminal import all_services, as_json, command, say_json
from app.domain.access import OPERATOR
from app.services.reconciliation import Item, Means, Reconciliation


@click.command("reconcile")
@click.option("--repair", is_flag=True, help="Mend what is understood and loses nothing.")
@click.option("--discard", is_flag=True, help="Destroy what the database does not know.")
@click.option("--yes", is_flag=True, help="With --discard: do not ask.")
@as_json
@command
def reconcile(repair: bool, discard: bool, yes: bool, as_json: bool) -> None:
    """Tell what in store, vault and counters has no counterpart, and what helps; nothing
    that is younger than an hour. 1 if anything is left, 130 if it was stopped."""
    if discard and not yes:
        click.confirm(
            "Destroy files and keys that the database does not know? If it was restored from"
            " an older backup they are pictures that only it has forgotten.",
            abort=True,
        )
    watch, report = TerminalWatch("Reconciling"), Reconciliation()
    with until_stopped() as stop:
        means = Means(repair=repair, discard=discard)
        all_services().reconciler.run(watch, OPERATOR, means, report)
    watch.over()
    if as_json:
        say_json(_told(report) | {"stopped": stop.requested})
    else:
        for item in report.items:
            click.echo(f"{item.where}: {item.kind}: {item.done or item.why}")
        told = f"{report.found.total()} found, {report.done.total()} put right."
        click.echo(f"Stopped. {told}" if stop.requested else told)
    if stop.requested:
        raise SystemExit(STOPPED)
    if report.left:
        raise SystemExit(1)


def _told(report: Reconciliation) -> dict[str, Any]:
    return {
        "found": dict(report.found),
        "done": dict(report.done),
        "left": report.left,
        "items": [_item(item) for item in report.items],
    }


def _item(item: Item) -> dict[str, Any]:
    return {"kind": item.kind, "where": item.where, "done": item.done, "why": item.why}
