"""The first start and every other one: do database, store, vault and key belong together?

Nothing is written before the question is answered. A first start that was cut short is
finished by the next: tables, root keys, marker, row, each only if it is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, LargeBinary, inspect, select, type_coerce

from app.crypto.aead import ColumnCipher
from app.db.session import UnitOfWork
from app.errors import ConfigurationError, DecryptionFailed, KeyManagementError, KeyNotFound
from app.models import FormerMaster, Installation, User
from app.services.keys import ROOT_NAMES, KeyVaulting, RootKeys
from app.storage.marker import StoreMarker, read_marker, verify_marker, write_marker

if TYPE_CHECKING:
    from app.crypto.kdf import MasterKey
    from app.storage.local_disk import LocalDisk
    from app.vault.interface import VersionInfo


LOOK_AT = 20


@dataclass(frozen=True, slots=True)
class Places:
    """What is there at all; a missing place is not touched by the first look."""

    database: bool
    store: bool
    vault: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What there is before this start: the database's row, the marker, pictures, people."""

    row_store_id: UUID | None
    row_check: bytes | None
    former_checks: frozenset[bytes]
    marker: StoreMarker | None
    has_pictures: bool
    has_people: bool

    @property
    def is_used(self) -> bool:
        """Whether this installation was completed by an earlier start."""
        return self.row_store_id is not None


class Starter:
    """Brings an installation up, or says in one sentence why it must not start."""

    def __init__(
        self,
        *,
        places: Places,
        engine: Engine,
        blobs: LocalDisk,
        vaulting: KeyVaulting,
        masters: Sequence[MasterKey],
        migrate: Callable[[Engine], None],
    ) -> None:
        self._places = places
        self._engine = engine
        self._blobs = blobs
        self._vaulting = vaulting
        self._masters = masters
        self._migrate = migrate

    def start(self) -> bool:
        """Check, and complete what a first start makes; tell whether this was one.

        Raises ConfigurationError, EncryptionError, KeyVaultError, KeyManagementError or
        StoreUnavailable, each before anything was written.
        """
        evidence = self._look()
        self._judge(evidence)
        if evidence.is_used:
            roots = RootKeys.load_or_create(self._vaulting, allow_create=False)
            self._check_columns_key(roots)
            self._migrate(self._engine)
            return False
        self._check_vault()
        self._migrate(self._engine)
        RootKeys.load_or_create(self._vaulting, allow_create=True)
        self._complete(evidence.marker)
        return True

    def _look(self) -> Evidence:
        store_id, check, former, people = self._look_into_database()
        in_store = self._places.store
        pictures = self._blobs.keys("dam/") if in_store else iter(())
        return Evidence(
            row_store_id=store_id,
            row_check=check,
            former_checks=former,
            marker=read_marker(self._blobs) if in_store else None,
            has_pictures=next(pictures, None) is not None,
            has_people=people,
        )

    def _look_into_database(self) -> tuple[UUID | None, bytes | None, frozenset[bytes], bool]:
        nothing = None, None, frozenset[bytes](), False
        if not self._places.database:
            return nothing
        with UnitOfWork(self._engine).read_rows() as connection:
            if not inspect(connection).has_table(Installation.__tablename__):
                return nothing
            row = connection.execute(
                select(Installation.store_id, Installation.master_check)
            ).first()
            people = connection.execute(select(User.id).limit(1)).first() is not None
            former = _former_checks(connection)
        if row is None:
            return None, None, former, people
        return row.store_id, row.master_check, former, people

    def _judge(self, evidence: Evidence) -> None:
        checks = [master.check.reveal() for master in self._masters]
        if evidence.row_check is not None and evidence.row_check not in checks:
            raise ConfigurationError(
                "ENCRYPTION_KEY is not the key that this installation was made with: set that"
                " one, or name it in ENCRYPTION_KEY_PREVIOUS.",
                operation="start.key",
            )
        if checks[0] in evidence.former_checks:
            raise ConfigurationError(
                "ENCRYPTION_KEY is a master key that keys rewrap replaced: set the present one"
                " and name this one in ENCRYPTION_KEY_PREVIOUS until keys rewrap is done.",
                operation="start.key",
            )
        if evidence.is_used or evidence.marker is not None:
            verify_marker(evidence.marker, checks, evidence.row_store_id)
        if not evidence.is_used and (evidence.has_pictures or evidence.has_people):
            raise ConfigurationError(
                "The database is empty, but the store is in use: restore the database from a"
                " backup, or make it anew with flask --app wsgi store rebuild-db.",
                operation="start.database",
            )

    def _check_columns_key(self, roots: RootKeys) -> None:
        """A vault of another installation under the same master key opens no column here."""
        raw = type_coerce(User.email, LargeBinary()).label("raw")
        with UnitOfWork(self._engine).read_rows() as connection:
            tokens = connection.scalars(select(raw).limit(LOOK_AT)).all()
        cipher = ColumnCipher(roots.all("columns"), roots.active("columns").version)
        if tokens and not any(_is_sealed_by(cipher, token) for token in tokens):
            raise KeyManagementError(
                "The vault belongs to another installation than the database: mount the right"
                " one or restore it from a backup.",
                operation="start.vault",
            )

    def _check_vault(self) -> None:
        """A vault that another master key filled is refused before the first write."""
        if not self._places.vault:
            return
        for name in ROOT_NAMES:
            infos: tuple[VersionInfo, ...] = ()
            with suppress(KeyNotFound):
                infos = self._vaulting.vault.versions(f"root-{name}")
            for info in infos:
                self._vaulting.load(f"root-{name}", bytes.fromhex(info.version))

    def _complete(self, marker: StoreMarker | None) -> None:
        check = self._masters[0].check.reveal()
        if marker is None:
            marker = StoreMarker(uuid4(), check)
            self._blobs.create()
            write_marker(self._blobs, marker)
        with UnitOfWork(self._engine).write() as session:
            session.add(Installation(store_id=marker.store_id, master_check=check))


def _former_checks(connection: Connection) -> frozenset[bytes]:
    """None in a database of a release that knew of no such thing."""
    if not inspect(connection).has_table(FormerMaster.__tablename__):
        return frozenset()
    return frozenset(connection.scalars(select(FormerMaster.check_value)))


def _is_sealed_by(cipher: ColumnCipher, token: bytes) -> bool:
    try:
        cipher.open("users.email", token)
    except DecryptionFailed:
        return False
    return True
