"""One entry of a sidecar: one generation of the blob that it stands beside."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from app.crypto.blob_header import LARGEST_CHUNK, SMALLEST_CHUNK
from app.crypto.chunking import Geometry
from app.crypto.writer import SealedFacts
from app.errors import EncryptionError
from app.storage.canonical import Json
from app.storage.sidecar_fields import (
    fields_of,
    from_base64,
    integer,
    invalid,
    matching,
    to_base64,
)

_KEY_VERSION = re.compile(r"[0-9a-f]{32}\Z")
_SHORT_NAME = re.compile(r"[0-9A-Za-z-]{1,127}\Z")
_U32_MAX = 2**32 - 1


@dataclass(frozen=True, slots=True)
class WrappedDek:
    """With envelope keying: the DEK as ``kek`` in its ``version`` wrapped it."""

    kek: str
    version: str
    ct: bytes

    def to_json(self) -> dict[str, Json]:
        return {"kek": self.kek, "version": self.version, "ct": to_base64(self.ct)}


@dataclass(frozen=True, slots=True)
class SidecarEntry:
    """One generation of the blob; sizes in bytes, tags and ids as raw bytes."""

    generation: int
    content_rev: int
    key_version: bytes
    chunk_size: int
    enc_size: int
    plain_size: int
    header_tag: bytes
    final_tag: bytes
    wrapped_dek: WrappedDek | None
    private: bytes

    @classmethod
    def of_blob(cls, blob: SealedFacts, wrapped_dek: WrappedDek | None = None) -> SidecarEntry:
        """The entry of a blob that was sealed just now, its private part still empty."""
        header = blob.header
        return cls(
            generation=header.generation,
            content_rev=header.content_rev,
            key_version=header.key_version_id,
            chunk_size=header.chunk_size,
            enc_size=blob.enc_size,
            plain_size=blob.plain_size,
            header_tag=blob.header_tag,
            final_tag=blob.final_tag,
            wrapped_dek=wrapped_dek,
            private=b"",
        )

    def to_json(self) -> dict[str, Json]:
        wrapped = self.wrapped_dek
        return {
            "generation": self.generation,
            "content_rev": self.content_rev,
            "key_version": self.key_version.hex(),
            "chunk_size": self.chunk_size,
            "enc_size": self.enc_size,
            "plain_size": self.plain_size,
            "header_tag": to_base64(self.header_tag),
            "final_tag": to_base64(self.final_tag),
            "wrapped_dek": None if wrapped is None else wrapped.to_json(),
            "private": to_base64(self.private),
        }

    @classmethod
    def from_json(cls, value: Json) -> SidecarEntry:
        named = fields_of(value, _names_of(cls))
        entry = cls(
            generation=integer(named["generation"]),
            content_rev=integer(named["content_rev"]),
            key_version=bytes.fromhex(matching(named["key_version"], _KEY_VERSION)),
            chunk_size=integer(named["chunk_size"]),
            enc_size=integer(named["enc_size"]),
            plain_size=integer(named["plain_size"]),
            header_tag=from_base64(named["header_tag"], 32),
            final_tag=from_base64(named["final_tag"], 16),
            wrapped_dek=_wrapped_dek(named["wrapped_dek"]),
            private=from_base64(named["private"]),
        )
        _check_geometry(entry)
        return entry


def _names_of(kind: type[SidecarEntry | WrappedDek]) -> frozenset[str]:
    """The fields of the class, which are the keys of its JSON object."""
    return frozenset(field.name for field in fields(kind))


def _wrapped_dek(value: Json) -> WrappedDek | None:
    if value is None:
        return None
    named = fields_of(value, _names_of(WrappedDek))
    return WrappedDek(
        kek=matching(named["kek"], _SHORT_NAME),
        version=matching(named["version"], _SHORT_NAME),
        ct=from_base64(named["ct"]),
    )


def _check_geometry(entry: SidecarEntry) -> None:
    """The sizes must be those of a blob that section 1 of the format allows."""
    possible = (
        1 <= entry.generation <= _U32_MAX
        and entry.content_rev <= _U32_MAX
        and SMALLEST_CHUNK <= entry.chunk_size <= LARGEST_CHUNK
    )
    if not possible or _sealed_size(entry) != entry.enc_size:
        raise invalid("The sizes in the sidecar do not fit together.")


def _sealed_size(entry: SidecarEntry) -> int | None:
    try:
        return Geometry.of_plain(entry.plain_size, entry.chunk_size).sealed_size
    except EncryptionError:
        return None
