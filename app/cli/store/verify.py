"""``flask store verify``: every kind of damage, named, with what helps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import click

from app.cli.progress import STOPPED, TerminalWatch, until_stopped
from app.cli.terminal import all_services, as_json, command, say_json
from app.domain.access import OPERATOR
from app.errors import NotFound
from app.services.store_check import CheckReport, Plan, tell_nobody
from app.services.verification import Finding


def _sample(
    _context: click.Context, _option: click.Parameter, text: str | None
) -> float | None:
    """``250`` pictures, or ``5%`` of them: a number, or a fraction below 1."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,12})|(\d{1,2}(?:\.\d+)?)\s*%", text.strip())
    number = float(match[1] or match[2]) if match else 0.0
    if match is None or not number:
        raise click.BadParameter("must be a number of pictures, or a share such as 5%")
    return number if match[1] else number / 100


@click.command("verify")
@click.option("--full", is_flag=True, help="Every chunk, every sealed column, the audit log.")
@click.option("--quick", is_flag=True, help="Headers, sidecars, sizes and keys: the default.")
@click.option(
    "--sample",
    callback=_sample,
    metavar="N or %",
    help="So many pictures at random, or so many percent.",
)
@click.option("--image", "images", type=click.UUID, multiple=True, help="This picture alone.")
@click.option("--resume", is_flag=True, help="Go on where a run of this kind was stopped.")
@as_json
@command
def verify(
    full: bool, quick: bool, sample: float | None, images: tuple[UUID, ...], resume: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Compare store, vault and database, and name what is wrong with what helps. Changes
    nothing; with --image all of a picture is looked at, and one that was set aside is let
    out again if it is in order. 1 if anything is wrong, 130 if it was stopped."""
    if full and quick:
        raise click.UsageError("Either --quick or --full.")
    if images:
        _say_images(images, as_json=as_json)
        return
    if resume and sample is not None:
        raise click.UsageError("A sample is drawn anew each time: leave --resume out.")
    _run(Plan(full=full, sample=sample, resume=resume), as_json=as_json)


def _run(plan: Plan, *, as_json: bool) -> None:
    check, watch = all_services().store_check, TerminalWatch("Verifying")
    report = CheckReport(plan.mode)
    with until_stopped() as stop:
        check.run(watch, plan, report, tell_nobody if as_json else _say)
    watch.over()
    if as_json:
        say_json(_told(report, stopped=stop.requested))
    else:
        click.echo(_summary(report, stopped=stop.requested))
    if stop.requested:
        raise SystemExit(STOPPED)
    if not report.is_clean:
        raise SystemExit(1)


def _say_images(images: Sequence[UUID], *, as_json: bool) -> None:
    """Look at pictures by name; let those out that were set aside and are in order."""
    told, wrong = [], False
    for image_id in images:
        found, released = all_services().store_check.release(OPERATOR, image_id)
        if not found:
            raise NotFound("There is no picture with this id.", operation="verify.image")
        problems = [finding for finding in found if finding.damage]
        wrong = wrong or bool(problems)
        told.append(
            {
                "image": str(image_id),
                "released": released,
                "problems": [finding_json(one) for one in problems],
            }
        )
        if not as_json:
            for finding in problems:
                _say(finding)
            end = "Let out of quarantine." if released else ""
            click.echo(f"{image_id}: {_problems(len(problems))}. {end}".rstrip())
    if as_json:
        say_json({"images": told})
    if wrong:
        raise SystemExit(1)


def finding_json(finding: Finding) -> dict[str, str | None]:
    """Return one problem for a program."""
    return {
        "subject": finding.subject,
        "part": finding.part,
        "kind": finding.damage.slug if finding.damage else None,
        "problem": finding.problem,
        "cure": finding.cure,
    }


def _say(finding: Finding) -> None:
    click.echo(f"{finding.subject} {finding.part}: {finding.problem}. Cure: {finding.cure}")


def _problems(count: int) -> str:
    return f"{count or 'no'} problem" + ("" if count == 1 else "s")


def _summary(report: CheckReport, *, stopped: bool) -> str:
    told = f"{report.images} pictures looked at ({report.mode}), "
    told += _problems(report.problems) if report.problems else "everything is in order"
    kinds = ", ".join(f"{count} {kind}" for kind, count in report.by_kind.most_common())
    told += f": {kinds}." if kinds else "."
    return f"Stopped. {told} Go on with --resume." if stopped else told


def _told(report: CheckReport, *, stopped: bool) -> dict[str, Any]:
    return {
        "mode": report.mode,
        "images": report.images,
        "looked": report.looked,
        "problems": report.problems,
        "by_kind": dict(report.by_kind),
        "findings": [finding_json(finding) for finding in report.findings],
        "resumed": report.resumed,
        "stopped": stopped,
    }
