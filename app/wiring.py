"""From settings to services: the only place that picks classes."""

from __future__ import annotations

import threading
from functools import cached_property

from sqlalchemy import Engine

from app.config import Settings
from app.crypto.chunking import ChunkPolicy
from app.crypto.passwords import PasswordCost
from app.db.freshness import Freshness
from app.errors import DarkroomError
from app.media.decoder_client import Decoder
from app.services.annotation_writing import AnnotationWriting
from app.services.audit import AuditLog
from app.services.backup import Recovery
from app.services.bundle import Services
from app.services.image_rows import ImageRows
from app.services.keys import FileKeyService, Keying
from app.services.label_counts import LabelCounts
from app.services.label_index import LabelIndex
from app.services.measured_store import MeasuredStore
from app.services.quarantine import Quarantine
from app.services.quota import Quota
from app.services.runs import Runs
from app.services.salvage import Salvage
from app.services.tags import Tags
from app.services.trash import Trash
from app.storage.encrypted_store import EncryptedStore
from app.storage.local_disk import LocalDisk
from app.vault.cache import KeyCache
from app.wiring_backup import build_recovery
from app.wiring_jobs import JobParts
from app.wiring_key_rooms import KeyRooms
from app.wiring_keys import build_file_keys, build_keying
from app.wiring_media import build_decoder
from app.wiring_services import build_services
from app.wiring_verification import shred_terms
from app.wiring_work import task_rows

CACHED_KEYS = 4096
PASSWORD_COST = PasswordCost()


class House(KeyRooms):
    """One installation. Every part is made on first use; making it touches no disk."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._lock = threading.RLock()
        self.unready: DarkroomError | None = None
        """Why nothing works yet: the start is not complete; see `app.late_start`."""

    @property
    def services(self) -> Services:
        """The services, made once however many threads ask at the same time."""
        self._require_start()
        with self._lock:
            return self._services

    def _require_start(self) -> None:
        if self.unready is not None:
            raise self.unready.with_traceback(None)

    @cached_property
    def recovery(self) -> Recovery:
        """Asks neither database nor vault: for a machine that has nothing but a backup."""
        return build_recovery(self)

    @cached_property
    def keying(self) -> Keying:
        return build_keying(self, self._key_cache())

    @cached_property
    def blobs(self) -> LocalDisk:
        return LocalDisk(self.settings.store_path)

    @cached_property
    def freshness(self) -> Freshness:
        self._require_start()
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
    def writing(self) -> AnnotationWriting:
        """The one way by which annotations are written."""
        counts = LabelCounts(LabelIndex(self.roots))
        return AnnotationWriting(self.audit, counts, tasks=task_rows(self.settings))

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
            terms=shred_terms(self.settings),
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
        if "vault_parts" in self.__dict__:
            self.vault_parts.close()
