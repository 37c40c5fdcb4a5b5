"""One file of an upload, for the page and the API alike: stored, and counted."""

from __future__ import annotations

from app import metrics
from app.errors import DarkroomError
from app.services.examination import Offer
from app.services.ingest import Stored
from app.services.new_image import Wishes
from app.web.context import services
from app.web.identity import actor


def take_in(offer: Offer, wishes: Wishes) -> Stored:
    """Store one file for the caller; raises why it was not stored."""
    try:
        stored = services().ingest.accept(actor(), offer, wishes)
    except DarkroomError as error:
        metrics.uploads.labels(error.code).inc()
        raise
    metrics.uploads.labels("duplicate" if stored.duplicate else "stored").inc()
    if not stored.duplicate:
        metrics.upload_bytes.observe(stored.size)
    return stored
