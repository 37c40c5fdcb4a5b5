"""Taking sources away: only what was proven, only as it was proven, each one on the record.

A file is unlinked, not overwritten: file systems that copy on write and the wear levelling
of flash keep old blocks whatever is written over a file, and a second name of the file (a
hard link, a snapshot, a backup) would keep it anyway. Sealed sources are gone for good when
their old key is destroyed; for plain ones only the disk's own encryption or its destruction
helps. docs/operations.md says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.domain.access import Actor
from app.errors import InvalidInput
from app.services.audit import Subject
from app.services.migration.folder_import import refused
from app.services.migration.opened import identity_of
from app.services.migration.outcome import Outcome
from app.services.migration.proof import Identities, Proven
from app.services.migration.sources import Source

if TYPE_CHECKING:
    from app.services.audit import AuditLog

ACTION: Final = "migration.remove_source"
CHANGED: Final = "It was changed after it was compared, so it stays."
STAYS: Final = "It is proven, but could not be removed."


class Removal:
    """Removes the files of proven sources."""

    def __init__(self, audit: AuditLog) -> None:
        self._audit = audit

    def remove(self, actor: Actor, proven: Proven, needed: frozenset[Path]) -> Outcome | None:
        """Remove a source and what stands beside it, but not what others still need.

        What stands beside goes first: a picture alone can be proven again. None when all is
        gone; else why it stays. The event is recorded before anything is removed.
        """
        going = [path for path in proven.source.beside if path not in needed]
        going.append(proven.source.path)
        try:
            _require_unchanged(going, proven.identities)
        except (InvalidInput, OSError) as failure:
            return refused(proven.source.name, failure, proven.outcome.image_id)
        self._note(actor, proven, "ok")
        try:
            for path in going:
                path.unlink()
                _settle(path.parent)
        except OSError:
            self._note(actor, proven, "failed")
            return refused(proven.source.name, InvalidInput(STAYS), proven.outcome.image_id)
        return None

    def _note(self, actor: Actor, proven: Proven, outcome: str) -> None:
        self._audit.record(
            ACTION,
            actor=actor,
            subject=Subject("image", str(proven.outcome.image_id)),
            outcome=outcome,
            details={"source": proven.source.name},
        )


def still_needed(unproven: Iterable[Source]) -> frozenset[Path]:
    """The files beside sources that were not proven: they stay."""
    return frozenset(path for source in unproven for path in source.beside)


def _require_unchanged(paths: Iterable[Path], identities: Identities) -> None:
    if any(identity_of(path) != identities[path] for path in paths):
        raise InvalidInput(CHANGED)


def _settle(folder: Path) -> None:
    """Let the removal survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
