"""Where a file's key is kept: in the vault itself (direct), or in an envelope.

In an envelope the key lies beside the file, in its row and its sidecar: wrapped under the
master key and then under a key encryption key of the vault, which sees neither in clear.
"""

from __future__ import annotations

from typing import Final, Literal
from uuid import UUID

from app.crypto.keys import SecretKey
from app.services.keys.vaulting import KeyVaulting
from app.services.keys.wrapped_dek import Envelope
from app.vault.interface import KeyWrapper

KeyMode = Literal["direct", "envelope"]
KEK_PREFIX: Final = "kek-"


class Keying:
    """Seals keys into envelopes and opens them; asks the vault at each call."""

    def __init__(self, vaulting: KeyVaulting, wrapper: KeyWrapper) -> None:
        self._vaulting = vaulting
        self.wrapper = wrapper

    def seal(self, file_id: UUID, dek: SecretKey) -> Envelope:
        """The key of a file in an envelope; raises KeyVaultError."""
        master = self._vaulting.master_id
        return Envelope(
            master, self.wrapper.wrap(kek_reference(file_id), self._vaulting.wrap(dek))
        )

    def open(self, envelope: Envelope) -> SecretKey:
        """Raises KeyNotFound for a KEK that is gone, KeyManagementError for a master key
        that is not configured, KeyVaultUnavailable and DecryptionFailed."""
        return self._vaulting.unwrap(envelope.master, self.wrapper.unwrap(envelope.key))

    def rewrapped(self, file_id: UUID, envelope: Envelope) -> Envelope | None:
        """Under the current master key and the newest KEK; None if the master key is it."""
        if envelope.master == self._vaulting.master_id:
            return None
        return self.seal(file_id, self.open(envelope))

    def under_newest(self, envelope: Envelope) -> Envelope:
        """Under the newest version of its KEK; no key is seen in clear."""
        key = self.wrapper.wrap(envelope.kek, self.wrapper.unwrap(envelope.key))
        return Envelope(envelope.master, key)


def kek_reference(file_id: UUID) -> str:
    """``kek-<aa>``: the KEK of a file is told by the first byte of its id."""
    return f"{KEK_PREFIX}{file_id.bytes[0]:02x}"
