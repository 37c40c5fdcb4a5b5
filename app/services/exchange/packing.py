"""An export as a ZIP file that is made while it is written: no part of it is ever whole.

Documents are deflated; pictures, which are packed already, are stored. Every file is noted
in ``manifest.json`` with its hash, which is the last file; crops are in a table of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from io import BufferedReader
from typing import TYPE_CHECKING, Final, Protocol
from zipfile import ZIP_DEFLATED, ZIP_STORED

from zipstream import ZipStream

from app.domain.access import Actor
from app.errors import DecryptionFailed, Gone, NotFound, Quarantined
from app.media.stripping import Policy, can_strip, strip
from app.services.exchange.archive_directory import clean_path
from app.services.exchange.archive_limits import USUAL
from app.services.exchange.manifest import MANIFEST, Manifest
from app.services.exchange.pictures_known import Known

if TYPE_CHECKING:
    from app.services.delivery import DeliveryService

BLOCK: Final = 1 << 20
UNAVAILABLE: Final = (Gone, NotFound, Quarantined)


class Target(Protocol):
    """Takes plaintext and keeps it sealed, or where the person wanted it."""

    def write(self, data: bytes, /) -> object: ...


class Packing:
    """Writes one archive, file after file."""

    def __init__(self, target: Target, manifest: Manifest) -> None:
        self._target = target
        self._manifest = manifest
        self._zip = ZipStream(compress_type=ZIP_STORED)

    def document(self, name: str, content: bytes) -> None:
        self._add(name, self._manifest.hashed(name, (content,)), ZIP_DEFLATED)

    def picture(self, name: str, blocks: Iterable[bytes]) -> None:
        self._add(name, self._manifest.hashed(name, blocks), ZIP_STORED)

    def table(self, name: str, blocks: Iterable[bytes]) -> None:
        self._add(name, self._manifest.hashed(name, blocks), ZIP_DEFLATED)

    def crop(self, name: str, content: bytes) -> bytes:
        """Its SHA-256, which the table of crops tells: there may be a million of them."""
        self._add(name, iter((content,)), ZIP_STORED)
        return hashlib.sha256(content).digest()

    def end(self, manifest: bytes) -> None:
        self._zip.add(manifest, MANIFEST, compress_type=ZIP_DEFLATED)
        self._write(self._zip.finalize())

    def _add(self, name: str, blocks: Iterator[bytes], method: int) -> None:
        safe = clean_path(name, name, USUAL)
        self._zip.add(blocks, safe, compress_type=method)
        self._write(self._zip.all_files())

    def _write(self, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            self._target.write(block)


class PictureBytes:
    """The bytes of pictures as an export gives them out."""

    def __init__(self, delivery: DeliveryService, actor: Actor, policy: Policy) -> None:
        self._delivery = delivery
        self._actor = actor
        self._policy = policy

    def blocks(self, picture: Known) -> Iterator[bytes] | None:
        """None for one that is not there any more, is damaged, or keeps metadata that it was
        to lose. The first block is read before anything is given; later damage raises
        ``Quarantined``.
        """
        try:
            parts = self._parts(picture)
            first = next(parts, b"")
        except (*UNAVAILABLE, _Unclean):
            return None
        return _after(first, parts)

    def _parts(self, picture: Known) -> Iterator[bytes]:
        ticket = self._delivery.original(self._actor, picture.id)
        with self._delivery.open(ticket) as blob:
            try:
                if self._policy is Policy.KEEP or not can_strip(picture.mime_type):
                    with BufferedReader(blob.reader.as_file()) as file:
                        while block := file.read(BLOCK):
                            yield block
                    return
                whole = blob.reader.read_all()
            except DecryptionFailed as damage:
                raise self._delivery.damaged(ticket, damage) from None
        left = strip(whole, picture.mime_type, self._policy)
        if not left.clean:
            raise _Unclean
        yield left.data


class _Unclean(Exception):
    """A file that cannot be understood, so that nobody knows what is in it."""


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
