"""The posture: what an auditor asks about keys, in one place."""

from app.services.posture.posture import Posture, PostureReport, Setting

__all__ = ["Posture", "PostureReport", "Setting"]
