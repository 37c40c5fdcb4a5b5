"""Label classes of a collection: added and changed on its page and on the labels' own."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request, url_for

from app.blueprints.collections.base import blueprint, show_again
from app.blueprints.collections.label_pages import label_again, labels_again
from app.domain.ids import read_id
from app.errors import Conflict, InvalidInput
from app.services.label_schema import SplitWish
from app.web import label_form, pages
from app.web.context import services
from app.web.forms import wrong
from app.web.guards import PAGE, gate
from app.web.identity import actor
from app.web.safe_next import safe_next

MOST_CHOSEN = 500


@blueprint.post("/collections/<slug>/labels")
@gate(PAGE)
def add_label(slug: str) -> Response:
    """Add a class; its key is the next free digit."""
    try:
        services().labels.create(actor(), slug, label_form.label_edit(), label_form.version())
    except (InvalidInput, Conflict) as error:
        return labels_again(slug, error) if _from_labels() else show_again(slug, error)
    return pages.done(_back(slug), "The label is added.")


@blueprint.post("/collections/<slug>/labels/<uuid:label_id>")
@gate(PAGE)
def edit_label(slug: str, label_id: UUID) -> Response:
    """Change a class, take it off the list, or offer it again."""
    labels, who, version = services().labels, actor(), label_form.version()
    try:
        if request.form.get("remove") == "1":
            gone = labels.remove(who, slug, label_id, version)
            said = "The label is removed. " + (
                "Nothing had it." if gone.deleted else "What has it keeps it."
            )
        elif request.form.get("restore") == "1":
            labels.restore(who, slug, label_id, version)
            said = "The label is offered again."
        else:
            labels.edit(who, slug, label_id, label_form.label_edit(), version)
            said = "The label is changed."
    except (InvalidInput, Conflict) as error:
        if not _from_labels():
            return show_again(slug, error)
        return label_again(slug, label_id, error)
    return pages.done(_back(slug), said)


@blueprint.post("/collections/<slug>/labels/order")
@gate(PAGE)
def order_labels(slug: str) -> Response:
    """Move one label (``up`` or ``down``), or put all in the order of ``ids``."""
    found = services().labels.whole(actor(), slug)
    ids = [label.id for label in found.offered]
    moved = read_id(request.form.get("up") or request.form.get("down"))
    if moved in ids:
        at = ids.index(moved)
        to = at - 1 if request.form.get("up") else at + 1
        ids.insert(max(0, to), ids.pop(at))
    else:
        told = [read_id(text) for text in request.form.getlist("ids")]
        ids = [each for each in told if each is not None]
        if len(ids) != len(told):
            raise wrong("ids", "must be ids of labels")
    try:
        services().labels.reorder(actor(), slug, ids, label_form.version())
    except (InvalidInput, Conflict) as error:
        if pages.wants_json():
            raise
        return labels_again(slug, error)
    now = services().labels.whole(actor(), slug).version
    return pages.done_or_json(url_for("collections.labels", slug=slug), {"version": now})


@blueprint.post("/collections/<slug>/labels/<uuid:label_id>/merge")
@gate(PAGE)
def merge_label(slug: str, label_id: UUID) -> Response:
    """Give its annotations to another class."""
    into = read_id(request.form.get("into"))
    try:
        if into is None:
            raise wrong("into", "must be a label")
        done = services().label_schemas.merge(
            actor(), slug, label_id, into, label_form.version()
        )
    except (InvalidInput, Conflict) as error:
        return label_again(slug, label_id, error)
    return pages.done(_back(slug, labels=True), _done_words(done.changed))


@blueprint.post("/collections/<slug>/labels/<uuid:label_id>/split")
@gate(PAGE)
def split_label(slug: str, label_id: UUID) -> Response:
    """Give some of its annotations other classes, by what an attribute says."""
    try:
        done = services().label_schemas.split(
            actor(), slug, label_id, label_form.split_wish(), label_form.version()
        )
    except (InvalidInput, Conflict) as error:
        return label_again(slug, label_id, error)
    return pages.done(_back(slug, labels=True), _done_words(done.changed))


@blueprint.post("/collections/<slug>/labels/relabel")
@gate(PAGE)
def relabel_chosen(slug: str) -> Response:
    """On the pictures that were ticked in the gallery, give the boxes of one label (``label``)
    another one (``into``, a name)."""
    form = request.form
    back = safe_next(form.get("next")) or url_for("gallery.page", collection=slug)
    source = read_id(form.get("label"))
    wish = SplitWish(images=_ids("ids"), name=form.get("into", "").strip())
    try:
        if source is None:
            raise wrong("label", "must be a label")
        done = services().label_schemas.split(actor(), slug, source, wish, None)
    except (InvalidInput, Conflict) as error:
        return pages.done(back, pages.words_of(error), "warning")
    return pages.done(back, _done_words(done.changed))


@blueprint.post("/collections/<slug>/label-index")
@gate(PAGE)
def switch_label_index(slug: str) -> Response:
    """Build or drop the index of labels."""
    on = request.form.get("on") == "1"
    services().label_indexing.switch(actor(), slug, on=on)
    said = "The index is being built" if on else "The index is off, and is being dropped"
    return pages.done(url_for("collections.show", slug=slug), f"{said}: see Jobs.")


def _ids(field: str) -> list[UUID]:
    told = dict.fromkeys(map(read_id, request.form.getlist(field)))
    if None in told or not 0 < len(told) <= MOST_CHOSEN:
        raise wrong(field, f"must name 1 to {MOST_CHOSEN} pictures")
    return [each for each in told if each is not None]


def _from_labels() -> bool:
    return request.form.get("page") == "labels"


def _back(slug: str, *, labels: bool = False) -> str:
    page = "collections.labels" if labels or _from_labels() else "collections.show"
    return url_for(page, slug=slug)


def _done_words(changed: int | None) -> str:
    if changed is None:
        return "A job is at it: see Jobs."
    return f"{changed:,} annotation{'' if changed == 1 else 's'} changed."
