"""``flask keys``: the state of keys and of the vault; no part of a key is ever printed, but
by ``export-kit`` and ``restore-kit``, whose purpose that is."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.cli.key_changes import move, rekey, rewrap
from app.cli.key_posture import say_posture
from app.cli.key_rotation import rotate
from app.cli.recovery_kit import export_kit, restore_kit
from app.cli.terminal import all_services, as_json, command, say_json, say_table
from app.domain.access import OPERATOR
from app.web.posture_json import posture_json
from app.web.posture_view import posture_view


@click.group("keys")
def group() -> None:
    """The state of keys and of the vault, and how keys are kept."""


group.add_command(move)
group.add_command(rekey)
group.add_command(rewrap)
group.add_command(rotate)


@group.command("status")
@as_json
@command
def status(as_json: bool) -> None:
    """The posture: keys by state, age and generation, custody, forecasts, what was done last.
    Names the master key by its check value. 1 if the vault is not in order."""
    services = all_services()
    found = services.key_report.status()
    report = services.posture.report(OPERATOR)
    alerts = services.alerts.active(OPERATOR)
    if as_json:
        say_json(asdict(found) | {"posture": posture_json(report, alerts)})
    else:
        click.echo(f"Master key    {found.master}")
        for previous in found.previous_masters:
            click.echo(f"Previous key  {previous}")
        for master, count in found.by_master.items():
            click.echo(f"Under {master}: {count}")
        click.echo(f"Vault         {found.vault_problem or 'in order'}")
        say_table(("state", "keys"), found.counts.by_state.items())
        click.echo(f"Past their expiry: {found.counts.past_expiry}")
        say_posture(posture_view(report, alerts))
    if found.vault_problem is not None:
        raise SystemExit(1)


group.add_command(export_kit)
group.add_command(restore_kit)
