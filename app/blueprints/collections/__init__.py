"""Collections: the list, one of them, its members and label classes."""

from __future__ import annotations

from app.blueprints.collections import label_pages, labels, members, shelf
from app.blueprints.collections.base import blueprint

__all__ = ["blueprint", "label_pages", "labels", "members", "shelf"]
