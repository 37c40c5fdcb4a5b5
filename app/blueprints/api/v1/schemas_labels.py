"""Label classes as the API tells and takes them."""

from __future__ import annotations

from app.blueprints.api.v1.shapes import (
    Schema,
    boolean,
    document,
    items,
    moment,
    nullable,
    number,
    one_of,
    record,
    ref,
    text,
    uuid,
    whole,
)
from app.domain.attribute_types import MAX_OPTIONS, MAX_TEXT, AttributeKind
from app.domain.attributes import MAX_ATTRIBUTES
from app.domain.label_schema import MAX_ALIASES
from app.domain.labels import MAX_LABEL
from app.domain.names import MAX_NAME
from app.services.saved_filters import KEPT

CHANGES = (
    "add", "rename", "edit", "order", "deprecate", "delete", "restore", "merge", "split",
)  # fmt: skip
_NAME = text(minLength=1, maxLength=MAX_LABEL)
_WISHES: dict[str, Schema] = {
    "name": nullable(_NAME),
    "colour": nullable(text(pattern="^#[0-9A-Fa-f]{6}$")),
    "hotkey": nullable(text("a digit; empty takes the key away", pattern="^[0-9]?$")),
    "aliases": nullable(items(_NAME, "names by which imports find it", maxItems=MAX_ALIASES)),
    "attributes": nullable(items(ref("AttributeType"), maxItems=MAX_ATTRIBUTES)),
    "version": nullable(whole("of the label set, as it was seen; left out: any")),
}
_LABEL: dict[str, Schema] = {
    "id": uuid(),
    "name": text(),
    "colour": text(pattern="^#[0-9a-f]{6}$"),
    "hotkey": nullable(text(pattern="^[0-9]$")),
    "order": whole(),
    "number": whole("from 0; the class's for ever: what an export counts by"),
    "aliases": items(text(), "former and other names; imports find the class by them"),
    "attributes": items(ref("AttributeType")),
    "deprecated": boolean("kept by what has it, offered to no new annotation"),
    "merged_into": nullable(uuid("the class that its annotations have now")),
}
_COUNTS: Schema = {"type": "object", "additionalProperties": whole()}
_QUERY: Schema = {
    "type": "object",
    "description": "arguments of `GET /images`, but for those of pages",
    "propertyNames": {"enum": list(KEPT)},
    "additionalProperties": {"anyOf": [text(), items(text())]},
}

SCHEMAS: dict[str, Schema] = {
    "AttributeType": {
        "type": "object",
        "description": "`options`: of a select; `min`, `max`, `step`: of a number;"
        " `max_length`: of a text",
        "additionalProperties": False,
        "required": ["name", "kind"],
        "properties": {
            "name": text(minLength=1),
            "kind": one_of([kind.value for kind in AttributeKind]),
            "required": boolean("asked for when a picture is submitted"),
            "default": {"type": ["string", "number", "boolean", "null"]},
            "options": items(text(minLength=1), minItems=1, maxItems=MAX_OPTIONS),
            "min": nullable(number()),
            "max": nullable(number()),
            "step": nullable(number(exclusiveMinimum=0)),
            "max_length": whole(minimum=1, maximum=MAX_TEXT),
        },
    },
    "Label": record(**_LABEL),
    "CountedLabel": record(
        **_LABEL,
        annotations=whole("that have it; none in the trash count"),
        images=whole("on which they are"),
    ),
    "Labels": record(
        version=whole("rises with every change of the label set"),
        labels=items(ref("CountedLabel"), "those that a new annotation may have, in order"),
        deprecated=items(ref("CountedLabel"), "those that were taken off the list"),
        indexed=boolean("pictures are found by label through a blind index"),
    ),
    "NewLabel": document(("name",), **_WISHES | {"name": _NAME}),
    "LabelEdit": document(**_WISHES, deprecated=nullable(boolean())),
    "LabelHistory": record(
        versions=items(
            record(
                version=whole(),
                at=moment(),
                by=nullable(text("name")),
                change=one_of(CHANGES),
                details={"type": "object"},
            )
        ),
        before=nullable(whole("asks for the next page; null: that was all")),
    ),
    "LabelPreview": record(
        annotations=whole("also of pictures in the trash"),
        images=whole(),
        states=_COUNTS,
        values=_COUNTS,
        complete=boolean("false: there are more, this is the least"),
    ),
    "LabelMerge": document(("into",), into=uuid(), version=_WISHES["version"]),
    "LabelSplit": document(
        attribute=nullable(text()),
        values=nullable({"type": "object", "additionalProperties": _NAME}),
        images=nullable(items(uuid())),
        name=nullable(_NAME),
        version=_WISHES["version"],
    ),
    "Relabelled": record(
        version=whole(),
        annotations=nullable(whole("that have another class now; null: a job is at it")),
        job=nullable(uuid()),
    ),
    "LabelIndexSwitch": document(("on",), on=boolean()),
    "LabelIndexing": record(on=boolean(), job=uuid()),
    "Filter": record(
        id=uuid(),
        name=text(),
        collection=nullable(text("slug; null: of all collections")),
        query=_QUERY,
        created_at=moment(),
    ),
    "Filters": record(filters=items(ref("Filter"))),
    "NewFilter": document(
        ("name", "query"),
        name=text(minLength=1, maxLength=MAX_NAME),
        query=_QUERY,
        collection=nullable(text("slug")),
    ),
    "LabelOrder": document(("ids",), ids=items(uuid()), version=_WISHES["version"]),
}
