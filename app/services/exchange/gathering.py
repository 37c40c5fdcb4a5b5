"""A collection as a data set: what is exported, with what earlier imports said beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.domain.annotation import Annotation
from app.domain.attribute_types import attribute_type_json
from app.domain.filenames import UNNAMED
from app.domain.label_schema import names_of
from app.domain.labels import LabelClass
from app.domain.names import refuse
from app.domain.states import AnnotationState, ImageStatus
from app.formats.dataset import ClassDef, Dataset, Item, Picture
from app.formats.losses import Ledger, LossCode
from app.media.formats import format_of
from app.services.annotation_rows import read_rows
from app.services.exchange.notes import (
    NO_NOTE,
    ItemNote,
    Notes,
    PictureNote,
    formats_noted,
    read_notes,
)
from app.services.exchange.options import ExportOptions, Names
from app.services.exchange.pictures_known import Known, pictures_of
from app.services.exchange.splitting import split_of
from app.services.label_rows import all_classes

if TYPE_CHECKING:
    from app.db.session import UnitOfWork

AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Gathered:
    """``known``: the pictures of ``dataset``, in its order; ``ids``: of their annotations."""

    dataset: Dataset
    known: tuple[Known, ...]
    ids: tuple[tuple[UUID, ...], ...]


def labels_meant(classes: Mapping[UUID, LabelClass], names: Sequence[str]) -> frozenset[UUID]:
    """The classes of these names or aliases, and those merged into them; ``InvalidInput``."""
    known = names_of(classes.values())
    for n, name in enumerate(names, 1):
        if name not in known:
            raise refuse("labels", f"Name {n} of these is no label of the collection.")
    meant = {known[name].id for name in names}
    return frozenset(c.id for c in classes.values() if meant & {c.id, c.merged_into})


def gather(
    uow: UnitOfWork, collection_id: UUID, options: ExportOptions, ledger: Ledger
) -> Gathered:
    """What the options choose of a collection, in the order of the document that it came
    with, else in that of the time line. What cannot be read is told as a loss."""
    with uow.read_rows() as connection:
        notes = _notes(connection, collection_id, options.format)
        classes = all_classes(connection, collection_id)
    wanted = labels_meant(classes, options.labels)
    chosen = _in_order(_chosen(uow, collection_id, options, ledger), notes)
    pictures: list[Picture] = []
    known: list[Known] = []
    ids: list[tuple[UUID, ...]] = []
    used: set[UUID] = set()
    for picture, drawn in _annotated(uow, chosen, classes):
        kept = [a for a in drawn if not wanted or a.label_id in wanted]
        if wanted and not kept:
            continue
        used |= {annotation.label_id for annotation in kept}
        note = notes.pictures.get(picture.id, NO_NOTE)
        known.append(picture)
        kept = _ordered(kept, note)
        ids.append(tuple(annotation.id for annotation in kept))
        pictures.append(_picture(picture, kept, note, options, len(known)))
    told = [c for c in classes.values() if not c.removed or c.id in used]
    dataset = Dataset(
        classes=_classes(told, notes),
        pictures=tuple(pictures),
        extra=notes.document.get("extra", {}),
        source=notes.format if notes.document or notes.pictures else "",
    )
    return Gathered(dataset, tuple(known), tuple(ids))


def _notes(connection: Any, collection_id: UUID, format_: str) -> Notes:
    """Of the format itself, else of the one that was imported last: what of that is lost can
    be told only by who sees it."""
    noted = formats_noted(connection, collection_id)
    name = format_ if format_ in noted or not noted else noted[0]
    return read_notes(connection, collection_id, name)


def _chosen(
    uow: UnitOfWork, collection_id: UUID, options: ExportOptions, ledger: Ledger
) -> Iterator[Known]:
    states = {state.value for state in options.states}
    for picture in pictures_of(uow, collection_id):
        if states and picture.state not in states:
            continue
        if picture.status != ImageStatus.READY.value:
            is_told = options.names is Names.ORIGINAL
            ledger.add(
                LossCode.PICTURE_UNAVAILABLE, picture.name if is_told else str(picture.id)
            )
            continue
        yield picture


def _in_order(pictures: Iterator[Known], notes: Notes) -> list[Known]:
    last = notes.next_place

    def place(picture: Known) -> tuple[int, Any, UUID]:
        note = notes.pictures.get(picture.id)
        return note.body["place"] if note else last, picture.sort_at, picture.id

    return sorted(pictures, key=place)


def _annotated(
    uow: UnitOfWork, pictures: Sequence[Known], classes: Mapping[UUID, LabelClass]
) -> Iterator[tuple[Known, tuple[Annotation, ...]]]:
    rest = iter(pictures)
    while batch := list(islice(rest, AT_ONCE)):
        with uow.read_rows() as connection:
            read = [
                read_rows(connection, each.id, classes) if each.annotations else ()
                for each in batch
            ]
        yield from zip(batch, read, strict=True)


def _picture(
    known: Known,
    annotations: Sequence[Annotation],
    note: PictureNote,
    options: ExportOptions,
    number: int,
) -> Picture:
    body = note.body
    return Picture(
        file_name=_file_name(known, note, options.names, number),
        width=known.width or None,
        height=known.height or None,
        items=tuple(_items(annotations, note)),
        state=_state(known, note),
        split=split_of(known.id, options.splits) if options.splits else body.get("split"),
        extra=body.get("extra", {}),
        foreign_id=body.get("foreign_id"),
    )


def _file_name(known: Known, note: PictureNote, names: Names, number: int) -> str:
    extension = format_of(known.mime_type).file_type.extension
    if names is Names.ID:
        return f"{known.id}.{extension}"
    if names is Names.NUMBERED:
        return f"{number:06d}.{extension}"
    return str(note.body.get("file_name") or known.name or f"{UNNAMED}.{extension}")


def _ordered(annotations: Sequence[Annotation], note: PictureNote) -> list[Annotation]:
    """In the order of the document, then those that came since, as they lie on each other."""
    places = {id_: n for n, id_ in enumerate(note.items)}
    return sorted(annotations, key=lambda a: places.get(a.id, len(places)))


def _items(annotations: Sequence[Annotation], note: PictureNote) -> Iterator[Item]:
    for annotation in annotations:
        said = note.items.get(annotation.id, ItemNote())
        yield Item(
            annotation.label,
            annotation.shape,
            said.ordered(annotation.attributes),
            said.extra,
            said.foreign_id,
        )


def _state(known: Known, note: PictureNote) -> AnnotationState | None:
    """None where nobody said anything, or where a document said nothing and nobody since."""
    untouched = "given" in note.body and note.body["given"] == known.state
    if untouched and note.body["state"] is None:
        return None
    state = AnnotationState(known.state)
    return None if state is AnnotationState.NEW else state


def _classes(classes: Sequence[LabelClass], notes: Notes) -> tuple[ClassDef, ...]:
    """In the order of the document, then by position; its numbers only where all have one."""
    noted = {each["id"]: each for each in notes.document.get("classes", [])}
    places = {id_: n for n, id_ in enumerate(noted)}
    ordered = sorted(
        classes, key=lambda c: (places.get(c.id.hex, len(places)), c.position, c.number)
    )
    told = [noted.get(label.id.hex, {}).get("number") for label in ordered]
    theirs = None not in told and len(set(told)) == len(told)
    return tuple(
        _class(label, noted.get(label.id.hex, {}), number if theirs else label.number)
        for label, number in zip(ordered, told, strict=True)
    )


def _class(label: LabelClass, note: Mapping[str, Any], number: int) -> ClassDef:
    colour: str | None = label.colour
    if note and note["shown"] == label.colour:
        colour = note["colour"]
    attributes = [attribute_type_json(each) for each in label.attributes]
    return ClassDef(
        name=label.name,
        colour=colour,
        number=number,
        attributes=attributes or note.get("attributes", ()),
        extra=note.get("extra", {}),
        foreign_id=note.get("foreign_id"),
    )
