"""Rows as a record keeps them: every value opened, by the names of its columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select

from app.db.base import Base
from app.db.field_cipher import Sealed
from app.domain import directory_record
from app.domain.directory_record import Entry
from app.domain.image_record import ANNOTATION, COMMENT, COPY, IMAGE, NOTE, TASK, ImageRecord
from app.domain.record_fields import Fields
from app.models import (
    AgreementCopy,
    Annotation,
    Comment,
    ExchangeNote,
    Image,
    ImageTag,
    ImageTask,
)
from app.models.image import NOT_DESTROYED

AT_ONCE = 500


def image_record(connection: Connection, image_id: UUID) -> ImageRecord | None:
    """What there is to say of an image now; None if it is gone, or on its way out.

    Raises ``DecryptionFailed`` for a sealed value that does not open: a record that says
    less than the one before is not written.
    """
    columns = _columns(IMAGE)
    wanted = select(Image.id, *columns).where(Image.id == image_id, NOT_DESTROYED)
    row = connection.execute(wanted).first()
    if row is None:
        return None
    boxes = (
        select(*_columns(ANNOTATION))
        .where(Annotation.image_id == image_id)
        .order_by(Annotation.position, Annotation.id)
    )
    tags = select(ImageTag.tag_id).where(ImageTag.image_id == image_id)
    task = connection.execute(select(*_columns(TASK)).where(ImageTask.image_id == image_id))
    taken = task.first()
    notes = select(*_columns(NOTE)).where(ExchangeNote.image_id == image_id)
    comments = select(*_columns(COMMENT)).where(Comment.image_id == image_id)
    comments = comments.order_by(Comment.created_at, Comment.id)
    copies = select(*_columns(COPY)).where(AgreementCopy.image_id == image_id)
    return ImageRecord(
        id=image_id,
        image=_opened(row),
        tags=tuple(connection.scalars(tags)),
        annotations=tuple(_opened(box) for box in connection.execute(boxes)),
        task=_opened(taken) if taken is not None else None,
        notes=tuple(map(_opened, connection.execute(notes.order_by(ExchangeNote.id)))),
        comments=tuple(_opened(comment) for comment in connection.execute(comments)),
        copies=tuple(map(_opened, connection.execute(copies.order_by(AgreementCopy.id)))),
    )


def directory_entries(connection: Connection) -> Iterator[Entry]:
    """Every row of the directory in the order of the record, a few hundred in memory."""
    streaming = connection.execution_options(yield_per=AT_ONCE)
    for kind, fields in directory_record.KINDS.items():
        wanted = select(*_columns(fields)).order_by(*_table(fields).primary_key.columns)
        if kind == "note":
            wanted = wanted.where(ExchangeNote.image_id.is_(None))
        for row in streaming.execute(wanted):
            yield kind, _opened(row)


def _table(fields: Fields) -> Table:
    return Base.metadata.tables[fields.table]


def _columns(fields: Fields) -> list[Any]:
    table = _table(fields)
    return [table.columns[name] for name in fields.kinds]


def _opened(row: Any) -> dict[str, Any]:
    values = row._mapping  # noqa: SLF001 - Row's public name
    return {
        name: value.of(row.id) if isinstance(value, Sealed) else value
        for name, value in values.items()
    }
