"""``flask annotations``: data sets in and out, from and to files of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import click

from app.cli.progress import STOPPED, StoppableWatch, until_asked
from app.cli.terminal import all_services, as_json, command, counted, say_json
from app.domain.access import OPERATOR, Actor
from app.domain.ids import new_id
from app.errors import Conflict, InvalidInput, WorkStopped
from app.formats.dataset import Task
from app.services.exchange.catalogue import NAMES
from app.services.exchange.options import (
    GIVEN_STATES,
    METADATA,
    Mode,
    Names,
    classes_of,
    read_export,
    read_import,
)
from app.services.exchange.report import mistakes_of

MODES = [each.value for each in Mode]
FILENAMES = [each.value for each in Names]
STATES = [each.value for each in GIVEN_STATES]
TASKS = [each.value for each in Task]
task_option = click.option("--task", type=click.Choice(TASKS), help="What lines of YOLO are.")
origin_option = click.option("--origin", type=click.IntRange(0, 1),
                             help="What the first pixel of Pascal VOC is called.")  # fmt: skip
TAKEN = "There is a file of this name: choose another."
NOWHERE = "The file cannot be written there."
LEAVES = (
    "This file leaves the sealed store: whoever can read it sees pictures and labels in clear."
)


@click.group("annotations")
def group() -> None:
    """Import and export data sets."""


@group.command("import")
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--collection", required=True, help="Slug of the collection; its owner imports.")
@click.option("--format", "format_", type=click.Choice(NAMES), help="Left out: found out.")
@click.option("--mode", type=click.Choice(MODES), default="add", show_default=True,
              help="For pictures that have annotations.")  # fmt: skip
@click.option("--images", is_flag=True, help="Store the pictures of the archive.")
@click.option("--classes", multiple=True, metavar="THEIRS=OURS",
              help="A name in the file and the name here.")  # fmt: skip
@click.option("--state", type=click.Choice(STATES), help="Of every picture of the file.")
@click.option("--done", is_flag=True, help="The same as --state done.")
@origin_option
@task_option
@click.option("--dry-run", is_flag=True, help="Say what would happen, write nothing.")
@click.option("--accept-losses", is_flag=True, help="Go on whatever does not come through.")
@as_json
@command
def take(
    path: Path, collection: str, format_: str | None, mode: str, images: bool,
    classes: tuple[str, ...], state: str | None, done: bool, origin: int | None,
    task: str | None, dry_run: bool, accept_losses: bool, as_json: bool,
) -> None:  # fmt: skip
    """Take in PATH, a ZIP file or one file of labels: whole, or not at all. 1 if something
    would be lost and --accept-losses is not there, 130 if it was stopped (Ctrl-C), which
    leaves nothing."""
    told = {"format": format_, "mode": mode, "images": images, "origin": origin, "task": task}
    named = classes_of(classes)
    options = read_import({**told, "state": _state(state, done=done), "classes": named})
    actor, importing = _owner(collection), all_services().importing
    with until_asked() as stop, path.open("rb") as file:
        watch = StoppableWatch("Pictures", stop)
        try:
            with importing.open(file, path.name) as upload:
                report = importing.examine(actor, collection, upload, options, watch)
                _check(report, accept_losses=accept_losses, dry_run=dry_run, as_json=as_json)
                if dry_run:
                    return
                said = importing.apply(
                    actor, collection, upload, options, accepted=accept_losses,
                    origin=str(new_id()), watch=watch,
                )  # fmt: skip
        except WorkStopped:
            _stopped("Nothing was written.", as_json=as_json)
        finally:
            watch.over()
    _say(said, _counts(said), as_json=as_json)


@group.command("export")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--collection", required=True, help="Slug of the collection; its owner exports.")
@click.option("--format", "format_", type=click.Choice(NAMES), required=True)
@click.option("--images/--no-images", default=True, help="With the pictures themselves.")
@click.option("--crops", is_flag=True, help="With a PNG of each box, turned box and outline.")
@click.option(
    "--metadata",
    type=click.Choice(METADATA),
    default="keep",
    show_default=True,
)
@click.option(
    "--filenames",
    type=click.Choice(FILENAMES),
    default="original",
    show_default=True,
)
@click.option("--state", "states", multiple=True, help="Only pictures of this state.")
@click.option("--label", "labels", multiple=True, help="Only this label.")
@click.option("--split", "splits", multiple=True, metavar="NAME=SHARE",
              help="Such as train=80, val=10, test=10.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@origin_option
@task_option
@click.option("--accept-losses", is_flag=True, help="Go on whatever the format cannot hold.")
@as_json
@command
def give(
    out: Path, collection: str, format_: str, images: bool, crops: bool, metadata: str,
    filenames: str, states: tuple[str, ...], labels: tuple[str, ...],
    splits: tuple[str, ...], seed: int, origin: int | None, task: str | None,
    accept_losses: bool, as_json: bool,
) -> None:  # fmt: skip
    """Write a data set to the new file OUT (0600), IN CLEAR: it leaves the sealed store. 1 if
    something would be lost and --accept-losses is not there, 130 if it was stopped (Ctrl-C),
    which leaves no file."""
    options = read_export(
        {
            "format": format_, "images": images, "crops": crops, "metadata": metadata,
            "filenames": filenames,
            "states": list(states), "labels": list(labels), "splits": _shares(splits),
            "seed": seed, "origin": origin, "task": task,
        }
    )  # fmt: skip
    _require_free(out)
    actor, exporting = _owner(collection), all_services().exporting
    with until_asked() as stop:
        watch = StoppableWatch("Pictures", stop)
        try:
            prepared = exporting.prepare(actor, collection, options, watch)
            _check(
                prepared.report(), accept_losses=accept_losses, dry_run=False, as_json=as_json
            )
            with _new_file(out) as file:
                told = exporting.write(actor, prepared, file, watch)
        except WorkStopped:
            _stopped("There is no file.", as_json=as_json)
        finally:
            watch.over()
    click.echo(LEAVES, err=True)
    said = counted(told["pictures"], "picture")
    _say(told, f"{said}, {counted(told['annotations'], 'annotation')}.", as_json=as_json)


def _owner(slug: str) -> Actor:
    return all_services().account_administration.owner_of(OPERATOR, slug).actor


def _state(state: str | None, *, done: bool) -> str | None:
    if done and state not in {None, "done"}:
        raise click.UsageError("--done is --state done: say one of them.")
    return "done" if done else state


def _require_free(path: Path) -> None:
    """Before what takes long; `_new_file` asks the system itself, in one step."""
    if os.path.lexists(path):
        raise click.ClickException(TAKEN)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise click.ClickException(NOWHERE)


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """A file that was not there before and only its owner reads; gone again after an error."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(TAKEN) from None
    except OSError:
        raise click.ClickException(NOWHERE) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise click.ClickException("The file could not be written to its end.") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _check(
    report: Mapping[str, Any], *, accept_losses: bool, dry_run: bool, as_json: bool
) -> None:
    """Say what would not come through; raise where that has to be mended or accepted."""
    if dry_run:
        _say(report, _foreseen(report), as_json=as_json)
    elif not as_json:
        _say_losses(report)
    if report["mistakes"]:
        raise InvalidInput("This data set has mistakes.", mistakes=mistakes_of(report))
    if report["needs_acceptance"] and not accept_losses and not dry_run:
        if as_json:
            say_json(report)
        raise Conflict("Something would be lost: say --accept-losses if that is in order.")


def _say(told: Mapping[str, Any], words: str, *, as_json: bool) -> None:
    if as_json:
        say_json(told)
    else:
        click.echo(words)


def _say_losses(report: Mapping[str, Any]) -> None:
    for loss in report["losses"]:
        first = f" (first at {loss['place']})" if loss["place"] else ""
        told = f"{loss['weight']}: {loss['code']}, {counted(loss['count'], 'time')}{first}."
        click.echo(f"{told} {loss['words']}", err=True)


def _foreseen(report: Mapping[str, Any]) -> str:
    _say_losses(report)
    if not report.get("modes"):
        return "Nothing can be taken in."
    _say_classes(report["classes"])
    mode = report["options"]["mode"]
    found = counted(report["matched"], "picture")
    return f"{found} found. It would be: {_counts(report['modes'][mode])}"


def _say_classes(told: Mapping[str, Any]) -> None:
    for words, names in (("new labels", told["new"]), ("labels offered again", told["back"])):
        if names:
            click.echo(f"{words}: {', '.join(names)}", err=True)


def _counts(told: Mapping[str, Any]) -> str:
    return (
        f"{counted(told['pictures'], 'picture')} changed:"
        f" {counted(told['added'], 'annotation')} added,"
        f" {told['updated']} changed, {told['deleted']} deleted."
    )


def _stopped(words: str, *, as_json: bool) -> NoReturn:
    if as_json:
        say_json({"stopped": True})
    else:
        click.echo(f"Stopped. {words}")
    raise SystemExit(STOPPED)


def _shares(splits: tuple[str, ...]) -> dict[str, int] | None:
    if not splits:
        return None
    pairs = [split.partition("=") for split in splits]
    if not all(share.isascii() and share.isdigit() for _, _, share in pairs):
        raise click.UsageError("A split is written NAME=SHARE, such as train=80.")
    return {name: int(share[:4]) for name, _, share in pairs}
