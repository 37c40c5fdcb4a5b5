"""Probes and figures: is the process alive, can it work, what does it do."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, current_app, jsonify, request

from app import metrics
from app.errors import KeyVaultError, NotFound
from app.services.health import Report
from app.web.context import services
from app.web.guards import PROBE, gate

blueprint = Blueprint("health", __name__)
LOOPBACK = frozenset({"127.0.0.1", "::1"})


@blueprint.get("/livez")
@gate(PROBE)
def livez() -> Response:
    """The process answers."""
    return jsonify(status="alive")


@blueprint.get("/readyz")
@gate(PROBE)
def readyz() -> tuple[Response, int]:
    """Database, store and vault work; 503 says which does not. 200 and "degraded" where space
    runs out: what is stored is served."""
    report = _report()
    said = {**report.warnings, **report.problems}
    parts = {part: said.get(part, "ok") for part in report.parts}
    status = "not ready" if report.problems else "degraded" if report.warnings else "ready"
    return jsonify(status=status, parts=parts), 200 if report.is_ready else 503


def _report() -> Report:
    try:
        return services().health.report()
    except KeyVaultError as away:  # a start that waits for its vault
        return Report(("vault",), {"vault": away.message})


@blueprint.get("/metrics")
@gate(PROBE)
def prometheus() -> Response:
    """Figures for Prometheus; to anybody else this address does not exist."""
    if not _may_scrape():
        raise NotFound("There is nothing here.", operation="metrics.read")
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def _may_scrape() -> bool:
    token = current_app.config["SETTINGS"].metrics_token
    if token:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(shown.encode(), token.encode())
    forwarded = request.environ.get("darkroom.forwarded", False)
    return request.remote_addr in LOOPBACK and not forwarded
