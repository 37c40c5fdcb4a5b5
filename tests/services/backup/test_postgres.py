"""The rows of a backup go into PostgreSQL and back into SQLite, as they are stored."""

from __future__ import annotations

from sqlalchemy import Engine

from app.db.migrate import upgrade
from app.db.portable import dump, load
from app.db.session import UnitOfWork, make_engine
from app.db.times import utc_now
from app.models import Base
from app.services.backup.create import LEFT_OUT
from app.services.backup.database import check_columns, kept_images, load_database, settle
from app.services.backup.opened import BackupKeys
from tests.fixtures.backups import BackupRoom
from tests.fixtures.place import make_place


def lines_of(engine: Engine) -> list[str]:
    with UnitOfWork(engine).read_rows() as connection:
        return sorted(map(repr, dump(connection, Base.metadata, LEFT_OUT)))


def test_from_sqlite_to_postgresql_and_back(backup_room: BackupRoom, postgres_url: str) -> None:
    make_place(backup_room.installation)
    backup_room.installation.key("owner")
    backup_room.upload(1)
    backup_room.create()
    opened = backup_room.house.recovery.open(str(backup_room.target))
    keys = BackupKeys(opened)
    postgres, sqlite = make_engine(postgres_url, None), make_engine("sqlite://", None)
    back = make_engine("sqlite://", None)
    try:
        for engine in (postgres, sqlite):
            assert load_database(engine, opened) == dict(opened.body.rows)
            check_columns(engine, keys)
        assert lines_of(postgres) == lines_of(sqlite)
        assert len(kept_images(postgres)) == 2
        upgrade(back)
        with UnitOfWork(postgres).read_rows() as rows, UnitOfWork(back).write() as session:
            load(session.connection(), dump(rows, Base.metadata, LEFT_OUT))
        assert lines_of(back) == lines_of(postgres)
        check = backup_room.house.masters[0].check.reveal()
        for engine in (postgres, sqlite):
            settled = settle(engine, opened, keys, check, utc_now(), keep_api_keys=False)
            assert settled.api_keys == 1
    finally:
        for engine in (postgres, sqlite, back):
            engine.dispose()
