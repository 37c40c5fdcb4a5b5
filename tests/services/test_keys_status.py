"""The figures of ``keys status``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from app.crypto.kdf import MasterKey
from app.crypto.keys import generate_key
from app.db.session import UnitOfWork, make_engine
from app.models import Base, FileKey
from app.services.key_status import key_status
from app.services.keys import KeyVaulting, RootKeys
from app.vault.local import LocalVault

NOW = datetime(2030, 1, 2, tzinfo=UTC)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[UnitOfWork]:
    engine = make_engine(f"sqlite:///{tmp_path / 'test.db'}", None)
    Base.metadata.create_all(engine)
    yield UnitOfWork(engine)
    engine.dispose()


@pytest.fixture
def masters() -> list[MasterKey]:
    return [MasterKey(generate_key()), MasterKey(generate_key())]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


@pytest.fixture
def vaulting(path: Path, masters: list[MasterKey]) -> KeyVaulting:
    vault = LocalVault(path, grace=timedelta(hours=24), clock=lambda: NOW)
    vaulting = KeyVaulting(vault, masters)
    RootKeys.load_or_create(vaulting, allow_create=True)
    return vaulting


def row(state: str, expires_at: datetime | None) -> FileKey:
    file_id = uuid4()
    return FileKey(
        file_id=file_id,
        key_reference=f"file-{file_id}",
        version_id=b"1" * 16,
        state=state,
        expires_at=expires_at,
    )


def test_an_empty_installation_has_all_states_at_zero(
    work: UnitOfWork, vaulting: KeyVaulting, masters: list[MasterKey]
) -> None:
    status = key_status(work, vaulting, NOW)
    assert status.counts.by_state == {
        "pending": 0,
        "active": 0,
        "retiring": 0,
        "retired": 0,
        "destroyed": 0,
    }
    assert status.counts.past_expiry == 0
    assert status.master == masters[0].check.reveal().hex()[:8]
    assert status.previous_masters == (masters[1].id,)
    assert status.vault_problem is None


def test_counts_by_state_and_what_is_due(work: UnitOfWork, vaulting: KeyVaulting) -> None:
    past, future = NOW - timedelta(days=1), NOW + timedelta(days=1)
    rows = [row("active", past), row("active", NOW), row("active", future), row("active", None)]
    rows += [row("retiring", past), row("retired", past), row("destroyed", past)]
    with work.write() as session:
        session.add_all(rows)
    counts = key_status(work, vaulting, NOW).counts
    assert counts.by_state == {
        "pending": 0,
        "active": 4,
        "retiring": 1,
        "retired": 1,
        "destroyed": 1,
    }
    assert counts.past_expiry == 2


def test_tells_what_is_wrong_with_the_vault(
    work: UnitOfWork, vaulting: KeyVaulting, path: Path
) -> None:
    path.chmod(0o755)
    assert "make it 0700" in (key_status(work, vaulting, NOW).vault_problem or "")
    path.rename(path.with_name("unmounted"))
    assert "missing" in (key_status(work, vaulting, NOW).vault_problem or "")


def test_an_empty_folder_in_the_place_of_the_vault_is_not_in_order(
    work: UnitOfWork, vaulting: KeyVaulting, path: Path
) -> None:
    path.rename(path.with_name("unmounted"))
    path.mkdir(mode=0o700)
    assert "lacks root keys" in (key_status(work, vaulting, NOW).vault_problem or "")
