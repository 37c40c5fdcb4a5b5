"""Which master key the installation is at, as its database and its store say.

Order of a change: the database first (from then on no new key is wrapped under the old one),
then every value, the store's marker last. So a start with the new key alone is refused until
all is done, and one with the old key alone from the first moment on.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import delete, select, update

from app.db.session import UnitOfWork
from app.errors import ConfigurationError, StoreUnavailable
from app.models import FormerMaster, Installation
from app.services.keys.vaulting import KeyVaulting
from app.storage.interface import BlobStore
from app.storage.marker import read_marker, write_marker


class MasterChange:
    """Begins and completes the change to the current master key; each again is no error."""

    def __init__(self, uow: UnitOfWork, blobs: BlobStore, vaulting: KeyVaulting) -> None:
        self._uow = uow
        self._blobs = blobs
        self._vaulting = vaulting

    def begin(self) -> bool:
        """Let the database say that the current key is the one; False if it does.

        Raises ConfigurationError where the key of the installation is not configured, and
        StoreUnavailable where the store is not there: before anything was written.
        """
        present, former = self._vaulting.master_check, self._former()
        with self._uow.write() as session:
            known = set(session.scalars(select(FormerMaster.check_value)))
            at = session.scalar(select(Installation.master_check))
            if at == present and former <= known and present not in known:
                return False
            session.execute(delete(FormerMaster).where(FormerMaster.check_value == present))
            session.execute(update(Installation).values(master_check=present))
            session.add_all(FormerMaster(check_value=one) for one in former - known)
        return True

    def complete(self) -> bool:
        """Let the store's marker say so too; False if it does."""
        marker = read_marker(self._blobs)
        if marker is None:
            raise _not_there()
        if marker.check == self._vaulting.master_check:
            return False
        marker = replace(marker, check=self._vaulting.master_check)
        write_marker(self._blobs, marker, replace=True)
        return True

    def _former(self) -> set[bytes]:
        """What database and store say, if it is another key than the current one.

        Others of ENCRYPTION_KEY_PREVIOUS are not: one may be the key of next week.
        """
        marker = read_marker(self._blobs)
        if marker is None:
            raise _not_there()
        with self._uow.read_rows() as connection:
            at = connection.scalar(select(Installation.master_check))
        said = {check for check in (marker.check, at) if check is not None}
        present = self._vaulting.master_check
        if not said <= {present, *self._vaulting.previous_checks}:
            raise ConfigurationError(
                "The master key that this installation is at is not configured: name it in"
                " ENCRYPTION_KEY_PREVIOUS.",
                operation="keys.rewrap",
            )
        return said - {present}


def _not_there() -> StoreUnavailable:
    return StoreUnavailable(
        "The store is not there: its marker file .darkroom-store is missing. Is its file"
        " system mounted?",
        operation="keys.rewrap",
    )
