"""How long sessions last, from settings."""

from __future__ import annotations

from datetime import timedelta

from app.config import Settings
from app.services.sessions import SessionTerms


def session_terms(settings: Settings) -> SessionTerms:
    """Return the terms of every session of this installation."""
    return SessionTerms(
        idle=timedelta(minutes=settings.session_idle_minutes),
        longest=timedelta(days=settings.session_max_days),
    )
