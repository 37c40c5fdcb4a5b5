"""Sealed files in a target, each once, under the hash of what is in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from app.errors import StoreError
from app.services.backup.capture import OpenFile
from app.services.backup.catalogue import StoredFile
from app.services.backup.manifest import OBJECTS, object_key
from app.services.backup.opened import OpenedBackup
from app.services.backup.parts import pieces, sha256_of
from app.storage.archive import Archive


@dataclass(slots=True)
class Copied:
    """What went over the wire, and what was there already; bytes as they lie."""

    files: int = 0
    bytes: int = 0
    reused: int = 0


class Objects:
    """Copies what the target does not have yet.

    A blob is never changed, only replaced by one with another header tag. So one with the
    tag and size of an earlier backup is that one, and is not even read; anything else is
    read, and copied if nothing with its hash is there.
    """

    def __init__(self, archive: Archive, earlier: OpenedBackup | None) -> None:
        self._archive = archive
        self._present = {key.rpartition("/")[2] for key in archive.keys(OBJECTS)}
        self._known: dict[tuple[str, int], str] = {}
        for holding in earlier.holdings() if earlier is not None else ():
            for one in holding.files:
                if one.tag:
                    self._known[one.tag, one.size] = one.sha256
        self.copied = Copied()

    def keep(self, file: OpenFile) -> StoredFile:
        """Have a file in the target; durable when it returns."""
        handle = file.handle
        tag = file.header.header_tag.hex() if file.header is not None else ""
        known = self._known.get((tag, handle.size)) if tag else None
        if known is not None and known in self._present:
            self.copied.reused += 1
            return StoredFile(file.key, known, handle.size, tag)
        sha256 = sha256_of(handle)
        if sha256 in self._present:
            self.copied.reused += 1
        else:
            self._copy(file, sha256)
        return StoredFile(file.key, sha256, handle.size, tag)

    def _copy(self, file: OpenFile, sha256: str) -> None:
        digest = hashlib.sha256()
        with self._archive.stage(object_key(sha256)) as staged:
            for piece in pieces(file.handle):
                digest.update(piece)
                staged.write(piece)
            if digest.hexdigest() != sha256:
                raise StoreError(
                    "A file of the store reads differently each time: is its disk failing?",
                    operation="backup.copy",
                )
            staged.commit(replace=True)
        self._present.add(sha256)
        self.copied.files += 1
        self.copied.bytes += file.handle.size
