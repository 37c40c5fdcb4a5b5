"""``flask jobs``: work them apart from the server, work what is due, see how they stand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import click
from flask import current_app

from app.cli.progress import STOPPED, until_stopped, wait_for_a_signal
from app.cli.terminal import all_services, as_json, command, say_json, say_table
from app.domain.access import OPERATOR
from app.logs import set_up_logging
from app.services.job_overview import KindOverview
from app.services.keys.root_watch import watch_roots
from app.storage.instance_lock import hold_running

if TYPE_CHECKING:
    from app.jobs.queue import Queue
    from app.services.records import RecordsKeeper

STOP_SECONDS = 7.0
RECORDS_SECONDS = 1.5
"""For what is in the middle of a step; service managers kill after ten seconds."""


@click.group("jobs")
def group() -> None:
    """Work jobs; see how they stand."""


@group.command("worker")
@click.option("--threads", type=click.IntRange(1, 64), help="Left out: JOBS_THREADS.")
@command
def worker(threads: int | None) -> None:
    """Work jobs until SIGTERM or Ctrl-C, beside a server with JOBS_EMBEDDED=false."""
    settings = current_app.config["SETTINGS"]
    set_up_logging(settings.log_format)
    queue, keeper = _queue(), _keeper()
    hold_running(settings.instance_path)
    house = current_app.extensions["darkroom"]  # a thread of its own knows no application
    watch_roots(lambda: house.roots)
    with until_stopped():
        queue.start(threads or settings.jobs_threads)
        keeper.start()
        click.echo(f"Working jobs with {threads or settings.jobs_threads} threads.", err=True)
        wait_for_a_signal()
    keeper.ask_to_stop()
    if not queue.stop(STOP_SECONDS):
        click.echo("A job was in the middle of a step: it is taken up again later.", err=True)
    keeper.stop(RECORDS_SECONDS)


@group.command("run-once")
@as_json
@command
def run_once(as_json: bool) -> None:
    """Work everything that is due, here, and end. 1 if a job failed or is to be tried again,
    130 if it was stopped."""
    all_services()
    settled: dict[Any, str] = {}
    with until_stopped() as stop:
        settled = _queue().run_due(settled)
    counts = Counter(settled.values())
    if as_json:
        say_json({"jobs": len(settled), "states": dict(counts), "stopped": stop.requested})
    else:
        told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        click.echo(f"{len(settled)} jobs: {told}." if settled else "Nothing was due.")
    if stop.requested:
        raise SystemExit(STOPPED)
    if counts["failed"] or counts["waiting"]:
        raise SystemExit(1)


@group.command("list")
@as_json
@command
def index(as_json: bool) -> None:
    """Show every kind of job: how many wait, run and failed, and the last of the
    installation's own."""
    told = [_told(kind) for kind in all_services().job_overview.kinds(OPERATOR)]
    if as_json:
        say_json(told)
    else:
        heads = ("kind", "every", "waiting", "running", "failed", "last", "at", "error")
        rows = [one | {"every": _period(one["every"])} for one in told]
        say_table(heads, [tuple(one[head] or "" for head in heads) for one in rows])


def _period(every: str | None) -> str:
    """``6:00:00`` as ``6 h``; nothing where a kind is worked only when it is asked for."""
    if every is None:
        return "on request"
    hours, minutes, _ = every.split(":")
    return f"{hours} h" if hours != "0" else f"{int(minutes)} min"


def _queue() -> Queue:
    return cast("Queue", current_app.extensions["darkroom"].jobs.queue)


def _keeper() -> RecordsKeeper:
    return cast("RecordsKeeper", current_app.extensions["darkroom"].jobs.keeper)


def _told(kind: KindOverview) -> dict[str, Any]:
    last = kind.last
    at = (last.finished_at or last.created_at) if last else None
    return {
        "kind": kind.kind,
        "label": kind.label,
        "every": str(kind.every) if kind.every else None,
        "waiting": kind.counts.get("waiting", 0),
        "running": kind.counts.get("running", 0),
        "failed": kind.counts.get("failed", 0),
        "last": last.state if last else None,
        "at": at.isoformat(timespec="seconds") if at else None,
        "error": last.error if last else None,
    }
