"""The keys of files from their making to their destruction, on a real vault and database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.crypto.kdf import MasterKey
from app.crypto.keys import SecretKey, generate_key
from app.db.session import UnitOfWork, make_engine
from app.errors import KeyNotFound, KeyVaultUnavailable
from app.models import Base, FileKey
from app.services.keys import FileKeyService, KeyVaulting, file_reference
from app.vault.cache import KeyCache
from app.vault.local import LocalVault

NOW = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


@pytest.fixture
def vaulting(path: Path) -> KeyVaulting:
    vault = LocalVault(path, grace=timedelta(hours=24), clock=lambda: NOW)
    vault.prepare()
    return KeyVaulting(vault, [MasterKey(generate_key())])


@pytest.fixture
def cache() -> KeyCache:
    return KeyCache(100, 3600)


@pytest.fixture
def service(vaulting: KeyVaulting, cache: KeyCache) -> FileKeyService:
    return FileKeyService(vaulting, cache, lambda: NOW, 30)


def fresh(vaulting: KeyVaulting) -> FileKeyService:
    """As another process sees it: the same vault, nothing in memory."""
    return FileKeyService(vaulting, KeyCache(100, 3600), lambda: NOW, 30)


class TestNew:
    def test_the_key_is_in_the_vault_when_it_returns(
        self, service: FileKeyService, vaulting: KeyVaulting
    ) -> None:
        file_id = uuid4()
        new = service.new(file_id)
        assert new.reference == file_reference(file_id) == f"file-{file_id}"
        assert (new.file_id, new.generation, len(new.version)) == (file_id, 1, 16)
        assert vaulting.load(new.reference, new.version) == new.dek
        assert fresh(vaulting).key(file_id, new.version) == new.dek
        assert vaulting.vault.get(new.reference, new.version.hex()).expires_on == new.expires_at

    def test_every_key_and_version_is_another(self, service: FileKeyService) -> None:
        made = [service.new(uuid4()) for _ in range(20)]
        assert len({new.dek.reveal() for new in made}) == 20
        assert len({new.version for new in made}) == 20

    def test_shows_no_key(self, service: FileKeyService) -> None:
        new = service.new(uuid4())
        assert repr(new.dek.reveal())[2:-1] not in repr(new)

    def test_a_vault_that_is_down_is_an_error_and_nothing_stays(
        self, service: FileKeyService, path: Path, cache: KeyCache
    ) -> None:
        path.rename(path.with_name("unmounted"))
        with pytest.raises(KeyVaultUnavailable):
            service.new(uuid4())
        assert len(cache) == 0


class TestExpiry:
    def test_lies_within_a_tenth_around_the_days(self, service: FileKeyService) -> None:
        lives = [service.new(uuid4()).expires_at for _ in range(200)]
        days = sorted((life - NOW) / timedelta(days=1) for life in lives if life is not None)
        assert len(days) == 200
        assert 27 <= days[0] < 28.5
        assert 31.5 < days[-1] <= 33

    def test_the_jitter_is_given(self, vaulting: KeyVaulting, cache: KeyCache) -> None:
        service = FileKeyService(vaulting, cache, lambda: NOW, 30, jitter=0.0)
        assert service.new(uuid4()).expires_at == NOW + timedelta(days=30)

    def test_no_rotation_days_no_expiry(self, vaulting: KeyVaulting, cache: KeyCache) -> None:
        new = FileKeyService(vaulting, cache, lambda: NOW, 0).new(uuid4())
        assert new.expires_at is None
        assert vaulting.vault.get(new.reference, new.version.hex()).expires_on is None


class TestRow:
    @pytest.mark.parametrize("days", [0, 30])
    def test_is_stored_as_the_key_was_made(
        self, vaulting: KeyVaulting, cache: KeyCache, tmp_path: Path, days: int
    ) -> None:
        service = FileKeyService(vaulting, cache, lambda: NOW, days)
        new = service.new(uuid4())
        engine = make_engine(f"sqlite:///{tmp_path / 'test.db'}", None)
        Base.metadata.create_all(engine)
        work = UnitOfWork(engine)
        with work.write() as session:
            session.add(service.row(new))
        with work.read() as session:
            row = session.scalars(select(FileKey)).one()
            assert isinstance(row.id, UUID)
            assert row.file_id == new.file_id
            assert row.key_reference == new.reference
            assert (row.generation, row.version_id) == (1, new.version)
            assert (row.created_at, row.expires_at) == (NOW, new.expires_at)
            assert (row.state, row.mode) == ("active", "direct")
            assert row.wrapped_dek is None
            assert row.vault_version is None
            assert row.lease_until is None
        engine.dispose()


class TestKey:
    def test_comes_from_memory_the_second_time(
        self, vaulting: KeyVaulting, service: FileKeyService, path: Path
    ) -> None:
        new = service.new(uuid4())
        other = fresh(vaulting)
        assert other.key(new.file_id, new.version) == new.dek
        path.rename(path.with_name("unmounted"))
        assert other.key(new.file_id, new.version) == new.dek
        assert service.key(new.file_id, new.version) is new.dek
        with pytest.raises(KeyVaultUnavailable):
            fresh(vaulting).key(new.file_id, new.version)

    def test_only_exactly_this_file_and_version(self, service: FileKeyService) -> None:
        one, two = service.new(uuid4()), service.new(uuid4())
        for file_id, version in ((one.file_id, two.version), (uuid4(), one.version)):
            with pytest.raises(KeyNotFound):
                service.key(file_id, version)

    def test_a_vault_that_comes_back_is_used_at_once(
        self, vaulting: KeyVaulting, service: FileKeyService, path: Path
    ) -> None:
        new, other = service.new(uuid4()), fresh(vaulting)
        path.rename(path.with_name("unmounted"))
        with pytest.raises(KeyVaultUnavailable):
            other.key(new.file_id, new.version)
        path.with_name("unmounted").rename(path)
        assert other.key(new.file_id, new.version) == new.dek


class TestDestroy:
    def test_nothing_of_the_key_is_left(
        self, service: FileKeyService, vaulting: KeyVaulting, path: Path
    ) -> None:
        new, kept = service.new(uuid4()), service.new(uuid4())
        vaulting.store(new.reference, b"2" * 16, generate_key())  # an update makes a copy
        service.destroy(new.file_id)
        with pytest.raises(KeyNotFound):
            service.key(new.file_id, new.version)
        with pytest.raises(KeyNotFound):
            fresh(vaulting).key(new.file_id, new.version)
        assert [file for file in path.rglob("*") if str(new.file_id) in file.name] == []
        assert service.key(kept.file_id, kept.version) == kept.dek

    def test_again_is_no_error(self, service: FileKeyService) -> None:
        new = service.new(uuid4())
        service.destroy(new.file_id)
        service.destroy(new.file_id)
        service.destroy(uuid4())

    def test_a_vault_that_is_down_fails_loudly_and_memory_forgets(
        self, service: FileKeyService, path: Path, cache: KeyCache
    ) -> None:
        new = service.new(uuid4())
        path.rename(path.with_name("unmounted"))
        with pytest.raises(KeyVaultUnavailable):
            service.destroy(new.file_id)
        assert len(cache) == 0
        path.with_name("unmounted").rename(path)
        service.destroy(new.file_id)
        with pytest.raises(KeyNotFound):
            service.key(new.file_id, new.version)

    def test_a_key_being_loaded_meanwhile_does_not_stay(
        self, vaulting: KeyVaulting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        new, service = fresh(vaulting).new(uuid4()), fresh(vaulting)
        loading, go_on = threading.Event(), threading.Event()
        real: Callable[[str, bytes], SecretKey] = vaulting.load

        def slow(reference: str, version: bytes) -> SecretKey:
            key = real(reference, version)
            loading.set()
            assert go_on.wait(10)
            return key

        monkeypatch.setattr(vaulting, "load", slow)
        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(service.key, new.file_id, new.version)
            assert loading.wait(10)
            service.destroy(new.file_id)
            go_on.set()
            assert reader.result(10) == new.dek
        monkeypatch.undo()
        with pytest.raises(KeyNotFound):
            service.key(new.file_id, new.version)
