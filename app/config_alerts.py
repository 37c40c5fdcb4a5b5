"""The settings of alerts: where to, and from when sealing counts as slow."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from app import config_values as v
from app.errors import ConfigurationError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SECRET_CHARACTERS = 16


def alert_settings(values: v.Values) -> dict[str, Any]:
    """Return the fields of Settings; what could never be sent is refused at the start."""
    told: dict[str, Any] = {
        "alert_webhook_url": values.one("ALERT_WEBHOOK_URL", "", webhook),
        "alert_webhook_secret": values.text("ALERT_WEBHOOK_SECRET"),
        "alert_email": values.one("ALERT_EMAIL", "", mailbox),
        "alert_crypto_p95_ms": values.one("ALERT_CRYPTO_P95_MS", "250", v.whole(1, 600_000)),
        "smtp_url": values.one("SMTP_URL", "", smtp),
    }
    if told["alert_webhook_url"] and len(told["alert_webhook_secret"]) < SECRET_CHARACTERS:
        raise _lacks("ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET of 16 characters or more")
    if told["alert_email"] and not told["smtp_url"]:
        raise _lacks("ALERT_EMAIL", "SMTP_URL")
    return told


def webhook(text: str) -> str:
    """Parse an address that messages go to: https, or http on this machine."""
    place = urlsplit(text)
    if not text or (place.scheme == "https" and place.hostname):
        return text
    if place.scheme == "http" and place.hostname in LOOPBACK:
        return text
    raise ValueError("must be an https address, or http on this machine")


def mailbox(text: str) -> str:
    """Parse one mail address."""
    if text and not re.fullmatch(r"[^@\s,]+@[^@\s,]+", text):
        raise ValueError("must be one mail address, such as ops@example.org")
    return text


def smtp(text: str) -> str:
    """Parse ``smtp://[user:password@]host[:port]`` or ``smtps://…``."""
    try:
        place = urlsplit(text)
        sound = place.scheme in {"smtp", "smtps"} and place.hostname and place.port != 0
    except ValueError:
        sound = False
    if text and not sound:
        raise ValueError("must be like smtp://user:password@mail.example.org:587")
    return text


def _lacks(name: str, other: str) -> ConfigurationError:
    return ConfigurationError(
        f"{name} is set and takes {other} as well", operation="settings.alerts"
    )
