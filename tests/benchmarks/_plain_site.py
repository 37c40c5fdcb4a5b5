"""The application with one route more: plain files behind the same login and check.

What the goals call the same route sending a plain file, and Werkzeug's way with an upload.
Served by gunicorn as ``tests.benchmarks._plain_site:app``; PLAIN_FOLDER names the files.
"""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from flask import Blueprint, Response, send_file

from app import create_app
from app.web.context import services
from app.web.guards import MEDIA, gate
from app.web.identity import actor

FOLDER = Path(os.environ["PLAIN_FOLDER"])
plain = Blueprint("plain", __name__)


@plain.get("/plain/<uuid:image_id>/thumb/<int:size>")
@gate(MEDIA)
def thumb(image_id: UUID, size: int) -> Response:
    """Decide as for the sealed thumbnail, then let Flask send a file."""
    services().delivery.thumbnail(actor(), image_id, size)
    return send_file(FOLDER / f"{image_id}.jpg", mimetype="image/jpeg")


app = create_app()
app.register_blueprint(plain)
