"""``flask encryption import-legacy | migrate | verify-migration``: moving in."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click

from app.cli.moving_report import Counted, Work
from app.cli.terminal import account, all_services, as_json, command
from app.crypto.legacy_keys import KeyForm
from app.domain.access import OPERATOR, Actor
from app.errors import ConfigurationError
from app.formats.labelled_box import Corners, Units
from app.services.migration.opened import Opener
from app.services.migration.outcome import Outcome, Tally, Verdict
from app.services.migration.proof import Proven
from app.services.migration.removal import still_needed
from app.services.migration.sources import Found, Source
from app.services.migration.table_columns import Mapped, parse_columns
from app.services.migration.table_import import OlderRows
from app.services.new_image import Wishes

F = TypeVar("F", bound=Callable[..., Any])
AUTO = "auto"
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _options(*options: Callable[[F], F]) -> Callable[[F], F]:
    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def _one_of(kinds: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([kind.value for kind in kinds])


where = _options(
    click.option("--collection", help="Slug of the collection; its owner is the uploader."),
    click.option("--owner", help="E-mail address of the uploader, if not its owner."),
)
keys = _options(
    click.option(
        "--key-form",
        type=click.Choice([AUTO, *(form.value for form in KeyForm)]),
        default=AUTO,
        help="How IMAGE_ENCRYPTION_KEY is meant; auto tries them on a sample.",
    ),
)
dry = click.option(
    "--dry-run/--run", default=True, help="Look at everything and store nothing, or store it."
)
secrets_file = click.option(
    "--secrets", type=FILE, help="Flat JSON of base64 keys, one for each tagged file."
)
older_table = _options(
    click.option("--database", help="Address of an older database; @FILE reads it from FILE."),
    click.option("--table", help="Its table of labels and boxes."),
    click.option("--columns", multiple=True, help="id=…,image=…,label=…,box=… or x=…,y=…"),
    click.option("--box-form", type=_one_of(Corners), default=Corners.XYWH.value),
    click.option("--units", type=_one_of(Units), default=Units.PIXEL.value),
)


@click.command("import-legacy")
@click.argument("folder", type=FOLDER)
@where
@keys
@secrets_file
@dry
@as_json
@command
def import_legacy(
    folder: Path, collection: str | None, owner: str | None, key_form: str,
    secrets: Path | None, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Seal anew what an older program encrypted: files below FOLDER, opened with
    IMAGE_ENCRYPTION_KEY or the keys of a --secrets file. The sources stay as they are. 1 if
    anything was refused, 130 if it was stopped; again goes on where it was."""
    actor, door = _actor(collection, owner), all_services().moving_in
    found = door.look_through(folder, secrets=secrets)
    opener, form = door.old_files(_form(key_form), secrets, found.sources)
    facts = {"key_form": form.value} if form else {}
    _import(found, actor, opener, collection, dry_run=dry_run, as_json=as_json, **facts)


@click.command("migrate")
@click.argument("folder", type=FOLDER, required=False)
@where
@keys
@click.option("--labels/--no-labels", default=True, help="Read label files beside pictures.")
@older_table
@dry
@as_json
@command
def migrate(
    folder: Path | None, collection: str | None, owner: str | None, key_form: str,
    labels: bool, dry_run: bool, as_json: bool, **table: Any,
) -> None:  # fmt: skip
    """Seal a FOLDER of plain pictures with the label files beside them, or store the labels
    and boxes of an older --database as boxes of pictures that are here. The sources stay as
    they are. 1 if anything was refused, 130 if it was stopped; again goes on."""
    actor, door = _actor(collection, owner), all_services().moving_in
    if folder is not None and table["database"] is None:
        found = door.look_through(folder, labels=labels)
        _import(found, actor, door.plain_files(), collection, dry_run=dry_run, as_json=as_json)
        return
    rows = _rows(folder, key_form, **table)
    target = door.proof.target(actor, collection).id
    work = Work("rows", Tally(rows.table.count()), dry_run)
    outcomes = door.tables.run(actor, target, rows, dry_run=dry_run)
    work.run("Reading", Counted(outcomes, work.tally.found), _same)
    work.end(as_json=as_json)


@click.command("verify-migration")
@click.argument("folder", type=FOLDER, required=False)
@where
@keys
@secrets_file
@click.option("--labels/--no-labels", default=None, help="Default: not beside sealed files.")
@older_table
@click.option("--remove-source", is_flag=True, help="Then remove the files that are proven.")
@as_json
@command
def verify_migration(
    folder: Path | None, collection: str | None, owner: str | None, key_form: str,
    secrets: Path | None, labels: bool | None, remove_source: bool, as_json: bool, **table: Any,
) -> None:  # fmt: skip
    """Open every source and its stored copy, compare both, and say what is not here or not
    equal: files below FOLDER, or rows of an older --database. 1 if anything is not proven."""
    actor, door = _actor(collection, owner), all_services().moving_in
    target = door.proof.target(actor, collection).id
    if folder is None or table["database"] is not None:
        if remove_source:
            raise click.UsageError("--remove-source is for files: rows stay where they are.")
        rows = _rows(folder, key_form, **table)
        work = Work("rows", Tally(rows.table.count()))
        outcomes = door.tables.prove(actor, target, rows)
        work.run("Comparing", Counted(outcomes, work.tally.found), _same)
    else:
        found = door.look_through(folder, labels=labels, secrets=secrets)
        opener = door.all_files(_form(key_form), secrets, found.sources)
        work = _prove(found, actor, opener, collection, remove=remove_source)
    work.end(as_json=as_json)


def _import(
    found: Found, actor: Actor, opener: Opener, collection: str | None, *,
    dry_run: bool, as_json: bool, **facts: str,
) -> None:  # fmt: skip
    folders, wishes = all_services().moving_in.folders, Wishes(collection=collection)

    def step(source: Source) -> Outcome:
        return folders.take(actor, source, opener, wishes, dry_run=dry_run)

    work = Work("files", Tally(len(found.sources)), dry_run, facts=dict(facts))
    work.facts["left_alone"] = found.left_alone
    work.run("Looking" if dry_run else "Sealing", found.sources, step)
    work.end(as_json=as_json)


def _prove(
    found: Found, actor: Actor, opener: Opener, collection: str | None, *, remove: bool
) -> Work:
    """Compare all of it; only then, and only what is proven, is removed."""
    proof, proven = all_services().moving_in.proof, list[Proven]()

    def step(source: Source) -> Outcome:
        one = proof.prove(actor, collection, source, opener)
        if isinstance(one, Outcome):
            return one
        proven.append(one)
        return one.outcome

    work = Work("files", Tally(len(found.sources)))
    work.facts["left_alone"] = found.left_alone
    work.run("Comparing", found.sources, step)
    if remove and not work.stopped and work.broken is None:
        _remove(work, found, proven)
    return work


def _remove(work: Work, found: Found, proven: list[Proven]) -> None:
    done = {one.source for one in proven}
    needed = still_needed(source for source in found.sources if source not in done)
    removal, removing = all_services().moving_in.removal, Work("files", Tally(len(proven)))

    def step(one: Proven) -> Outcome:
        return removal.remove(OPERATOR, one, needed) or one.outcome

    removing.run("Removing", proven, step)
    work.stopped, work.broken = removing.stopped, removing.broken
    work.facts["removed"] = removing.tally.counts[Verdict.PROVEN]
    kept = [f"{one.source}: {one.reason}" for one in removing.tally.refused]
    work.facts["kept"] = kept
    work.failed = bool(removing.tally.refused)


def _same(outcome: Outcome) -> Outcome:
    return outcome


def _actor(collection: str | None, owner: str | None) -> Actor:
    if owner is not None:
        return account(owner).actor
    if collection is None:
        raise click.UsageError("Name the --collection, or an --owner for the private one.")
    return all_services().account_administration.owner_of(OPERATOR, collection).actor


def _form(key_form: str) -> KeyForm | None:
    return None if key_form == AUTO else KeyForm(key_form)


def _rows(
    folder: Path | None, key_form: str, *, database: str | None, table: str | None,
    columns: tuple[str, ...], box_form: str, units: str,
) -> OlderRows:  # fmt: skip
    if folder is not None or database is None or table is None:
        raise click.UsageError("Name a FOLDER, or --database, --table and --columns.")
    mapped = Mapped(parse_columns(columns), Corners(box_form), Units(units))
    address = _address(database)
    return all_services().moving_in.tables.open(address, table, mapped, _form(key_form))


def _address(told: str) -> str:
    """An address may hold a password, which does not belong among a process's arguments."""
    if not told.startswith("@"):
        return told
    try:
        return Path(told[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            "The file with the database's address cannot be read.", operation="older.open"
        ) from None
