"""A rotation of keys as requests ask for it, and as commands and jobs tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.domain.ids import read_id
from app.services.rotation import RotationReport, Scope
from app.web import json_body
from app.web.forms import wrong

MOST_IMAGES: Final = 500


def rotation_json(report: RotationReport) -> dict[str, Any]:
    """``found`` = ``rotated`` + ``failed`` + ``remaining``; old keys apart."""
    return {
        "scope": report.scope,
        "since": report.since.isoformat(),
        "resumed": report.resumed,
        "found": report.found,
        "rotated": report.rotated,
        "failed": report.failed,
        "remaining": report.remaining,
        "old_keys_in_grace": report.waiting,
        "old_keys_disabled": report.retired,
        "stopped": report.stopped,
        "dry_run": report.rehearsal,
        "problem": report.problem,
        "failures": [
            {"image": str(failure.file_id), "code": failure.code} for failure in report.failures
        ],
    }


def rotation_scope(body: Mapping[str, Any]) -> Scope:
    """What a request wants rotated; InvalidInput for anything else than the three scopes."""
    named = json_body.texts(body, "images")
    scope = json_body.text(body, "scope")
    if named is not None:
        return _of_images(named, scope)
    if scope == "all":
        return Scope("all")
    if scope in {None, "due"}:
        return Scope()
    raise wrong("scope", "must be due or all")


def _of_images(named: list[str], scope: str | None) -> Scope:
    if scope is not None:
        raise wrong("scope", "must be left out where images are named")
    ids = tuple(found for found in map(read_id, named) if found is not None)
    if not ids or len(ids) != len(named) or len(ids) > MOST_IMAGES:
        raise wrong("images", f"must be 1 to {MOST_IMAGES} ids of pictures")
    return Scope("images", ids)
