"""How a wrapped DEK is written into its row of ``file_keys`` and into the sidecar.

The row keeps it as bytes::

    off len field
      0   1  form      01
      1   4  master    first 4 bytes of the check value of the master key inside
      5   1  length of the KEK's name, then the name (ASCII, ``kek-<aa>``)
     ..   1  length of the version's name, then the vault's name of the KEK's version
     ..  ..  ct        what the vault's KEK made of the 40 bytes under the master key

The sidecar keeps ``{"kek", "version", "ct"}``, where ``ct`` is ``master || ct`` of the row.
Source: docs/store-format.md, section 4. Names come before what is sealed, so that SQL can
count by master key and by version without opening anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.errors import KeyDamaged
from app.storage.sidecar_entry import WrappedDek
from app.vault.interface import WrappedKey

_FORM: Final = b"\x01"
MASTER_AT: Final = 1
MASTER_BYTES: Final = 4
NAMES_AT: Final = MASTER_AT + MASTER_BYTES
KEK_NAME_BYTES: Final = 6  # kek-<aa>
_NAME = re.compile(rb"[0-9A-Za-z-]{1,127}")


@dataclass(frozen=True, slots=True)
class Envelope:
    """A DEK under the master key ``master`` (8 hex digits) and then under a KEK."""

    master: str
    key: WrappedKey

    @property
    def kek(self) -> str:
        return self.key.kek

    @property
    def version(self) -> str:
        """The vault's name for the version of the KEK."""
        return self.key.version

    def to_row(self) -> bytes:
        return kek_prefix(self.master, self.kek, self.version) + self.key.ct

    @classmethod
    def from_row(cls, raw: bytes) -> Envelope:
        """KeyDamaged for bytes of any other form."""
        master, rest = raw[MASTER_AT:NAMES_AT], raw[NAMES_AT:]
        kek, rest = _take_name(rest)
        version, ct = _take_name(rest)
        if raw[:1] != _FORM or not ct:
            raise _damaged()
        return cls(master.hex(), WrappedKey(kek, version, ct))

    def to_sidecar(self) -> WrappedDek:
        return WrappedDek(self.kek, self.version, bytes.fromhex(self.master) + self.key.ct)

    @classmethod
    def from_sidecar(cls, wrapped: WrappedDek) -> Envelope:
        """KeyDamaged if it is too short to name its master key."""
        master, ct = wrapped.ct[:MASTER_BYTES], wrapped.ct[MASTER_BYTES:]
        if not ct:
            raise _damaged()
        return cls(master.hex(), WrappedKey(wrapped.kek, wrapped.version, ct))


def kek_prefix(master: str, kek: str, version: str) -> bytes:
    """What every row begins with that names this master key, KEK and version."""
    return _FORM + bytes.fromhex(master) + _name(kek) + _name(version)


def names_kek(kek: str, version: str) -> tuple[int, bytes]:
    """Where (counted from 1, as SQL does) and what: the part of a row that names them."""
    return NAMES_AT + 1, _name(kek) + _name(version)


def _name(text: str) -> bytes:
    raw = text.encode("ascii")
    if _NAME.fullmatch(raw) is None:
        raise _damaged()
    return bytes((len(raw),)) + raw


def _take_name(raw: bytes) -> tuple[str, bytes]:
    end = 1 + raw[0] if raw else 0
    name = raw[1:end]
    if len(name) != end - 1 or _NAME.fullmatch(name) is None:
        raise _damaged()
    return name.decode("ascii"), raw[end:]


def _damaged() -> KeyDamaged:
    return KeyDamaged("A wrapped key of the database is damaged", operation="keys.envelope")
