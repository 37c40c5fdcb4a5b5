"""Data sets as the API takes them; reports stand in the results of jobs."""

from __future__ import annotations

from app.blueprints.api.v1.shapes import (
    Schema,
    boolean,
    document,
    items,
    nullable,
    one_of,
    text,
    whole,
)
from app.domain.labels import MAX_LABEL
from app.domain.states import AnnotationState
from app.formats.dataset import Task
from app.services.exchange.catalogue import NAMES
from app.services.exchange.options import GIVEN_STATES, MAX_SEED, METADATA, Mode, Names

_ORIGIN = nullable(whole("of Pascal VOC: what the first pixel is called", maximum=1))
_TASK = nullable(one_of(Task, "of YOLO: what its lines mean; left out: found out"))
_SHARE = whole("of 100", maximum=100)

SCHEMAS: dict[str, Schema] = {
    "NewExport": document(
        ("format",),
        format=one_of(NAMES),
        images=nullable(boolean("with the pictures themselves (the default)")),
        crops=nullable(boolean("a PNG of each box, turned box and outline")),
        metadata=nullable(one_of(METADATA, "what is left of it in the pictures")),
        filenames=nullable(one_of(Names)),
        splits=nullable(document((), train=_SHARE, val=_SHARE, test=_SHARE)),
        seed=nullable(whole("by which pictures are dealt", maximum=MAX_SEED)),
        states=nullable(items(one_of(AnnotationState), "none: all")),
        labels=nullable(items(text(minLength=1, maxLength=MAX_LABEL), "none: all")),
        task=_TASK,
        origin=_ORIGIN,
        accept_losses=nullable(boolean("make it whatever is lost")),
    ),
    "NewImport": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "contentMediaType": "application/octet-stream"},
            "format": one_of(NAMES, "left out: found out"),
            "mode": one_of(Mode, "for pictures that have annotations"),
            "images": boolean("store the pictures of the archive (the default)"),
            "state": one_of(GIVEN_STATES, "for every picture; left out: what the file says"),
            "classes": text("a line each: name in the file = name here"),
            "origin": _ORIGIN,
            "task": _TASK,
        },
    },
    "AcceptedImport": document(
        (),
        accept_losses=nullable(boolean("needed where the report tells losses")),
        mode=nullable(one_of(Mode, "left out: as it was asked for")),
    ),
}
