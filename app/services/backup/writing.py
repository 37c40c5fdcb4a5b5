"""The catalogue and the vault's copy of a backup, as they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.crypto.backup_key import BackupKey
from app.crypto.envelope import wrap_key
from app.db.portable import kind_of
from app.models import FileKey
from app.services.backup.capture import Captured, HeldKey
from app.services.backup.catalogue import ExportedKey, Holding
from app.services.backup.manifest import Body, Part
from app.services.backup.objects import Objects
from app.services.backup.parts import PartWriter

States = frozenset[tuple[bytes, str, str]]


@dataclass(slots=True)
class Tally:
    """What was met on the way."""

    images: int = 0
    blobs: int = 0
    bytes: int = 0
    gone: list[UUID] = field(default_factory=list)
    damaged: int = 0
    missing: int = 0


class Writing:
    """The catalogue and the vault's copy, line by line, and what was counted on the way."""

    def __init__(
        self,
        catalogue: PartWriter,
        vault: PartWriter,
        objects: Objects,
        key: BackupKey,
        states: Mapping[UUID, States],
    ) -> None:
        self._catalogue = catalogue
        self._vault = vault
        self._objects = objects
        self._wrap = key.part("wrap")
        self._states = states
        self._tally = Tally()
        columns = [[one.name, kind_of(one)] for one in FileKey.__table__.columns]  # type: ignore[arg-type]
        catalogue.add({"columns": columns})

    def picture(self, image_id: UUID, found: Captured | None) -> None:
        """Write what there is of a picture; None: it was destroyed meanwhile."""
        if found is None:
            self._tally.gone.append(image_id)
            return
        self._tally.images += 1
        self._tally.missing += found.missing
        self._tally.damaged += not found.sound and not found.missing
        self.directory(found)

    def directory(self, found: Captured | None) -> None:
        """Write what there is of anything that has files and keys."""
        if found is None:
            return
        with found:
            stored = tuple(self._objects.keep(one) for one in found.files)
        changed = found.states != self._states.get(found.id, frozenset())
        rows = tuple(tuple(row) for row in found.rows) if changed else ()
        self._catalogue.add(Holding(found.id, stored, rows, found.sound).to_json())
        self.keys(found.keys)
        self._tally.blobs += len(stored)
        self._tally.bytes += sum(one.size for one in stored)

    def keys(self, held: Sequence[HeldKey]) -> None:
        """Write all versions of a reference, wrapped under the backup's own key."""
        for one in held:
            if one.key is not None:
                value = wrap_key(self._wrap, one.key)
                info = one.info
                exported = ExportedKey(
                    one.reference, info.version, value, info.enabled, info.current,
                    info.expires_on,
                )  # fmt: skip
                self._vault.add(exported.to_json())

    def body(
        self, parts: Mapping[str, Part], rows: Mapping[str, int], revision: str, at: datetime
    ) -> Body:
        tally = self._tally
        return Body(
            parts=parts,
            rows=rows,
            revision=revision,
            images=tally.images,
            blobs=tally.blobs,
            bytes=tally.bytes,
            keys=self._vault.lines,
            gone=tuple(tally.gone),
            damaged=tally.damaged,
            missing=tally.missing,
            finished_at=at.isoformat(),
        )
