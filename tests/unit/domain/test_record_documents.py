"""The documents of sealed records: what is written is what is read, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.base import Base
from app.domain import directory_record
from app.domain import record_fields as f
from app.domain.directory_record import KINDS
from app.domain.image_record import (
    ANNOTATION,
    COMMENT,
    COPY,
    IMAGE,
    NOTE,
    PADDED_TO,
    TASK,
    ImageRecord,
)
from app.domain.record_fields import Fields, Kind
from app.errors import StoreError

VECTORS = Path(__file__).parents[2] / "vectors" / "records.json"
SECRETS = ("password", "hash", "totp", "session", "token", "key", "email_index", "secret")

text = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | text
numbers = st.floats(allow_nan=False, allow_infinity=False)
objects = st.dictionaries(text, scalars | numbers | st.lists(scalars, max_size=3), max_size=4)
times = st.datetimes(timezones=st.just(UTC))
PLAIN = {
    id(f.ID): st.uuids(),
    id(f.TIME): times,
    id(f.TEXT): text,
    id(f.NUMBER): st.integers(),
    id(f.FLAG): st.booleans(),
    id(f.OBJECT): objects,
    id(f.BOX): st.tuples(numbers, numbers, numbers, numbers),
}


def values_of(kind: Kind) -> st.SearchStrategy[Any]:
    if id(kind) in PLAIN:
        return PLAIN[id(kind)]
    assert kind.write(None) is None
    return st.none() | next(made for each, made in PLAIN.items() if _reads_as(kind, each))


def _reads_as(kind: Kind, each: int) -> bool:
    """Whether an optional kind is that one with null beside it."""
    samples = {
        id(f.ID): UUID(int=1),
        id(f.TIME): datetime(2026, 1, 1, tzinfo=UTC),
        id(f.TEXT): "text",
        id(f.NUMBER): 1,
        id(f.OBJECT): {},
    }
    if each not in samples:
        return False
    try:
        return bool(kind.read(kind.write(samples[each])) == samples[each])
    except (ValueError, TypeError, AttributeError):
        return False


def rows_of(fields: Fields) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({name: values_of(k) for name, k in fields.kinds.items()})


records = st.builds(
    ImageRecord,
    id=st.uuids(),
    image=rows_of(IMAGE),
    tags=st.lists(st.uuids(), unique=True, max_size=3).map(lambda ids: tuple(sorted(ids))),
    annotations=st.lists(rows_of(ANNOTATION), max_size=3).map(tuple),
    task=st.none() | rows_of(TASK),
    **{
        name: st.lists(rows_of(fields), max_size=2).map(tuple)
        for name, fields in {"notes": NOTE, "comments": COMMENT, "copies": COPY}.items()
    },
)
entries = st.lists(
    st.one_of(*(st.tuples(st.just(kind), rows_of(KINDS[kind])) for kind in KINDS)), max_size=6
)


@given(records)
def test_a_record_comes_back_as_it_was(record: ImageRecord) -> None:
    raw = record.encode()
    assert ImageRecord.decode(raw, record.id) == record
    assert raw == record.encode()
    assert len(raw) % PADDED_TO == 0


@given(entries)
def test_a_directory_comes_back_as_it_was(rows: list[tuple[str, Mapping[str, Any]]]) -> None:
    raw = b"".join(directory_record.encode(rows))
    assert list(directory_record.decode(raw.splitlines(keepends=True))) == rows
    assert len(raw) % directory_record.PADDED_TO == 0


@given(entries, st.data())
def test_a_directory_that_lacks_a_line_is_refused(
    rows: list[tuple[str, Mapping[str, Any]]], data: st.DataObject
) -> None:
    lines = list(directory_record.encode(rows))
    lines.pop(data.draw(st.integers(0, len(lines) - 2)))  # the last one is padding
    with pytest.raises(StoreError):
        list(directory_record.decode(lines))


def test_more_after_the_end_is_refused() -> None:
    lines = [*directory_record.encode([]), b'{"kind":"account"}\n']
    with pytest.raises(StoreError):
        list(directory_record.decode(lines))


def sample() -> dict[str, Any]:
    return json.loads(VECTORS.read_text())


def test_the_frozen_record_is_read_and_written_byte_by_byte() -> None:
    frozen = sample()["image"]
    raw = frozen["plain"].encode()
    record = ImageRecord.decode(raw, UUID(frozen["file_id"]))
    assert record.encode() == raw
    assert record.annotations[0]["box"] == (1.5, 2.0, 30.25, 1e-07)


def test_the_frozen_directory_is_read_and_written_byte_by_byte() -> None:
    raw = sample()["directory"]["plain"].encode()
    rows = list(directory_record.decode(raw.splitlines(keepends=True)))
    assert b"".join(directory_record.encode(rows)) == raw
    assert [kind for kind, _ in rows] == ["account", "collection", "member", "label", "tag"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda value: value.update(v=2),
        lambda value: value.update(id=str(UUID(int=7))),
        lambda value: value.update(kind="directory"),
        lambda value: value.update(more=1),
        lambda value: value.pop("tags"),
        lambda value: value["tags"].append("no id"),
        lambda value: value["image"].pop("status"),
        lambda value: value["image"].update(is_public=1),
        lambda value: value["image"].update(annotation_rev=True),
        lambda value: value["image"].update(sort_at="2026-11-22"),
        lambda value: value["image"].update(sort_at="2026-13-22T00:00:00.000000Z"),
        lambda value: value["annotations"][0].update(box=[1, 2, 3]),
        lambda value: value["annotations"][0].update(box=[1, 2, 3, "4"]),
        lambda value: value["annotations"][0].update(box=[1, 2, 3, 10**400]),
        lambda value: value.update(annotations={}),
        lambda value: value.update(copies={}),
        lambda value: value.update(copies=[{"id": value["id"]}]),
        lambda value: value.update(comments=None),
    ],
)
def test_a_record_that_says_anything_else_is_refused(damage: Any) -> None:
    frozen = sample()["image"]
    value = json.loads(frozen["plain"])
    damage(value)
    with pytest.raises(StoreError):
        ImageRecord.decode(json.dumps(value).encode(), UUID(frozen["file_id"]))


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b"NaN"])
def test_what_is_no_document_is_refused(raw: bytes) -> None:
    with pytest.raises(StoreError):
        ImageRecord.decode(raw, UUID(int=1))
    with pytest.raises(StoreError):
        list(directory_record.decode([raw]))


def test_a_refusal_repeats_nothing() -> None:
    with pytest.raises(StoreError) as refusal:
        ImageRecord.decode(b'{"secret":"PLAIN-9c1e"', UUID(int=1))
    assert refusal.value.__cause__ is None
    assert "9c1e" not in str(refusal.value)
    assert "9c1e" not in repr(ImageRecord(UUID(int=1), {"n": "9c1e"}, (), ()))


@pytest.mark.parametrize(
    "fields", [IMAGE, ANNOTATION, COPY, *KINDS.values()], ids=lambda fields: fields.table
)
def test_fields_are_columns_and_none_is_a_secret(fields: Fields) -> None:
    table = Base.metadata.tables[fields.table]
    assert set(fields.kinds) <= set(table.columns.keys())
    told = set(fields.kinds) - {"hotkey"}
    assert [name for name in told if any(word in name for word in SECRETS)] == []
