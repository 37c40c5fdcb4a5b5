"""A new master key: `keys rewrap` on whole installations, before, during and after."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.config import Settings
from app.crypto.keys import generate_key
from app.domain.access import OPERATOR
from app.errors import (
    ConfigurationError,
    DarkroomError,
    EncryptionError,
    KeyManagementError,
)
from app.jobs.watch import Unwatched
from app.models import FileKey
from app.services.keys.rewrap import RewrapReport
from app.services.keys.rewriting import rewrite
from app.services.keys.vaulting import master_of
from app.startup import start
from app.vault.interface import RewritesInPlace, VaultEntry
from app.vault.local import LocalVault
from app.wiring import House
from tests.faults.scene import Scene


@pytest.fixture(params=["direct", "envelope"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Scene:
    return Scene(tmp_path, KEY_VAULT_KEYING=request.param)


@pytest.fixture
def new(scene: Scene) -> Settings:
    """As an administrator sets it: the new key, and the old one to read with."""
    old = scene.settings.encryption_key
    return replace(
        scene.settings, encryption_key=generate_key(), encryption_key_previous=(old,)
    )


def alone(settings: Settings) -> Settings:
    return replace(settings, encryption_key_previous=())


def rewrapped(settings: Settings) -> RewrapReport:
    with closing(House(settings)) as house:
        return house.services.key_changes.rewrap.run(Unwatched())


def check(scene: Scene, settings: Settings, *others: tuple[object, bytes]) -> None:
    """A start, and then everything opens in a process that remembers nothing."""
    start(settings)
    with closing(House(settings)) as house:
        assert scene.original(house, scene.resident_id) == scene.resident
        for file_id, content in others:
            assert scene.original(house, file_id) == content  # type: ignore[arg-type]
        assert [f for f in house.services.verification.images() if f.problem] == []
        assert [f for f in house.services.verification.columns() if f.problem] == []


def masters_in(vault: LocalVault) -> set[str | None]:
    return {
        master_of(info.content_type)
        for reference in vault.references()
        for info in vault.versions(reference)
    }


class TestOrder:
    def test_before_and_after(self, scene: Scene, new: Settings) -> None:
        check(scene, scene.settings)
        check(scene, new)
        with pytest.raises(DarkroomError, match="not the key that this"):
            start(alone(new))
        report = rewrapped(new)
        assert (report.complete, report.failed, report.remaining) == (True, 0, 0)
        assert report.found == report.done >= 7
        check(scene, new)
        check(scene, alone(new))
        for old in (scene.settings, replace(new, encryption_key=generate_key())):
            with pytest.raises((ConfigurationError, EncryptionError)):
                start(old)

    def test_no_blob_is_touched(self, scene: Scene, new: Settings) -> None:
        def blobs() -> dict[str, tuple[bytes, int]]:
            root = scene.settings.store_path
            files = [path for path in root.rglob("*.enc") if path.is_file()]
            return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}

        before = blobs()
        rewrapped(new)
        assert before == blobs()
        assert before

    def test_again_finds_nothing(self, scene: Scene, new: Settings) -> None:
        rewrapped(new)
        report = rewrapped(new)
        assert (report.found, report.complete) == (0, True)
        with closing(House(new)) as house:
            assert house.services.runs.last("rewrap") is not None
            actions = [e.action for e in house.services.audit.page(OPERATOR).entries]
            assert actions.count("keys.rewrap") == 1
            assert house.services.audit.verify().broken_at is None

    def test_a_second_change_and_the_way_back(self, scene: Scene, new: Settings) -> None:
        rewrapped(new)
        back = replace(
            scene.settings, encryption_key_previous=(new.encryption_key, generate_key())
        )
        with pytest.raises(ConfigurationError, match="keys rewrap replaced"):
            start(back)
        assert rewrapped(back).complete
        check(scene, back)
        check(scene, alone(back))

    def test_while_it_is_not_complete(self, scene: Scene, new: Settings) -> None:
        """The old key alone is refused from the first moment, the new one to the last."""
        with closing(House(new)) as house:
            house.services.key_changes.rewrap._change.begin()
        check(scene, new)
        for wrong in (alone(new), scene.settings):
            with pytest.raises(DarkroomError, match="not the key that this"):
                start(wrong)

    def test_without_the_key_that_the_installation_is_at(self, scene: Scene) -> None:
        foreign = replace(scene.settings, encryption_key=generate_key())
        with closing(House(scene.settings)) as house, closing(House(foreign)) as other:
            rewrap = house.services.key_changes.rewrap
            rewrap._change._vaulting = other.vaulting
            with pytest.raises(ConfigurationError, match="not configured"):
                rewrap.run(Unwatched())
        check(scene, scene.settings)


class TestEverything:
    def test_all_versions_and_the_copies(self, scene: Scene, new: Settings) -> None:
        with closing(House(scene.settings)) as house:
            reference, newest = f"file-{uuid4()}", secrets.token_bytes(16)
            keys = {secrets.token_bytes(16): generate_key() for _ in range(2)}
            for version, key in [*keys.items(), (newest, generate_key())]:
                house.vaulting.store(reference, version, key)
            house.vaulting.disable(reference, next(iter(keys)))
        copies = list(scene.settings.vault_path.rglob("*.bak"))
        assert copies
        rewrapped(new)
        with closing(House(alone(new))) as house:
            assert masters_in(house.vault) == {house.vaulting.master_id}
            first, second = keys
            assert house.vaulting.load(reference, second) == keys[second]
            assert not house.vault.get(reference, first.hex()).enabled
            with pytest.raises(KeyManagementError, match="disabled"):
                house.vaulting.load(reference, first)
            infos = house.vault.versions(reference)
            assert [i.version for i in infos if i.current] == [newest.hex()]
        assert list(scene.settings.vault_path.rglob("*.bak")) == []

    def test_rows_and_sidecars(self, tmp_path: Path) -> None:
        scene = Scene(tmp_path, KEY_VAULT_KEYING="envelope")
        settings = replace(
            scene.settings,
            encryption_key=generate_key(),
            encryption_key_previous=(scene.settings.encryption_key,),
        )
        assert rewrapped(settings).done == 6 + 1 + 2
        with closing(House(settings)) as house, house.uow.read() as session:
            raw = session.scalars(select(FileKey.wrapped_dek)).one() or b""
            assert raw[1:5].hex() == house.vaulting.master_id
        meta = next(scene.settings.store_path.rglob("*.meta")).read_bytes()
        assert b"envelope" in meta

    def test_what_cannot_be_opened_keeps_the_old_key_needed(
        self, scene: Scene, new: Settings
    ) -> None:
        with closing(House(scene.settings)) as house:
            reference = f"file-{uuid4()}"
            house.vaulting.store(reference, bytes(16), generate_key())
            entry = house.vault.get(reference, bytes(16).hex())
            house.vault.put(
                reference, bytes(16).hex(), b"x" * 40, content_type=entry.content_type
            )
        report = rewrapped(new)
        assert (report.failed, report.failures, report.complete) == (1, (reference,), False)
        with pytest.raises(DarkroomError, match="not the key that this"):
            start(alone(new))
        check(scene, new)
        with closing(House(new)) as house:
            house.vaulting.delete(reference)
        assert rewrapped(new).complete
        check(scene, alone(new))


class TestWhilePeopleWork:
    def test_uploads_by_old_and_new_workers(self, scene: Scene, new: Settings) -> None:
        """An old worker adds nothing any more; one that knows both goes on all the time."""
        with closing(House(scene.settings)) as stale, closing(House(new)) as fresh:
            fresh.services.key_changes.rewrap._change.begin()
            with pytest.raises(KeyManagementError, match="start it again"):
                scene.upload(stale, scene.arriving)
            assert scene.original(stale, scene.resident_id) == scene.resident
            made = scene.upload(fresh, scene.arriving).id
            assert fresh.services.key_changes.rewrap.run(Unwatched()).complete
        check(scene, alone(new), (made, scene.arriving))

    def test_an_upload_of_the_last_moment(self, scene: Scene, new: Settings) -> None:
        with closing(House(scene.settings)) as stale, closing(House(new)) as fresh:
            made = scene.upload(stale, scene.arriving).id
            fresh.services.key_changes.rewrap._change.begin()
            assert fresh.services.key_changes.rewrap.run(Unwatched()).complete
        check(scene, alone(new), (made, scene.arriving))

    def test_workers_that_know_the_key_of_tomorrow(self, scene: Scene, new: Settings) -> None:
        """Several servers: the new key is named as a previous one everywhere, first."""
        ready = replace(
            scene.settings, encryption_key_previous=(new.encryption_key, generate_key())
        )
        start(ready)
        with closing(House(ready)) as old, closing(House(new)) as fresh:
            made = scene.upload(fresh, scene.arriving).id
            assert scene.original(old, made) == scene.arriving
            assert fresh.services.key_changes.rewrap.run(Unwatched()).complete
            old.keys._cache.forget(f"file-{made}")
            assert scene.original(old, made) == scene.arriving

    def test_a_destroyed_file_does_not_come_back(self, scene: Scene, new: Settings) -> None:
        """Destroyed between the read and the write of a vault that knows no quicker way."""
        with closing(House(new)) as house:
            vault = _Plain(house.vault)
            assert not isinstance(vault, RewritesInPlace)
            reference = f"file-{scene.resident_id}"

            def change(name: str, entry: VaultEntry) -> VaultEntry | None:
                if name == reference:
                    house.services.trash.destroy(scene.actor, scene.resident_id)
                return house.vaulting.rewrapped(entry)

            states = house.services.key_changes.rewrap._states
            list(rewrite(vault, change, lambda info: True, states))  # type: ignore[arg-type]
            assert reference not in set(house.vault.references())
            assert masters_in(house.vault) == {house.vaulting.master_id}


class _Plain:
    """A vault with the duties of every vault and no other."""

    def __init__(self, vault: LocalVault) -> None:
        for name in ("get", "put", "delete", "versions", "references"):
            setattr(self, name, getattr(vault, name))


class TestStatus:
    def test_counts_what_is_left(self, scene: Scene, new: Settings) -> None:
        with closing(House(new)) as house:
            old, present = house.vaulting.previous_ids[0], house.vaulting.master_id
            before = house.services.key_report.status()
            assert set(before.by_master) == {old}
            house.services.key_changes.rewrap.run(Unwatched())
            after = house.services.key_report.status()
            assert after.by_master == {present: before.by_master[old]}
        with closing(House(alone(new))) as house:
            assert house.services.key_report.status().by_master == {}


def test_two_at_once(scene: Scene, new: Settings) -> None:
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(rewrapped, [new, new]))
    assert all(report.complete for report in reports)
    check(scene, alone(new))
