"""The installation as the API tells it to administrators."""

from __future__ import annotations

from app.blueprints.api.v1.shapes import (
    Schema,
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

_COUNTS: Schema = {"type": "object", "additionalProperties": whole()}
_MASTER = text("the first 8 hex digits of the key's check value", pattern="^[0-9a-f]{8}$")
_FORECAST = record(files=whole(), seconds=number(minimum=0), why=text("what sets the pace"))

SCHEMAS: dict[str, Schema] = {
    "MaintenanceRun": record(
        state=one_of(("running", "done", "failed", "stopped")),
        started_at=moment(),
        finished_at=nullable(moment()),
        found=whole(),
        done=whole(),
        failed=whole(),
        remaining=whole(),
    ),
    "NewRotation": document(
        scope=one_of(("due", "all"), "due: what is past its time, which is the default"),
        images=items(uuid(), "instead of a scope", minItems=1, maxItems=500),
    ),
    "QueuedJob": record(job=uuid("its id")),
    "Alert": record(condition=text(), title=text(), detail=text(), since=moment()),
    "Posture": record(
        at=moment(),
        master_key=_MASTER,
        previous_master_keys=items(_MASTER),
        vault=record(
            mode=one_of(("local", "azure", "hashicorp")),
            keying=one_of(("direct", "envelope")),
            problem=nullable(text("what is wrong with it; null: nothing")),
            cache_minutes=whole("how long a key stays in memory"),
        ),
        cryptoperiod_days=whole("0: rotated on demand only"),
        grace_hours=whole(),
        root_key_versions=_COUNTS,
        files=record(
            total=whole(),
            sealed_bytes=whole(),
            by_format=_COUNTS,
            by_generation=_COUNTS,
            by_age=_COUNTS,
            unverified_provenance=whole(),
            quarantined=whole(),
            legacy_left=whole("what the last migration found and did not take in"),
        ),
        keys=record(
            by_state=_COUNTS,
            by_mode=_COUNTS,
            past_cryptoperiod=whole("active keys whose rotation is due"),
            oldest=nullable(moment()),
        ),
        column_tokens=record(
            active=whole("sealed values under the active column key"),
            former=whole("under one that seals no more"),
            counted_at=moment(),
        ),
        forecast=record(due=_FORECAST, all=_FORECAST),
        last={
            "type": "object",
            "description": "the last finished run of each kind",
            "additionalProperties": nullable(ref("MaintenanceRun")),
        },
        alerts=items(ref("Alert")),
    ),
}
