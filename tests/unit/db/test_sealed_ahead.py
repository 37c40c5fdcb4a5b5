"""Rows that were sealed before their transaction are what the ORM reads, on each database."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import StatementError

from app.db.field_cipher import cipher_of
from app.db.sealed_ahead import SealedAhead
from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.errors import EncryptionError
from app.models import Annotation
from tests.unit.db.conftest import BOX, LABEL, new_cipher, stored_image

TABLE = Annotation.metadata.tables["annotations"]
TIMES = ("created_at", "updated_at")


def row(image_id: UUID, **values: Any) -> dict[str, Any]:
    usual = {"id": uuid4(), "image_id": image_id, "rev": 1, "label": LABEL, "box": BOX}
    more = {"attributes": {"ä": [1, None]}, "shape": None, "frame": 0, "position": 3}
    return {**usual, **more, "author_id": None, **values}


def test_written_and_changed(any_work: UnitOfWork) -> None:
    image = stored_image(any_work)
    rows = [row(image.id, rev=n) for n in range(3)]
    ahead = SealedAhead(any_work.engine, insert(TABLE), rows, TIMES)
    changes = [
        {"annotations_id": each["id"], "label": f"{n:032x}"} for n, each in enumerate(rows)
    ]
    statement = update(TABLE).where(TABLE.c.id == bindparam("annotations_id"))
    changed = SealedAhead(any_work.engine, statement, changes[:2], ("updated_at", "rev"))
    at = utc_now()
    with any_work.write() as session:
        ahead.write(session, created_at=at, updated_at=at)
        changed.write(session, [{"rev": 7}, {"rev": 8}], updated_at=at)
        SealedAhead(any_work.engine, insert(TABLE), []).write(session)
    with any_work.read() as session:
        found = session.scalars(select(Annotation).order_by(Annotation.rev)).all()
    assert [(each.rev, each.label) for each in found] == [
        (2, LABEL), (7, "0" * 32), (8, "0" * 31 + "1"),
    ]  # fmt: skip
    first = found[0]
    assert (first.id, first.box, first.shape, first.updated_at) == (
        rows[2]["id"],
        BOX,
        None,
        at,
    )
    assert first.attributes == {"ä": [1, None]}


def test_other_keys_make_it_stale(work: UnitOfWork) -> None:
    image = stored_image(work)
    ahead = SealedAhead(work.engine, insert(TABLE), [row(image.id)], TIMES)
    assert ahead.is_fresh
    cipher_of(work.engine.dialect).use(new_cipher().keys)  # type: ignore[arg-type]
    assert not ahead.is_fresh


def test_a_row_without_its_id_is_refused(work: UnitOfWork) -> None:
    """What is sealed is bound to its row."""
    statement = update(TABLE).where(TABLE.c.rev == bindparam("was"))
    with pytest.raises((EncryptionError, StatementError)):
        SealedAhead(work.engine, statement, [{"was": 1, "label": LABEL}])
