"""The rows of ``file_keys`` as far as the keys themselves need them."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.errors import KeyManagementError
from app.models import FileKey, FormerMaster
from app.services.keys.wrapped_dek import Envelope


class KeyRows:
    """Reads in short transactions of its own; ``uow`` is asked for when one is needed."""

    def __init__(self, uow: Callable[[], UnitOfWork]) -> None:
        self._uow = uow

    def envelope(self, file_id: UUID, version: bytes) -> Envelope | None:
        """None where the key is kept in the vault itself, or is not known at all."""
        chosen = select(FileKey.wrapped_dek).where(
            FileKey.file_id == file_id,
            FileKey.version_id == version,
            FileKey.mode == "envelope",
        )
        with self._uow().read_rows() as connection:
            raw = connection.scalar(chosen)
        return Envelope.from_row(raw) if raw is not None else None


def require_present_master(session: Session, check: bytes) -> None:
    """Raise KeyManagementError if the master key with this check value was replaced.

    Asked in the transaction that makes a new key known: a worker that was not started again
    since `keys rewrap` began would leave a key that nobody opens tomorrow.
    """
    if session.get(FormerMaster, check) is not None:
        raise KeyManagementError(
            "The master key of this worker was replaced: start it again with the present one",
            operation="keys.master",
        )
