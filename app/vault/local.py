"""The vault on the local disk: one small file a reference.

::

    <path>/<aa>/<reference>.json       <aa> = first byte of SHA-256 of the reference, in hex
    <path>/<aa>/<reference>.json.bak   the file before the last update, for the grace period
    <path>/<aa>/.tmp-<reference>       being written
    <path>/<aa>/.lock                  what writers of this folder wait for

Folders are 0700 and files 0600; with any other mode or owner the vault refuses to read. The
values are wrapped under the master key, so the folder alone opens nothing.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from app.errors import KeyNotFound, KeyVaultUnavailable
from app.vault.interface import Change, Rewritten, VaultEntry, VersionInfo
from app.vault.key_file import KeyFile
from app.vault.key_place import COPY, FILE, TEMPORARY, KeyPlace, not_found, vault_faults
from app.vault.local_rewrite import rewrite_folder
from app.vault.private_folder import PrivateFolder
from app.vault.references import check_reference, check_version

_FOLDER_NAME = re.compile(r"[0-9a-f]{2}")


class LocalVault:
    """The KeyVault of ``KEY_VAULT_MODE=local``; its duties are those of the Protocol.

    Nothing is touched before the first call. ``grace`` is how long the former file of an
    updated reference is kept; ``clock`` gives the aware time now. Safe to use from many
    threads and processes at once.
    """

    def __init__(self, path: Path, *, grace: timedelta, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._grace = grace
        self._clock = clock
        # Folders whose own entry is known to be on the disk: another process may have made
        # one a moment ago and not have synced it yet.
        self._durable: set[str] = set()

    def prepare(self) -> None:
        with vault_faults("vault.prepare"):
            PrivateFolder.create(self._path)

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
        now = self._clock()
        entry = VaultEntry(value, content_type, True, now, expires_on)
        with (
            vault_faults("vault.put", reference),
            self._folder_or_new(reference) as folder,
            folder.locked(),
        ):
            place = KeyPlace(folder, reference, "vault.put")
            former = place.read()
            if former is None:
                place.write_first(KeyFile(reference, version, {version: entry}))
            else:
                place.update(former.with_value(version, entry), now)

    def get(self, reference: str, version: str) -> VaultEntry:
        check_reference(reference, "vault.get")
        check_version(version, "vault.get")
        return self._load(reference, "vault.get").entry(version, "vault.get")

    def disable(self, reference: str, version: str) -> None:
        check_reference(reference, "vault.disable")
        check_version(version, "vault.disable")
        with (
            vault_faults("vault.disable", reference),
            self._folder(reference, "vault.disable") as folder,
            folder.locked(),
        ):
            place = KeyPlace(folder, reference, "vault.disable")
            former = place.present()
            entry = former.entry(version, "vault.disable")
            if entry.enabled:
                disabled = replace(entry, enabled=False)
                place.update(former.with_entry(version, disabled), self._clock())

    def delete(self, reference: str) -> None:
        check_reference(reference, "vault.delete")
        with (
            suppress(KeyNotFound),
            vault_faults("vault.delete", reference),
            self._folder(reference, "vault.delete") as folder,
            folder.locked(),
        ):
            KeyPlace(folder, reference, "vault.delete").remove()

    def recoverable_until(self, reference: str) -> datetime | None:
        """`delete` removes the copies as well."""
        check_reference(reference, "vault.recoverable")
        return None

    def versions(self, reference: str) -> tuple[VersionInfo, ...]:
        check_reference(reference, "vault.versions")
        return self._load(reference, "vault.versions").infos()

    def references(self, prefix: str = "") -> Iterator[str]:
        with vault_faults("vault.references"):
            for folder in self._folders():
                for name in folder.names():
                    if name.endswith(FILE) and name.startswith(prefix):
                        yield name.removesuffix(FILE)

    def check(self) -> None:
        with vault_faults("vault.check"), self._top():
            if not os.access(self._path, os.R_OK | os.W_OK | os.X_OK):
                raise KeyVaultUnavailable(
                    "The vault folder cannot be written", operation="vault.check"
                )

    def close(self) -> None:
        """Nothing stays open between two calls."""

    def purge_expired_copies(self) -> int:
        """Remove the copies whose grace period is over and what killed writers left.

        Returns how many files went. Reads the names of the whole vault: for a periodic job
        and for the start.
        """
        with vault_faults("vault.purge"):
            return sum(self._purge(folder) for folder in self._folders())

    def rewrite(self, change: Change) -> Iterator[Rewritten]:
        """As RewritesInPlace says; other writers of a folder wait for a part of it."""
        with vault_faults("vault.rewrite"):
            for folder in self._folders():
                yield from rewrite_folder(folder, change)

    def _purge(self, folder: PrivateFolder) -> int:
        names = folder.names()
        if not any(name.startswith(TEMPORARY) or name.endswith(COPY) for name in names):
            return 0
        with folder.locked():
            removed = sum(folder.remove(name) for name in names if self._is_over(folder, name))
            folder.sync()
        return removed

    def _is_over(self, folder: PrivateFolder, name: str) -> bool:
        """Under the lock nobody is writing, so every temporary file is abandoned."""
        if name.startswith(TEMPORARY):
            return True
        kept_since = folder.modified_at(name) if name.endswith(COPY) else None
        if kept_since is None:
            return False
        return self._clock().timestamp() - kept_since >= self._grace.total_seconds()

    def _load(self, reference: str, operation: str) -> KeyFile:
        """Without the lock: a file is replaced whole, so what is read is one state of it."""
        with vault_faults(operation, reference), self._folder(reference, operation) as folder:
            return KeyPlace(folder, reference, operation).present()

    def _top(self) -> PrivateFolder:
        """A vault that is not there may be a lost mount, and says nothing about its keys."""
        try:
            return PrivateFolder.open(self._path)
        except FileNotFoundError:
            raise KeyVaultUnavailable(
                "The vault folder is missing; mount it or restore it", operation="vault.open"
            ) from None

    def _folders(self) -> Iterator[PrivateFolder]:
        with self._top() as top:
            for name in top.names():
                if _FOLDER_NAME.fullmatch(name):
                    with top.folder(name) as folder:
                        yield folder

    @contextmanager
    def _folder(self, reference: str, operation: str) -> Iterator[PrivateFolder]:
        """KeyNotFound where not even the folder is there."""
        with self._top() as top:
            try:
                folder = top.folder(_folder_name(reference))
            except FileNotFoundError:
                raise not_found(operation, reference) from None
            with folder:
                yield folder

    @contextmanager
    def _folder_or_new(self, reference: str) -> Iterator[PrivateFolder]:
        name = _folder_name(reference)
        with self._top() as top:
            if top.make_folder(name) or name not in self._durable:
                top.sync()
                self._durable.add(name)
            with top.folder(name) as folder:
                yield folder


def _folder_name(reference: str) -> str:
    return hashlib.sha256(reference.encode("ascii")).hexdigest()[:2]
