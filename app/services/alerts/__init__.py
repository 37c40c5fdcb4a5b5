"""Alerts: look, judge, remember, tell."""

from app.services.alerts.alerts import Alerts, AlertView
from app.services.alerts.conditions import Limits
from app.services.alerts.looks import Looks
from app.services.alerts.meter import Meter
from app.services.alerts.senders import Mail, Sender, Webhook

__all__ = ["AlertView", "Alerts", "Limits", "Looks", "Mail", "Meter", "Sender", "Webhook"]
