"""The gallery: time line, trash, one picture, bulk actions."""

from __future__ import annotations

from app.blueprints.gallery import bulk, picture, receipts, timeline
from app.blueprints.gallery.base import blueprint

__all__ = ["blueprint", "bulk", "picture", "receipts", "timeline"]
