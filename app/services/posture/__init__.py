"""The posture: what an auditor asks about keys, in one place."""

from app.services.posture.column_tokens import ColumnTokens
from app.services.posture.forecast import Forecast
from app.services.posture.posture import Posture, PostureReport, Setting

__all__ = ["ColumnTokens", "Forecast", "Posture", "PostureReport", "Setting"]
