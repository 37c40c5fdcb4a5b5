"""Backups in a bucket: S3 and whatever speaks as it does, by obstore.

obstore is imported on first use: only who names a bucket has it installed. Its store is made
anew in every process: one that was forked would wait for threads that it does not have.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from app.errors import (
    BlobExists,
    BlobNotFound,
    ConfigurationError,
    StoreError,
    StoreUnavailable,
)
from app.storage.interface import Temporary
from app.storage.object_names import check_key

if TYPE_CHECKING:
    from obstore.store import S3Store

MANY: Final = 1000
RETRIES: Final = 3
PATIENCE: Final = timedelta(seconds=30)
PART_BYTES: Final = 8 * 1024 * 1024
"""What is smaller goes in one request; larger ones in parts of this size."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where, and who we are there. ``endpoint`` empty: Amazon's own."""

    name: str
    prefix: str
    region: str
    endpoint: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    path_style: bool = True


class S3Archive:
    """An ``Archive`` in a bucket that exists. Nothing is asked before the first call."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._store: S3Store | None = None
        self._made_by = 0

    def open(self, key: str) -> S3Handle:
        """One request for the size; the bytes come as they are asked for."""
        path = self._path(key)
        with S3Errors("backup.open"):
            facts = _obstore().head(self._connected(), path)
        return S3Handle(self, path, int(facts["size"]), str(facts["e_tag"] or ""))

    def stage(self, key: str) -> S3Staged:
        return S3Staged(self, self._path(key))

    def put(self, key: str, data: bytes, *, replace: bool = False) -> None:
        with S3Errors("backup.put"):
            mode: Any = "overwrite" if replace else "create"
            _obstore().put(
                self._connected(), self._path(key), data, mode=mode, use_multipart=False
            )

    def read(self, key: str, limit: int) -> bytes:
        with self.open(key) as handle:
            if handle.size > limit:
                raise StoreError("This blob is larger than it may be.", operation="blob.read")
            data = bytearray(handle.size)
            return bytes(data[: handle.pread_into(memoryview(data), 0)])

    def delete(self, key: str) -> bool:
        with S3Errors("backup.delete"):
            _obstore().delete(self._connected(), self._path(key))
        return True

    def keys(self, prefix: str = "") -> Iterator[str]:
        """A bucket lists by whole folders, so the last name of a prefix is compared here."""
        folder = prefix.rpartition("/")[0]
        cut = len(self._bucket.prefix) + 1 if self._bucket.prefix else 0
        inside = "/".join(part for part in (self._bucket.prefix, folder) if part)
        with S3Errors("backup.list"):
            pages = _obstore().list(self._connected(), prefix=inside or None, chunk_size=MANY)
            for page in pages:
                for entry in page:
                    key = str(entry["path"])[cut:]
                    if key.startswith(prefix):
                        yield key

    def temporaries(self) -> Iterator[Temporary]:
        """An upload that was cut short is not listed; the bucket's own rules clear it away."""
        return iter(())

    def create(self) -> None:
        """The bucket is made by whoever pays for it."""

    def check(self) -> None:
        """Raise ``StoreUnavailable`` unless the bucket can be listed and written now."""
        self.put("check", b"darkroom", replace=True)
        self.delete("check")

    def ranged(self, path: str, start: int, length: int) -> memoryview:
        """Bytes of an object that exists."""
        with S3Errors("backup.read"):
            found = _obstore().get_range(self._connected(), path, start=start, length=length)
        return memoryview(found)

    def writer(self, path: str) -> Any:
        return _obstore().open_writer(self._connected(), path, buffer_size=PART_BYTES)

    def _path(self, key: str) -> str:
        check_key(key)
        return f"{self._bucket.prefix}/{key}" if self._bucket.prefix else key

    def _connected(self) -> S3Store:
        if self._store is None or self._made_by != os.getpid():
            self._store, self._made_by = _connect(self._bucket), os.getpid()
        return self._store


class S3Handle:
    """A ``BlobHandle`` by ranged requests. Objects of a backup are never changed."""

    def __init__(self, archive: S3Archive, path: str, size: int, e_tag: str) -> None:
        self._archive = archive
        self._path = path
        self.size = size
        self.identity: tuple[int, ...] = (hash((path, e_tag)), size)

    def pread_into(self, buffer: memoryview, offset: int, /) -> int:
        length = min(len(buffer), self.size - offset)
        if length <= 0:
            return 0
        found = self._archive.ranged(self._path, offset, length)
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        """Nothing is open between two requests."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class S3Staged:
    """A ``StagedFile``: an upload in parts, visible when it is completed, else never."""

    def __init__(self, archive: S3Archive, path: str) -> None:
        with S3Errors("backup.stage"):
            self._writer: Any = archive.writer(path)

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        with S3Errors("backup.write"):
            self._writer.write(bytes(data))
        return len(data)

    def commit(self, *, replace: bool = False) -> None:
        """Complete the upload; objects of a backup are named by their content or are new."""
        del replace
        with S3Errors("backup.commit"):
            self._writer.close()
        self._writer = None

    def abort(self) -> None:
        """Leave the upload incomplete: it shows nowhere."""
        self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()


class S3Errors:
    """Lets no error of the library out: its texts hold addresses and names of keys."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            return
        translated = _translated(error, self._operation)
        if translated is not None:
            raise translated from None


def _translated(error: BaseException, operation: str) -> StoreError | None:
    from obstore import exceptions as known

    if isinstance(error, FileNotFoundError | known.NotFoundError):
        return BlobNotFound("There is no such blob.", operation=operation)
    if isinstance(error, known.AlreadyExistsError):
        return BlobExists("A blob with this name exists.", operation=operation)
    if isinstance(error, known.UnauthenticatedError | known.PermissionDeniedError):
        return StoreUnavailable(
            "The bucket refuses these credentials: check S3_ACCESS_KEY_ID and"
            " S3_SECRET_ACCESS_KEY and what they may do.",
            operation=operation,
        )
    if isinstance(error, known.BaseError | OSError):
        return StoreUnavailable(
            "The bucket cannot be reached or does not exist: check S3_ENDPOINT, S3_REGION and"
            " its name.",
            operation=operation,
        )
    return None


def _obstore() -> Any:
    try:
        import obstore
    except ImportError:
        raise ConfigurationError(
            "Buckets need the package obstore: install requirements-scale.txt.",
            operation="backup.s3",
        ) from None
    return obstore


def _connect(bucket: Bucket) -> S3Store:
    _obstore()
    from obstore.store import S3Store

    more: dict[str, Any] = {"endpoint": bucket.endpoint} if bucket.endpoint else {}
    options: Any = {"allow_http": bucket.endpoint.startswith("http://")}
    return S3Store(
        bucket.name,
        region=bucket.region,
        access_key_id=bucket.access_key_id,
        secret_access_key=bucket.secret_access_key,
        virtual_hosted_style_request=not bucket.path_style,
        client_options=options | {"timeout": timedelta(minutes=5)},
        retry_config={"max_retries": RETRIES, "retry_timeout": PATIENCE},
        **more,
    )
