"""Addresses of the pages of work, which the page of a collection links to."""

from __future__ import annotations

from flask import Flask, redirect, url_for
from werkzeug.wrappers import Response


def add(app: Flask) -> None:
    place = "/collections/<slug>"

    def back(slug: str, **_: object) -> Response:
        return redirect(url_for("collections.show", slug=slug))

    for name in ("progress", "review", "agreement"):
        app.add_url_rule(f"{place}/{name}", f"work.{name}", back)
    for name, end in (("start", "next"), ("assign", "assign"), ("give_verdict", "review")):
        app.add_url_rule(f"{place}/{end}", f"work.{name}", back, methods=["POST"])
    app.add_url_rule(f"{place}/progress.csv", "work.progress_csv", back)
    app.add_url_rule(f"{place}/agreement", "work.make_round", back, methods=["POST"])
    app.add_url_rule(f"{place}/agreement/chosen", "work.choose_round", back, methods=["POST"])
    one = f"{place}/agreement/<uuid:round_id>"
    app.add_url_rule(f"{one}/hand-over", "work.hand_over", back, methods=["POST"])
    picture = f"{one}/<uuid:image_id>"
    for name, rule in (("round", one), ("copy", picture), ("adjudicate", f"{picture}/a")):
        app.add_url_rule(rule, f"work.{name}", back)
    app.add_url_rule(f"{picture}/a", "work.decide", back, methods=["POST"])
