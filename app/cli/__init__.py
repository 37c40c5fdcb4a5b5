"""Commands by noun; each group is imported when it is used."""

from __future__ import annotations

from flask import Flask


def register_commands(app: Flask) -> None:
    """Add the groups to ``flask --app wsgi``."""
