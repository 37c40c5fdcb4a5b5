"""The pages of label sets and what the panel of filters is given."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace as Model
from typing import Any
from uuid import UUID

from flask import Flask, redirect, render_template, request, url_for

from app.domain.labels import PALETTE
from tests.browser.harness import samples

EVENTS = (
    (9, "Ada Lindqvist", "merged “lorry” into “truck”"),
    (8, "Tomás Herrera", "put the labels in another order"),
    (7, "Mei Watanabe", "added “ladder”"),
)


def panel() -> Model:
    """Filters with a kept one; the address fills the fields."""
    values = {name: text for name, text in request.args.items() if text}
    return Model(
        values=values,
        labels=tuple(label["name"] for label in samples.LABELS),
        annotators=(("me", "you"), (str(samples.id_of(1)), "Tomás Herrera")),
        states=("new", "in_progress", "done", "skipped", "rejected", "accepted"),
        kinds=("image", "video"),
        kept=(
            Model(
                id=samples.id_of(3),
                name="Ripe, not yet accepted",
                url="/gallery?label=a",
                place="Orchard survey 2026",
            ),
            Model(
                id=samples.id_of(4),
                name="Mine of this week",
                url="/gallery?annotator=me",
                place=None,
            ),
        ),
        query=(("label", "apple"),),
    )


def chips() -> tuple[Model, ...]:
    """A chip for each filter of the address."""
    names = ("q", "label", "attribute", "tag", "state")
    return tuple(
        Model(name=name.title(), value=request.args[name], remove_url="/gallery")
        for name in names
        if request.args.get(name)
    )


def _rows() -> tuple[Model, ...]:
    return tuple(_row(label, n) for n, label in enumerate(samples.LABELS))


def _row(label: dict[str, Any], n: int, **more: Any) -> Model:
    told = {
        "id": UUID(label["id"]),
        "name": label["name"],
        "colour": label["colour"],
        "hotkey": label["hotkey"],
        "number": (n * 3) % 7,
        "aliases": ("former name",) if n == 1 else (),
        "annotations": 1204 - 300 * n if n < 4 else 0,
        "pictures": 410 - 90 * n if n < 4 else 0,
        "attributes": ("ripeness", "occluded") if n == 0 else (),
        "into": None,
    }
    return Model(**{**told, **more})


def _base(slug: str) -> dict[str, Any]:
    name = next(one.name for one in samples.COLLECTIONS if one.slug == slug)
    return {
        "collection": Model(slug=slug, name=name, labels_closed=False),
        "version": 9,
        "can_edit": True,
        "palette": PALETTE,
        "errors": {},
        "values": {},
    }


def _labels(slug: str) -> str:
    at = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
    first, second = samples.LABELS[:2]
    return render_template(
        "collections/labels.html",
        **_base(slug),
        labels=_rows(),
        removed=(
            _row(first, 3, name="lorry", into="truck"),
            _row(second, 2, name="crate"),
        ),
        events=tuple(Model(version=v, at=at, who=w, words=t) for v, w, t in EVENTS),
        older=7,
    )


def _label(slug: str, label_id: UUID) -> str:
    rows = _rows()
    return render_template(
        "collections/label.html",
        **_base(slug),
        label=next((row for row in rows if row.id == label_id), rows[0]),
        is_offered=True,
        others=rows[1:],
        attributes=(
            Model(
                name="ripeness",
                kind="select",
                detail="green, ripe, over",
                default="",
                required=True,
            ),
            Model(
                name="diameter",
                kind="number",
                detail="0..200 step 0.5",
                default="70",
                required=False,
            ),
        ),
        kinds=("select", "number", "text", "checkbox"),
        preview=Model(
            annotations=1204,
            pictures=410,
            states={"in_progress": 112, "done": 298},
            values={},
            complete=True,
        ),
        attribute="ripeness",
        split_values=(Model(value="ripe", count=803), Model(value="green", count=401)),
    )


def add(app: Flask) -> None:
    """The pages, and forms that only lead back."""

    def back(slug: str, **_: Any) -> Any:
        return redirect(url_for("collections.labels", slug=slug), 303)

    def gallery(**_: Any) -> Any:
        return redirect(url_for("gallery.page"), 303)

    of_label = "/collections/<slug>/labels/<uuid:label_id>"
    app.add_url_rule("/collections/<slug>/labels", "collections.labels", _labels)
    app.add_url_rule(of_label, "collections.label", _label)
    for rule, name in (
        ("/collections/<slug>/labels/order", "order_labels"),
        ("/collections/<slug>/labels/relabel", "relabel_chosen"),
        (f"{of_label}/merge", "merge_label"),
        (f"{of_label}/split", "split_label"),
        ("/collections/<slug>/label-index", "switch_label_index"),
    ):
        app.add_url_rule(rule, f"collections.{name}", back, methods=["POST"])
    for rule, name in (
        ("/gallery/filters", "keep_filter"),
        ("/gallery/filters/<uuid:filter_id>/remove", "forget_filter"),
    ):
        app.add_url_rule(rule, f"gallery.{name}", gallery, methods=["POST"])
