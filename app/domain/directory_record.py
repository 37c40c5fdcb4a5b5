"""The directory record: accounts without secrets, collections, members, classes, tags.

Lines of JSON, so that neither writing nor reading holds more than one row::

    {"kind":"directory","v":1}
    {"kind":"account",…}     {"kind":"collection",…}     {"kind":"member",…}
    {"kind":"label",…}       {"kind":"schema",…}      {"kind":"tag",…}
    {"kind":"filter",…}      {"kind":"preference",…}  {"kind":"note",…}
    {"counts":{"account":N,…},"kind":"end"}

The kinds come in this order, each sorted by its key. Spaces fill up the last line, so that the
whole is a multiple of 4 KiB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from app.domain.record_fields import (
    FLAG,
    ID,
    NUMBER,
    OBJECT,
    TEXT,
    TIME,
    Fields,
    from_bytes,
    invalid,
    optional,
    to_bytes,
)

VERSION: Final = 1
PADDED_TO: Final = 4096
#: Bytes of one line: a note of a document that somebody imported may be long.
MAX_LINE: Final = 1 << 20

KINDS: Final[Mapping[str, Fields]] = {
    "account": Fields(
        "users",
        {
            "id": ID,
            "email": TEXT,
            "name": TEXT,
            "is_admin": FLAG,
            "state": TEXT,
            "quota_limit": optional(NUMBER),
            "auto_delete": FLAG,
            "default_expiry_days": optional(NUMBER),
            "theme": optional(TEXT),
            "created_at": TIME,
        },
    ),
    "collection": Fields(
        "collections",
        {
            "id": ID,
            "slug": TEXT,
            "name": TEXT,
            "description": optional(TEXT),
            "owner_id": ID,
            "is_personal": FLAG,
            "labels_closed": FLAG,
            "timeline": TEXT,
            "created_at": TIME,
            "updated_at": TIME,
            "deleted_at": optional(TIME),
        },
    ),
    "member": Fields(
        "collection_members",
        {"collection_id": ID, "user_id": ID, "role": TEXT, "created_at": TIME},
    ),
    "label": Fields(
        "label_classes",
        {
            "id": ID,
            "collection_id": ID,
            "position": NUMBER,
            "body": OBJECT,
            "created_at": TIME,
            "deprecated_at": optional(TIME),
        },
    ),
    # The tallies are counted again.
    "schema": Fields(
        "label_schemas",
        {"id": ID, "collection_id": ID, "version": NUMBER, "is_indexed": FLAG},
    ),
    "tag": Fields("tags", {"id": ID, "collection_id": ID, "name": TEXT}),
    "filter": Fields(
        "saved_filters",
        {
            "id": ID,
            "user_id": ID,
            "collection_id": optional(ID),
            "created_at": TIME,
            "body": OBJECT,
        },
    ),
    "preference": Fields(
        "preferences", {"id": ID, "user_id": ID, "updated_at": TIME, "body": OBJECT}
    ),
    # Of whole documents; those of a picture stand in its own record.
    "note": Fields(
        "exchange_notes",
        {"id": ID, "collection_id": ID, "format": TEXT, "created_at": TIME, "body": OBJECT},
    ),
    # Of double annotation; the copies stand in the records of their pictures.
    "round": Fields(
        "agreement_rounds",
        {
            "id": ID,
            "collection_id": ID,
            "created_by": optional(ID),
            "created_at": TIME,
            "closed_at": optional(TIME),
            "body": OBJECT,
        },
    ),
    # What changed in a schema, when, and by whom.
    "version": Fields(
        "label_schema_versions",
        {
            "id": ID,
            "collection_id": ID,
            "version": NUMBER,
            "at": TIME,
            "actor_id": optional(ID),
            "body": OBJECT,
        },
    ),
}
#: What older records have no line of, and newer ones count only where there is one. A line of
#: these that is longer than `MAX_LINE` is left out: it could not be read back.
LATER: Final = frozenset({"schema", "filter", "preference", "note", "round", "version"})
Entry = tuple[str, Mapping[str, Any]]


def encode(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The lines for (kind, row) in the order of the kinds; the same rows, the same bytes."""
    counts: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    size = 0
    for line in _lines(entries, counts):
        size += len(line)
        yield line
    yield b" " * (-size % PADDED_TO)


def _lines(entries: Iterable[Entry], counts: Counter[str]) -> Iterator[bytes]:
    yield _line({"kind": "directory", "v": VERSION})
    for kind, row in entries:
        line = _line({"kind": kind, **KINDS[kind].write(row)})
        if kind not in LATER or len(line) <= MAX_LINE:
            counts[kind] += 1
            yield line
    told = {kind: count for kind, count in counts.items() if count or kind not in LATER}
    yield _line({"kind": "end", "counts": told})


def _line(value: Mapping[str, Any]) -> bytes:
    return to_bytes(value) + b"\n"


def decode(lines: Iterable[bytes]) -> Iterator[Entry]:
    """(kind, row) of each line; ``StoreError`` as soon as anything is not as it is written.

    A caller that stops before the end has not seen whether all of it is there.
    """
    counts: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
    rest = iter(lines)
    if from_bytes(next(rest, b"null")) != {"kind": "directory", "v": VERSION}:
        raise invalid("This is no directory record, or one of another version.")
    for line in rest:
        value = from_bytes(line)
        kind = value.pop("kind", None) if isinstance(value, dict) else None
        if kind == "end":
            _check_end(value, counts, rest)
            return
        fields = KINDS.get(kind) if isinstance(kind, str) else None
        if fields is None:
            raise invalid("The directory record has a line of an unknown kind.")
        counts[str(kind)] += 1
        yield str(kind), fields.read(value)
    raise invalid("The directory record has no end.")


def _check_end(value: object, counts: Counter[str], rest: Iterator[bytes]) -> None:
    told = value.get("counts") if isinstance(value, dict) and len(value) == 1 else None
    known = dict.fromkeys(LATER, 0) | told if isinstance(told, dict) else None
    if known != dict(counts) or any(line.strip(b" ") for line in rest):
        raise invalid("The directory record lacks lines, or has too many.")
