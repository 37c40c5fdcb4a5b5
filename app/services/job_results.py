"""What jobs made: sealed files (role 07) that live as long as the row of their job.

The file's key lies in the row, wrapped under the root key ``transient``: with the row goes
the key, and what may be left in the store is unreadable. No vault is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol
from uuid import UUID

from sqlalchemy import select, update

from app.crypto.chunking import ChunkPolicy
from app.crypto.context import KEY_VERSION_BYTES, BlobContext, Role
from app.crypto.envelope import unwrap_key, wrap_key
from app.crypto.keys import SecretKey, generate_key
from app.crypto.stream import BlobWriter
from app.errors import BlobNotFound, DecryptionFailed, Gone, JobLeaseLost, NotFound, StoreError
from app.models import Job
from app.storage.object_paths import result_key
from app.storage.opening import Floor, OpenBlob, open_verified

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.domain.access import Actor
    from app.jobs.registry import JobRun
    from app.services.keys import RootKeys
    from app.storage.interface import BlobStore

FILE: Final = "file"
"""Where a handler that sealed a file tells its name and type: ``{FILE: told_file(…)}``."""
ROOT: Final = "transient"
BLOCK: Final = 1 << 20
_NO_KEY_VERSION = bytes(KEY_VERSION_BYTES)
_FLOOR = Floor(1, 0, frozenset({_NO_KEY_VERSION}))


class Sink(Protocol):
    """Takes plaintext; all of it before it returns."""

    def write(self, data: bytes, /) -> int: ...


@dataclass(frozen=True, slots=True)
class ResultFile:
    """An opened result: ``blob`` is the caller's to close."""

    name: str
    mime_type: str
    blob: OpenBlob


def told_file(name: str, mime_type: str) -> Mapping[str, str]:
    """The name under which a result is saved, and its type, as a job's result tells them."""
    return {"name": name, "type": mime_type}


class JobResults:
    """Seals and opens the files of jobs."""

    def __init__(
        self, uow: UnitOfWork, blobs: BlobStore, roots: RootKeys, policy: ChunkPolicy
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._roots = roots
        self._policy = policy

    @contextmanager
    def sealing(self, run: JobRun) -> Iterator[Sink]:
        """Write the result of this job; it is there when the block ends well, else not.

        A job that is run again writes it anew. The handler returns ``FILE`` with its name.
        Raises ``StoreFull``, ``StoreUnavailable``, and ``JobLeaseLost`` where another worker
        has the job by now.
        """
        key, dek = result_key(run.id), generate_key()
        context = BlobContext(
            file_id=run.id, role=Role.JOB_RESULT, key_version_id=_NO_KEY_VERSION
        )
        with self._blobs.stage(key) as staged:
            writer = BlobWriter(staged, dek, context, self._policy)
            yield writer
            size = writer.finish().plain_size
            with self._blobs.lock(key):
                run.hold()  # for the length of a lease nobody else writes this key
                staged.commit(replace=True)
                self._keep(run.id, self._wrapped(dek), size)

    def _keep(self, job_id: UUID, wrapped: bytes, size: int) -> None:
        if not self._wrote(job_id, "running", wrapped, size):  # its account was removed
            self.discard(job_id)
            raise JobLeaseLost("The job is gone.", operation="job.result")

    def _wrote(self, job_id: UUID, state: str, wrapped: bytes, size: int) -> bool:
        with self._uow.write() as session:
            kept = session.scalar(
                update(Job)
                .where(Job.id == job_id, Job.state == state)
                .values(wrapped_dek=wrapped, result_size=size)
                .returning(Job.id)
                .execution_options(synchronize_session=False)
            )
        return kept is not None

    def attach(self, job_id: UUID, source: BinaryIO) -> None:
        """Seal what a waiting job is to work on, from the position of ``source``; it goes
        with the job, and is no result that anybody is given.

        ``NotFound`` where the job does not wait any more; ``StoreFull``, ``StoreUnavailable``.
        """
        key, dek = result_key(job_id), generate_key()
        context = BlobContext(
            file_id=job_id, role=Role.JOB_RESULT, key_version_id=_NO_KEY_VERSION
        )
        with self._blobs.stage(key) as staged:
            writer = BlobWriter(staged, dek, context, self._policy)
            while block := source.read(BLOCK):
                writer.write(block)
            size = writer.finish().plain_size
            with self._blobs.lock(key):
                staged.commit(replace=True)
                if not self._wrote(job_id, "waiting", self._wrapped(dek), size):
                    self.discard(job_id)
                    raise _none()

    def attached(self, job_id: UUID) -> OpenBlob:
        """Open what was attached to a job; ``Gone`` where there is nothing any more."""
        with self._uow.read_rows() as rows:
            wrapped = rows.scalar(select(Job.wrapped_dek).where(Job.id == job_id))
        if wrapped is None:
            raise Gone("What this job was to work on is gone.", operation="job.attached")
        try:
            return self._opened_blob(job_id, wrapped)
        except BlobNotFound:
            raise Gone(
                "What this job was to work on is gone.", operation="job.attached"
            ) from None

    def open(self, actor: Actor, job_id: UUID) -> ResultFile:
        """Open the file of a finished job of the actor's own; NotFound where there is none."""
        chosen = select(Job.id, Job.result, Job.wrapped_dek).where(
            Job.id == job_id,
            Job.owner_id == actor.user_id,
            Job.state == "done",
            Job.wrapped_dek.is_not(None),
        )
        with self._uow.read_rows() as rows:
            row = rows.execute(chosen).first()
        told = row.result.of(row.id).get(FILE) if row and row.result is not None else None
        if row is None or not told:
            raise _none()
        return self._opened(job_id, row.wrapped_dek, told)

    def _opened(self, job_id: UUID, wrapped: bytes, told: Mapping[str, Any]) -> ResultFile:
        try:
            blob = self._opened_blob(job_id, wrapped)
        except BlobNotFound:
            raise _none() from None
        return ResultFile(told["name"], told["type"], blob)

    def _opened_blob(self, job_id: UUID, wrapped: bytes) -> OpenBlob:
        keys = _OneKey(self._unwrapped(wrapped))
        handle = self._blobs.open(result_key(job_id))
        try:
            return open_verified(handle, keys, job_id, Role.JOB_RESULT, 0, _FLOOR)
        except BaseException:
            handle.close()
            raise

    def discard(self, job_id: UUID) -> None:
        """Remove the file after the row; what cannot be removed now is swept later."""
        with suppress(StoreError):
            self._blobs.delete(result_key(job_id))

    def _wrapped(self, dek: SecretKey) -> bytes:
        root = self._roots.active(ROOT)
        return root.version + wrap_key(root.key, dek)

    def _unwrapped(self, kept: bytes) -> SecretKey:
        version = kept[:KEY_VERSION_BYTES]
        root = self._roots.find(ROOT, version[:4])
        if root is None or root.version != version:
            raise DecryptionFailed(operation="job.result")
        return unwrap_key(root.key, kept[KEY_VERSION_BYTES:])


class _OneKey:
    """The KeySource of one blob."""

    def __init__(self, dek: SecretKey) -> None:
        self._dek = dek

    def key(self, file_id: UUID, version: bytes, /) -> SecretKey:
        del file_id, version
        return self._dek


def _none() -> NotFound:
    return NotFound("This job has no file to give.", operation="job.result")
