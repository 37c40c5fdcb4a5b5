"""What a view reaches for: the services, the caller, the settings that pages show."""

from __future__ import annotations

from typing import Protocol, cast

from flask import current_app

from app.db.freshness import Freshness
from app.services.bundle import Services
from app.services.salvage import Salvage


class House(Protocol):
    """What wiring puts into ``app.extensions["darkroom"]``; built on first use."""

    @property
    def services(self) -> Services: ...

    @property
    def freshness(self) -> Freshness: ...

    @property
    def salvage(self) -> Salvage: ...


def services() -> Services:
    """Return the services of this application, wiring them on first use."""
    return cast("House", current_app.extensions["darkroom"]).services


def salvage() -> Salvage:
    """Return what works without database and root keys."""
    return cast("House", current_app.extensions["darkroom"]).salvage
