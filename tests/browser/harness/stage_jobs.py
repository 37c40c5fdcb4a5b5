"""The page of jobs on the stage: one of every state, or none; where other links lead."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace as Model

from flask import Flask, Response, redirect, render_template, request

from tests.browser.harness.samples import NOW, id_of

ROWS = (
    # label, state, done, total, error, tried again, bytes of its file
    ("Export Orchard survey 2026 as COCO", "waiting", 0, None, None, False, None),
    ("Import labels into Orchard survey 2026", "running", 1204, None, None, False, None),
    ("Download 412 pictures", "running", 137, 412, None, False, None),
    ("Copy your account", "waiting", 0, None, "The store could not be reached.", True, None),
    ("Export Harbour as VOC", "stopped", 30, 90, None, False, None),
    ("Export Gulls as YOLO", "failed", 0, None, "The disk is full.", False, None),
    ("Export Gulls as COCO", "done", 90, 90, None, False, 3_400_000),
)


def job_rows() -> list[Model]:
    return [
        Model(
            id=id_of(i),
            label=label,
            state=state,
            stopping=False,
            done=done,
            total=total,
            error=error,
            again_at=NOW + timedelta(minutes=5) if again else None,
            file_bytes=size,
            created_at=NOW - timedelta(minutes=i + 1),
            finished_at=NOW if state in {"done", "failed", "stopped"} else None,
            is_open=state in {"waiting", "running"},
            report_of="gulls" if label.startswith("Export") and size else None,
            about="COCO instances" if label.startswith("Export") and size else None,
        )
        for i, (label, state, done, total, error, again, size) in enumerate(ROWS)
    ]


def add(app: Flask) -> None:
    def page() -> str:
        rows = [] if request.args.get("as") == "empty" else job_rows()
        return render_template("jobs/page.html", jobs=rows, next_url=None, keep_days=7)

    def back(job_id: object) -> Response:
        return redirect("/jobs", 303)  # type: ignore[return-value]

    def queued() -> Response:
        return redirect("/jobs", 303)  # type: ignore[return-value]

    def trash(receipt_id: object = None) -> Response:
        return redirect("/trash", 303)  # type: ignore[return-value]

    app.add_url_rule("/jobs", "jobs.page", page)
    app.add_url_rule("/jobs/<uuid:job_id>/result", "jobs.result", back)
    app.add_url_rule("/admin/keys", "admin.keys", lambda: redirect("/gallery", 303))
    app.add_url_rule(
        "/admin/keys/rotate",
        "admin.rotate_keys",
        lambda: redirect("/jobs", 303),
        methods=["POST"],
    )
    app.add_url_rule(
        "/collections/<slug>/exchange",
        "exchange.page",
        lambda slug: redirect(f"/collections/{slug}", 303),
    )
    app.add_url_rule(
        "/collections/<slug>/exchange/<uuid:job_id>",
        "exchange.report",
        lambda slug, job_id: redirect(f"/collections/{slug}", 303),
    )
    for name, end in (
        ("take", "import"),
        ("give", "export"),
        ("accept", "<uuid:job_id>/accept"),
    ):
        app.add_url_rule(
            f"/collections/<slug>/exchange/{end}",
            f"exchange.{name}",
            lambda slug, job_id=None: redirect(f"/collections/{slug}", 303),
            methods=["POST"],
        )
    app.add_url_rule("/receipts", "gallery.receipts", lambda: redirect("/trash", 303))
    app.add_url_rule(
        "/receipts/<uuid:receipt_id>",
        "gallery.receipt",
        lambda receipt_id: redirect("/trash", 303),
    )
    for act in ("stop", "remove"):
        app.add_url_rule(f"/jobs/<uuid:job_id>/{act}", f"jobs.{act}", back, methods=["POST"])
