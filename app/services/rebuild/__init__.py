"""A database made anew from store, vault and master key alone."""

from app.services.rebuild.rebuild import Rebuild
from app.services.rebuild.report import RebuildReport

__all__ = ["Rebuild", "RebuildReport"]
