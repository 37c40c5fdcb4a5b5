"""The root keys: made at a first start and only then, the same at every later one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.crypto.kdf import MasterKey
from app.crypto.keys import generate_key
from app.errors import DarkroomError, KeyManagementError, KeyVaultUnavailable
from app.services.keys import ROOT_NAMES, KeyVaulting, RootKeys
from app.vault.local import LocalVault

REFERENCES = {
    "root-columns",
    "root-blind",
    "root-etag",
    "root-audit",
    "root-url",
    "root-transient",
}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "instance" / "secrets"


@pytest.fixture
def vault(path: Path) -> LocalVault:
    return LocalVault(path, grace=timedelta(hours=24), clock=Clock())


@pytest.fixture
def vaulting(vault: LocalVault) -> KeyVaulting:
    return KeyVaulting(vault, [MasterKey(generate_key())])


def create(vaulting: KeyVaulting) -> RootKeys:
    return RootKeys.load_or_create(vaulting, allow_create=True)


def load(vaulting: KeyVaulting) -> RootKeys:
    return RootKeys.load_or_create(vaulting, allow_create=False)


def rotate(vaulting: KeyVaulting, reference: str) -> bytes:
    version = generate_key().reveal()[:16]
    vaulting.store(reference, version, generate_key())
    return version


class TestFirstStart:
    def test_makes_one_random_key_for_each_name(
        self, vaulting: KeyVaulting, vault: LocalVault
    ) -> None:
        roots = create(vaulting)
        assert set(vault.references()) == REFERENCES
        active = [roots.active(name) for name in ROOT_NAMES]
        assert len({root.key.reveal() for root in active}) == 6
        assert len({root.version for root in active}) == 6
        assert {len(root.version) for root in active} == {16}

    def test_later_starts_find_the_same(self, vaulting: KeyVaulting) -> None:
        first = create(vaulting)
        for again in (load(vaulting), create(vaulting)):
            for name in ROOT_NAMES:
                assert again.active(name) == first.active(name)

    def test_one_that_was_cut_short_is_finished(
        self, vaulting: KeyVaulting, vault: LocalVault
    ) -> None:
        first = create(vaulting)
        vault.delete("root-url")
        again = create(vaulting)
        assert again.active("url") != first.active("url")
        assert again.active("columns") == first.active("columns")


class TestRefusals:
    def test_a_missing_vault_is_not_made_anew(self, vaulting: KeyVaulting, path: Path) -> None:
        with pytest.raises(KeyVaultUnavailable, match="missing"):
            load(vaulting)
        assert not path.exists()

    def test_an_empty_vault_is_not_filled(
        self, vaulting: KeyVaulting, vault: LocalVault
    ) -> None:
        vault.prepare()
        with pytest.raises(
            KeyManagementError, match=r"root-columns, root-blind.*in use"
        ) as caught:
            load(vaulting)
        assert "restore it" in caught.value.message
        assert list(vault.references()) == []

    def test_a_lost_key_is_named_and_not_replaced(
        self, vaulting: KeyVaulting, vault: LocalVault
    ) -> None:
        create(vaulting)
        vault.delete("root-audit")
        with pytest.raises(KeyManagementError, match="lacks root-audit, and") as caught:
            load(vaulting)
        assert caught.value.details == {"missing": "root-audit"}
        assert set(vault.references()) == REFERENCES - {"root-audit"}

    def test_a_vault_with_file_keys_is_no_first_start(
        self, vaulting: KeyVaulting, vault: LocalVault
    ) -> None:
        create(vaulting)
        vaulting.store("file-a", b"1" * 16, generate_key())
        vault.delete("root-columns")
        with pytest.raises(KeyManagementError, match="lacks root-columns"):
            create(vaulting)
        assert "root-columns" not in set(vault.references())

    def test_a_foreign_master_writes_nothing(
        self, vaulting: KeyVaulting, vault: LocalVault
    ) -> None:
        create(vaulting)
        vault.delete("root-url")
        foreign = KeyVaulting(vault, [MasterKey(generate_key())])
        with pytest.raises(KeyManagementError, match="not configured"):
            create(foreign)
        assert set(vault.references()) == REFERENCES - {"root-url"}

    def test_a_disabled_current_version(self, vaulting: KeyVaulting) -> None:
        roots = create(vaulting)
        vaulting.disable("root-blind", roots.active("blind").version)
        with pytest.raises(KeyManagementError, match="root key blind is disabled"):
            load(vaulting)

    def test_a_crash_at_any_key_leaves_a_start_that_succeeds(
        self, vaulting: KeyVaulting, vault: LocalVault, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real, made = vault.put, []
        for allowed in range(6):

            def put(*args: object, **kwargs: object) -> None:
                if len(made) == allowed:  # noqa: B023 - used within its own turn
                    raise KeyVaultUnavailable("down", operation="vault.put")
                real(*args, **kwargs)  # type: ignore[arg-type]
                made.append(args[0])

            monkeypatch.setattr(vault, "put", put)
            with pytest.raises(DarkroomError):
                create(vaulting)
        monkeypatch.undo()
        assert set(create(vaulting).all("url")) == {create(vaulting).active("url").version}
        assert set(vault.references()) == REFERENCES


class TestVersions:
    def test_the_newest_is_active_and_all_open(self, vaulting: KeyVaulting) -> None:
        first = create(vaulting).active("columns")
        second = rotate(vaulting, "root-columns")
        roots = load(vaulting)
        assert roots.active("columns").version == second
        assert set(roots.all("columns")) == {first.version, second}
        assert roots.all("columns")[first.version] == first.key
        assert len(roots.all("blind")) == 1

    def test_a_disabled_version_opens_no_more(self, vaulting: KeyVaulting) -> None:
        first = create(vaulting).active("columns")
        second = rotate(vaulting, "root-columns")
        vaulting.disable("root-columns", first.version)
        assert set(load(vaulting).all("columns")) == {second}

    def test_all_cannot_be_changed(self, vaulting: KeyVaulting) -> None:
        with pytest.raises(TypeError):
            create(vaulting).all("url")[b"1" * 16] = generate_key()  # type: ignore[index]

    def test_shows_no_key(self, vaulting: KeyVaulting) -> None:
        roots = create(vaulting)
        secret = roots.active("url").key.reveal()
        shown = repr(roots) + repr(vars(roots)) + repr(roots.active("url"))
        assert repr(secret)[2:-1] not in shown
        assert secret.hex() not in shown
