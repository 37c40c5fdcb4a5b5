"""When a picture in the trash is destroyed, for whoever shows it."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app

from app.services.image_card import ImageCard


def destruction_of(card: ImageCard) -> datetime | None:
    """Return when its key is shredded; None: it is not in the trash.

    A picture whose time ran out within the last minute has no date of its own yet.
    """
    if card.destroy_at is not None or card.trashed_at is None:
        return card.destroy_at
    return card.trashed_at + timedelta(days=current_app.config["SETTINGS"].trash_days)
