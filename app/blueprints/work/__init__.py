"""Pages on which work is given out, reviewed, followed and compared."""

from __future__ import annotations

from app.blueprints.work import adjudication, agreement, handover, progress, review
from app.blueprints.work.base import blueprint

__all__ = ["adjudication", "agreement", "blueprint", "handover", "progress", "review"]
