"""Secrets of the loopback vault: versions, attributes, soft deletion, purging.

Follows https://learn.microsoft.com/rest/api/keyvault/secrets: names are case-insensitive,
times are whole seconds, a disabled version is not given out, a deleted name is 409 until it
was purged, and deleting and purging go on for a while after they were answered.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.azure.answers import Answer, Refusal, Request, missing, page

CREATIONS, CREATION_SECONDS = 300, 10.0
RECOVERABLE_DAYS = 90


@dataclass
class Version:
    id: str
    value: str
    content_type: str | None
    tags: dict[str, str]
    enabled: bool
    expires: int | None
    created: int


@dataclass
class Secret:
    name: str
    versions: list[Version] = field(default_factory=list)
    deleted_at: float | None = None
    purged_at: float | None = None


class SecretsRoom:
    """``slowness`` is how many seconds a deletion and a purge take."""

    def __init__(self) -> None:
        self.secrets: dict[str, Secret] = {}
        self.slowness = 0.05
        self.purge_protection = False
        self.may_purge = True
        self.page_size = 3
        self._created: deque[float] = deque()

    def answer(self, request: Request) -> Answer:
        self._forget_purged()
        match request.method, *request.parts:
            case "GET", "secrets":
                return page(request, self._items(request), self.page_size)
            case "PUT", "secrets", name:
                return Answer(200, self._bundle(request, *self._set(name, request.body)))
            case "DELETE", "secrets", name:
                return self._delete(request, name)
            case "GET", "secrets", name, "versions":
                return page(request, self._version_items(request, name), self.page_size)
            case "GET", "secrets", name, *version:
                return self._get(request, name, version)
            case "PATCH", "secrets", name, version:
                return Answer(200, self._update(request, name, version))
            case "GET", "deletedsecrets", name:
                return Answer(200, self._deleted_bundle(request, self._deleted(name)))
            case "DELETE", "deletedsecrets", name:
                return self._purge(name)
            case "POST", "deletedsecrets", name, "recover":
                return self._recover(request, name)
        raise Refusal(400, "BadParameter")

    def _forget_purged(self) -> None:
        now = time.monotonic()
        for key, secret in list(self.secrets.items()):
            if secret.purged_at is not None and now >= secret.purged_at:
                del self.secrets[key]

    def _live(self, name: str) -> Secret:
        secret = self.secrets.get(name.lower())
        if secret is None or secret.deleted_at is not None:
            raise missing("Secret", name)
        return secret

    def _deleted(self, name: str) -> Secret:
        """404 as long as the deletion goes on."""
        secret = self.secrets.get(name.lower())
        if secret is None or secret.deleted_at is None:
            raise missing("Secret", name)
        if time.monotonic() < secret.deleted_at:
            raise missing("Secret", name)
        return secret

    def _set(self, name: str, body: dict[str, Any]) -> tuple[Secret, Version]:
        secret = self.secrets.setdefault(name.lower(), Secret(name))
        if secret.deleted_at is not None:
            going_on = secret.purged_at is not None or time.monotonic() < secret.deleted_at
            inner = "ObjectIsBeingDeleted" if going_on else "ObjectIsDeletedButRecoverable"
            raise Refusal(409, "Conflict", inner)
        self._limit_creations()
        attributes = body.get("attributes") or {}
        version = Version(
            id=uuid4().hex,
            value=body["value"],
            content_type=body.get("contentType"),
            tags=dict(body.get("tags") or {}),
            enabled=attributes.get("enabled", True),
            expires=attributes.get("exp"),
            created=int(time.time()),
        )
        if len(version.tags) > 15 or any(len(text) > 256 for text in version.tags.values()):
            raise Refusal(400, "BadParameter")
        secret.versions.append(version)
        return secret, version

    def _limit_creations(self) -> None:
        now = time.monotonic()
        while self._created and self._created[0] < now - CREATION_SECONDS:
            self._created.popleft()
        if len(self._created) >= CREATIONS:
            raise Refusal(429, "Throttled", Retry_After="1")
        self._created.append(now)

    def _get(self, request: Request, name: str, asked: list[str]) -> Answer:
        secret = self._live(name)
        version = self._version(secret, asked[0]) if asked else secret.versions[-1]
        if not version.enabled:
            raise Refusal(403, "Forbidden", "SecretDisabled")
        return Answer(200, self._bundle(request, secret, version))

    def _version(self, secret: Secret, asked: str) -> Version:
        for version in secret.versions:
            if version.id == asked:
                return version
        raise missing("SecretVersion", asked)

    def _update(self, request: Request, name: str, asked: str) -> dict[str, Any]:
        secret = self._live(name)
        version = self._version(secret, asked)
        attributes = request.body.get("attributes") or {}
        version.enabled = attributes.get("enabled", version.enabled)
        version.expires = attributes.get("exp", version.expires)
        version.tags = request.body.get("tags", version.tags)
        return self._item(request, secret, version)

    def _delete(self, request: Request, name: str) -> Answer:
        secret = self._live(name)
        secret.deleted_at = time.monotonic() + self.slowness
        return Answer(200, self._deleted_bundle(request, secret))

    def _purge(self, name: str) -> Answer:
        secret = self.secrets.get(name.lower())
        if secret is not None and time.monotonic() < (secret.deleted_at or 0):
            raise Refusal(409, "Conflict", "ObjectIsBeingDeleted")
        secret = self._deleted(name)
        if not self.may_purge or self.purge_protection:
            raise Refusal(403, "Forbidden", "AccessDenied")
        secret.purged_at = time.monotonic() + self.slowness
        return Answer(204)

    def _recover(self, request: Request, name: str) -> Answer:
        secret = self._deleted(name)
        secret.deleted_at = None
        return Answer(200, self._item(request, secret, secret.versions[-1]))

    def _items(self, request: Request) -> list[dict[str, Any]]:
        live = [s for s in self.secrets.values() if s.deleted_at is None and s.versions]
        items = [self._item(request, secret, secret.versions[-1]) for secret in live]
        return [{**i, "id": i["id"].rpartition("/")[0]} for i in items]

    def _version_items(self, request: Request, name: str) -> list[dict[str, Any]]:
        """Newest first; nothing, and no 404, for a name that is not there."""
        secret = self.secrets.get(name.lower())
        if secret is None or secret.deleted_at is not None:
            return []
        return [self._item(request, secret, v) for v in reversed(secret.versions)]

    def _item(self, request: Request, secret: Secret, version: Version) -> dict[str, Any]:
        level = "Recoverable" if self.purge_protection else "Recoverable+Purgeable"
        attributes = {
            "enabled": version.enabled,
            "created": version.created,
            "updated": version.created,
            "recoveryLevel": level,
            "recoverableDays": RECOVERABLE_DAYS,
        }
        if version.expires is not None:
            attributes["exp"] = version.expires
        item: dict[str, Any] = {
            "id": f"{request.origin}/secrets/{secret.name}/{version.id}",
            "attributes": attributes,
            "tags": version.tags,
        }
        return item | ({"contentType": version.content_type} if version.content_type else {})

    def _bundle(self, request: Request, secret: Secret, version: Version) -> dict[str, Any]:
        return {**self._item(request, secret, version), "value": version.value}

    def _deleted_bundle(self, request: Request, secret: Secret) -> dict[str, Any]:
        now = int(time.time())
        return {
            **self._item(request, secret, secret.versions[-1]),
            "recoveryId": f"{request.origin}/deletedsecrets/{secret.name}",
            "deletedDate": now,
            "scheduledPurgeDate": now + RECOVERABLE_DAYS * 86400,
        }
