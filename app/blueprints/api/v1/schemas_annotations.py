"""Annotations of a picture as the API tells and takes them."""

from __future__ import annotations

from app.blueprints.api.v1.schemas_accounts import PROBLEM
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
from app.domain.annotation import MAX_BOXES
from app.domain.annotation_document import MAX_FRAME
from app.domain.attributes import MAX_ATTRIBUTES, MAX_VALUES
from app.domain.labels import MAX_LABEL
from app.domain.names import MAX_DESCRIPTION
from app.domain.operation_document import MAX_OPS, OpKind
from app.domain.operations import SaveKind
from app.domain.shapes import KINDS, MAX_POINTS
from app.domain.states import AnnotationState

_SCALARS = {"type": ["string", "number", "boolean", "null"]}
_BOX = {
    "x": number(),
    "y": number(),
    "w": number(exclusiveMinimum=0),
    "h": number(exclusiveMinimum=0),
}
_PIXELS = "pixels of the upright picture, origin at the top left"
_ATTRIBUTES: Schema = {
    "type": "object",
    "maxProperties": MAX_ATTRIBUTES,
    "additionalProperties": {
        "anyOf": [_SCALARS, {"type": "array", "items": _SCALARS, "maxItems": MAX_VALUES}]
    },
}
_POINT = items(number(), minItems=2, maxItems=2)
_SHAPE: Schema = {
    "type": "object",
    "description": "of anything but a plain box, beside `box`, which is then what is around it",
    "required": ["type"],
    "properties": {
        "type": one_of(KINDS),
        **_BOX,
        "angle": number("degrees, clockwise"),
        "points": items(_POINT, "of a polygon, or single ones", maxItems=MAX_POINTS),
    },
}
_TOLD: dict[str, Schema] = {
    "label": text("name of the class", minLength=1, maxLength=MAX_LABEL),
    "label_id": uuid("id of the class"),
    "box": {"type": "object", "required": list(_BOX), "properties": _BOX},
    "shape": nullable(_SHAPE),
    "frame": nullable(whole(maximum=MAX_FRAME)),
    "attributes": nullable(_ATTRIBUTES),
}
_ANNOTATION: dict[str, Schema] = {
    "id": uuid(),
    "rev": whole("the set's revision when this box last changed"),
    "label": text(),
    "label_id": uuid(),
    "box": ref("Bounds"),
    "frame": whole(),
    "attributes": _ATTRIBUTES,
}
_COMMENT = text(minLength=1, maxLength=MAX_DESCRIPTION)
_MAYBE = nullable(ref("Annotation"))
_SIDE: Schema = {
    "anyOf": [ref("Annotation"), one_of(AnnotationState), {"type": "null"}],
    "description": "the annotation, or the state; null for an order",
}
_APPLIED = items(
    record(
        op_id=uuid(),
        id=nullable(uuid("of the box; null for an order")),
        rev=nullable(whole("of the box since then; null where there was nothing to do")),
    ),
    "the operations that are done, now or at an earlier time",
)
_SCHEMA = whole("version of the labels; with another one they are to be read again")
_HEAD: dict[str, Schema] = {
    "state": one_of(AnnotationState),
    "revision": whole("also the ETag"),
    "schema": _SCHEMA,
}

SCHEMAS: dict[str, Schema] = {
    "Bounds": record(_PIXELS, **_BOX | {"w": number(minimum=0), "h": number(minimum=0)}),
    "Annotation": record(**_ANNOTATION) | {"properties": _ANNOTATION | {"shape": _SHAPE}},
    "AnnotationSet": record(**_HEAD, annotations=items(ref("Annotation"))),
    "NewAnnotation": {
        "type": "object",
        "description": "`label` or `label_id`, `box` or `shape`; unknown members are ignored",
        "allOf": [
            {"anyOf": [{"required": ["label"]}, {"required": ["label_id"]}]},
            {"anyOf": [{"required": ["box"]}, {"required": ["shape"]}]},
        ],
        "properties": {
            "id": nullable(uuid("left out: the server makes one")),
            "rev": nullable(whole(maximum=MAX_FRAME)),
            **_TOLD,
        },
    },
    "NewAnnotationSet": {
        "type": "object",
        "required": ["annotations"],
        "properties": {
            "state": nullable(one_of(AnnotationState)),
            "annotations": items(ref("NewAnnotation"), maxItems=MAX_BOXES),
        },
    },
    "Operation": {
        "type": "object",
        "required": ["op"],
        "properties": {
            "op": one_of(OpKind),
            "op_id": nullable(uuid("yours: sent again, it is not done again")),
            "id": nullable(uuid("of the box; left out of an `add`, the server makes one")),
            "rev": nullable(whole("of the box as you saw it", maximum=MAX_FRAME)),
            **_TOLD,
            "ids": items(uuid(), "the wanted `order`, bottom first", maxItems=MAX_BOXES),
        },
    },
    "Operations": {
        "type": "object",
        "properties": {
            "state": nullable(one_of(AnnotationState)),
            "ops": items(ref("Operation"), maxItems=MAX_OPS),
        },
    },
    "Colleague": record(name=text(), initials=text(), you=boolean()),
    "News": record(
        state=one_of(AnnotationState),
        revision=whole(),
        schema=_SCHEMA,
        changes=nullable(
            items(
                record(
                    seq=whole("the revision after it"),
                    op=one_of(["add", "update", "delete"]),
                    op_id=uuid(),
                    id=uuid(),
                    annotation=_MAYBE,
                    person=nullable(ref("Colleague")),
                ),
                "oldest first; null: read the whole set",
            )
        ),
        order=nullable(items(uuid(), "the whole order, bottom first; null if it is the same")),
        people=items(
            record(
                "who has the picture open",
                name=text(),
                initials=text(),
                you=boolean(),
                tabs=whole(),
            )
        ),
    ),
    "HistoryPage": record(
        history=items(
            record(
                seq=whole("the revision after it"),
                at=moment(),
                person=nullable(ref("Colleague")),
                way=one_of(SaveKind),
                op=one_of(["add", "update", "delete", "order", "state"]),
                op_id=uuid(),
                id=nullable(uuid()),
                before=_SIDE,
                after=_SIDE,
            )
        ),
        pagination=record(
            limit=whole(),
            total=nullable(whole("always null")),
            next_cursor=nullable(text("null on the last page")),
        ),
    ),
    "Restoring": document(("seq",), seq=whole("the revision to go back to", maximum=MAX_FRAME)),
    "Comment": record(
        id=uuid(),
        image_id=uuid(),
        annotation_id=nullable(uuid("what it is about; it may be gone")),
        point=nullable(record(_PIXELS, x=number(), y=number())),
        text=text(),
        author=nullable(ref("Colleague")),
        rejection=boolean("said when the picture was rejected"),
        created_at=moment(),
        updated_at=moment(),
        resolved_at=nullable(moment()),
        resolved_by=nullable(ref("Colleague")),
        can=items(one_of(("edit", "resolve", "reopen", "delete")), "what the caller may do"),
    ),
    "Comments": record(comments=items(ref("Comment"))),
    "NewComment": document(
        ("text",),
        text=_COMMENT,
        annotation_id=nullable(uuid("what it is about")),
        point=nullable(
            {
                "type": "object",
                "required": ["x", "y"],
                "properties": {"x": number(), "y": number()},
            }
        ),
    ),
    "CommentChange": document(text=nullable(_COMMENT), resolved={"type": ["boolean", "null"]}),
    "PatchedSet": record(**_HEAD, applied=_APPLIED),
    "BoxConflict": record(
        id=uuid(),
        op_ids=items(uuid(), "yours on this box, of which none was done"),
        base=_MAYBE,
        mine=_MAYBE,
        theirs=_MAYBE,
    ),
    "BoxConflicts": record(
        "all but the conflicts was done",
        **PROBLEM,
        **_HEAD,
        applied=_APPLIED,
        conflicts=items(ref("BoxConflict")),
    ),
}
