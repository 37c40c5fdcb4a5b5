"""Walks everything: each picture with all its parts, each sealed column, the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from app.services.verification.columns import ColumnCheck
from app.services.verification.findings import Damage, Finding
from app.services.verification.images import ImageCheck
from app.services.verification.installation_parts import InstallationParts
from app.services.verification.rows import ExpectedImages

if TYPE_CHECKING:
    from app.storage.interface import BlobStore

SAMPLE_BYTES = 48


@dataclass(frozen=True, slots=True)
class RawSample:
    """What lies on the disk: the first bytes of a blob or of a column's value, in hex."""

    what: str
    hex: str


class Verification:
    """Reads all of it, changes nothing; a few hundred rows in memory."""

    def __init__(
        self,
        *,
        rows: ExpectedImages,
        check: ImageCheck,
        columns: ColumnCheck,
        parts: InstallationParts,
        blobs: BlobStore,
    ) -> None:
        self.rows = rows
        self.check = check
        self._columns = columns
        self._parts = parts
        self._blobs = blobs

    def images(self) -> Iterator[Finding]:
        """Give one finding a part of every picture."""
        for image_id in self.rows.ids():
            yield from self.check.look(image_id, full=True)

    def image(self, image_id: UUID, *, full: bool) -> tuple[Finding, ...]:
        """As ``images``, of one; and whether it is set aside although all is in order."""
        found = self.check.look(image_id, full=full)
        if found and not any(finding.damage for finding in found):
            expected = self.rows.get(image_id)
            if expected is not None and expected.is_quarantined:
                return (*found, Finding(str(image_id), "status", Damage.QUARANTINED))
        return found

    def columns(self) -> Iterator[Finding]:
        """Give one finding a sealed column."""
        return self._columns.findings()

    def rest(self, *, full: bool) -> Iterator[Finding]:
        """Marker, counters and leftovers; with ``full`` the columns and the audit log."""
        yield self._parts.marker()
        yield from self._parts.counters()
        yield from self._parts.leftovers()
        if full:
            yield from self.columns()
            yield self._parts.audit()

    def samples(self) -> Iterator[RawSample]:
        """Give the first bytes of a blob and of a few columns, as they lie on the disk."""
        for image_id in self.rows.ids():
            expected = self.rows.get(image_id)
            if expected is not None:
                key = expected.image.path.original
                with self._blobs.open(key) as handle:
                    raw = bytearray(min(SAMPLE_BYTES, handle.size))
                    handle.pread_into(memoryview(raw), 0)
                yield RawSample(key, raw.hex())
                break
        for name in ("users.email", "images.card", "annotations.label", "annotations.box"):
            raw_value = self._columns.raw(name)
            if raw_value is not None:
                yield RawSample(name, raw_value[:SAMPLE_BYTES].hex())
