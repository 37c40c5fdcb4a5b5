"""The key vault with a meter on it: which calls, how they ended, how long they took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from app import metrics
from app.errors import DarkroomError
from app.vault.interface import KeyVault, VaultEntry, VersionInfo


class MeasuredVault:
    """A KeyVault that hands every call on. A key that is not there is an answer, not a fault,
    and counts as its own result."""

    def __init__(self, vault: KeyVault) -> None:
        self.vault = vault

    def prepare(self) -> None:
        self.vault.prepare()

    def put(
        self,
        reference: str,
        version: str,
        value: bytes,
        *,
        content_type: str,
        expires_on: datetime | None = None,
    ) -> None:
        with _measured("put"):
            self.vault.put(
                reference, version, value, content_type=content_type, expires_on=expires_on
            )

    def get(self, reference: str, version: str) -> VaultEntry:
        with _measured("get"):
            return self.vault.get(reference, version)

    def disable(self, reference: str, version: str) -> None:
        with _measured("disable"):
            self.vault.disable(reference, version)

    def delete(self, reference: str) -> None:
        with _measured("delete"):
            self.vault.delete(reference)

    def recoverable_until(self, reference: str) -> datetime | None:
        with _measured("recoverable"):
            return self.vault.recoverable_until(reference)

    def versions(self, reference: str) -> tuple[VersionInfo, ...]:
        with _measured("versions"):
            return self.vault.versions(reference)

    def references(self, prefix: str = "") -> Iterator[str]:
        return self.vault.references(prefix)

    def check(self) -> None:
        with _measured("check"):
            self.vault.check()

    def close(self) -> None:
        self.vault.close()


@contextmanager
def _measured(operation: str) -> Iterator[None]:
    began = time.perf_counter()
    result = "ok"
    try:
        yield
    except DarkroomError as error:
        result = error.code
        raise
    finally:
        metrics.vault_operations.labels(operation, result).inc()
        metrics.vault_seconds.labels(operation).observe(time.perf_counter() - began)
