"""One picture at one moment: its files, its keys and its rows, whatever happens meanwhile.

Whoever replaces a file of a picture holds the picture's lock. So the files are opened, and
the keys read, under that lock, for a few milliseconds; what was opened can be copied
afterwards, however long that takes: an open file outlives a rotation and a deletion.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from sqlalchemy import Connection, select

from app.crypto.blob_header import BlobHeader
from app.crypto.stream import read_header
from app.db.portable import rows_of
from app.domain.states import ImageStatus
from app.errors import (
    BlobNotFound,
    DecryptionFailed,
    ForeignBlob,
    KeyDamaged,
    KeyManagementError,
    KeyNotFound,
)
from app.models import FileKey, Image
from app.services.image_access import READABLE
from app.services.keys import Envelope, file_reference
from app.storage.interface import BlobHandle, BlobStore
from app.vault.interface import VersionInfo

if TYPE_CHECKING:
    from app.crypto.keys import SecretKey
    from app.db.session import UnitOfWork
    from app.services.keys import Keying, KeyVaulting

SIDECAR = ".enc.meta"


@dataclass(frozen=True, slots=True)
class HeldKey:
    """A version of a reference that was fetched; ``key`` is None where it does not open."""

    reference: str
    info: VersionInfo
    key: SecretKey | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenFile:
    """``header`` is None for a sidecar and for a blob that has none."""

    key: str
    handle: BlobHandle
    header: BlobHeader | None


@dataclass(slots=True)
class Captured:
    """A picture whose files stay open until the block ends.

    ``sound`` is False where a file names no key that opens it, or the original is missing.
    """

    id: UUID
    files: list[OpenFile]
    keys: list[HeldKey]
    rows: list[list[Any]]
    states: frozenset[tuple[bytes, str, str]]
    missing: bool
    sound: bool

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in self.files:
            one.handle.close()


class Capture:
    """Opens pictures of a running installation."""

    def __init__(
        self, uow: UnitOfWork, blobs: BlobStore, vaulting: KeyVaulting, keying: Keying
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._vaulting = vaulting
        self._keying = keying

    def take(
        self, file_id: UUID, original: str, keys: Sequence[str], *, picture: bool = True
    ) -> Captured | None:
        """Open ``keys``, the files of one picture; None if it was destroyed meanwhile.

        ``original`` is the key of the original, which is also the name of the lock.
        ``picture`` is False for the directory, which has no row of its own. Close what is
        returned.
        """
        with ExitStack() as undo, self._blobs.lock(original):
            with self._uow.read_rows() as connection:
                if picture and _is_gone(connection, file_id):
                    return None
                rows = list(rows_of(connection, _TABLE, FileKey.file_id == file_id))
                states = states_of(connection, file_id)
                wrapped = connection.execute(_ENVELOPES.where(FileKey.file_id == file_id)).all()
            held = self.keys_of(file_reference(file_id))
            known = {one.info.version for one in held}
            held = [
                *(
                    one
                    for one in map(self._from_envelope, wrapped)
                    if one.info.version not in known
                ),
                *held,
            ]
            held.sort(key=lambda one: one.info.current)
            files = [one for one in map(self._opened, sorted({*keys, original})) if one]
            for one in files:
                undo.callback(one.handle.close)
            missing = all(one.key != original for one in files)
            sound = not missing and _fits(files, held, states)
            undo.pop_all()
        return Captured(file_id, files, held, rows, states, missing, sound)

    def keys_of(self, reference: str) -> list[HeldKey]:
        """Every version of a reference, the current one last; nothing where there is none."""
        try:
            infos = self._vaulting.vault.versions(reference)
        except KeyNotFound:
            return []
        ordered = sorted(infos, key=lambda info: info.current)
        return [HeldKey(reference, info, self._key(reference, info)) for info in ordered]

    def _key(self, reference: str, info: VersionInfo) -> SecretKey | None:
        try:
            entry = self._vaulting.vault.get(reference, info.version)
            return self._vaulting.open_entry(reference, entry)
        except _NO_KEY:
            return None

    def _from_envelope(self, row: Any) -> HeldKey:
        """A key that lies beside its file, as the vault would tell of it."""
        info = VersionInfo(
            version=row.version_id.hex(),
            enabled=row.state in READABLE,
            current=row.state == "active",
            created_on=row.created_at,
            expires_on=row.expires_at,
            content_type="",
        )
        try:
            key = self._keying.open(Envelope.from_row(row.wrapped_dek or b""))
        except _NO_KEY:
            key = None
        return HeldKey(row.key_reference, info, key)

    def _opened(self, key: str) -> OpenFile | None:
        try:
            handle = self._blobs.open(key)
        except (BlobNotFound, ForeignBlob):
            return None
        try:
            return OpenFile(key, handle, None if key.endswith(SIDECAR) else _header(handle))
        except BaseException:
            handle.close()
            raise


_TABLE: Any = FileKey.__table__
_ENVELOPES = select(
    FileKey.key_reference,
    FileKey.version_id,
    FileKey.state,
    FileKey.wrapped_dek,
    FileKey.created_at,
    FileKey.expires_at,
).where(FileKey.mode == "envelope")
# A key that is not there or not one: the picture was lost before. A vault that is away is not.
_NO_KEY = (DecryptionFailed, KeyDamaged, KeyManagementError, KeyNotFound)


def states_of(connection: Connection, file_id: UUID) -> frozenset[tuple[bytes, str, str]]:
    """What of the rows of a picture's keys decides how its files are read."""
    wanted = select(FileKey.version_id, FileKey.state, FileKey.mode)
    rows = connection.execute(wanted.where(FileKey.file_id == file_id))
    return frozenset((row.version_id, row.state, row.mode) for row in rows)


def _is_gone(connection: Connection, image_id: UUID) -> bool:
    status = connection.scalar(select(Image.status).where(Image.id == image_id))
    return status is None or status == ImageStatus.DESTROYED.value


def _header(handle: BlobHandle) -> BlobHeader | None:
    try:
        return read_header(handle)
    except DecryptionFailed:
        return None


def _fits(
    files: Sequence[OpenFile],
    held: Sequence[HeldKey],
    states: frozenset[tuple[bytes, str, str]],
) -> bool:
    """Whether every blob names a key that the rows let read and that is there to read with."""
    usable = {bytes.fromhex(one.info.version) for one in held if one.key and one.info.enabled}
    readable = usable & {version for version, state, _ in states if state in READABLE}
    return all(
        one.header is not None and one.header.key_version_id in readable
        for one in files
        if not one.key.endswith(SIDECAR)
    )
