"""What administrators see of the installation: keys and posture."""

from app.blueprints.admin import keys as keys
from app.blueprints.admin.base import blueprint

__all__ = ["blueprint"]
