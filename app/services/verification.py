"""Is everything sealed, and does it open? Reads all of it, changes nothing.

For each picture: the original chunk by chunk and its hash, the sidecar and its sealed facts,
the derivatives; for each sealed column: that what lies in the database is a token, and that
it opens for its row.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import LargeBinary, select, type_coerce

from app.crypto.context import Role
from app.db.base import Base
from app.db.encrypted_types import EncryptedType
from app.db.field_cipher import Sealed
from app.domain.access import ANONYMOUS
from app.errors import BlobNotFound, DarkroomError, DecryptionFailed
from app.models.image import NOT_DESTROYED, Image
from app.services.derivatives import THUMBNAIL_SIZES
from app.services.image_access import ImageAccess, image_by_id
from app.storage.encrypted_store import EncryptedStore, OpenBlob

if TYPE_CHECKING:
    from sqlalchemy import Column, Table

    from app.db.session import UnitOfWork

BATCH = 500
SAMPLE_BYTES = 48
DERIVATIVES = (*((Role.THUMBNAIL, size) for size in THUMBNAIL_SIZES), (Role.PREVIEW, 0))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``problem`` is None if it is in order."""

    subject: str
    part: str
    problem: str | None


@dataclass(frozen=True, slots=True)
class RawSample:
    """What lies on the disk: the first bytes of a blob or of a column's value, in hex."""

    what: str
    hex: str


class Verification:
    """Walks everything, a few hundred rows in memory."""

    def __init__(self, uow: UnitOfWork, store: EncryptedStore) -> None:
        self._uow = uow
        self._store = store

    def images(self) -> Iterator[Finding]:
        """Give one finding a part of every picture."""
        for image_id in self._image_ids():
            with self._uow.read() as session:
                image = image_by_id(session, ANONYMOUS, image_id)
            if image is not None:
                yield from self._image(image)

    def columns(self) -> Iterator[Finding]:
        """Give one finding a sealed column."""
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, EncryptedType):
                    yield self._column(table, column)

    def samples(self) -> Iterator[RawSample]:
        """Give the first bytes of a blob and of a few columns, as they lie on the disk."""
        for image_id in self._image_ids():
            with self._uow.read() as session:
                image = image_by_id(session, ANONYMOUS, image_id)
            if image is not None:
                with self._store.blobs.open(image.path.original) as handle:
                    raw = bytearray(min(SAMPLE_BYTES, handle.size))
                    handle.pread_into(memoryview(raw), 0)
                yield RawSample(image.path.original, raw.hex())
                break
        for name in ("users.email", "images.card", "annotations.label", "annotations.box"):
            table, _, column = name.partition(".")
            raw_value = self._raw(Base.metadata.tables[table].columns[column])
            if raw_value is not None:
                yield RawSample(name, raw_value[:SAMPLE_BYTES].hex())

    def _image(self, image: ImageAccess) -> Iterator[Finding]:
        subject = str(image.id)
        yield Finding(subject, "original", _problem_of(self._check_original, image))
        yield Finding(subject, "sidecar", _problem_of(self._check_sidecar, image))
        for role, variant in DERIVATIVES:
            part = f"{role.name.lower()} {variant or ''}".strip()
            yield Finding(
                subject, part, _problem_of(self._check_derivative, image, role, variant)
            )

    def _check_original(self, image: ImageAccess) -> None:
        """Every chunk, the size, and the hash that was taken at the upload."""
        digest, size = hashlib.sha256(), 0
        with self._open(image, Role.ORIGINAL, 0) as blob:
            for chunk in blob.reader.chunks():
                digest.update(chunk)
                size += len(chunk)
        with self._uow.read() as session:
            meta = session.execute(select(Image.meta).where(Image.id == image.id)).scalar_one()
        known = meta.of(image.id).get("sha256", "") if meta is not None else ""
        if size != image.size or not hmac.compare_digest(digest.hexdigest(), known):
            raise DecryptionFailed(operation="verify.original")

    def _check_sidecar(self, image: ImageAccess) -> None:
        sidecar = self._store.read_sidecar(image.path)
        with self._open(image, Role.ORIGINAL, 0) as blob:
            header = blob.reader.header
        key = self._store.key_of(header)
        sidecar.open_private(sidecar.entry_of(header), key, header)

    def _check_derivative(self, image: ImageAccess, role: Role, variant: int) -> None:
        """A missing one is in order: it is made again when it is asked for."""
        try:
            with self._open(image, role, variant) as blob:
                blob.reader.verify()
        except BlobNotFound:
            return

    def _open(self, image: ImageAccess, role: Role, variant: int) -> OpenBlob:
        key = image.path.key(role, variant)
        return self._store.open(key, image.id, role, variant, image.floor)

    def _image_ids(self) -> Iterator[UUID]:
        after = UUID(int=0)
        while True:
            wanted = select(Image.id).where(NOT_DESTROYED, Image.id > after)
            with self._uow.read_rows() as connection:
                ids = connection.scalars(wanted.order_by(Image.id).limit(BATCH)).all()
            yield from ids
            if len(ids) < BATCH:
                return
            after = ids[-1]

    def _column(self, table: Table, column: Column[Any]) -> Finding:
        name, bad = f"{table.name}.{column.name}", 0
        ids = [table.columns["id"]] if "id" in table.columns else []
        wanted = select(*ids, column)
        try:
            with self._uow.read_rows() as connection:
                for row in connection.execute(wanted.where(column.is_not(None))):
                    bad += not _opens(row, column.name)
        except DecryptionFailed:
            bad += 1
        return Finding(name, "column", f"{bad} values do not open" if bad else None)

    def _raw(self, column: Column[Any]) -> bytes | None:
        """The value as the database has it, past the type that would open it."""
        raw = type_coerce(column, LargeBinary()).label("raw")
        with self._uow.read_rows() as connection:
            return connection.execute(select(raw).where(column.is_not(None)).limit(1)).scalar()


def _problem_of(check: Callable[..., None], *arguments: object) -> str | None:
    try:
        check(*arguments)
    except DarkroomError as error:
        return error.message
    return None


def _opens(row: Any, column: str) -> bool:
    value = getattr(row, column)
    if not isinstance(value, Sealed):
        return True  # opened when it was fetched
    try:
        value.of(row.id)
    except DecryptionFailed:
        return False
    return True
