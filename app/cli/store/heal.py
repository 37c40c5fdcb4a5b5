"""``flask store heal``: from a backup into the place of what is damaged."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from app.cli.progress import STOPPED, TerminalWatch, until_stopped
from app.cli.terminal import all_services, as_json, command, say_json
from app.domain.access import OPERATOR
from app.services.healing import Healed, HealReport


@click.command("heal")
@click.option(
    "--from", "place", required=True, help="A backup, or a copy of an instance or its store."
)
@click.option("--image", "images", type=click.UUID, multiple=True, help="This picture alone.")
@click.option("--full", is_flag=True, help="Look at every chunk of every picture, too.")
@as_json
@command
def heal(place: str, images: tuple[UUID, ...], full: bool, as_json: bool) -> None:
    """Put verified files and keys of a backup in the place of damaged ones, write damaged
    sidecars again, and let what is in order again out of quarantine. 1 if anything is left
    damaged, 130 if it was stopped."""
    healing, watch = all_services().healing, TerminalWatch("Healing")
    source = healing.source(place)
    report = HealReport()
    with until_stopped() as stop:
        healing.run(watch, OPERATOR, source, images or None, full=full, report=report)
    watch.over()
    if as_json:
        say_json(_told(report) | {"stopped": stop.requested})
    else:
        _say(report, stopped=stop.requested)
    if stop.requested:
        raise SystemExit(STOPPED)
    if report.failed:
        raise SystemExit(1)


def _say(report: HealReport, *, stopped: bool) -> None:
    for picture in report.pictures:
        mended = f"mended {', '.join(picture.mended)}" if picture.mended else "nothing mended"
        out = ", let out of quarantine" if picture.released else ""
        click.echo(f"{picture.id}: {mended}{out}")
        for reason in picture.left:
            click.echo(f"{picture.id}: still wrong: {reason}")
    told = f"{report.looked} pictures looked at, {report.healed} healed, {report.failed} left."
    click.echo(f"Stopped. {told}" if stopped else told)


def _told(report: HealReport) -> dict[str, Any]:
    return {
        "looked": report.looked,
        "healed": report.healed,
        "failed": report.failed,
        "pictures": [_picture(one) for one in report.pictures],
    }


def _picture(healed: Healed) -> dict[str, Any]:
    return {
        "image": str(healed.id),
        "mended": list(healed.mended),
        "released": healed.released,
        "left": list(healed.left),
    }
