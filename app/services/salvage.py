"""``store salvage``: the chunks of a damaged file that still verify, and which bytes are lost.

It asks the vault and nothing else: no database, no row, no state. So it may open what was
rolled back, quarantined or put into the trash; whoever runs commands on the machine may.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from app.crypto.blob_header import (
    HEADER_BYTES,
    NONCE_PREFIX_BYTES,
    SALT_BYTES,
    BlobHeader,
)
from app.crypto.chunking import ChunkPolicy
from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.salvage import Piece, mended_header, salvaged
from app.crypto.stream import BlobWriter, PreadSource
from app.errors import (
    DecryptionFailed,
    EncryptionError,
    KeyManagementError,
    KeyNotFound,
    KeyVaultError,
    KeyVaultUnavailable,
    SidecarInvalid,
)
from app.services.keys import Envelope, Keying, KeyVaulting, file_reference
from app.storage.sidecar import Sidecar, SidecarEntry
from app.storage.sidecar import parse as parse_sidecar

if TYPE_CHECKING:
    from app.jobs.watch import Watch

HOLE = bytes(256 * 1024)
Range = tuple[int, int]


class Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


@dataclass(slots=True)
class SalvageReport:
    """``lost`` are ranges of plaintext bytes [start, stop); ``size`` is the whole of it.

    ``size_known`` is false where neither a sidecar nor a final chunk tells the end.
    """

    file_id: UUID
    role: str
    header_mended: bool
    size: int = 0
    good: int = 0
    size_known: bool = False
    lost: list[Range] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.lost and self.size_known

    def take(self, piece: Piece) -> None:
        self.size = piece.stop
        if piece.data is not None:
            self.good += len(piece.data)
        elif self.lost and self.lost[-1][1] == piece.start:
            self.lost[-1] = (self.lost[-1][0], piece.stop)
        else:
            self.lost.append((piece.start, piece.stop))


class Salvage:
    """Needs the vault and the master key."""

    def __init__(self, vaulting: KeyVaulting, keying: Keying) -> None:
        self._vaulting = vaulting
        self._keying = keying

    def run(
        self,
        watch: Watch,
        source: PreadSource,
        sidecar: bytes | None,
        out: Sink,
        *,
        sealed: bool,
    ) -> SalvageReport:
        """Write what opens to ``out``, with zeros in the place of what does not.

        ``sidecar`` are the bytes beside the blob, if there are any: they tell the size and
        help with a damaged header, and count for nothing where they do not fit. ``sealed``:
        a new blob under the file's own key instead of the plaintext. Raises
        EncryptionError where no key of the vault made this file, and what the vault raises.
        """
        claims = _entries(sidecar)
        raw = bytearray(HEADER_BYTES)
        count = source.pread_into(memoryview(raw), 0)
        header, key = self._header(bytes(raw[:count]), claims)
        size = _size(header, claims[1])
        report = SalvageReport(
            header.file_id, header.role.name.lower(), header.pack() != bytes(raw)
        )
        sink = _sealing(out, key, header, size) if sealed else out
        for done, piece in enumerate(salvaged(source, header, key, size)):
            report.take(piece)
            _put(sink, piece)
            watch.advance(done + 1)
        if isinstance(sink, BlobWriter):
            sink.finish()
        ends_well = not report.lost or report.lost[-1][1] != report.size
        report.size_known = size is not None or ends_well
        return report

    def _header(
        self, raw: bytes, claims: tuple[Sidecar | None, tuple[SidecarEntry, ...]]
    ) -> tuple[BlobHeader, SecretKey]:
        sidecar, entries = claims
        remembered: dict[tuple[UUID, bytes], SecretKey | None] = {}

        def key_of(header: BlobHeader) -> SecretKey | None:
            name = (header.file_id, header.key_version_id)
            if name not in remembered:
                remembered[name] = self._key(*name, entries)
            return remembered[name]

        claimed = tuple(
            _claimed(sidecar.file_id, entry) for entry in entries if sidecar is not None
        )
        try:
            return mended_header(raw, claimed, key_of)
        except DecryptionFailed:
            raise EncryptionError(
                "No key of this vault made this file, or nothing of its header is left.",
                operation="salvage.header",
            ) from None

    def _key(
        self, file_id: UUID, version: bytes, entries: tuple[SidecarEntry, ...]
    ) -> SecretKey | None:
        """From the vault, or out of the sidecar's envelope."""
        try:
            return self._vaulting.load(file_reference(file_id), version)
        except KeyVaultUnavailable:
            raise
        except (KeyVaultError, KeyManagementError, DecryptionFailed):
            wrapped = (e.wrapped_dek for e in entries if e.key_version == version)
            envelope = next(filter(None, wrapped), None)
        try:
            return self._keying.open(Envelope.from_sidecar(envelope)) if envelope else None
        except (KeyNotFound, DecryptionFailed):
            return None


def _entries(raw: bytes | None) -> tuple[Sidecar | None, tuple[SidecarEntry, ...]]:
    try:
        sidecar = parse_sidecar(raw) if raw is not None else None
    except SidecarInvalid:
        return None, ()
    return sidecar, sidecar.entries if sidecar is not None else ()


def _claimed(file_id: UUID, entry: SidecarEntry) -> BlobHeader:
    """What the header of the entry's blob was, but for salt and nonce prefix."""
    return BlobHeader(
        chunk_size=entry.chunk_size,
        file_id=file_id,
        role=Role.ORIGINAL,
        generation=entry.generation,
        key_version_id=entry.key_version,
        content_rev=entry.content_rev,
        variant=0,
        salt=bytes(SALT_BYTES),
        nonce_prefix=bytes(NONCE_PREFIX_BYTES),
        header_tag=entry.header_tag,
    )


def _size(header: BlobHeader, entries: tuple[SidecarEntry, ...]) -> int | None:
    """Bytes of plaintext, if the sidecar speaks of this very blob."""
    return next((e.plain_size for e in entries if e.header_tag == header.header_tag), None)


def _sealing(out: Sink, key: SecretKey, header: BlobHeader, size: int | None) -> BlobWriter:
    context = BlobContext(
        file_id=header.file_id,
        role=header.role,
        variant=header.variant,
        generation=header.generation,
        key_version_id=header.key_version_id,
        content_rev=header.content_rev,
    )
    policy = ChunkPolicy(header.chunk_size, header.chunk_size)
    return BlobWriter(_Whole(out.write), key, context, policy, size)


class _Whole:
    """A sink of sealed bytes that takes all of what it is given."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        self._write(bytes(data))
        return len(data)


def _put(sink: Sink, piece: Piece) -> None:
    if piece.data is not None:
        sink.write(piece.data)
        return
    left = piece.stop - piece.start
    while left > 0:
        sink.write(HOLE[:left])
        left -= len(HOLE)
