"""What an imported document said beyond what Darkroom keeps: written, and found again.

The note of a document: ``{"v": 1, "extra", "classes": [{"name", "id", "foreign_id", "colour",
"shown", "number", "attributes", "extra"}]}``; ``shown`` is the colour that the class had when
it was imported. The note of a picture: ``{"v": 1, "place", "file_name", "width", "height",
"split", "state", "given", "foreign_id", "extra", "items": [[annotation id, foreign id,
extra, names of attributes?], …]}`` in the order of the document; ``given`` is the state that
the import left; names of attributes stand where their order is not that of the alphabet, in
which a sealed annotation has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.db.sealed_ahead import SealedAhead
from app.domain.annotation import Attributes
from app.domain.ids import new_id
from app.formats.dataset import Item
from app.models import ExchangeNote
from app.services.records.marks import mark_all_behind

VERSION: Final = 1
BATCH: Final = 500
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ItemNote:
    """``order``: the names of the attributes as the document has them; () for sorted ones."""

    foreign_id: int | str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    @classmethod
    def of(cls, item: Item) -> ItemNote:
        names = tuple(item.attributes)
        sorted_ = list(names) == sorted(names)
        return cls(item.foreign_id, item.extra, () if sorted_ else names)

    def ordered(self, attributes: Attributes) -> Attributes:
        """As the document has them, then those that came since."""
        there = {name: attributes[name] for name in self.order if name in attributes}
        return {**there, **attributes}


@dataclass(frozen=True, slots=True)
class PictureNote:
    """``items`` by the ids of the annotations, in the order of the document."""

    body: Body
    items: Mapping[UUID, ItemNote]

    @property
    def by_foreign_id(self) -> dict[int | str, UUID]:
        """Which annotation a foreign id has become; one that stands twice means none."""
        found: dict[int | str, UUID] = {}
        twice: set[int | str] = set()
        for id_, note in self.items.items():
            if note.foreign_id is None:
                continue
            if note.foreign_id in found:
                twice.add(note.foreign_id)
            found[note.foreign_id] = id_
        return {foreign: id_ for foreign, id_ in found.items() if foreign not in twice}


NO_NOTE: Final = PictureNote({}, {})


@dataclass(frozen=True, slots=True)
class Notes:
    """All notes of one format in one collection; ``document`` {} where there is none."""

    format: str
    document: Body
    pictures: Mapping[UUID, PictureNote]

    @property
    def file_names(self) -> dict[str, UUID]:
        """The pictures by the names that documents gave them, where these are their own."""
        names: dict[str, UUID] = {}
        twice: set[str] = set()
        for id_, note in self.pictures.items():
            name = note.body["file_name"]
            if name in names:
                twice.add(name)
            names[name] = id_
        return {name: id_ for name, id_ in names.items() if name not in twice}

    @property
    def next_place(self) -> int:
        places = (note.body["place"] for note in self.pictures.values())
        return 1 + max(places, default=-1)


def formats_noted(connection: Session | Connection, collection_id: UUID) -> tuple[str, ...]:
    """The formats of which there are notes, the newest first."""
    newest = func.max(ExchangeNote.created_at)
    chosen = select(ExchangeNote.format).where(ExchangeNote.collection_id == collection_id)
    rows: Any = connection.execute(
        chosen.group_by(ExchangeNote.format).order_by(newest.desc(), ExchangeNote.format)
    )
    return tuple(row.format for row in rows)


def read_notes(connection: Session | Connection, collection_id: UUID, format_: str) -> Notes:
    """Raises ``DecryptionFailed`` for a damaged one."""
    chosen = select(ExchangeNote.id, ExchangeNote.image_id, ExchangeNote.body).where(
        ExchangeNote.collection_id == collection_id, ExchangeNote.format == format_
    )
    document: Body = {}
    pictures: dict[UUID, PictureNote] = {}
    rows: Any = connection.execute(chosen.order_by(ExchangeNote.created_at))
    for row in rows:
        body = row.body.of(row.id)
        if row.image_id is None:
            document = body
        else:
            pictures[row.image_id] = _picture(body)
    return Notes(format_, document, pictures)


@dataclass(frozen=True, slots=True)
class NotesAhead:
    """Notes of pictures, sealed before the transaction that writes them."""

    ids: tuple[UUID, ...]
    sealed: SealedAhead


def notes_ahead(
    engine: Engine, collection_id: UUID, format_: str, pictures: Mapping[UUID, PictureNote]
) -> NotesAhead:
    rows = [_row(collection_id, format_, id_, _body(note)) for id_, note in pictures.items()]
    table = ExchangeNote.metadata.tables[ExchangeNote.__tablename__]
    return NotesAhead(
        tuple(pictures), SealedAhead(engine, insert(table), rows, late=("created_at",))
    )


def write_notes(
    session: Session, collection_id: UUID, format_: str, notes: NotesAhead, at: datetime
) -> None:
    """Replace those of these pictures, in the caller's transaction."""
    for start in range(0, len(notes.ids), BATCH):
        ids = notes.ids[start : start + BATCH]
        session.execute(
            delete(ExchangeNote).where(
                *_of(collection_id, format_), ExchangeNote.image_id.in_(ids)
            )
        )
    notes.sealed.write(session, created_at=at)
    mark_all_behind(session, notes.ids)  # a note is part of the picture's sealed record


def write_document(session: Session, collection_id: UUID, format_: str, document: Body) -> None:
    """Replace the document's note, in the caller's transaction."""
    session.execute(
        delete(ExchangeNote).where(
            *_of(collection_id, format_), ExchangeNote.image_id.is_(None)
        )
    )
    session.execute(insert(ExchangeNote), [_row(collection_id, format_, None, document)])


def _of(collection_id: UUID, format_: str) -> tuple[ColumnElement[bool], ...]:
    return ExchangeNote.collection_id == collection_id, ExchangeNote.format == format_


def move_notes(session: Session, image_id: UUID, collection_id: UUID) -> None:
    """Let what was said of a picture go with it into another collection."""
    session.execute(
        update(ExchangeNote)
        .where(ExchangeNote.image_id == image_id)
        .values(collection_id=collection_id)
        .execution_options(synchronize_session=False)
    )


def _row(collection_id: UUID, format_: str, image_id: UUID | None, body: Body) -> Body:
    return {
        "id": new_id(),
        "collection_id": collection_id,
        "image_id": image_id,
        "format": format_,
        "body": body,
    }


def _body(note: PictureNote) -> Body:
    items = [
        [
            id_.hex,
            item.foreign_id,
            dict(item.extra),
            *([list(item.order)] if item.order else []),
        ]
        for id_, item in note.items.items()
    ]
    return {**note.body, "v": VERSION, "items": items}


def _picture(body: Body) -> PictureNote:
    items = {
        UUID(hex=id_): ItemNote(foreign_id, extra, tuple(names[0]) if names else ())
        for id_, foreign_id, extra, *names in body["items"]
    }
    return PictureNote({k: v for k, v in body.items() if k not in {"v", "items"}}, items)
