"""A key that the vault lost or that was damaged there, taken back from a backup."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from app.crypto.blob_header import is_genuine
from app.crypto.context import Role
from app.crypto.keys import SecretKey
from app.errors import Conflict, DarkroomError, KeyDamaged, KeyManagementError
from app.services.image_access import READABLE
from app.services.keys import KeyVaulting, file_reference
from app.services.verification.blobs import BlobCheck

if TYPE_CHECKING:
    from app.services.healing.sources import BlobSource
    from app.services.verification import Expected
    from app.storage.encrypted_store import EncryptedStore, KeySource


class KeyReturn:
    """Gives a key back only if it opens the file of the picture, here or in the backup."""

    def __init__(self, vaulting: KeyVaulting, keys: KeySource, store: EncryptedStore) -> None:
        self._vaulting = vaulting
        self._keys = keys
        self._store = store

    def give_back(self, source: BlobSource, expected: Expected) -> None:
        """Put every readable version that the vault lacks back into it; Conflict with a
        sentence where the backup has none that fits.

        A key that was disabled stays so: somebody wanted that.
        """
        if expected.wrapped:
            raise _refused("Its key lies in the database, not in the vault.")
        named = self._named(source, expected)
        wanted = [v for v, state in expected.keys.items() if state in READABLE and v in named]
        lacking = [version for version in wanted if not self._works(source, expected, version)]
        if not wanted:
            raise _refused("No file is left, here or in the backup, that names its key.")
        found = {version: source.key(expected.id, version) for version in lacking}
        fitting = {
            version: key
            for version, key in found.items()
            if key is not None and self._fits(source, expected, version, key)
        }
        if lacking and not fitting:
            raise _refused("The backup has no key that fits this file.")
        for version, key in fitting.items():
            self._put(expected, version, key)

    def _named(self, source: BlobSource, expected: Expected) -> set[bytes]:
        """The keys that the original names, in this store and in the backup."""
        checks = (BlobCheck(blobs, self._keys) for blobs in (self._store.blobs, source))
        headers = (check.header(expected, Role.ORIGINAL, 0) for check in checks)
        return {header.key_version_id for header in headers if header is not None}

    def _works(self, source: BlobSource, expected: Expected, version: bytes) -> bool:
        try:
            key = self._keys.key(expected.id, version)
        except KeyManagementError:
            raise _refused("Its key is disabled in the vault: enable it there.") from None
        except DarkroomError:
            return False
        return self._fits(source, expected, version, key)

    def _fits(
        self, source: BlobSource, expected: Expected, version: bytes, key: SecretKey
    ) -> bool:
        """Whether it opens the header of the original, of this store or of the backup."""
        for blobs in (self._store.blobs, source):
            header = BlobCheck(blobs, self._keys).header(expected, Role.ORIGINAL, 0)
            if (
                header is not None
                and header.file_id == expected.id
                and header.key_version_id == version
                and is_genuine(header, key)
            ):
                return True
        return False

    def _put(self, expected: Expected, version: bytes, key: SecretKey) -> None:
        reference = file_reference(expected.id)
        with suppress(KeyDamaged):
            self._vaulting.store(reference, version, key)
            return
        # Nothing can be added to what makes no sense; the key that fits is in our hands.
        self._vaulting.delete(reference)
        self._vaulting.store(reference, version, key)


def _refused(message: str) -> Conflict:
    return Conflict(message, operation="heal.key")
