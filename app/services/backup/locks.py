"""What opens a backup: the master key it was made under, or its passphrase."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.crypto.backup_key import new_salt, passphrase_lock
from app.crypto.kdf import MasterKey
from app.crypto.keys import SecretKey
from app.errors import EncryptionError, InvalidInput

SHORTEST_PASSPHRASE: Final = 12
MASTER, PASSPHRASE = "master", "passphrase"


@dataclass(frozen=True, slots=True)
class Locks:
    """``masters``: the current master key, then the former ones. With a ``passphrase`` new
    backups are locked by it, and the master key does not open them.
    """

    masters: Sequence[MasterKey]
    passphrase: str | None = field(default=None, repr=False)

    def new(self) -> tuple[dict[str, str], SecretKey]:
        """How a new backup is locked, in words of its manifest, and the lock itself."""
        if self.passphrase is None:
            master = self.masters[0]
            return {"kind": MASTER, "id": master.id}, master.backup
        if len(self.passphrase) < SHORTEST_PASSPHRASE:
            raise InvalidInput(
                f"A passphrase of a backup has at least {SHORTEST_PASSPHRASE} characters.",
                operation="backup.passphrase",
            )
        salt = new_salt()
        described = {"kind": PASSPHRASE, "salt": base64.b64encode(salt).decode("ascii")}
        return described, passphrase_lock(self.passphrase, salt)

    def of(self, described: Mapping[str, Any]) -> SecretKey:
        """The lock of a backup; EncryptionError that says which one is missing."""
        if described["kind"] == PASSPHRASE:
            return self._by_passphrase(described)
        for master in self.masters:
            if master.id == described["id"]:
                return master.backup
        raise EncryptionError(
            f"This backup was made under the master key {described['id']}, which is not"
            " configured: set it as ENCRYPTION_KEY or add it to ENCRYPTION_KEY_PREVIOUS.",
            operation="backup.open",
        )

    def _by_passphrase(self, described: Mapping[str, Any]) -> SecretKey:
        if self.passphrase is None:
            raise EncryptionError(
                "This backup was made with a passphrase: name its file with --passphrase-file.",
                operation="backup.open",
            )
        return passphrase_lock(self.passphrase, base64.b64decode(described["salt"]))
