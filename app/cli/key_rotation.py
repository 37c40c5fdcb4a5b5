"""``flask keys rotate``: new keys for the files, the root keys and the KEKs."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import click

from app.cli.key_changes import rotate_wrapping
from app.cli.progress import STOPPED, StoppableWatch, until_asked
from app.cli.terminal import all_services, as_json, command, say_json
from app.services.keys import ROOT_NAMES, RootName
from app.services.rotation import RotationReport, Scope
from app.web.durations import duration
from app.web.rotation_json import rotation_json


@click.command("rotate")
@click.option("--due", "due", is_flag=True, help="What is past its time; this is the default.")
@click.option("--all", "everything", is_flag=True, help="Every file, due or not.")
@click.option(
    "--image", "images", multiple=True, type=click.UUID, help="One picture; may be repeated."
)
@click.option("--budget", help="Begin no file after this time: 10m, 2h.")
@click.option("--dry-run", is_flag=True, help="Open all that would be sealed; change nothing.")
@click.option("--anew", is_flag=True, help="With --all: do not go on with an earlier run.")
@click.option("--root", type=click.Choice(ROOT_NAMES), help="A root key, and what it seals.")
@click.option("--kek", is_flag=True, help="The key encryption keys, and every envelope.")
@as_json
@command
def rotate(
    due: bool,
    everything: bool,
    images: tuple[UUID, ...],
    budget: str | None,
    dry_run: bool,
    anew: bool,
    root: RootName | None,
    kek: bool,
    as_json: bool,
) -> None:
    """Give files new keys: each is sealed again, beside the readers. Or a root key a new
    version (--root), or the key encryption keys (--kek).

    What an interrupted run of --all has done, the next one does not do again. 1 if anything
    failed or remains, 130 if it was stopped (Ctrl-C: between two files)."""
    _refuse_two(due, everything, images, root, kek)
    if root or kek:
        _refuse_two(dry_run, budget, anew, root or kek)
        rotate_wrapping(root, as_json=as_json)
        return
    scope = _scope(everything, images, anew=anew)
    limit = duration(budget, "--budget") if budget else None
    with until_asked() as stop:
        watch = StoppableWatch("Rotating", stop)
        report = _run(watch, scope, limit, dry_run=dry_run)
        watch.over()
    _say(report, as_json=as_json)
    if report.stopped:
        raise SystemExit(STOPPED)
    if not report.is_complete or _missing(images, report):
        raise SystemExit(1)


def _missing(images: tuple[UUID, ...], report: RotationReport) -> int:
    """How many of the named pictures are not there; says so, for an id is soon mistyped."""
    missing = max(0, len(set(images)) - report.found)
    if missing:
        click.echo(f"{missing} of the pictures named are not there.", err=True)
    return missing


def _refuse_two(*chosen: object) -> None:
    if sum(map(bool, chosen)) > 1:
        raise click.UsageError("These options do not go together: see --help.")


def _scope(everything: bool, images: tuple[UUID, ...], *, anew: bool) -> Scope:
    if images:
        return Scope("images", images)
    return Scope("all", anew=anew) if everything else Scope()


def _run(
    watch: StoppableWatch, scope: Scope, budget: timedelta | None, *, dry_run: bool
) -> RotationReport:
    rotation = all_services().rotation
    if dry_run:
        return rotation.rehearse(watch, scope)
    return rotation.run(watch, scope, budget=budget)


def _say(report: RotationReport, *, as_json: bool) -> None:
    if as_json:
        say_json(rotation_json(report))
        return
    if report.resumed:
        click.echo(
            f"Goes on with the rotation that began at {report.since:%Y-%m-%d %H:%M} UTC."
        )
    for failure in report.failures:
        click.echo(f"{failure.file_id}: {failure.code}", err=True)
    click.echo(
        f"found {report.found}, rotated {report.rotated}, failed {report.failed},"
        f" remaining {report.remaining}"
    )
    click.echo(f"old keys: {report.retired} disabled now, {report.waiting} in their grace")
    if report.problem:
        click.echo(report.problem, err=True)
    if report.stopped:
        click.echo("Stopped between two files. Run it again to go on.", err=True)
    if report.rehearsal:
        click.echo("Nothing was changed.")
