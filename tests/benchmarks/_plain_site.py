"""The application sending plain files behind the same login and check, in two ways.

Every thumbnail and preview is read from a plain file in PLAIN_FOLDER instead of from the
store, and nothing else is changed; ``/plain/…`` decides alike and leaves the file to Flask's
``send_file``. Served by gunicorn as ``tests.benchmarks._plain_site:app``.
"""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

from flask import Blueprint, Response, send_file

from app import create_app
from app.services.delivery import DeliveryService, Ticket
from app.web.context import services
from app.web.guards import MEDIA, gate
from app.web.identity import actor

FOLDER = Path(os.environ["PLAIN_FOLDER"])
plain = Blueprint("plain", __name__)


def read_plain(_service: DeliveryService, ticket: Ticket) -> bytes:
    return (FOLDER / f"{ticket.image.id}.jpg").read_bytes()


@plain.get("/plain/<uuid:image_id>/thumb/<int:size>")
@gate(MEDIA)
def thumb(image_id: UUID, size: int) -> Response:
    """Decide as for the sealed thumbnail, then let Flask send a file."""
    services().delivery.thumbnail(actor(), image_id, size)
    return send_file(FOLDER / f"{image_id}.jpg", mimetype="image/jpeg")


DeliveryService.read = read_plain  # type: ignore[method-assign]
app = create_app()
app.register_blueprint(plain)
