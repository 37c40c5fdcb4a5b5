"""What readiness looks at: database, store and vault, each by the part that uses it."""

from __future__ import annotations

from app.db.session import UnitOfWork
from app.errors import KeyVaultUnavailable, StoreFull, StoreUnavailable
from app.services.health import Health
from app.services.key_status import vault_problem
from app.storage.interface import BlobStore
from app.storage.marker import read_marker
from app.vault.interface import KeyVault

LOW_SPACE = 256 * 1024 * 1024
"""Bytes below which readiness says that work will soon fail."""


def require_store(blobs: BlobStore) -> None:
    """Raise StoreUnavailable unless the store can be used and its marker lies there."""
    blobs.check()
    if read_marker(blobs) is None:
        raise StoreUnavailable(
            "The store's marker file is missing. Is its file system mounted?",
            operation="health.store",
        )


def build_health(uow: UnitOfWork, blobs: BlobStore, vault: KeyVault) -> Health:
    """Return the checks by name; each raises what keeps its part from being used."""

    def check_store() -> None:
        require_store(blobs)
        free = blobs.free_bytes()
        if free is not None and free < LOW_SPACE:
            raise StoreFull(
                f"Only {free >> 20} MiB are free: what is stored is served, but uploads fail"
                " and nothing can be destroyed when no space is left.",
                operation="health.store",
            )

    def check_vault() -> None:
        problem = vault_problem(vault)
        if problem is not None:
            raise KeyVaultUnavailable(problem, operation="health.vault")

    return Health({"database": uow.check, "store": check_store, "vault": check_vault})
