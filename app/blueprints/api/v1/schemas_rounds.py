"""Blind rounds as the API tells and takes them."""

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
from app.domain.agreement import DEFAULT_IOU
from app.domain.blind_copies import COPY_STATES, Outcome
from app.services.agreement.rounds import MOST_PEOPLE, MOST_PICTURES

_SHARE: Schema = {"minimum": 0, "maximum": 1}
_KAPPA: Schema = {"minimum": -1, "maximum": 1}

SCHEMAS: dict[str, Schema] = {
    "Agreement": record(
        in_a=whole("things that the first has"),
        in_b=whole("things that the second has"),
        matched=whole("pairs by place"),
        precision=number("of the second's things, what the first has too", **_SHARE),
        recall=number("of the first's things, what the second has too", **_SHARE),
        f1=number(**_SHARE),
        mean_iou=nullable(number("of the pairs", **_SHARE)),
        kappa=nullable(number("of the labels of the pairs", **_KAPPA)),
        kappa_of_all=nullable(number("with 'nothing' as a label", **_KAPPA)),
    ),
    "RoundLine": record(
        id=uuid(),
        name=text(),
        created_at=moment(),
        pictures=whole(),
        people=whole(),
        copies=whole(),
        submitted=whole("copies"),
        mine=record("one's own", submitted=whole(), copies=whole()),
        stuck=whole("for leads: copies of people who may not label there any more"),
    ),
    "Rounds": record(rounds=items(ref("RoundLine"))),
    "Round": record(
        id=uuid(),
        name=text(),
        iou=number("the least overlap of a pair"),
        seed=nullable(whole("null: the pictures were named")),
        created_at=moment(),
        pairs=items(
            record(a=ref("Person"), b=ref("Person"), agreement=ref("Agreement")),
            "for leads, over the pictures that were compared",
        ),
        pictures=items(
            record(
                image_id=uuid(),
                copies=items(record(annotator=ref("Person"), state=one_of(COPY_STATES))),
                outcome=nullable(one_of(Outcome, "null: for leads")),
                agreement=nullable(ref("Agreement")),
                adjudicated_at=nullable(moment()),
                mine=nullable(uuid("one's own copy")),
            )
        ),
        waiting=items(
            record(
                annotator=ref("Person"),
                copies=whole("not submitted"),
                able=boolean("false: may not label here any more"),
            ),
            "for leads: whose copies wait",
        ),
    ),
    "HandOver": document(
        ("from", "to"),
        **{"from": uuid("whose copies")},
        to=nullable(uuid("a member who annotates; null: the round goes on without them")),
        images=items(uuid(), "left out: all of theirs that wait", maxItems=MOST_PICTURES),
    ),
    "NewRound": document(
        ("name", "annotators"),
        name=text(minLength=1, maxLength=100),
        annotators=items(uuid("a member who annotates"), minItems=2, maxItems=MOST_PEOPLE),
        images=items(uuid(), "instead of count and seed", maxItems=MOST_PICTURES),
        count=whole("so many pictures are drawn", minimum=1, maximum=MOST_PICTURES),
        seed=whole("the same draw again; left out: a fresh one", maximum=2**31 - 1),
        iou=number(f"left out: {DEFAULT_IOU}", exclusiveMinimum=0, maximum=1),
    ),
}
