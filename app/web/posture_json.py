"""The posture as the API tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.services.alerts import AlertView
from app.services.posture import Forecast, PostureReport
from app.services.runs import RunView
from app.web.receipt_json import rfc3339


def posture_json(report: PostureReport, alerts: Sequence[AlertView]) -> dict[str, Any]:
    """Return ``GET /admin/keys``; no part of a key is in it."""
    setting, inventory = report.setting, report.inventory
    return {
        "at": rfc3339(report.at),
        "master_key": report.master,
        "previous_master_keys": list(report.previous_masters),
        "vault": _vault(report),
        "cryptoperiod_days": setting.cryptoperiod_days,
        "grace_hours": setting.grace_hours,
        "root_key_versions": dict(report.root_versions),
        "files": _files(report),
        "keys": {
            "by_state": dict(inventory.by_state),
            "by_mode": dict(inventory.by_mode),
            "past_cryptoperiod": inventory.past_cryptoperiod,
            "oldest": rfc3339(inventory.oldest),
        },
        "column_tokens": {
            "active": report.columns.active,
            "former": report.columns.former,
            "counted_at": rfc3339(report.columns.at),
        },
        "forecast": {"due": _forecast(report.due), "all": _forecast(report.everything)},
        "last": _last(report.last),
        "alerts": [_alert(alert) for alert in alerts],
    }


def _vault(report: PostureReport) -> dict[str, Any]:
    return {
        "mode": report.setting.vault_mode,
        "keying": report.setting.keying,
        "problem": report.vault_problem,
        "cache_minutes": report.setting.cache_minutes,
    }


def _files(report: PostureReport) -> dict[str, Any]:
    inventory = report.inventory
    return {
        "total": inventory.files,
        "sealed_bytes": inventory.sealed_bytes,
        "by_format": dict(inventory.by_format),
        "by_generation": {str(at): n for at, n in inventory.by_generation.items()},
        "by_age": dict(inventory.by_age),
        "unverified_provenance": inventory.unverified,
        "quarantined": inventory.quarantined,
        "legacy_left": report.legacy_left,
    }


def _forecast(told: Forecast) -> dict[str, Any]:
    return {"files": told.files, "seconds": round(told.seconds, 1), "why": told.why}


def _last(last: Mapping[str, RunView | None]) -> dict[str, Any]:
    return {kind: _run(run) if run is not None else None for kind, run in last.items()}


def _run(run: RunView) -> dict[str, Any]:
    return {
        "state": run.state,
        "started_at": rfc3339(run.started_at),
        "finished_at": rfc3339(run.finished_at),
        "found": run.found,
        "done": run.done,
        "failed": run.failed,
        "remaining": run.remaining,
    }


def _alert(alert: AlertView) -> dict[str, Any]:
    return {
        "condition": alert.condition,
        "title": alert.title,
        "detail": alert.detail,
        "since": rfc3339(alert.since),
    }
