"""Is what a backup says of a file true? Nothing decrypted reaches a disk."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from app.crypto.context import Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobReader, read_header
from app.errors import BlobNotFound, DarkroomError, DecryptionFailed
from app.services.backup.catalogue import Holding, StoredFile
from app.services.backup.opened import BackupKeys, OpenedBackup
from app.services.backup.parts import sha256_of
from app.storage import sidecar as sidecars
from app.storage.interface import BlobHandle
from app.storage.object_paths import DIRECTORY_RECORD, parse


def problem_of(
    opened: OpenedBackup, keys: BackupKeys, holding: Holding, file: StoredFile, *, whole: bool
) -> str | None:
    """What is wrong with a file, in a sentence; ``whole``: every byte is read for its hash."""
    try:
        _check(opened, keys, holding, file, whole=whole)
    except BlobNotFound:
        return "It is not in the backup."
    except DarkroomError as error:
        return error.message
    return None


def _check(
    opened: OpenedBackup, keys: BackupKeys, holding: Holding, file: StoredFile, *, whole: bool
) -> None:
    with opened.object(file.sha256) as handle:
        if handle.size != file.size:
            raise DecryptionFailed(operation="backup.file")
        if whole and not hmac.compare_digest(sha256_of(handle), file.sha256):
            raise DecryptionFailed(operation="backup.file")
        if not holding.sound:
            return
        if file.tag:
            _reader(keys, holding.id, file, handle)
        elif file.key.endswith(".meta"):
            _sidecar(holding.id, handle)


def _reader(
    keys: BackupKeys, file_id: UUID, file: StoredFile, handle: BlobHandle
) -> BlobReader:
    """The header's tag and the geometry are verified by making it."""
    header = read_header(handle)
    if header.header_tag.hex() != file.tag:
        raise DecryptionFailed(operation="backup.file")
    role, variant = _role(file.key)
    dek = _required(keys.find(file_id, header.key_version_id))
    return BlobReader(handle, header, dek, file_id=file_id, role=role, variant=variant)


def _required(key: SecretKey | None) -> SecretKey:
    if key is None:
        raise DecryptionFailed(operation="backup.key")
    return key


def _role(key: str) -> tuple[Role, int]:
    if key == DIRECTORY_RECORD:
        return Role.RECORD, 0
    named = parse(key)
    return named.role, named.variant


def _sidecar(file_id: UUID, handle: BlobHandle) -> sidecars.Sidecar:
    raw = bytearray(min(handle.size, sidecars.MAX_BYTES + 1))
    handle.pread_into(memoryview(raw), 0)
    sidecar = sidecars.parse(bytes(raw))
    if sidecar.file_id != file_id:
        raise DecryptionFailed(operation="backup.file")
    return sidecar


def original_of(holding: Holding) -> StoredFile | None:
    """The blob of the picture itself; None for the directory."""
    for one in holding.files:
        if one.key != DIRECTORY_RECORD and one.tag and _role(one.key)[0] is Role.ORIGINAL:
            return one
    return None


def open_fully(opened: OpenedBackup, keys: BackupKeys, holding: Holding) -> int:
    """Decrypt a picture to its last byte and compare the hash that was taken at its upload.

    Returns its bytes. DecryptionFailed, BlobNotFound, SidecarInvalid.
    """
    original = original_of(holding)
    if original is None:
        return 0
    digest, size = hashlib.sha256(), 0
    with opened.object(original.sha256) as handle:
        reader = _reader(keys, holding.id, original, handle)
        for chunk in reader.chunks():
            digest.update(chunk)
            size += len(chunk)
    beside = next((one for one in holding.files if one.key.endswith(".meta")), None)
    if beside is not None:
        with opened.object(beside.sha256) as handle:
            sidecar = _sidecar(holding.id, handle)
        dek = _required(keys.find(holding.id, reader.header.key_version_id))
        facts = sidecar.open_private(sidecar.entry_of(reader.header), dek, reader.header)
        if not hmac.compare_digest(facts.sha256, digest.hexdigest()):
            raise DecryptionFailed(operation="backup.file")
    return size
