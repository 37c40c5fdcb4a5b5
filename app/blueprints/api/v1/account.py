"""``/me``, ``/api-keys``, ``/sessions``: what is one's own."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import described
from app.domain.scopes import Scope
from app.services.api_keys import ApiKeyView
from app.web import json_body
from app.web.context import services
from app.web.durations import duration
from app.web.guards import API, gate
from app.web.identity import actor, session_token
from app.web.receipt_json import rfc3339

blueprint = APIBlueprint("account", __name__, tag="Account")


@blueprint.get("/me")
@blueprint.doc(summary="Your account, with quota")
@described(Scope.ACCOUNT_READ, {200: "Account"})
@gate(API)
def me() -> ResponseReturnValue:
    """``quota`` in bytes; ``limit`` null means none."""
    account = services().accounts.get(actor())
    return {
        "id": str(account.id),
        "email": account.email,
        "name": account.name,
        "is_admin": account.is_admin,
        "quota": {"used": account.usage.used, "limit": account.usage.limit},
        "created_at": rfc3339(account.created_at),
    }


@blueprint.get("/me/keymap")
@blueprint.doc(summary="Your keys of the editor")
@described(Scope.ACCOUNT_READ, {200: "Keymap"})
@gate(API)
def keymap() -> ResponseReturnValue:
    """Every action whose keys one may choose; several keys are apart by blanks."""
    return {"keymap": services().preferences.keys(actor())}


@blueprint.put("/me/keymap")
@blueprint.doc(summary="Choose keys of the editor")
@described(Scope.ACCOUNT_WRITE, {200: "Keymap"}, takes="Keymap")
@gate(API)
def set_keymap() -> ResponseReturnValue:
    """``{"keymap": {action: keys}}``: what is not named gets the keys given out again."""
    body = json_body.json_object({"keymap"})
    keys = services().preferences.set_keymap(actor(), body.get("keymap"), "keymap.")
    return {"keymap": keys}


@blueprint.get("/api-keys")
@blueprint.doc(summary="Your API keys")
@described(Scope.ACCOUNT_READ, {200: "ApiKeys"})
@gate(API)
def keys() -> ResponseReturnValue:
    """Without the keys themselves: those are shown once."""
    return {"api_keys": [_key_json(key) for key in services().api_keys.list(actor())]}


@blueprint.post("/api-keys")
@blueprint.doc(summary="Make an API key")
@described(Scope.ACCOUNT_WRITE, {201: "MadeApiKey"}, takes="NewApiKey", refuses=(409,))
@gate(API)
def create_key() -> ResponseReturnValue:
    """``{"name", "scopes": […], "expires_in": "90d", "rate": "600 per minute"}``."""
    body = json_body.json_object({"name", "scopes", "expires_in", "rate"})
    made = services().api_keys.create(
        actor(),
        name=json_body.required(body, "name"),
        scopes=json_body.texts(body, "scopes") or [],
        expires=_lifetime(body),
        rate=json_body.text(body, "rate"),
    )
    return {
        "id": str(made.id),
        "key": made.key,
        "scopes": list(made.scopes),
        "expires_at": rfc3339(made.expires_at),
    }, 201


@blueprint.delete("/api-keys/<uuid:key_id>")
@blueprint.doc(summary="Revoke an API key")
@described(Scope.ACCOUNT_WRITE, {204: None})
@gate(API)
def revoke_key(key_id: UUID) -> ResponseReturnValue:
    """At once, everywhere."""
    services().api_keys.revoke(actor(), key_id)
    return "", 204


@blueprint.get("/sessions")
@blueprint.doc(summary="Where you are signed in")
@described(Scope.ACCOUNT_READ, {200: "Sessions"})
@gate(API)
def sessions() -> ResponseReturnValue:
    """The current one first."""
    found = services().sessions.list(actor(), session_token())
    return {
        "sessions": [
            {
                "id": str(view.id),
                "is_current": view.is_current,
                "address": view.address,
                "agent": view.agent,
                "created_at": rfc3339(view.created_at),
                "last_seen_at": rfc3339(view.last_seen_at),
                "expires_at": rfc3339(view.expires_at),
            }
            for view in found
        ]
    }


@blueprint.get("/sessions/draft-key")
@blueprint.doc(summary="The keys of your drafts in this browser")
@described(None, {200: "DraftKeys"})
@gate(API)
def draft_key() -> ResponseReturnValue:
    """What the editor seals unsent changes with; takes a signed-in person, never a key.

    The first one seals, any opens. The same in every session of a person.
    """
    found = services().draft_keys.of(actor())
    return {
        "user": str(found.user_id),
        "keys": [
            {"id": one.id, "key": base64.b64encode(one.key.reveal()).decode("ascii")}
            for one in found.keys
        ],
    }


@blueprint.delete("/sessions/<uuid:session_id>")
@blueprint.doc(summary="End one of your sessions")
@described(None, {204: None})
@gate(API)
def end_session(session_id: UUID) -> ResponseReturnValue:
    """Takes a signed-in person: no key ends a session."""
    services().sessions.revoke_one(actor(), session_id)
    return "", 204


def _lifetime(body: Any) -> timedelta | None:
    text = json_body.text(body, "expires_in")
    return duration(text, "expires_in") if text is not None else None


def _key_json(key: ApiKeyView) -> dict[str, Any]:
    return {
        "id": str(key.id),
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "created_at": rfc3339(key.created_at),
        "last_used_at": rfc3339(key.last_used_at),
        "expires_at": rfc3339(key.expires_at),
        "revoked_at": rfc3339(key.revoked_at),
    }
