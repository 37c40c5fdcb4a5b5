"""``flask images``: pictures in bulk, from a folder of this machine."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click

from app.cli.progress import STOPPED, progress, until_stopped
from app.cli.terminal import account, all_services, as_json, command, say_json
from app.domain.access import OPERATOR, Actor
from app.errors import RefusedError
from app.services.examination import Offer
from app.services.new_image import Wishes


@click.group("images")
def group() -> None:
    """Import a folder of pictures."""


@group.command("import")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--collection", help="Slug of the collection; its owner is the uploader.")
@click.option("--user", help="E-mail address of the uploader, if not the collection's owner.")
@click.option("--tag", "tags", multiple=True, help="A tag for every picture.")
@click.option("--dry-run", is_flag=True, help="Look at every file, store none.")
@as_json
@command
def import_folder(
    folder: Path, collection: str | None, user: str | None, tags: tuple[str, ...],
    dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Store every picture below FOLDER. What is there already is skipped, so that an import
    that was stopped (Ctrl-C) goes on where it was. 1 if anything was refused, 130 if it was
    stopped."""
    uploader = _uploader(collection, user)
    wishes = Wishes(collection=collection, tags=tags, uploaded_from="import")
    files = list(_files(folder))
    done = _Done(len(files), dry_run)
    with until_stopped() as stop, progress(files, "Sealing") as bar:
        for path in bar:
            try:
                done.counts[_one(uploader, path, wishes, dry_run=dry_run)] += 1
            except (RefusedError, OSError) as refusal:
                done.refuse(path, refusal)
    done.stopped = stop.requested
    _report(done, as_json=as_json)


@dataclass
class _Done:
    """What an import did so far."""

    files: int
    dry_run: bool
    counts: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, str]] = field(default_factory=list)
    stopped: bool = False

    @property
    def left(self) -> int:
        return self.files - self.counts.total()

    def refuse(self, path: Path, refusal: RefusedError | OSError) -> None:
        self.counts["refused"] += 1
        self.refused.append({"file": _printable(path), "message": _reason(refusal)})


def _one(actor: Actor, path: Path, wishes: Wishes, *, dry_run: bool) -> str:
    with path.open("rb") as source:
        offer = Offer(path.name, source, os.fstat(source.fileno()).st_size)
        if dry_run:
            known = all_services().ingest.try_out(actor, offer, wishes)
            return "there already" if known else "could be stored"
        stored = all_services().ingest.accept(actor, offer, wishes)
    return "there already" if stored.duplicate else "stored"


def _printable(path: Path) -> str:
    """A name on a disk need not be text."""
    return str(path).encode("utf-8", "replace").decode("utf-8")


def _reason(refusal: RefusedError | OSError) -> str:
    return refusal.message if isinstance(refusal, RefusedError) else "It cannot be read."


def _report(done: _Done, *, as_json: bool) -> None:
    if as_json:
        told = {"dry_run": done.dry_run, "counts": dict(done.counts), "refused": done.refused}
        say_json(told | {"stopped": done.stopped, "left": done.left})
    else:
        _say(done)
    if done.stopped:
        raise SystemExit(STOPPED)
    if done.refused:
        raise SystemExit(1)


def _say(done: _Done) -> None:
    for entry in done.refused:
        click.echo(f"Refused {entry['file']}: {entry['message']}", err=True)
    told = ", ".join(f"{count} {what}" for what, count in done.counts.items())
    if done.stopped:
        told = f"Stopped: {told or 'nothing done'}, {done.left} left. Run it again to go on."
    click.echo(told or "There are no files.")


def _uploader(collection: str | None, user: str | None) -> Actor:
    if user is not None:
        return account(user).actor
    if collection is None:
        raise click.UsageError("Name the --collection, or a --user for the private one.")
    return all_services().account_administration.owner_of(OPERATOR, collection).actor


def _files(folder: Path) -> Iterator[Path]:
    """Regular files below the folder, in order; hidden ones and links are left alone. A folder
    that cannot be read is handed out as well: it is refused, not forgotten."""
    dark: list[OSError] = []
    for place, folders, names in os.walk(folder, onerror=dark.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place) / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path
    yield from (Path(error.filename or folder) for error in dark)
