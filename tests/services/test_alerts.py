"""Alerts end to end: raised once, told to a real receiver, tried again, cleared."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.config import load_settings
from app.domain.access import Actor
from app.errors import NotPermitted
from app.models import Alert, AlertMessage, AuditEvent, FileKey
from app.services.alerts import Alerts, Limits, Looks, Mail, Meter, Sender, Webhook
from app.services.alerts.meter import Counts
from app.services.alerts.senders import Message
from app.wiring_alerts import _backup_age
from tests.fixtures.installation import Installation, environment, running_installation
from tests.fixtures.place import unique_png

NOW = datetime(2030, 1, 2, tzinfo=UTC)
SECRET = "a secret of the receiver"


@dataclass
class Receiver:
    """What a webhook was given; ``status`` is what it answers."""

    url: str = ""
    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append((dict(self.headers), body))
            self.send_response(receiver.status)
            self.send_header("Location", receiver.url + "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def alerts_of(
    installation: Installation, clock: Any, *senders: Sender, counts: Counts | None = None
) -> Alerts:
    house = installation.house
    looks = Looks(
        uow=house.uow,
        vault=house.vault,
        meter=Meter(lambda: counts or Counts()),
        disk=None,
        rotates=True,
        clock=clock,
    )
    return Alerts(
        uow=house.uow,
        audit=house.services.audit,
        looks=looks,
        limits=Limits(seal_p95_ms=250),
        senders=senders,
        clock=clock,
    )


def overdue_key(installation: Installation, clock: Any) -> FileKey:
    installation.person()
    made = installation.api("ann", "images:write").upload((unique_png(), "a.png"))
    assert made.status_code == 201
    with installation.house.uow.write() as session:
        key = session.scalars(select(FileKey)).one()
        key.expires_at = clock().replace(year=2020)
    return key


def test_an_alert_is_told_once_signed_and_cleared(
    installation: Installation, still_clock: Any
) -> None:
    key = overdue_key(installation, still_clock)
    with receiving() as receiver:
        hook = Webhook(
            url=receiver.url,
            secret=SECRET,
            site="https://pictures.example.org",
            clock=still_clock,
        )
        alerts = alerts_of(installation, still_clock, hook)
        assert alerts.check() == ("rotation_overdue",)
        assert alerts.check() == ("rotation_overdue",)
        assert len(receiver.got) == 1
        headers, body = receiver.got[0]
        told = json.loads(body)
        assert told["event"] == "alert.raised"
        assert told["condition"] == "rotation_overdue"
        at, signature = headers["X-Darkroom-Signature"].split(",")
        signed = hmac.new(SECRET.encode(), at[2:].encode() + b"." + body, hashlib.sha256)
        assert signature == "v1=" + signed.hexdigest()
        with installation.house.uow.write() as session:
            row = session.get(FileKey, key.id)
            assert row is not None
            row.expires_at = still_clock().replace(year=2099)
        assert alerts.check() == ()
        assert json.loads(receiver.got[1][1])["event"] == "alert.cleared"
    with installation.house.uow.read() as session:
        assert session.scalars(select(Alert)).all() == []
        events = session.scalars(
            select(AuditEvent.action)
            .where(AuditEvent.action.like("alert.%"))
            .order_by(AuditEvent.seq)
        ).all()
        assert list(events) == ["alert.raised", "alert.cleared"]


def test_a_message_that_is_not_taken_is_tried_again_later(
    installation: Installation, still_clock: Any
) -> None:
    overdue_key(installation, still_clock)
    with receiving() as receiver:
        receiver.status = 500
        hook = Webhook(url=receiver.url, secret=SECRET, site="http://x", clock=still_clock)
        alerts = alerts_of(installation, still_clock, hook)
        alerts.check()
        assert len(receiver.got) == 1
        alerts.check()
        assert len(receiver.got) == 1, "before its pause is over nothing is tried again"
        receiver.status = 200
        still_clock.advance(minutes=1)
        assert alerts.deliver() == 1
        still_clock.advance(days=3)
        assert alerts.deliver() == 0
        assert len(receiver.got) == 2
        first, second = (json.loads(body)["id"] for _, body in receiver.got)
        assert first == second, "the receiver can tell that it is the same message"


def test_a_redirect_is_not_followed(installation: Installation, still_clock: Any) -> None:
    overdue_key(installation, still_clock)
    with receiving() as receiver:
        receiver.status = 307
        hook = Webhook(url=receiver.url, secret=SECRET, site="http://x", clock=still_clock)
        alerts_of(installation, still_clock, hook).check()
        assert len(receiver.got) == 1
    with installation.house.uow.read() as session:
        assert session.scalars(select(AlertMessage)).one().sent_at is None


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-other\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["no http", "long line", "many headers", "broken chunks"],
)
def test_what_is_no_answer_of_a_webhook_keeps_no_other_message_back(
    installation: Installation, still_clock: Any, answer: bytes
) -> None:
    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self.connection.recv(65_536)
            with suppress(OSError):
                self.wfile.write(answer)

    with TCPServer(("127.0.0.1", 0), Handler) as server, receiving() as receiver:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            odd = Webhook(url, SECRET, "https://pictures.example", still_clock)
            mail = replace(odd, url=receiver.url, channel="email")
            overdue_key(installation, still_clock)
            alerts_of(installation, still_clock, odd, mail).check()
        finally:
            server.shutdown()
            thread.join()
    assert len(receiver.got) == 1
    with installation.house.uow.read() as session:
        tries = dict(session.execute(select(AlertMessage.channel, AlertMessage.tries)).all())
    assert tries == {"webhook": 1, "email": 1}


def test_after_twelve_tries_a_message_is_given_up(
    installation: Installation, still_clock: Any
) -> None:
    overdue_key(installation, still_clock)
    nobody = Mail(url="smtp://127.0.0.1:9", to="ops@example.org", site="http://x")
    alerts = alerts_of(installation, still_clock, nobody)
    alerts.check()
    for _ in range(20):
        still_clock.advance(hours=6)
        alerts.deliver()
    with installation.house.uow.read() as session:
        assert session.scalars(select(AlertMessage)).one().tries == 12


def test_only_administrators_see_what_is_wrong(
    installation: Installation, still_clock: Any
) -> None:
    overdue_key(installation, still_clock)
    alerts = alerts_of(installation, still_clock)
    alerts.check()
    chief = installation.person("chief", admin=True)
    (seen,) = alerts.active(Actor(chief.id, is_admin=True))
    assert seen.title == "Rotation is overdue"
    assert seen.detail == "1 key should have been rotated more than a day ago."
    with pytest.raises(NotPermitted):
        alerts.active(Actor(chief.id))


def test_the_application_is_wired_with_what_the_settings_say(tmp_path: Path) -> None:
    with receiving() as receiver:
        environ = environment(
            tmp_path,
            ALERT_WEBHOOK_URL=receiver.url,
            ALERT_WEBHOOK_SECRET=SECRET,
            ALERT_EMAIL="ops@example.org",
            SMTP_URL="smtp://127.0.0.1:9",
        )
        with running_installation(environ) as installation:
            alerts = installation.services.alerts
            installation.house.vault.check()
            (installation.instance / "secrets").chmod(0o755)
            assert "vault_errors" in alerts.check()
            told = [json.loads(body)["condition"] for _, body in receiver.got]
            assert "vault_errors" in told


def test_a_mail_says_what_is_wrong_in_plain_words() -> None:
    mail = Mail(url="smtp://localhost:1", to="ops@example.org", site="https://a.example.org")
    message = Message(
        uuid4(),
        "raised",
        "disk_full",
        "The disk is filling up",
        "It is 81% full.",
        NOW,
    )
    with mail_server() as (port, lines):
        replace(mail, url=f"smtp://127.0.0.1:{port}").send(message)
    text = "\n".join(lines)
    assert "Subject: [Darkroom] The disk is filling up" in text
    assert "To: ops@example.org" in text
    assert "It is 81% full." in text


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """Just enough of RFC 5321 to take one mail."""
    lines: list[str] = []

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 here")
            for raw in self.rfile:
                line = raw.decode().rstrip()
                lines.append(line)
                self._answer(line)

        def _answer(self, line: str) -> None:
            verb = line[:4].upper()
            if verb == "DATA":
                self._say("354 go on")
                while (line := self.rfile.readline().decode().rstrip()) != ".":
                    lines.append(line)
                self._say("250 taken")
            elif verb == "QUIT":
                self._say("221 bye")
            else:
                self._say("250 fine")

        def _say(self, answer: str) -> None:
            self.wfile.write(answer.encode() + b"\r\n")

    with TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield server.server_address[1], lines
        thread.join()


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [(None, None), ("hourly", 3), ("daily 02:00", 28), ("weekly sun 03:00", 172)],
)
def test_how_old_a_backup_may_be_follows_its_schedule(
    tmp_path: Path, schedule: str | None, hours: int | None
) -> None:
    told = (
        {"BACKUP_TARGET": str(tmp_path / "to"), "BACKUP_SCHEDULE": schedule} if schedule else {}
    )
    settings, _ = load_settings(environment(tmp_path, **told))
    age = _backup_age(settings.backup)
    assert age == (timedelta(hours=hours) if hours is not None else None)
