"""Blind rounds: people label copies of the same pictures, and are compared afterwards."""

from app.services.agreement.adjudication import Adjudication
from app.services.agreement.copies import Copies
from app.services.agreement.handover import Handover
from app.services.agreement.rounds import Rounds

__all__ = ["Adjudication", "Copies", "Handover", "Rounds"]
