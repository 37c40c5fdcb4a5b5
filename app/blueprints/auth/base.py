"""The blueprint that the modules beside it add their views to."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("auth", __name__)
