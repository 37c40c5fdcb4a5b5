"""Jobs as the API tells them."""

from __future__ import annotations

from app.blueprints.api.v1.shapes import (
    Schema,
    boolean,
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

STATES = ("waiting", "running", "done", "failed", "stopped")

SCHEMAS: dict[str, Schema] = {
    "File": text("the bytes of a file, of whatever type it is", format="binary"),
    "Job": record(
        id=uuid(),
        kind=text("a stable word"),
        label=text("what it does, for people"),
        state=one_of(STATES),
        stopping=boolean("it was asked to stop and has not yet"),
        progress=record(done=whole(), total=nullable(whole("null: not known"))),
        tries=whole(),
        error=nullable(record("of the last try", code=text(), message=text())),
        result=nullable({"type": "object", "description": "what its kind tells at the end"}),
        result_url=nullable(text("null: it made no file")),
        result_size=nullable(whole("bytes")),
        created_at=moment(),
        run_at=moment("not before that"),
        started_at=nullable(moment("of the last try")),
        finished_at=nullable(moment()),
    ),
    "JobPage": record(
        jobs=items(ref("Job")),
        pagination=record(
            limit=whole(),
            total=nullable(whole("not counted")),
            next_cursor=nullable(text("null: this is the last page")),
        ),
    ),
}
