"""The vault of HashiCorp, and OpenBao: one secret of KV version 2 a reference.

::

    <mount>/data/<reference>    {"<32 hex>": {"value": "<base64 of the wrapped DEK>",
                                 "content_type": "…", "enabled": true, "created_on": "…Z",
                                 "expires_on": "…Z"}, …, "current": "<32 hex>"}

Source: docs/store-format.md, section 4. Our versions are fields of the secret. The versions
of KV itself are former states, with keys that were wrapped anew or replaced: from the first
change on only the newest is kept, so that a re-wrap and a deletion leave nothing.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from hvac import exceptions as refused

from app.errors import KeyDamaged, KeyNotFound, KeyVaultError
from app.vault.hashicorp_session import HashicorpSession
from app.vault.interface import VaultEntry, VersionInfo
from app.vault.key_file import KeyFile, entry_fields, parse_entry
from app.vault.references import check_reference, check_version, is_reference

_CAS_TRIES = 40
_NEEDED = frozenset({"create", "read", "update"})
_RANDOM = random.SystemRandom()


class HashicorpVault:
    """The KeyVault of ``KEY_VAULT_MODE=hashicorp``; its duties are those of the Protocol.

    ``clock`` gives the aware time now. Writers use check-and-set, so that those of several
    processes lose nothing of each other; those of this process take turns.
    """

    def __init__(
        self, session: HashicorpSession, mount: str, clock: Callable[[], datetime]
    ) -> None:
        self._session = session
        self._mount = mount
        self._clock = clock
        self._turns = tuple(threading.Lock() for _ in range(64))

    def prepare(self) -> None:
        """Mounts are an administrator's to make: this one has to be there."""
        self.check()

    def put(
        self,
        reference: str,
        version: str,
        value: bytes,
        *,
        content_type: str,
        expires_on: datetime | None = None,
    ) -> None:
        check_reference(reference, "vault.put")
        check_version(version, "vault.put")
        with self._turn(reference):
            entry = VaultEntry(value, content_type, True, self._clock(), expires_on)
            first = KeyFile(reference, version, {version: entry})
            if not self._written(first, 0, "vault.put"):
                self._change(
                    reference, "vault.put", lambda former: former.with_value(version, entry)
                )

    def get(self, reference: str, version: str) -> VaultEntry:
        check_reference(reference, "vault.get")
        check_version(version, "vault.get")
        return self._read(reference, "vault.get")[0].entry(version, "vault.get")

    def disable(self, reference: str, version: str) -> None:
        check_reference(reference, "vault.disable")
        check_version(version, "vault.disable")

        def disabled(former: KeyFile) -> KeyFile:
            entry = former.entry(version, "vault.disable")
            return former.with_entry(version, replace(entry, enabled=False))

        with self._turn(reference):
            self._change(reference, "vault.disable", disabled)

    def delete(self, reference: str) -> None:
        """With the metadata every version of the secret goes, for good."""
        check_reference(reference, "vault.delete")
        with suppress(KeyNotFound):
            self._session.ask(
                "vault.delete",
                reference,
                lambda client: client.secrets.kv.v2.delete_metadata_and_all_versions(
                    reference, mount_point=self._mount
                ),
            )

    def recoverable_until(self, reference: str) -> datetime | None:
        """Nothing is left of what was deleted."""
        check_reference(reference, "vault.recoverable")
        return None

    def versions(self, reference: str) -> tuple[VersionInfo, ...]:
        check_reference(reference, "vault.versions")
        return self._read(reference, "vault.versions")[0].infos()

    def references(self, prefix: str = "") -> Iterator[str]:
        """One request for all of them. Other secrets of the mount are passed over by their
        names where those are none of ours."""
        found: list[str] = []
        with suppress(KeyNotFound):
            found = self._session.ask(
                "vault.references",
                "",
                lambda client: client.secrets.kv.v2.list_secrets("", self._mount)["data"][
                    "keys"
                ],
            )
        for name in found:
            if name.startswith(prefix) and is_reference(name):
                yield name

    def check(self) -> None:
        about = self._session.ask("vault.check", "", self._about_mount)
        if about.get("type") != "kv" or (about.get("options") or {}).get("version") != "2":
            raise KeyVaultError(
                f"VAULT_MOUNT ({self._mount}) is no KV secrets engine of version 2",
                operation="vault.check",
            )
        path = f"{self._mount}/data/file-0"
        may = self._session.ask(
            "vault.check", "", lambda client: client.sys.get_capabilities([path])["data"][path]
        )
        if "root" not in may and not set(may) >= _NEEDED:
            raise KeyVaultError(
                f"The vault's policy does not let Darkroom write to {self._mount}/data/*",
                operation="vault.check",
            )

    def close(self) -> None:
        self._session.close()

    def _about_mount(self, client: Any) -> dict[str, Any]:
        answer = client.adapter.get(f"/v1/sys/internal/ui/mounts/{self._mount}")
        about: dict[str, Any] = answer["data"]
        return about

    def _turn(self, reference: str) -> threading.Lock:
        return self._turns[hash(reference) % len(self._turns)]

    def _read(self, reference: str, operation: str) -> tuple[KeyFile, int]:
        """The secret and its KV version; KeyNotFound, or KeyDamaged."""
        data = self._session.ask(
            operation,
            reference,
            lambda client: client.secrets.kv.v2.read_secret_version(
                reference, mount_point=self._mount, raise_on_deleted_version=False
            )["data"],
        )
        revision = int(data["metadata"]["version"])
        if data.get("data") is None:
            raise KeyNotFound(
                "The key was deleted in the vault by somebody else; kv undelete brings it back",
                operation=operation,
                details={"reference": reference},
            )
        return _decode(reference, data["data"], operation), revision

    def _change(
        self, reference: str, operation: str, change: Callable[[KeyFile], KeyFile]
    ) -> None:
        """Read, change and write what is there, again where somebody else was faster."""
        for _ in range(_CAS_TRIES):
            former, revision = self._read(reference, operation)
            changed = change(former)
            if changed == former:
                return
            self._keep_only_newest(reference, operation)
            if self._written(changed, revision, operation):
                return
            time.sleep(_RANDOM.uniform(0, 0.05))
        raise KeyVaultError(
            "Too many writers change this key in the vault at once",
            operation=operation,
            details={"reference": reference},
        )

    def _keep_only_newest(self, reference: str, operation: str) -> None:
        self._session.ask(
            operation,
            reference,
            lambda client: client.secrets.kv.v2.update_metadata(
                reference, max_versions=1, mount_point=self._mount
            ),
        )

    def _written(self, key_file: KeyFile, revision: int, operation: str) -> bool:
        """False if the secret is not at that KV version (0: not there) any more."""

        def write(client: Any) -> bool:
            try:
                client.secrets.kv.v2.create_or_update_secret(
                    key_file.reference,
                    _encode(key_file),
                    cas=revision,
                    mount_point=self._mount,
                )
            except refused.InvalidRequest as error:
                if not any("check-and-set" in said for said in error.errors or ()):
                    raise
                return False
            return True

        return self._session.ask(operation, key_file.reference, write)


def _encode(key_file: KeyFile) -> dict[str, object]:
    entries = {version: entry_fields(entry) for version, entry in key_file.versions.items()}
    return {**entries, "current": key_file.current}


def _decode(reference: str, document: Mapping[str, object], operation: str) -> KeyFile:
    """Raised outside the handler: the parser's own errors carry the secret."""
    with suppress(ValueError, TypeError, KeyError, KeyVaultError):
        current = document["current"]
        if not isinstance(current, str) or current not in document:
            raise ValueError("current names no version")
        versions = {name: entry for name, entry in document.items() if name != "current"}
        for version in versions:
            check_version(version, "vault.read")
        entries = {version: parse_entry(entry) for version, entry in versions.items()}
        return KeyFile(reference, current, entries)
    raise KeyDamaged(
        "What the vault holds under this name is no key of Darkroom, or was damaged",
        operation=operation,
        details={"reference": reference},
    )
