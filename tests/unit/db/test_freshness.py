"""A stamp differs after every commit, whoever made it, and after nothing else."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.db.freshness import Freshness
from app.db.session import UnitOfWork, make_engine
from tests.unit.db.conftest import new_user


@pytest.fixture
def freshness(engine: Engine) -> Iterator[Freshness]:
    made = Freshness(engine)
    yield made
    made.close()


def test_reading_changes_nothing(engine: Engine, freshness: Freshness) -> None:
    before = freshness.stamp()
    assert before is not None
    with UnitOfWork(engine).read_rows() as connection:
        connection.execute(text("SELECT count(*) FROM users")).all()
    assert freshness.stamp() == before


def test_a_commit_of_this_process_shows(engine: Engine, freshness: Freshness) -> None:
    seen = {freshness.stamp()}
    for number in range(1, 4):
        with UnitOfWork(engine).write() as session:
            session.add(new_user())
        seen.add(freshness.stamp())
        assert len(seen) == number + 1


def test_what_is_rolled_back_does_not_show(engine: Engine, freshness: Freshness) -> None:
    before = freshness.stamp()
    with suppress(ZeroDivisionError), UnitOfWork(engine).write() as session:
        session.add(new_user())
        session.flush()
        _ = 1 / 0
    assert freshness.stamp() == before


def test_a_commit_of_another_process_shows(engine: Engine, freshness: Freshness) -> None:
    before = freshness.stamp()
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
        " c.execute('CREATE TABLE more (x)'); c.commit()"
    )
    subprocess.run([sys.executable, "-c", program, str(engine.url.database)], check=True)
    after = freshness.stamp()
    assert after is not None
    assert after != before


def test_a_checkpoint_forgets_no_commit(engine: Engine, freshness: Freshness) -> None:
    before = freshness.stamp()
    with UnitOfWork(engine).write() as session:
        session.add(new_user())
    plain = sqlite3.connect(str(engine.url.database))
    plain.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    plain.close()
    assert freshness.stamp() != before


def test_after_closing_nothing_is_as_before(freshness: Freshness) -> None:
    before = freshness.stamp()
    freshness.close()
    after = freshness.stamp()
    assert after is not None
    assert after != before


def test_threads_may_share_it(freshness: Freshness) -> None:
    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(lambda _: freshness.stamp(), range(200)))
    assert len(seen) == 1
    assert None not in seen


def test_it_does_not_guess(tmp_path: Path) -> None:
    """In memory every connection has a database of its own; elsewhere there is no file."""
    assert Freshness(make_engine("sqlite://", None)).stamp() is None
    assert Freshness(make_engine(f"sqlite:///{tmp_path}/none/there.db", None)).stamp() is None
    postgresql = make_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", None)
    assert Freshness(postgresql).stamp() is None
