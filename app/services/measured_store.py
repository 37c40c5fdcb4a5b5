"""The encrypted store with a meter on it: what was sealed and opened, how it ended, how long
it took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from app import metrics
from app.crypto.context import Role
from app.crypto.stream import SealedFacts
from app.errors import DarkroomError
from app.storage.encrypted_store import EncryptedStore, Floor, OpenBlob

SMALL_BYTES = 5 << 20
"""Up to here the time to seal says something about the machine, beyond it about the file."""
# Looking a label up costs more than counting: a thumbnail is opened in 30 us.
OPENED = {
    role: metrics.crypto_operations.labels("open", role.name.lower(), "ok") for role in Role
}
OPEN_SECONDS = {
    small: metrics.crypto_seconds.labels("open", "small" if small else "large")
    for small in (True, False)
}


class MeasuredStore(EncryptedStore):
    """An EncryptedStore that counts; what it does is what that one does."""

    def seal_original(self, *args: Any, **kwargs: Any) -> SealedFacts:
        """As in EncryptedStore; the time contains the reading of the source and the syncs."""
        with _counted("seal", Role.ORIGINAL):
            began = time.perf_counter()
            facts = super().seal_original(*args, **kwargs)
            _observe("seal", facts.plain_size, began)
            return facts

    def seal_derivative(self, *args: Any, **kwargs: Any) -> SealedFacts:
        """As in EncryptedStore."""
        began = time.perf_counter()
        with _counted("seal", Role.THUMBNAIL):
            facts = super().seal_derivative(*args, **kwargs)
        _observe("seal", facts.plain_size, began)
        return facts

    def open(
        self, key: str, image_id: UUID, role: Role, variant: int, floor: Floor
    ) -> OpenBlob:
        """As in EncryptedStore. Of originals the time until the header is verified is kept;
        what a thumbnail takes, the time of its request tells."""
        began = time.perf_counter()
        try:
            blob = super().open(key, image_id, role, variant, floor)
        except DarkroomError as error:
            metrics.crypto_operations.labels("open", role.name.lower(), error.code).inc()
            raise
        OPENED[role].inc()
        if role is Role.ORIGINAL:
            OPEN_SECONDS[blob.handle.size <= SMALL_BYTES].observe(time.perf_counter() - began)
        return blob


def _observe(operation: str, size: int, began: float) -> None:
    bucket = "small" if size <= SMALL_BYTES else "large"
    metrics.crypto_seconds.labels(operation, bucket).observe(time.perf_counter() - began)


@contextmanager
def _counted(operation: str, role: Role) -> Iterator[None]:
    result = "ok"
    try:
        yield
    except DarkroomError as error:
        result = error.code
        raise
    finally:
        metrics.crypto_operations.labels(operation, role.name.lower(), result).inc()
