"""An empty database of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.db.session import make_engine

KINDS = ("sqlite", "postgresql")


@pytest.fixture(params=KINDS)
def empty_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Wired as in the application, without a cipher: migrations see tokens only."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/migrated.db"
    else:
        url = request.getfixturevalue("postgres_url")
    engine = make_engine(url, None)
    yield engine
    engine.dispose()


@pytest.fixture
def second_engine(
    empty_engine: Engine, tmp_path: Path, new_postgres_url: Callable[[], str]
) -> Iterator[Engine]:
    """Another empty database of the same kind."""
    sqlite = empty_engine.dialect.name == "sqlite"
    url = f"sqlite:///{tmp_path}/second.db" if sqlite else new_postgres_url()
    engine = make_engine(url, None)
    yield engine
    engine.dispose()
