"""Labels and boxes of an older database, stored as boxes of the pictures that they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.crypto.keys import SecretKey
from app.crypto.legacy_cbc import is_sealed_text
from app.crypto.legacy_keys import KeyForm, legacy_key, possible_forms
from app.db.older_table import OlderTable
from app.domain.access import Actor
from app.errors import (
    ConfigurationError,
    DecryptionFailed,
    EncryptionError,
    InvalidInput,
    RefusedError,
)
from app.services.migration.boxes import BoxMoves, NewBox, id_of_row
from app.services.migration.folder_import import refused
from app.services.migration.outcome import Outcome, Verdict
from app.services.migration.picture_finder import Meant, PictureFinder
from app.services.migration.table_columns import Mapped, RowBox

if TYPE_CHECKING:
    from app.db.session import UnitOfWork

BATCH: Final = 500
OTHER_BOX: Final = "Its box is missing in the picture, or was changed there."
SAMPLE: Final = 200
"""Rows on which the form of the key is tried."""


@dataclass(frozen=True, slots=True)
class OlderRows:
    """A table, what its columns say, and the key of its sealed values."""

    table: OlderTable
    mapped: Mapped
    key: SecretKey | None = None

    def values(self) -> Iterator[tuple[Any, ...]]:
        """The rows as they stand there, in the order of their ids."""
        columns = self.mapped.columns
        return self.table.rows(tuple(columns.values()), columns["id"])


@dataclass(frozen=True, slots=True)
class _Placed:
    """A row that says a box, and the picture that it is of."""

    name: str
    meant: Meant
    box: NewBox


class TableImport:
    """Reads rows in batches; what was added once is known by its id."""

    def __init__(self, uow: UnitOfWork, boxes: BoxMoves, key_text: str) -> None:
        """``key_text`` is IMAGE_ENCRYPTION_KEY, "" where it is not set."""
        self._uow = uow
        self._boxes = boxes
        self._key_text = key_text

    def open(self, address: str, table: str, mapped: Mapped, form: KeyForm | None) -> OlderRows:
        """The rows of a table, with the form of the key found out on a sample of them.

        ``ConfigurationError`` where table, columns or key do not exist, ``EncryptionError``
        where no form of the key opens a sealed value.
        """
        source = OlderTable(address, table)
        missing = sorted(set(mapped.columns.values()) - set(source.columns()))
        if missing:
            raise ConfigurationError(
                f"The table {table} has no column {', '.join(missing)}.",
                operation="older.columns",
            )
        rows = OlderRows(source, mapped)
        return OlderRows(source, mapped, self._key(mapped, _sealed_rows(rows), form))

    def run(
        self, actor: Actor, collection_id: UUID, rows: OlderRows, *, dry_run: bool
    ) -> Iterator[Outcome]:
        """Give the outcome of every row; a dry run stores none."""
        add = self._looked_at if dry_run else self._added
        yield from self._each(actor, collection_id, rows, add)

    def prove(self, actor: Actor, collection_id: UUID, rows: OlderRows) -> Iterator[Outcome]:
        """Give the outcome of every row: its box is there and equal, or not."""
        yield from self._each(actor, collection_id, rows, self._compared)

    def _each(
        self,
        actor: Actor,
        collection_id: UUID,
        rows: OlderRows,
        handle: Callable[[Actor, UUID, Sequence[_Placed]], Iterator[Outcome]],
    ) -> Iterator[Outcome]:
        finder, values = PictureFinder(self._uow, collection_id), rows.values()
        while batch := list(islice(values, BATCH)):
            placed: list[_Placed] = []
            for row in batch:
                try:
                    placed.append(_placed(rows, row, finder))
                except (RefusedError, DecryptionFailed) as failure:
                    yield refused(_name(rows, row), failure)
            placed.sort(key=lambda one: one.meant.id)
            for image_id, group in groupby(placed, key=lambda one: one.meant.id):
                yield from handle(actor, image_id, list(group))

    def _added(
        self, actor: Actor, image_id: UUID, placed: Sequence[_Placed]
    ) -> Iterator[Outcome]:
        """All at once; where that is refused, each alone, so that one does not stop all."""
        known = self._boxes.current(actor, image_id)
        new = [one for one in placed if one.box.id not in known]
        try:
            self._boxes.add(actor, image_id, [one.box for one in new])
        except RefusedError as refusal:
            if len(placed) == 1:
                yield refused(placed[0].name, refusal, image_id)
                return
            for one in placed:
                yield from self._added(actor, image_id, [one])
            return
        for one in placed:
            there = one.box.id in known
            yield Outcome(
                one.name,
                Verdict.THERE if there else Verdict.IMPORTED,
                image_id=image_id,
                boxes=0 if there else 1,
            )

    def _looked_at(
        self, actor: Actor, image_id: UUID, placed: Sequence[_Placed]
    ) -> Iterator[Outcome]:
        known = self._boxes.current(actor, image_id)
        for one in placed:
            there = one.box.id in known
            verdict = Verdict.THERE if there else Verdict.READY
            yield Outcome(one.name, verdict, image_id=image_id, boxes=1)

    def _compared(
        self, actor: Actor, image_id: UUID, placed: Sequence[_Placed]
    ) -> Iterator[Outcome]:
        known = self._boxes.current(actor, image_id)
        for one in placed:
            if not one.box.is_in(known.get(one.box.id)):
                yield refused(one.name, InvalidInput(OTHER_BOX), image_id)
            else:
                yield Outcome(one.name, Verdict.PROVEN, image_id=image_id, boxes=1)

    def _key(
        self, mapped: Mapped, sealed: Sequence[tuple[Any, ...]], form: KeyForm | None
    ) -> SecretKey | None:
        if not self._key_text and not sealed:
            return None
        if not self._key_text:
            raise ConfigurationError(
                "The table holds encrypted values: set IMAGE_ENCRYPTION_KEY to their key.",
                operation="older.key",
            )
        if form is not None:
            return legacy_key(self._key_text, form)
        keys = [legacy_key(self._key_text, one) for one in possible_forms(self._key_text)]
        if not sealed:
            return keys[0]  # should a later row be sealed
        opened = [sum(_reads(mapped, row, key) for row in sealed) for key in keys]
        if not any(opened):
            raise EncryptionError(
                f"None of {len(sealed)} rows of this table opens with IMAGE_ENCRYPTION_KEY. Is"
                " it the key of these values?",
                operation="older.key",
            )
        return keys[opened.index(max(opened))]


def _sealed_rows(rows: OlderRows) -> list[tuple[Any, ...]]:
    sample = islice(rows.values(), SAMPLE)
    return [row for row in sample if any(_is_sealed(value) for value in row)]


def _is_sealed(value: Any) -> bool:
    text = bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else value
    return isinstance(text, str) and is_sealed_text(text)


def _reads(mapped: Mapped, row: Sequence[Any], key: SecretKey) -> bool:
    try:
        mapped.read(row, key)
    except (RefusedError, DecryptionFailed):
        return False
    return True


def _placed(rows: OlderRows, row: Sequence[Any], finder: PictureFinder) -> _Placed:
    told: RowBox = rows.mapped.read(row, rows.key)
    meant = finder.find(told.image)
    box = NewBox(
        id=id_of_row(meant.id, rows.table.name, told.row),
        label=told.box.label,
        box=told.box.on(meant.width, meant.height),
        frame=told.frame,
        attributes=told.attributes,
    )
    return _Placed(_name(rows, row), meant, box)


def _name(rows: OlderRows, row: Sequence[Any]) -> str:
    """``row 17``: the id is a number or an identifier; whatever else it holds is not told."""
    value = row[list(rows.mapped.columns).index("id")]
    return f"row {str(value)[:64]}" if isinstance(value, int | UUID | str) else "row ?"
