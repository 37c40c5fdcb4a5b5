"""From settings to services: the only place that picks classes."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import cached_property

from sqlalchemy import Engine

from app.config import Settings
from app.crypto.aead import ColumnCipher
from app.crypto.chunking import ChunkPolicy
from app.crypto.kdf import MasterKey
from app.crypto.passwords import PasswordCost
from app.db.field_cipher import FieldCipher
from app.db.freshness import Freshness
from app.db.session import UnitOfWork, make_engine
from app.db.times import utc_now
from app.media.decoder_client import Decoder
from app.services.audit import AuditLog
from app.services.bundle import Services
from app.services.image_rows import ImageRows
from app.services.keys import FileKeyService, Keying, KeyVaulting, RootKeys
from app.services.measured_store import MeasuredStore
from app.services.measured_vault import MeasuredVault
from app.services.quarantine import Quarantine
from app.services.quota import Quota
from app.services.runs import Runs
from app.services.salvage import Salvage
from app.services.tags import Tags
from app.services.trash import Trash
from app.storage.encrypted_store import EncryptedStore
from app.storage.local_disk import LocalDisk
from app.vault.cache import KeyCache
from app.vault.local import LocalVault
from app.wiring_jobs import JobParts
from app.wiring_keys import build_file_keys, build_keying
from app.wiring_media import build_decoder
from app.wiring_services import build_services

CACHED_KEYS = 4096
PASSWORD_COST = PasswordCost()


class House:
    """One installation. Every part is made on first use; making it touches no disk."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.RLock()

    @property
    def services(self) -> Services:
        """The services, made once however many threads ask at the same time."""
        with self._lock:
            return self._services

    @cached_property
    def masters(self) -> tuple[MasterKey, ...]:
        """The current master key first, then those that are only read with."""
        keys = (self.settings.encryption_key, *self.settings.encryption_key_previous)
        return tuple(MasterKey(key) for key in keys)

    @cached_property
    def vault(self) -> LocalVault:
        grace = timedelta(hours=self.settings.key_grace_hours)
        return LocalVault(self.settings.vault_path, grace=grace, clock=utc_now)

    @cached_property
    def vaulting(self) -> KeyVaulting:
        return KeyVaulting(MeasuredVault(self.vault), self.masters)

    @cached_property
    def keying(self) -> Keying:
        return build_keying(self, self._key_cache())

    @cached_property
    def blobs(self) -> LocalDisk:
        return LocalDisk(self.settings.store_path)

    @cached_property
    def roots(self) -> RootKeys:
        """The root keys of an installation that exists: never made here."""
        return RootKeys.load_or_create(self.vaulting, allow_create=False)

    @cached_property
    def plain_engine(self) -> Engine:
        """For migrations and the start check: sees tokens, opens none."""
        return make_engine(self.settings.database_url, None)

    @cached_property
    def engine(self) -> Engine:
        columns = self.roots.all("columns")
        cipher = ColumnCipher(columns, self.roots.active("columns").version)
        return make_engine(self.settings.database_url, FieldCipher(cipher), make=False)

    @cached_property
    def uow(self) -> UnitOfWork:
        return UnitOfWork(self.engine)

    @cached_property
    def freshness(self) -> Freshness:
        with self._lock:
            return Freshness(self.engine)

    @cached_property
    def keys(self) -> FileKeyService:
        return self.file_keys(self._key_cache())

    def file_keys(self, cache: KeyCache) -> FileKeyService:
        """The keys of files, remembered in this cache."""
        return build_file_keys(self, cache)

    def _key_cache(self) -> KeyCache:
        return KeyCache(CACHED_KEYS, self.settings.vault_cache_minutes * 60)

    @cached_property
    def store(self) -> EncryptedStore:
        policy = ChunkPolicy(self.settings.chunk_size, self.settings.stream_chunk)
        return MeasuredStore(self.blobs, self.keys, policy)

    @cached_property
    def decoder(self) -> Decoder:
        return build_decoder(self.settings)

    @cached_property
    def salvage(self) -> Salvage:
        """Asks the vault alone: for a day on which there is no database."""
        return Salvage(self.vaulting, self.keying)

    @property
    def jobs(self) -> JobParts:
        """What queues and works jobs, made once like the services."""
        with self._lock:
            return self._jobs

    @cached_property
    def _jobs(self) -> JobParts:
        return JobParts(self)

    @cached_property
    def audit(self) -> AuditLog:
        return AuditLog(self.uow, self.roots)

    @cached_property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.uow, self.audit)

    @cached_property
    def runs(self) -> Runs:
        return Runs(self.uow)

    @cached_property
    def tags(self) -> Tags:
        return Tags(self.uow, self.audit)

    @cached_property
    def quota(self) -> Quota:
        return Quota(self.settings.quota_default or None)

    @cached_property
    def trash(self) -> Trash:
        return Trash(
            uow=self.uow,
            store=self.store,
            keys=self.keys,
            quota=self.quota,
            audit=self.audit,
            days=self.settings.trash_days,
        )

    @cached_property
    def image_rows(self) -> ImageRows:
        return ImageRows(
            roots=self.roots,
            keys=self.keys,
            quota=self.quota,
            tags=self.tags,
            audit=self.audit,
        )

    @property
    def password_cost(self) -> PasswordCost:
        """What hashing a password costs."""
        return PASSWORD_COST

    @cached_property
    def _services(self) -> Services:
        return build_services(self)

    def close(self) -> None:
        """Give back connections and decoder children; the house opens again on use."""
        if "_jobs" in self.__dict__:
            self._jobs.queue.close()
        if "freshness" in self.__dict__:
            self.freshness.close()
        for name in ("plain_engine", "engine"):
            engine = self.__dict__.get(name)
            if isinstance(engine, Engine):
                engine.dispose()
        if "decoder" in self.__dict__:
            self.decoder.close()
