"""The posture on a terminal: what an auditor asks, in lines."""

from __future__ import annotations

import click

from app.cli.terminal import say_table
from app.services.posture import PostureReport
from app.web.posture_view import PostureView


def say_posture(view: PostureView) -> None:
    """Print inventory, custody, forecast, what was done last and what needs a hand."""
    report, inventory = view.report, view.report.inventory
    cryptoperiod = report.setting.cryptoperiod_days
    lines = (
        ("Sealed files", f"{inventory.files}, {inventory.sealed_bytes} bytes"),
        ("Cryptoperiod", f"{cryptoperiod} days" if cryptoperiod else "on demand only"),
        ("Forecast, due", view.due),
        ("Forecast, all", view.everything),
        ("Set aside", f"{inventory.quarantined} damaged pictures"),
        ("Unverified", f"{inventory.unverified} pictures by provenance"),
        ("Column tokens", f"{report.columns.active} active, {report.columns.former} former"),
    )
    for name, told in lines:
        click.echo(f"{name:14}{told}")
    say_table(("age of the active key", "keys"), inventory.by_age.items())
    say_table(("generation", "keys"), inventory.by_generation.items())
    say_table(("last", "ended", "done", "failed"), _last(report))
    for concern in view.concerns:
        click.echo(f"Needs a hand: {concern.title}. {concern.detail}")


def _last(report: PostureReport) -> list[tuple[object, ...]]:
    return [
        (kind, f"{run.finished_at:%Y-%m-%d %H:%M}", run.done, run.failed)
        if run is not None and run.finished_at is not None
        else (kind, "never", "", "")
        for kind, run in report.last.items()
    ]
