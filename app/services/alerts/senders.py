"""Two ways to tell an alert: a signed webhook and a mail. Both say figures, never a name."""

from __future__ import annotations

import hashlib
import hmac
import json
import smtplib
import ssl
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from http.client import HTTPException
from typing import Any, Final, Protocol
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from uuid import UUID

from app.errors import AlertNotSent

TIMEOUT_SECONDS: Final = 10
SIGNATURE: Final = "X-Darkroom-Signature"


@dataclass(frozen=True, slots=True)
class Message:
    """What is told; ``event`` is raised or cleared, ``id`` the same at every try."""

    id: UUID
    event: str
    condition: str
    title: str
    detail: str
    at: datetime


class Sender(Protocol):
    """Hands a message on, or raises AlertNotSent to be asked again later."""

    @property
    def channel(self) -> str: ...

    def send(self, message: Message) -> None: ...


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A message is for the address that was configured and for no other."""

    def redirect_request(self, *_args: Any, **_kwargs: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Webhook:
    """POSTs JSON to ``url``. ``X-Darkroom-Signature: t=<unix s>,v1=<hex>``, where v1 is
    HMAC-SHA-256 under ``secret`` of ``<t>.<body>``: the receiver compares it, and refuses a
    time that is long ago."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    site: str
    clock: Callable[[], datetime]
    channel: str = "webhook"

    def send(self, message: Message) -> None:
        body = json.dumps(_as_json(message, self.site), sort_keys=True).encode()
        request = urllib.request.Request(  # noqa: S310 - the settings allow http(s) only
            self.url,
            data=body,
            headers={"Content-Type": "application/json", SIGNATURE: self._signature(body)},
        )
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                answer.read(1024)
        except (URLError, HTTPException, OSError, ValueError) as error:
            raise AlertNotSent(
                "The webhook did not take the message",
                operation="alert.webhook",
                details={"status": getattr(error, "code", None)},
            ) from None

    def _signature(self, body: bytes) -> str:
        at = str(int(self.clock().timestamp()))
        signed = hmac.new(self.secret.encode(), at.encode() + b"." + body, hashlib.sha256)
        return f"t={at},v1={signed.hexdigest()}"


def _as_json(message: Message, site: str) -> dict[str, str]:
    return {
        "id": str(message.id),
        "event": f"alert.{message.event}",
        "condition": message.condition,
        "title": message.title,
        "detail": message.detail,
        "at": message.at.isoformat(),
        "site": site,
    }


@dataclass(frozen=True, slots=True)
class Mail:
    """A plain mail by SMTP_URL: ``smtps://`` speaks TLS from the start, ``smtp://`` turns to
    it (STARTTLS) unless the server is on this machine."""

    url: str = field(repr=False)
    to: str = field(repr=False)
    site: str
    channel: str = "email"

    def send(self, message: Message) -> None:
        try:
            with self._connected() as server:
                server.send_message(self._mail(message))
        except (smtplib.SMTPException, OSError, ValueError):
            raise AlertNotSent(
                "The mail server did not take the message", operation="alert.mail"
            ) from None

    def _connected(self) -> smtplib.SMTP:
        place = urlsplit(self.url)
        host, tls = place.hostname or "localhost", ssl.create_default_context()
        server: smtplib.SMTP
        if place.scheme == "smtps":
            server = smtplib.SMTP_SSL(
                host, place.port or 465, timeout=TIMEOUT_SECONDS, context=tls
            )
        else:
            server = smtplib.SMTP(host, place.port or 587, timeout=TIMEOUT_SECONDS)
            if host not in {"localhost", "127.0.0.1", "::1"}:
                server.starttls(context=tls)
        if place.username:
            server.login(unquote(place.username), unquote(place.password or ""))
        return server

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        over = "Over: " if message.event == "cleared" else ""
        mail["Subject"] = f"[Darkroom] {over}{message.title}"
        mail["From"] = f"Darkroom <darkroom@{urlsplit(self.site).hostname or 'localhost'}>"
        mail["To"] = self.to
        mail["Message-ID"] = f"<{message.id}@darkroom>"
        what = "no longer holds" if message.event == "cleared" else message.detail
        mail.set_content(
            f"{message.title}: {what}\n\nSite: {self.site}\nSince: {message.at:%Y-%m-%d %H:%M}"
            " UTC\nWhat it means and what to do: docs/operations.md, Alerts\n"
        )
        return mail
