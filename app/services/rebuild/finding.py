"""What the store says of one picture, without a database: its blob, sidecar and record.

The key that a header names proves the header; nothing is believed that does not open under
it. The content is not read through: that is what ``store verify`` is for.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from app.crypto.blob_header import BlobHeader, header_tag, subkeys_of
from app.crypto.context import Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobReader, read_header
from app.domain.image_record import MAX_BYTES, ImageRecord
from app.errors import (
    BlobNotFound,
    DecryptionFailed,
    ForeignBlob,
    KeyDamaged,
    KeyManagementError,
    KeyNotFound,
    SidecarInvalid,
    StoreError,
    StoreUnavailable,
)
from app.services.rebuild.keys import BareKeys
from app.storage import sidecar as sidecars
from app.storage.interface import BlobHandle, BlobStore
from app.storage.object_paths import ObjectKey, ObjectPath
from app.storage.sidecar import PrivateFacts, Sidecar

KEY_TROUBLE = (KeyNotFound, KeyDamaged, KeyManagementError, DecryptionFailed)
Named = tuple[str, ObjectKey]


class Hopeless(Exception):
    """There is no row to be made; its text is the reason that the report counts."""


@dataclass(slots=True, repr=False)
class Found:
    """One picture. ``lacks`` says what was missing or damaged; sizes are in bytes.

    ``in_use`` is version and generation of its key, ``named`` every version that a header
    or an entry of the sidecar names.
    """

    path: ObjectPath
    in_use: tuple[bytes, int]
    enc_size: int
    plain_size: int = 0
    content_rev: int = 0
    sidecar: Sidecar | None = None
    facts: PrivateFacts | None = None
    record: ImageRecord | None = None
    named: dict[bytes, int] = field(default_factory=dict)
    lacks: list[str] = field(default_factory=list)

    @property
    def is_damaged(self) -> bool:
        return "damaged original" in self.lacks


class Finder:
    """Reads the blobs of one picture; raises only what ends the whole work."""

    def __init__(self, blobs: BlobStore, keys: BareKeys) -> None:
        self._blobs = blobs
        self._keys = keys

    def find(self, named: Sequence[Named]) -> Found:
        """The picture whose keys of the store these are; ``Hopeless`` if nothing says who.

        Raises ``StoreUnavailable`` and ``KeyVaultUnavailable``.
        """
        first = named[0][1]
        lacks: list[str] = []
        sidecar = self._sidecar(first.base, lacks)
        original = self._header(first.base + ".enc", Role.ORIGINAL)
        record = self._header(first.base + ".record.enc", Role.RECORD)
        header, file_id = self._proven(first, original, record, sidecar, lacks)
        path = ObjectPath(first.slug, file_id, first.stored_name)
        found = Found(
            path,
            in_use=(header.key_version_id, header.generation),
            enc_size=self._size(path),
            content_rev=header.content_rev,
            sidecar=sidecar,
            lacks=lacks,
        )
        found.named = self._named(file_id, named, sidecar)
        self._measure(found, header)
        self._open_facts(found, header)
        self._open_record(found)
        return found

    def _proven(
        self,
        key: ObjectKey,
        original: BlobHeader | None,
        record: BlobHeader | None,
        sidecar: Sidecar | None,
        lacks: list[str],
    ) -> tuple[BlobHeader, UUID]:
        """A header that its own key opens: the original's, or else the record's."""
        trouble = "no key" if original is not None else "unreadable"
        for header in (original, record):
            if header is None or header.file_id.bytes[0] != key.aa:
                trouble = "unreadable"
                continue
            try:
                dek = self._keys.key(header.file_id, header.key_version_id, sidecar)
            except KEY_TROUBLE:
                continue
            if _is_proven(header, dek):
                if header is record:
                    lacks.append("damaged original")
                return header, header.file_id
            trouble = "unreadable"
        raise Hopeless(trouble)

    def _header(self, key: str, role: Role) -> BlobHeader | None:
        try:
            with self._blobs.open(key) as handle:
                header = read_header(handle)
        except (BlobNotFound, ForeignBlob, DecryptionFailed):
            return None
        return header if header.role is role else None

    def _size(self, path: ObjectPath) -> int:
        with suppress(BlobNotFound, ForeignBlob), self._blobs.open(path.original) as handle:
            return handle.size
        return 0

    def _sidecar(self, base: str, lacks: list[str]) -> Sidecar | None:
        try:
            return sidecars.parse(self._blobs.read(base + ".enc.meta", sidecars.MAX_BYTES))
        except StoreUnavailable:
            raise
        except BlobNotFound:
            lacks.append("no sidecar")
        except StoreError:
            lacks.append("damaged sidecar")
        return None

    def _named(
        self, file_id: UUID, named: Sequence[Named], sidecar: Sidecar | None
    ) -> dict[bytes, int]:
        found = {e.key_version: e.generation for e in (sidecar.entries if sidecar else ())}
        for key, known in named:
            header = None if known.is_sidecar else self._header(key, known.role)
            if header is not None and header.file_id == file_id:
                found[header.key_version_id] = header.generation
        return found

    def _measure(self, found: Found, header: BlobHeader) -> None:
        """The length, by the final chunk; a picture without an original whole is damaged."""
        entries = found.sidecar.entries if found.sidecar is not None else ()
        if not found.is_damaged:
            with suppress(BlobNotFound, ForeignBlob, DecryptionFailed):
                with self._blobs.open(found.path.original) as handle:
                    found.plain_size = self.reader(handle, header, found).plain_size
                return
            found.lacks.append("damaged original")
        found.plain_size = next((entry.plain_size for entry in entries), 0)

    def reader(self, handle: BlobHandle, header: BlobHeader, found: Found) -> BlobReader:
        """A verified reader of one of its blobs."""
        dek = self._keys.key(header.file_id, header.key_version_id, found.sidecar)
        image_id = found.path.image_id
        return BlobReader(handle, header, dek, file_id=image_id, role=header.role)

    @contextmanager
    def original(self, found: Found) -> Iterator[BlobReader]:
        """Its content, verified as it is read; ``DecryptionFailed``, ``StoreError``."""
        with self._blobs.open(found.path.original) as handle:
            yield self.reader(handle, read_header(handle), found)

    def _open_facts(self, found: Found, header: BlobHeader) -> None:
        if found.sidecar is None:
            return
        try:
            entry = found.sidecar.entry_of(header)
            dek = self._keys.key(header.file_id, header.key_version_id, found.sidecar)
            found.facts = found.sidecar.open_private(entry, dek, header)
        except (SidecarInvalid, DecryptionFailed):
            found.lacks.append("damaged sidecar")

    def _open_record(self, found: Found) -> None:
        try:
            with self._blobs.open(found.path.record) as handle:
                reader = self.reader(handle, read_header(handle), found)
                if reader.plain_size > MAX_BYTES:
                    raise DecryptionFailed(operation="rebuild.record")
                found.record = ImageRecord.decode(reader.read_all(), found.path.image_id)
        except StoreUnavailable:
            raise
        except BlobNotFound:
            found.lacks.append("no record")
        except (*KEY_TROUBLE, StoreError):
            found.lacks.append("damaged record")


def _is_proven(header: BlobHeader, dek: SecretKey) -> bool:
    """Whether the header's tag is of this key; its blob is not looked at."""
    packed = header.pack()
    return hmac.compare_digest(header_tag(subkeys_of(packed, dek), packed), header.header_tag)


def grouped(keys: Iterable[Named]) -> list[list[Named]]:
    """The keys of one folder by the picture that they belong to."""
    pictures: dict[str, list[Named]] = {}
    for key, known in keys:
        pictures.setdefault(known.base, []).append((key, known))
    return list(pictures.values())
