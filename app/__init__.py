"""Darkroom: an encrypted picture store in which people can work.

Importing this package has no effect and loads no Flask: ``app.crypto`` and the
decoder program stand on their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Return the WSGI application; touches neither disk, database nor vault."""
    from app.factory import create_app as make

    return make(settings)
