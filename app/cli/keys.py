"""``flask keys``: the state of keys and of the vault; no part of a key is ever printed."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.cli.terminal import all_services, as_json, command, say_json, say_table


@click.group("keys")
def group() -> None:
    """The state of keys and of the vault."""


@group.command("status")
@as_json
@command
def status(as_json: bool) -> None:
    """Count the keys by state; name the master key by its check value. 1 if the vault
    is not in order."""
    found = all_services().key_report.status()
    if as_json:
        say_json(asdict(found))
    else:
        click.echo(f"Master key    {found.master}")
        for previous in found.previous_masters:
            click.echo(f"Previous key  {previous}")
        click.echo(f"Vault         {found.vault_problem or 'in order'}")
        say_table(("state", "keys"), found.counts.by_state.items())
        click.echo(f"Past their expiry: {found.counts.past_expiry}")
    if found.vault_problem is not None:
        raise SystemExit(1)
