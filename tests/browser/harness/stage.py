"""A stand-in for the server: the real templates, modules and style sheets under the real CSP.

``python -m tests.browser.harness.stage`` serves it on port 5055 for looking at. State (boxes,
uploads) is kept in memory. ``?as=…`` chooses among sample situations: ``nobody`` (signed
out), ``empty``, ``errors``. The cookie ``theme`` is honoured.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace as Model
from typing import Any

from flask import Flask, request
from flask_bootstrap import Bootstrap5
from jinja2 import StrictUndefined

from tests.browser.harness import (
    samples,
    stage_answers,
    stage_jobs,
    stage_labels,
    stage_pages,
    stage_sync,
    stage_talk,
    stage_work,
)

APP = Path(__file__).resolve().parents[3] / "app"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; media-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
TOKEN = "sample-token"


def create_app() -> Flask:
    """``app.boxes``, ``app.patches`` and ``app.bulk`` show a test what was sent."""
    app = Flask(
        "harness", template_folder=str(APP / "templates"), static_folder=str(APP / "static")
    )
    app.secret_key = "only for looking"
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    Bootstrap5(app)
    app.jinja_env.globals["csrf_token"] = lambda: TOKEN
    app.jinja_env.undefined = StrictUndefined
    app.boxes = {}
    app.bulk = []
    app.context_processor(_frame)
    app.after_request(_headers)
    stage_pages.add(app)
    stage_jobs.add(app)
    stage_labels.add(app)
    stage_work.add(app)
    stage_answers.add(app)
    stage_sync.add(app)
    stage_talk.add(app)
    return app


def _into_memory(response: Any) -> None:
    """Werkzeug leaves the file of an answer open when the browser hangs up while it is sent."""
    file = response.response
    response.direct_passthrough = False
    response.set_data(response.get_data())
    file.close()


def _headers(response: Any) -> Any:
    if response.direct_passthrough:
        _into_memory(response)
    response.headers["Content-Security-Policy"] = CSP
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if not request.path.startswith("/static"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _frame() -> dict[str, Any]:
    slug = request.args.get("collection")
    out = request.args.get("as") == "nobody" or request.path.startswith(
        ("/auth/login", "/auth/register", "/setup")
    )
    return {
        "frame": Model(
            user=None
            if out
            else Model(
                id=stage_sync.USER, name="Ada Lindqvist", email="ada@example.org", is_admin=True
            ),
            theme=request.cookies.get("theme", "system"),
            collections=samples.COLLECTIONS,
            collection=next((c for c in samples.COLLECTIONS if c.slug == slug), None),
            tabs=(),
            open_jobs=4,
            registration_open=True,
        )
    }


if __name__ == "__main__":
    create_app().run(
        port=int(sys.argv[1]) if len(sys.argv) > 1 else 5055, threaded=True, debug=False
    )
