"""Older versions of key encryption keys, destroyed when their time is over.

A version was replaced long enough ago that no upload can still hold it, and neither a row nor
a sidecar names it: those of pictures without a row count too, which a salvage may bring back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from app.errors import BlobNotFound, SidecarInvalid
from app.models import KekVersion
from app.services.keys.envelope_rows import EnvelopeRows, under_kek
from app.services.keys.keying import Keying
from app.services.keys.sidecar_keys import SidecarKeys

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.jobs.watch import Watch

UPLOAD_AT_MOST: Final = timedelta(hours=1)
Version = tuple[str, str]
"""The name of a KEK and the vault's name of a version of it."""


class KekRetirement:
    """Remembers what was replaced, and destroys it; each again is no error."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        keying: Keying,
        sidecars: SidecarKeys,
        clock: Callable[[], datetime],
        grace: timedelta,
    ) -> None:
        self._uow = uow
        self._rows = EnvelopeRows(uow)
        self._wrapper = keying.wrapper
        self._sidecars = sidecars
        self._clock = clock
        self._grace = max(grace, UPLOAD_AT_MOST)

    def note(self, kek: str, versions: Iterable[str]) -> None:
        """These were replaced, now or before; what is noted already keeps its time."""
        with self._uow.write() as session:
            for version in versions:
                if session.get(KekVersion, (kek, version)) is None:
                    superseded = self._clock()
                    session.add(KekVersion(kek=kek, version=version, superseded_at=superseded))

    def run(self, watch: Watch) -> int:
        """Destroy versions whose time is over and that nothing names; return how many.

        For a periodic job: reads the sidecars only when there is something to destroy, and
        what a sidecar names gets its grace period anew. Raises WorkStopped, and what vault,
        store and database raise.
        """
        due = self._due()
        named = self._named_by_sidecars(watch) if due else set[Version]()
        return sum(self._retire(kek, versions, named) for kek, versions in due.items())

    def _retire(self, kek: str, due: set[str], named: set[Version]) -> int:
        """From the oldest on, since some vaults can destroy no other."""
        newest, retired = self._wrapper.newest(kek), 0
        known = self._wrapper.versions(kek)
        self._note_retired(kek, due - set(known) - {newest})
        for version in known:
            if version == newest or version not in due or self._is_named(kek, version):
                break
            if (kek, version) in named:
                self._put_off(kek, version)
                break
            self._wrapper.retire(kek, version)
            self._note_retired(kek, {version})
            retired += 1
        return retired

    def _is_named(self, kek: str, version: str) -> bool:
        return self._rows.count(under_kek(kek, version)) > 0

    def _due(self) -> dict[str, set[str]]:
        """Versions whose time is over and that no row names, by KEK."""
        chosen = select(KekVersion.kek, KekVersion.version).where(
            KekVersion.retired_at.is_(None),
            KekVersion.superseded_at <= self._clock() - self._grace,
        )
        with self._uow.read_rows() as connection:
            found = connection.execute(chosen).all()
        due = defaultdict[str, set[str]](set)
        for kek, version in found:
            if not self._is_named(kek, version):
                due[kek].add(version)
        return due

    def _named_by_sidecars(self, watch: Watch) -> set[Version]:
        """A sidecar that cannot be read names nothing that could be opened."""
        named = set[Version]()
        for done, key in enumerate(self._sidecars.keys(), 1):
            try:
                named.update(self._sidecars.keks_at(key))
            except (BlobNotFound, SidecarInvalid):
                continue
            finally:
                watch.advance(done)
        return named

    def _put_off(self, kek: str, version: str) -> None:
        self._set(kek, {version}, superseded_at=self._clock())

    def _note_retired(self, kek: str, versions: set[str]) -> None:
        if versions:
            self._set(kek, versions, retired_at=self._clock())

    def _set(self, kek: str, versions: set[str], **values: datetime) -> None:
        with self._uow.write() as session:
            session.execute(
                update(KekVersion)
                .where(KekVersion.kek == kek, KekVersion.version.in_(versions))
                .values(**values)
                .execution_options(synchronize_session=False)
            )
