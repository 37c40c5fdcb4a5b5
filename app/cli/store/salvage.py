"""``flask store salvage``: what still opens of a damaged file, written elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import click
from flask import current_app

from app.cli.progress import STOPPED, TerminalWatch, until_stopped
from app.cli.terminal import as_json, command, say_json
from app.errors import InvalidInput
from app.services.salvage import SalvageReport
from app.storage.file_handle import READ_FLAGS, FileHandle
from app.storage.sidecar import MAX_BYTES
from app.web.context import salvage as salvage_service

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@click.command("salvage")
@click.argument("blob", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("out", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--sealed", is_flag=True, help="Write a new sealed blob instead of clear bytes.")
@as_json
@command
def salvage(blob: Path, out: Path, sealed: bool, as_json: bool) -> None:
    """Write what still opens of BLOB to OUT (- is standard output), zeros in the place of
    what does not, and say which bytes are lost. OUT is in clear, as an export is, so it is a
    new file outside of INSTANCE_PATH. Needs vault and master key, no database. 1 if anything
    is lost."""
    service, watch = salvage_service(), TerminalWatch("Salvaging")
    report: SalvageReport | None = None
    with until_stopped() as stop, _opened(blob) as source, _sink(out) as sink:
        report = service.run(watch, source, _beside(blob), sink, sealed=sealed)
    watch.over()
    if stop.requested or report is None:
        click.echo("Stopped. Nothing was written.", err=True)
        raise SystemExit(STOPPED)
    to_err = str(out) == "-"
    if as_json and not to_err:
        say_json(_told(report))
    else:
        click.echo(_summary(report), err=to_err)
    if not report.is_whole:
        raise SystemExit(1)


@contextmanager
def _opened(blob: Path) -> Iterator[FileHandle]:
    try:
        descriptor = os.open(blob, READ_FLAGS)
    except OSError:
        raise InvalidInput("BLOB cannot be opened.", operation="salvage.open") from None
    with FileHandle(descriptor) as handle:
        yield handle


def _beside(blob: Path) -> bytes | None:
    """The sidecar, if one lies beside the blob."""
    with suppress(OSError), blob.with_name(blob.name + ".meta").open("rb") as file:
        return file.read(MAX_BYTES + 1)
    return None


@contextmanager
def _sink(out: Path) -> Iterator[BinaryIO]:
    """Standard output, or a new file, 0600, that stays only if the work comes to its end."""
    if str(out) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    _refuse_inside(out)
    try:
        descriptor = os.open(out, _CREATE, 0o600)
    except OSError:
        raise InvalidInput(
            "OUT must be a file that is not there yet, in a folder that is.",
            operation="salvage.out",
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def _refuse_inside(out: Path) -> None:
    """Nothing in clear lies among what Darkroom keeps, and nothing there is not its own."""
    settings, place = current_app.config["SETTINGS"], out.parent.resolve()
    for kept in (settings.instance_path, settings.store_path, settings.vault_path):
        if place.is_relative_to(kept.resolve()):
            raise InvalidInput(
                "OUT lies inside INSTANCE_PATH: name a place outside of it.",
                operation="salvage.out",
            )


def _summary(report: SalvageReport) -> str:
    told = f"{report.good} of {report.size} bytes of the {report.role} open"
    told += ", after its header was mended." if report.header_mended else "."
    if report.lost:
        ranges = ", ".join(f"{start}-{stop - 1}" for start, stop in report.lost)
        told += f" Lost: bytes {ranges}."
    if not report.size_known:
        told += " Where the file ended is not known: more may be missing."
    return told


def _told(report: SalvageReport) -> dict[str, Any]:
    return {
        "file_id": str(report.file_id),
        "role": report.role,
        "size": report.size,
        "size_known": report.size_known,
        "good": report.good,
        "lost": [list(part) for part in report.lost],
        "header_mended": report.header_mended,
    }
