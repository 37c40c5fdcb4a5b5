"""``/collections/<slug>/progress``: figures, bulk assignment, the way to the next picture."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from flask import Response, request, url_for

from app.blueprints.work.base import blueprint, person
from app.domain.access import Action, CollectionFacts, allows
from app.errors import InvalidInput
from app.services.progress import ProgressView
from app.services.tasks import MOST_AT_ONCE
from app.web import forms, pages
from app.web.context import services
from app.web.frame import set_collection
from app.web.guards import PAGE, Gate, gate
from app.web.identity import actor

FILE = Gate("signed_in", "media")
TEMPLATE = "work/progress.html"
COLUMNS = (
    "annotator",
    "submitted",
    "accepted",
    "sent_back",
    "skipped",
    "assigned",
    "boxes",
    "hours",
    "pictures_an_hour",
    "boxes_an_hour",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@blueprint.get("/collections/<slug>/progress")
@gate(PAGE)
def progress(slug: str) -> Response:
    """Pictures by state, what each person has done, labels."""
    return pages.render(TEMPLATE, **_context(slug))


@blueprint.get("/collections/<slug>/progress.csv")
@gate(FILE)
def progress_csv(slug: str) -> Response:
    """The figures of the annotators as a table."""
    found = services().progress.of(actor(), slug)
    response = Response(_table(found), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="progress.csv"'
    return response


@blueprint.post("/collections/<slug>/next")
@gate(PAGE)
def start(slug: str) -> Response:
    """Open the next picture in the editor."""
    found = services().tasks.next(actor(), slug)
    if found is None:
        words = "No picture waits for you here."
        return pages.done(url_for("collections.show", slug=slug), words, "info")
    return pages.done(url_for("annotate.page", image_id=found.image_id))


@blueprint.post("/collections/<slug>/assign")
@gate(PAGE)
def assign(slug: str) -> Response:
    """Give the oldest new pictures to a person, or take them back."""
    try:
        to = person(request.form.get("user_id"), "user_id")
        count = forms.number(request.form.get("count"), "count", 1, MOST_AT_ONCE, 1)
        done = services().tasks.assign_some(actor(), slug, to, count)
    except InvalidInput as error:
        return pages.again(TEMPLATE, error, **_context(slug))
    words = f"{done} assigned." if to else f"{done} taken back."
    return pages.done(url_for("work.progress", slug=slug), f"Pictures: {words}")


def _context(slug: str) -> dict[str, Any]:
    who, rooms = actor(), services()
    collection = rooms.collections.get(who, slug)
    set_collection(slug)
    facts = CollectionFacts(collection.role)
    leads = allows(who, Action.LEAD_WORK, facts)
    labels = rooms.labels.whole(who, slug)
    counted = [(label, labels.tally(label.id)) for label in labels.offered]
    return {
        "collection": collection,
        "progress": rooms.progress.of(who, slug),
        "annotators": rooms.rounds.able(who, slug) if leads else (),
        "labels": sorted(counted, key=lambda each: -each[1].annotations),
        "leads": leads,
        "labels_pictures": allows(who, Action.TAKE_TASKS, facts),
    }


def _table(found: ProgressView) -> str:
    """Names that a spreadsheet would take for a formula begin with an apostrophe."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for work in found.people:
        told = {state.value: n for state, n in work.by_state.items()}
        name = work.person.name
        writer.writerow(
            (
                f"'{name}" if name.startswith(_FORMULA) else name,
                work.submitted,
                told.get("accepted", 0),
                told.get("rejected", 0),
                told.get("skipped", 0),
                work.assigned,
                work.boxes,
                round(work.seconds / 3600, 4),
                round(work.pictures_an_hour or 0, 2),
                round(work.boxes_an_hour or 0, 2),
            )
        )
    return out.getvalue()
