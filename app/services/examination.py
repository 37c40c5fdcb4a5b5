"""Looking at an offered file before anything is stored: size, type, twins, room, pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from typing import BinaryIO, Protocol
from uuid import UUID

from app.db.session import UnitOfWork
from app.errors import FileTooLarge, InvalidInput, UnsupportedType
from app.media.formats import CLIPS_REFUSED, FORMATS, FileType
from app.media.probe import HEAD_BYTES, probe
from app.media.rendered import Rendered
from app.services.collection_access import CollectionAccess
from app.services.image_rows import ImageRows
from app.storage.spool import SealedSpool

BLOCK = 1 << 20
ACCEPTED_TYPES = tuple(
    row.file_type.mime_type for row in FORMATS if row.file_type.kind == "image"
)
Source = SealedSpool | BufferedReader | BytesIO


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that somebody offers; ``source`` is rewound before each reading.

    ``overflowed``: it was larger than the limit, and the rest was not kept.
    """

    filename: str
    source: Source
    size: int
    overflowed: bool = False


@dataclass(frozen=True, slots=True)
class Digests:
    """Of the plaintext."""

    sha256: bytes
    md5: bytes


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that can be stored."""

    digests: Digests
    rendered: Rendered


class Renderer(Protocol):
    """The decoder: plaintext in, metadata and derivatives out."""

    def render(
        self, source: BinaryIO, size: int, file_type: FileType, sizes: Sequence[int] = ...
    ) -> Rendered: ...


class Examination:
    """Raises a RefusedError that names the reason; usable by several threads."""

    def __init__(
        self, uow: UnitOfWork, rows: ImageRows, decoder: Renderer, max_size: int
    ) -> None:
        self._uow = uow
        self._rows = rows
        self._decoder = decoder
        self._max_size = max_size

    def examine(
        self, target: CollectionAccess, uploader: UUID, offer: Offer
    ) -> Examined | UUID:
        """Return what is needed to store the file, or the id of the picture that it is."""
        self._check_size(offer)
        file_type = _type_of(offer)
        digests = digest(offer.source)
        with self._uow.read() as session:
            known = self._rows.duplicate(session, target.id, digests.sha256)
            if known is not None:
                return known
            self._rows.require_room(session, uploader, offer.size)
        offer.source.seek(0)
        return Examined(digests, self._decoder.render(offer.source, offer.size, file_type))

    def _check_size(self, offer: Offer) -> None:
        if offer.overflowed or offer.size > self._max_size:
            raise FileTooLarge(
                f"The file is larger than {self._max_size >> 20} MiB, the limit for one file.",
                operation="ingest.size",
            )
        if offer.size == 0:
            raise InvalidInput("The file is empty.", operation="ingest.size")


def _type_of(offer: Offer) -> FileType:
    offer.source.seek(0)
    file_type = probe(offer.source.read(HEAD_BYTES), offer.size)
    if file_type.kind != "image":
        raise UnsupportedType(CLIPS_REFUSED, operation="ingest.kind")
    return file_type


def digest(source: BinaryIO | Source) -> Digests:
    """Hash the plaintext in one pass; MD5 is told to clients and protects nothing."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    source.seek(0)
    while block := source.read(BLOCK):
        sha256.update(block)
        md5.update(block)
    return Digests(sha256.digest(), md5.digest())
