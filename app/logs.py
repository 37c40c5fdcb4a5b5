"""Structured logging: one event a line, with the request id, without secrets.

What is logged is an event's name and harmless facts (ids, sizes, codes, durations).
The redaction below is the second line of defence, not the first.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from app.errors import DarkroomError

request_id: ContextVar[str] = ContextVar("request_id", default="-")

REDACTED = "[redacted]"
_SECRETS = re.compile(
    r"dk_[A-Za-z0-9_\-]{8,}"  # API keys
    r"|(?<![0-9a-fA-F])[0-9a-fA-F]{48,}(?![0-9a-fA-F])"  # keys and tokens in hex
    r"|(?i:bearer|basic)\s+[A-Za-z0-9+/=._\-]{8,}"
    r"|/m/[A-Za-z0-9_\-]{16,}"  # signed addresses
    r"|[\w.+\-]+@[\w\-]+\.[\w.\-]+"  # e-mail addresses
)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def redact(text: str) -> str:
    """Replace whatever looks like a key, token or e-mail address."""
    return _SECRETS.sub(REDACTED, text)


def facts_of(record: logging.LogRecord) -> dict[str, object]:
    """Return what a record says as plain values, redacted."""
    facts: dict[str, object] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": redact(record.getMessage()),
        "request_id": request_id.get(),
    }
    extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    facts |= {name: _plain(value) for name, value in extra.items()}
    if record.exc_info and record.exc_info[1] is not None:
        facts |= _error(record.exc_info[1])
    return facts


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def _error(error: BaseException) -> dict[str, object]:
    """Name the error and where it was raised; never its text, unless it is one of ours."""
    told: dict[str, object] = {"error": type(error).__name__, "where": _where(error)}
    if isinstance(error, DarkroomError):
        told |= {
            "code": error.code,
            "operation": error.operation,
            "said": redact(error.message),
        }
        told |= {f"detail_{name}": _plain(value) for name, value in error.details.items()}
    return told


def _where(error: BaseException) -> str:
    """Return the last places of the traceback as ``module:line`` (no values, no source)."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(
            f"{trace.tb_frame.f_globals.get('__name__', '?')}.{code.co_name}:{trace.tb_lineno}"
        )
        trace = trace.tb_next
    return " < ".join(reversed(places[-8:]))


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(facts_of(record), default=str, ensure_ascii=True)


class ConsoleFormatter(logging.Formatter):
    """One readable line: time, level, event, then name=value."""

    def format(self, record: logging.LogRecord) -> str:
        facts = facts_of(record)
        head = f"{facts.pop('time')} {facts.pop('level')!s:7} {_one_line(facts.pop('event'))}"
        facts.pop("logger")
        return head + "".join(f" {name}={_one_line(value)}" for name, value in facts.items())


def _one_line(value: object) -> str:
    return str(value).replace("\n", "\\n").replace("\r", "\\r")


def set_up_logging(log_format: str) -> None:
    """Send everything to standard error in the form that LOG_FORMAT names."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else ConsoleFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("PIL", "alembic", "azure", "hvac", "msal", "urllib3", "werkzeug"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
