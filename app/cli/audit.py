"""``flask audit``: is the log whole, and what is in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import click

from app.cli.progress import STOPPED, until_stopped
from app.cli.terminal import all_services, as_json, command, say_json
from app.services.audit import AuditEntry, Checkpoint


@click.group("audit")
def group() -> None:
    """The audit log: is it whole, and what is in it."""


def _checkpoint(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> Checkpoint | None:
    if text is None:
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", text.strip())
    if match is None:
        raise click.BadParameter("must be what an earlier verification printed")
    return Checkpoint(int(match[1]), bytes.fromhex(match[2]))


@group.command("verify")
@click.option("--checkpoint", callback=_checkpoint, help="Of an earlier verification: N:MAC.")
@as_json
@command
def verify(checkpoint: Checkpoint | None, as_json: bool) -> None:
    """Walk the chain from its start with the audit keys, name the first event that does not
    fit, and print a checkpoint: kept elsewhere, it tells later whether a tail was cut off.
    1 if anything is wrong."""
    audit = all_services().audit
    verdict = audit.verify()
    lost = checkpoint is not None and not audit.holds(checkpoint)
    end = audit.checkpoint()
    if as_json:
        told: dict[str, Any] = {"checked": verdict.checked, "last": verdict.last}
        told |= {"broken_at": verdict.broken_at, "checkpoint": str(end) if end else None}
        say_json(told | {"checkpoint_holds": None if checkpoint is None else not lost})
    else:
        click.echo(f"{verdict.checked} events verified, the last is {verdict.last}.")
        if verdict.broken_at is not None:
            click.echo(f"Event {verdict.broken_at} is the first that does not fit.")
        if lost:
            click.echo("The event of the checkpoint is not there: the log was cut or replaced.")
        if end is not None and verdict.broken_at is None:
            click.echo(f"Checkpoint {end}")
    if lost or verdict.broken_at is not None:
        raise SystemExit(1)


@group.command("export")
@command
def export() -> None:
    """Print every event, oldest first, one JSON object a line. 1 if the details of any do
    not open, 130 if it was stopped."""
    damaged = False
    with until_stopped() as stop:
        for line, intact in _lines():
            damaged = damaged or not intact
            click.echo(line)
    if stop.requested:
        raise SystemExit(STOPPED)
    if damaged:
        raise SystemExit(1)


def _lines() -> Iterator[tuple[str, bool]]:
    for entry in all_services().audit.entries():
        yield json.dumps(_told(entry), ensure_ascii=False), entry.intact


def _told(entry: AuditEntry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "id": str(entry.id),
        "at": entry.at.isoformat(),
        "actor": str(entry.actor_id) if entry.actor_id is not None else None,
        "action": entry.action,
        "subject_kind": entry.subject_kind,
        "subject": entry.subject_id,
        "outcome": entry.outcome,
        "details": entry.details,
        "intact": entry.intact,
    }
