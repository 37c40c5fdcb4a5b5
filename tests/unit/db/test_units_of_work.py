"""Read and write transactions: no update lost, no reader waits, errors of the tree."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.db.engine import ACCESS
from app.db.field_cipher import FieldCipher
from app.db.session import UnitOfWork, make_engine
from app.db.times import utc_now
from app.errors import (
    Conflict,
    DarkroomError,
    DatabaseUnavailable,
    InvalidInput,
    QuotaExceeded,
    StoreFull,
)
from app.models import Base, Image, Tag, User
from tests.unit.db.conftest import new_collection, new_image, new_user, stored_image

THREADS = 8
ROUNDS = 25


def test_eight_threads_lose_no_update(any_work: UnitOfWork) -> None:
    user = new_user()
    with any_work.write() as session:
        session.add(user)
    # Each thread with a unit of its own: as separate processes, they meet in the database.
    units = [UnitOfWork(any_work.engine) for _ in range(THREADS)]

    def add_up(work: UnitOfWork) -> None:
        for _ in range(ROUNDS):
            with work.write() as session:
                found = session.get_one(User, user.id)
                found.quota_used = found.quota_used + 1

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(add_up, units))
    with any_work.read() as session:
        assert session.get_one(User, user.id).quota_used == THREADS * ROUNDS


def test_threads_that_share_a_unit_lose_no_update(work: UnitOfWork) -> None:
    user = new_user()
    with work.write() as session:
        session.add(user)

    def add_up(_: int) -> None:
        with work.write() as session:
            found = session.get_one(User, user.id)
            found.quota_used = found.quota_used + 1

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(add_up, range(THREADS * ROUNDS)))
    with work.read() as session:
        assert session.get_one(User, user.id).quota_used == THREADS * ROUNDS


def test_readers_do_not_wait_behind_a_writer(any_work: UnitOfWork) -> None:
    user = new_user()
    with any_work.write() as session:
        session.add(user)
    waits: list[float] = []
    with any_work.write() as session:
        session.get_one(User, user.id).quota_used = 7
        session.flush()
        for _ in range(20):
            began = time.perf_counter()
            with any_work.read() as reader:
                assert reader.get_one(User, user.id).quota_used == 0
            waits.append(time.perf_counter() - began)
    assert sorted(waits)[10] < 0.1
    with any_work.read() as reader:
        assert reader.get_one(User, user.id).quota_used == 7


def test_a_reader_sees_one_snapshot(any_work: UnitOfWork) -> None:
    user = new_user()
    with any_work.write() as session:
        session.add(user)
    query = select(User.quota_used)
    with any_work.read() as reader:
        before = reader.scalar(query)
        with any_work.write() as session:
            session.get_one(User, user.id).quota_used = 9
        assert reader.scalar(query) == before == 0


def test_a_reader_cannot_write(any_work: UnitOfWork) -> None:
    with pytest.raises((DatabaseUnavailable, DBAPIError)), any_work.read() as session:
        session.execute(text("DELETE FROM users"))
    with any_work.write() as session:  # the same connection of the pool, writing again
        session.add(new_user())
    with any_work.read() as session:
        assert session.scalars(select(User)).one().quota_used == 0


def test_an_error_takes_everything_back(any_work: UnitOfWork) -> None:
    def add_and_fail() -> None:
        with any_work.write() as session:
            session.add(new_user())
            session.flush()
            raise QuotaExceeded("no room")

    with pytest.raises(QuotaExceeded):
        add_and_fail()
    with any_work.read() as session:
        assert session.scalars(select(User)).all() == []


def test_objects_stay_usable_after_the_block(work: UnitOfWork) -> None:
    image = stored_image(work)
    assert image.card is not None
    assert image.card["name"] == "harbour.jpg"
    with work.read() as session:
        found = session.get_one(Image, image.id)
    assert found.created_at.tzinfo is not None
    assert found.sort_at == image.sort_at


def test_rows_may_be_added_in_any_order(any_work: UnitOfWork) -> None:
    owner = new_user()
    collection = new_collection(owner.id)
    image = new_image(collection.id)
    with any_work.write() as session:
        session.add(image)
        session.flush()
        session.add(Tag(collection_id=collection.id, name="x"))
        session.add(collection)
        session.flush()
        session.add(owner)


def test_a_missing_parent_is_a_conflict(any_work: UnitOfWork) -> None:
    with pytest.raises(Conflict) as caught, any_work.write() as session:
        session.add(new_collection(new_user().id))
    assert caught.value.details["rule"] == "foreign_key"


def test_a_second_of_its_kind_is_a_conflict(any_work: UnitOfWork) -> None:
    image = stored_image(any_work, dedupe=b"d" * 32)
    with pytest.raises(Conflict) as caught, any_work.write() as session:
        session.add(new_image(image.collection_id, dedupe=b"d" * 32))
    assert caught.value.details["rule"] == "unique"
    assert "dedupe" in str(caught.value.details["constraint"])
    with any_work.write() as session:
        session.get_one(Image, image.id).status = "destroyed"
        session.flush()
        session.add(new_image(image.collection_id, dedupe=b"d" * 32))


def test_a_broken_rule_can_be_caught_inside(work: UnitOfWork) -> None:
    image = stored_image(work)
    with work.write() as session:
        with pytest.raises(IntegrityError), session.begin_nested():
            session.add(new_image(image.collection_id, stored_name=image.stored_name))
        session.add(new_image(image.collection_id))
    with work.read() as session:
        assert len(session.scalars(select(Image)).all()) == 2


def test_an_unknown_state_is_refused(any_work: UnitOfWork) -> None:
    user = new_user()
    user.state = "sleeping"
    with pytest.raises(DarkroomError) as caught, any_work.write() as session:
        session.add(user)
    assert caught.value.details == {"rule": "check", "constraint": "ck_users_state_known"}


def test_a_naive_time_is_refused(work: UnitOfWork) -> None:
    user = new_user()
    user.last_login_at = utc_now().replace(tzinfo=None)
    with pytest.raises(InvalidInput, match="zone"), work.write() as session:
        session.add(user)


def test_a_writer_that_waits_too_long_is_told(tmp_path: Path, cipher: FieldCipher) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/busy.db", cipher, busy_seconds=0.05)
    with engine.begin() as connection:
        Base.metadata.create_all(connection)
    first, second = UnitOfWork(engine), UnitOfWork(engine)
    with first.write() as session:
        session.add(new_user())
        session.flush()
        with pytest.raises(DatabaseUnavailable, match="busy"), second.write() as other:
            other.add(new_user())
    with second.write() as session:  # nothing of the refused try is left behind
        session.add(new_user())
    with first.read() as session:
        assert len(session.scalars(select(User)).all()) == 2
    engine.dispose()


def test_a_thread_that_waits_too_long_is_told(engine: Engine) -> None:
    work = UnitOfWork(engine, turn_seconds=0.05)
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with work.write():
            entered.set()
            leave.wait(10)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(hold)
        assert entered.wait(10)
        with pytest.raises(DatabaseUnavailable, match="busy"), work.write():
            pytest.fail("two writers at once")
        leave.set()
        held.result()
    with work.write() as session:
        session.add(new_user())


def test_a_full_disk_is_told(work: UnitOfWork) -> None:
    with work.write() as session:
        session.execute(text("PRAGMA max_page_count = 60"))  # this connection, as a full disk
    with pytest.raises(StoreFull), work.write() as session:
        session.add_all([new_user() for _ in range(400)])
    with work.write() as session:
        session.execute(text("PRAGMA max_page_count = 100000"))
        session.add(new_user())


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    path.write_bytes(b"not a database, but long enough to be asked about it" * 40)
    work = UnitOfWork(make_engine(f"sqlite:///{path}", None))
    with pytest.raises(DatabaseUnavailable, match="not a database"), work.read() as session:
        session.execute(text("SELECT 1 FROM users"))


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    work = UnitOfWork(make_engine(f"sqlite:///{tmp_path}/missing/x.db", None))
    with pytest.raises(DatabaseUnavailable, match="cannot be opened"), work.write() as session:
        session.execute(text("SELECT 1"))


def test_a_server_that_is_down_is_told() -> None:
    engine = make_engine("postgresql://nobody@127.0.0.1:1/none", None, busy_seconds=2)
    with pytest.raises(DatabaseUnavailable, match="down"), UnitOfWork(engine).read() as session:
        session.execute(text("SELECT 1"))


def test_a_server_that_comes_back_is_used_again(any_work: UnitOfWork) -> None:
    if any_work.engine.dialect.name != "postgresql":
        pytest.skip("a file does not go down")
    with any_work.read() as session:
        mine = session.scalar(text("SELECT pg_backend_pid()"))
    with any_work.write() as session:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> :me"
        me = session.scalar(text("SELECT pg_backend_pid()"))
        session.execute(text(others + " AND datname = current_database()"), {"me": me})
    with any_work.read() as session:
        assert session.scalar(text("SELECT 1")) == 1
    assert mine is not None


def test_the_connection_is_set_up(engine: Engine, tmp_path: Path) -> None:
    wanted = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "query_only": 0}
    with engine.begin() as connection:
        for name, value in wanted.items():
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000
    with engine.execution_options(**{ACCESS: "read"}).connect() as connection:
        assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1
    assert engine.hide_parameters
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(os.stat(file).st_mode) == 0o600, file


def test_what_is_kept_is_sealed(work: UnitOfWork, tmp_path: Path) -> None:
    stored_image(work)
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for word in (b"harbour", b"Harbour", b"ann@example.org", b"Ann"):
        assert word not in kept


def test_errors_of_sqlite_outside_sqlalchemy_are_translated(work: UnitOfWork) -> None:
    error = sqlite3.OperationalError("disk I/O error: secret")
    error.sqlite_errorcode = 10 | 3 << 8

    def read() -> None:
        with work.read():
            raise error

    with pytest.raises(DatabaseUnavailable, match="I/O error") as caught:
        read()
    assert "secret" not in str(caught.value)
