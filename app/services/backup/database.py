"""The database of a backup, put into an empty one; and what must not come back with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from alembic.util import CommandError
from sqlalchemy import Engine, LargeBinary, delete, select, type_coerce, update
from sqlalchemy.orm import Session

from app.crypto.aead import ColumnCipher
from app.db.migrate import upgrade
from app.db.portable import load
from app.db.session import UnitOfWork
from app.domain.states import ImageStatus
from app.errors import ConfigurationError, DecryptionFailed
from app.models import ApiKey, FileKey, FormerMaster, Image, Installation, MaintenanceRun, User
from app.services.backup.opened import BackupKeys, OpenedBackup
from app.services.counters import count_image

LOOK_AT = 20


@dataclass(frozen=True, slots=True)
class Settled:
    """What was ended on purpose: API keys, and pictures that were destroyed meanwhile."""

    api_keys: int
    destroyed: int


def load_database(engine: Engine, opened: OpenedBackup) -> dict[str, int]:
    """Make the tables of the backup's release in an empty database and fill them.

    All or nothing. ConfigurationError for a backup of a later release; DecryptionFailed for
    rows that do not add up. The rest of the way to this release is `upgrade`'s.
    """
    try:
        upgrade(engine, opened.body.revision)
    except CommandError:
        raise ConfigurationError(
            "This backup was made by a later release of Darkroom: use that one.",
            operation="backup.database",
        ) from None
    with UnitOfWork(engine).write() as session:
        counts = load(session.connection(), opened.database())
        if counts != dict(opened.body.rows):
            raise DecryptionFailed(operation="backup.database")
    return counts


def settle(
    engine: Engine,
    opened: OpenedBackup,
    keys: BackupKeys,
    check: bytes,
    now: datetime,
    *,
    keep_api_keys: bool,
) -> Settled:
    """Make the rows fit this moment: all or nothing, on the tables of this release.

    ``check`` is the check value of the master key that is current now. Keys of files lie in
    the vault afterwards, also those that lay in envelopes.
    """
    columns = opened.key_columns()
    with UnitOfWork(engine).write() as session:
        session.execute(update(Installation).values(master_check=check))
        session.execute(update(Image).values(link_epoch=Image.link_epoch + 1))
        session.execute(delete(FormerMaster).where(FormerMaster.check_value == check))
        session.execute(update(FileKey).values(lease_until=None, lease_token=None))
        session.execute(
            update(MaintenanceRun)
            .where(MaintenanceRun.state == "running")
            .values(state="stopped", finished_at=now)
        )
        for holding in opened.holdings():
            if holding.rows:
                _replace_keys(session, columns, holding.id, holding.rows)
        _take_out_of_envelopes(session, keys)
        ended = 0 if keep_api_keys else _end_api_keys(session, now)
        destroyed = sum(_mark_destroyed(session, one, now) for one in opened.body.gone)
    return Settled(ended, destroyed)


def _replace_keys(
    session: Session, columns: Sequence[Any], file_id: UUID, rows: Sequence[Sequence[Any]]
) -> None:
    """A picture that was rotated after the database was copied, before its files were."""
    session.execute(delete(FileKey).where(FileKey.file_id == file_id))
    head = {"table": FileKey.__tablename__, "columns": columns}
    end = {"rows": {FileKey.__tablename__: len(rows)}}
    load(session.connection(), chain([head], rows, [end]))
    session.execute(
        update(FileKey)
        .where(FileKey.file_id == file_id)
        .values(lease_until=None, lease_token=None)
    )


def _take_out_of_envelopes(session: Session, keys: BackupKeys) -> None:
    """The key encryption keys of a provider's vault are in no backup."""
    wanted = select(FileKey.id, FileKey.file_id, FileKey.version_id)
    rows = session.execute(wanted.where(FileKey.mode == "envelope")).all()
    for row in rows:
        if keys.has(row.file_id, row.version_id):
            session.execute(
                update(FileKey)
                .where(FileKey.id == row.id)
                .values(mode="direct", wrapped_dek=None)
            )


def _end_api_keys(session: Session, now: datetime) -> int:
    ended = session.execute(
        update(ApiKey).where(ApiKey.revoked_at.is_(None)).values(revoked_at=now)
        .returning(ApiKey.id)
    ).all()  # fmt: skip
    return len(ended)


def _mark_destroyed(session: Session, image_id: UUID, now: datetime) -> bool:
    """As the destruction itself began; the next start finishes it."""
    row = session.execute(
        update(Image)
        .where(Image.id == image_id, Image.status != ImageStatus.DESTROYED.value)
        .values(status=ImageStatus.DESTROYED.value, updated_at=now)
        .returning(Image.collection_id, Image.sort_at, Image.trashed_at)
    ).first()
    if row is None:
        return False
    if row.trashed_at is None:
        count_image(session, row.collection_id, row.sort_at, -1)
    session.execute(
        update(FileKey).where(FileKey.file_id == image_id).values(state="destroyed")
    )
    return True


def check_columns(engine: Engine, keys: BackupKeys) -> None:
    """Whether the backup's own column keys open what the database holds; DecryptionFailed."""
    versions = keys.roots("columns")
    if not versions:
        raise DecryptionFailed(operation="backup.columns")
    cipher = ColumnCipher(versions, next(iter(versions)))
    raw = type_coerce(User.email, LargeBinary()).label("raw")
    with UnitOfWork(engine).read_rows() as connection:
        for token in connection.scalars(select(raw).limit(LOOK_AT)):
            cipher.open("users.email", token)


def kept_images(engine: Engine) -> set[UUID]:
    """The pictures that must have their files."""
    with UnitOfWork(engine).read_rows() as connection:
        wanted = select(Image.id).where(Image.status != ImageStatus.DESTROYED.value)
        return set(connection.scalars(wanted))
