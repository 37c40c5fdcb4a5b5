"""What every vault does, whatever it is made of.

A vault keeps small opaque values (file keys and root keys, always wrapped under the master
key) by reference and version. It never sees a key in clear and never decides which version
is used: the version is chosen by the caller and asked for exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from app.errors import DarkroomError


@dataclass(frozen=True, slots=True)
class VaultEntry:
    """One version of one reference; ``value`` is the wrapped key (RFC 5649), never a clear one.

    Times are aware and in UTC.
    """

    value: bytes = field(repr=False)
    content_type: str
    enabled: bool
    created_on: datetime
    expires_on: datetime | None = None


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """What is told of a version without its value; ``version`` is 32 hex digits."""

    version: str
    enabled: bool
    current: bool
    created_on: datetime
    expires_on: datetime | None
    content_type: str


class KeyVault(Protocol):
    """The duties that ``tests/contracts/test_key_vault.py`` asks of every implementation.

    - A reference is 1 to 127 of ``0-9A-Za-z-``, a version 32 lower-case hex digits; anything
      else is refused with KeyVaultError before the vault is touched. Some vaults do not tell
      ``a`` from ``A``: callers use lower case.
    - A write is durable when the method returns, and all or nothing: after a crash there is
      the former state or the new one, never a part.
    - Writers of one reference in several threads and processes lose nothing of each other.
    - What one key costs does not depend on how many there are.
    - Errors: KeyNotFound (no such reference or version), KeyVaultUnavailable (cannot be
      reached now: try again later; KeyVaultFull where no space is left), KeyDamaged (this
      key's content makes no sense), KeyVaultError (refused). None holds a value.

    Key encryption keys of envelope keying have a Protocol of their own, :class:`KeyWrapper`.
    """

    def prepare(self) -> None:
        """Make the empty vault, where there is none yet. Only a first start calls it: at any
        other time a vault that is not there is lost, and every call raises
        KeyVaultUnavailable. Again is no error, and changes nothing."""
        ...

    def put(
        self,
        reference: str,
        version: str,
        value: bytes,
        *,
        content_type: str,
        expires_on: datetime | None = None,
    ) -> None:
        """Store a value.

        A version that is new to the reference becomes its current one, enabled, created now.
        A version that is there already gets the new value, content type and expiry, and
        keeps the rest: re-wrapping neither enables a disabled key nor makes an old one
        current.
        """
        ...

    def get(self, reference: str, version: str) -> VaultEntry:
        """The entry of exactly this version, disabled or expired ones too.

        Re-wrapping and moving need the disabled ones; whoever would use the key looks at
        ``enabled``. KeyNotFound if there is none.
        """
        ...

    def disable(self, reference: str, version: str) -> None:
        """Mark a version as not to be used any more. Again is no error; KeyNotFound if
        there is none."""
        ...

    def delete(self, reference: str) -> None:
        """Destroy every version and every copy before it returns. Again is no error, so that
        an interrupted deletion can be finished."""
        ...

    def recoverable_until(self, reference: str) -> datetime | None:
        """Until when whoever administers the vault can bring back what was deleted under this
        reference; None where nothing is left of it. The same moment frees the name."""
        ...

    def versions(self, reference: str) -> tuple[VersionInfo, ...]:
        """All versions, oldest first; exactly one is current. KeyNotFound if there is none."""
        ...

    def references(self, prefix: str = "") -> Iterator[str]:
        """Every reference that begins with ``prefix``, in no order. Costs as many reads as
        there are keys."""
        ...

    def check(self) -> None:
        """Raise KeyVaultUnavailable or KeyVaultError, with what would help, unless the vault
        can be used now. Cheap enough for a readiness probe."""
        ...

    def close(self) -> None:
        """Give back what is open; the vault opens it again on use."""
        ...


Change = Callable[[str, VaultEntry], VaultEntry | None]
"""What becomes of an entry of a reference: the same with another value and content type, or
None where nothing has to be done. Raises what makes the entry one that cannot be changed."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What became of one reference: ``changed`` entries; ``error`` is why not all could be."""

    reference: str
    changed: int
    error: DarkroomError | None = None


@runtime_checkable
class RewritesInPlace(Protocol):
    """A vault that changes the values of all its keys quicker than one by one."""

    def rewrite(self, change: Change) -> Iterator[Rewritten]:
        """Change every version of every reference, the disabled ones too, each reference all
        or nothing; what was told of is durable. Nothing of the former values is kept, and
        what was deleted meanwhile does not come back."""
        ...


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A DEK wrapped under one version of a KEK; ``version`` is the vault's name for it."""

    kek: str
    version: str
    ct: bytes = field(repr=False)


class KeyWrapper(Protocol):
    """Key encryption keys (``kek-<aa>``) that wrap DEKs and never leave a real vault.

    The vaults of Azure and HashiCorp do it in their own house; beside the local vault the
    service does it with a key that the vault keeps. What is handed in and out is a DEK
    already wrapped under the master key (40 bytes, RFC 5649), so that the vault alone opens
    nothing here either. ``tests/contracts/test_key_wrapper.py`` asks the same of every
    implementation. Errors are those of KeyVault.
    """

    def wrap(self, kek: str, wrapped_dek: bytes) -> WrappedKey:
        """Wrap under the newest version of the KEK, which is made at its first use."""
        ...

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        """What was handed to `wrap`; KeyNotFound for a version that is gone."""
        ...

    def rotate(self, kek: str) -> str:
        """Make a new version of the KEK and return its name; the older ones still unwrap."""
        ...

    def newest(self, kek: str) -> str | None:
        """The name of the version that wraps now; None for a KEK that was never used."""
        ...

    def versions(self, kek: str) -> tuple[str, ...]:
        """The names of all versions that still unwrap, oldest first; none for a KEK that was
        never used."""
        ...

    def retire(self, kek: str, version: str) -> None:
        """Destroy a version that nothing names any more, as far as the vault can; again is
        no error. The newest is refused with KeyVaultError; a vault may keep one for as long
        as there are older ones."""
        ...
