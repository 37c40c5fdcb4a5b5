"""Tasks as the API tells and takes them."""

from __future__ import annotations

from app.blueprints.api.v1.shapes import (
    Schema,
    boolean,
    document,
    items,
    moment,
    nullable,
    one_of,
    record,
    ref,
    text,
    uuid,
    whole,
)
from app.domain.states import AnnotationState
from app.domain.workflow import MAX_REASON, WITH_REASON
from app.services.tasks import MOST_AT_ONCE

_REASON = text("for whoever looks at it next", minLength=1, maxLength=MAX_REASON)
CAN = ("submit", "skip", "reopen", "accept", "reject", "assign", "release")

SCHEMAS: dict[str, Schema] = {
    "Person": record(id=uuid(), name=text(), you=boolean()),
    "Task": record(
        image_id=uuid(),
        state=one_of(AnnotationState),
        read_only=boolean("submitted or accepted"),
        assignee=nullable(ref("Person")),
        holder=nullable(ref("Person")),
        lease_until=nullable(moment("until then nobody else is given it")),
        submitted_by=nullable(ref("Person")),
        submitted_at=nullable(moment()),
        reviewed_by=nullable(ref("Person")),
        reviewed_at=nullable(moment()),
        reason=nullable(text("why it was skipped or sent back")),
        reason_of=nullable(one_of(sorted(WITH_REASON))),
        worked_seconds=whole("pauses of over five minutes are not counted"),
        can=items(one_of(CAN), "what the caller may do with it now"),
    ),
    "NextTask": record(
        "both null when there is none",
        image=nullable(record(id=uuid(), annotation_state=one_of(AnnotationState))),
        task=nullable(ref("Task")),
    ),
    "NextWish": document(
        state=nullable(one_of(AnnotationState, "left out: what waits for an annotator")),
        after=nullable(uuid("a picture that is given back and passed over")),
    ),
    "NextCopy": record(
        "both null when there is none",
        image=nullable(record(id=uuid())),
        url=nullable(text("the page of the editor")),
    ),
    "Skip": document(("reason",), reason=_REASON),
    "Review": document(
        ("verdict",),
        verdict=one_of(["accept", "reject"]),
        reason=nullable(_REASON | {"description": "needed to reject"}),
    ),
    "Assignment": document(
        ("user_id",), user_id=nullable(uuid("a member who annotates; null: nobody"))
    ),
    "BulkAssignment": document(
        ("user_id", "count"),
        user_id=nullable(uuid("null: take them back from whoever has them")),
        count=whole("the oldest new pictures first", minimum=1, maximum=MOST_AT_ONCE),
    ),
    "Assigned": record(assigned=whole("pictures")),
}
