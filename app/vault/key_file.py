"""The content of one file of the local vault: all versions of one reference, as JSON.

::

    {"<reference>": {"current": "<version>", "versions": {"<version>": {
        "value": "<base64 of the wrapped key>", "content_type": "application/x-darkroom-dek;…",
        "enabled": true, "created_on": "…Z", "expires_on": "…Z"}}}}

Source: docs/store-format.md, section 4. ``expires_on`` is left out where there is none:
nothing in the file is null.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.errors import KeyDamaged, KeyNotFound, KeyVaultError
from app.vault.interface import VaultEntry, VersionInfo
from app.vault.references import check_version

_FIELDS = {"value", "content_type", "enabled", "created_on"}


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The versions of one reference; immutable: each change is a new one."""

    reference: str
    current: str
    versions: Mapping[str, VaultEntry]

    def entry(self, version: str, operation: str) -> VaultEntry:
        """KeyNotFound if there is none."""
        found = self.versions.get(version)
        if found is None:
            raise KeyNotFound(
                "The vault has no such version of this key",
                operation=operation,
                details={"reference": self.reference, "version": version},
            )
        return found

    def with_value(self, version: str, entry: VaultEntry) -> KeyFile:
        """A new version becomes the current one. A known one gets the value, content type
        and expiry of ``entry`` and stays what it was."""
        known = self.versions.get(version)
        if known is None:
            return replace(self.with_entry(version, entry), current=version)
        kept = replace(entry, enabled=known.enabled, created_on=known.created_on)
        return self.with_entry(version, kept)

    def with_entry(self, version: str, entry: VaultEntry) -> KeyFile:
        return replace(self, versions={**self.versions, version: entry})

    def infos(self) -> tuple[VersionInfo, ...]:
        """Oldest first."""
        infos = (self._info(version, entry) for version, entry in self.versions.items())
        return tuple(sorted(infos, key=lambda info: (info.created_on, info.version)))

    def _info(self, version: str, entry: VaultEntry) -> VersionInfo:
        return VersionInfo(
            version=version,
            enabled=entry.enabled,
            current=version == self.current,
            created_on=entry.created_on,
            expires_on=entry.expires_on,
            content_type=entry.content_type,
        )


def encode_key_file(key_file: KeyFile) -> bytes:
    """Sorted keys and ASCII, so that equal content is equal bytes."""
    versions = {version: entry_fields(entry) for version, entry in key_file.versions.items()}
    document = {key_file.reference: {"current": key_file.current, "versions": versions}}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def entry_fields(entry: VaultEntry) -> dict[str, str | bool]:
    fields: dict[str, str | bool] = {
        "value": base64.b64encode(entry.value).decode("ascii"),
        "content_type": entry.content_type,
        "enabled": entry.enabled,
        "created_on": _format_time(entry.created_on),
    }
    if entry.expires_on is not None:
        fields["expires_on"] = _format_time(entry.expires_on)
    return fields


def decode_key_file(reference: str, raw: bytes, operation: str) -> KeyFile:
    """Read a file back; KeyDamaged if it is not exactly what ``encode_key_file`` writes.

    The error is raised outside the handler: the parser's own errors carry the whole file.
    """
    with suppress(ValueError, TypeError, KeyError, RecursionError, KeyVaultError):
        return _parse(reference, json.loads(raw))
    raise KeyDamaged(
        "The vault's file for this key is damaged; restore it from a backup",
        operation=operation,
        details={"reference": reference},
    )


def _parse(reference: str, document: object) -> KeyFile:
    body = _fields_of(_fields_of(document, {reference})[reference], {"current", "versions"})
    current, versions = body["current"], body["versions"]
    if not isinstance(current, str) or not isinstance(versions, dict):
        raise TypeError("a field has the wrong type")
    if current not in versions:
        raise ValueError("current names no version")
    for version in versions:
        check_version(version, "vault.read")
    return KeyFile(reference, current, {v: parse_entry(e) for v, e in versions.items()})


def _fields_of(document: object, names: set[str]) -> dict[str, object]:
    if not isinstance(document, dict) or set(document) != names:
        raise TypeError("not an object with exactly these fields")
    return document


def parse_entry(document: object) -> VaultEntry:
    expires = isinstance(document, dict) and "expires_on" in document
    fields = _fields_of(document, _FIELDS | {"expires_on"} if expires else _FIELDS)
    value, content_type, enabled = fields["value"], fields["content_type"], fields["enabled"]
    if not (isinstance(value, str) and isinstance(content_type, str)):
        raise TypeError("a field is not a string")
    if not isinstance(enabled, bool):
        raise TypeError("enabled is neither true nor false")
    return VaultEntry(
        value=base64.b64decode(value, validate=True),
        content_type=content_type,
        enabled=enabled,
        created_on=_parse_time(fields["created_on"]),
        expires_on=_parse_time(fields["expires_on"]) if expires else None,
    )


def _format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds; a naive time is a mistake of the caller."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _parse_time(text: object) -> datetime:
    if not isinstance(text, str) or not text.endswith("Z"):
        raise ValueError("not a UTC time")
    return datetime.fromisoformat(text)
