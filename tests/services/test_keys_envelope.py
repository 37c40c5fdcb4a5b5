"""Envelope keying on a whole installation: kept beside the file, opened, destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from app.config import Settings
from app.crypto.context import Role
from app.crypto.kdf import MasterKey
from app.crypto.keys import generate_key
from app.crypto.stream import read_header
from app.errors import DecryptionFailed, KeyManagementError, KeyNotFound
from app.models import FileKey, FormerMaster
from app.services.image_access import image_by_id
from app.services.keys import Envelope, Keying, KeyVaulting, LocalKeyWrapper, kek_reference
from app.storage.sidecar import Sidecar
from app.vault.cache import KeyCache
from app.vault.local import LocalVault
from app.wiring import House
from tests.faults.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path, KEY_VAULT_KEYING="envelope")


def opened(settings: Settings) -> Iterator[House]:
    house = House(settings)
    yield house
    house.close()


@pytest.fixture
def house(scene: Scene) -> Iterator[House]:
    """Another process: nothing is in its memory."""
    yield from opened(scene.settings)


@pytest.fixture
def direct(scene: Scene) -> Iterator[House]:
    """Another process, with the other setting."""
    yield from opened(replace(scene.settings, keying="direct"))


def row_of(house: House, file_id: UUID) -> FileKey:
    with house.uow.read() as session:
        return session.scalars(select(FileKey).where(FileKey.file_id == file_id)).one()


def sidecar_of(scene: Scene, house: House, file_id: UUID) -> Sidecar:
    with house.uow.read() as session:
        image = image_by_id(session, scene.actor, file_id)
    assert image is not None
    return house.store.read_sidecar(image.path)


class TestKeptBesideTheFile:
    def test_row_and_sidecar_have_it_and_the_vault_has_only_the_kek(
        self, scene: Scene, house: House
    ) -> None:
        row = row_of(house, scene.resident_id)
        assert (row.mode, row.wrapped_dek is None) == ("envelope", False)
        envelope = Envelope.from_row(row.wrapped_dek or b"")
        assert envelope.kek == kek_reference(scene.resident_id)
        assert envelope.master == house.vaulting.master_id
        sidecar = sidecar_of(scene, house, scene.resident_id)
        assert sidecar.public.mode == "envelope"
        assert sidecar.entries[0].wrapped_dek == envelope.to_sidecar()
        kinds = {name.split("-")[0] for name in house.vault.references()}
        assert kinds == {"root", "kek"}

    def test_another_process_opens_it(self, scene: Scene, house: House) -> None:
        assert scene.original(house, scene.resident_id) == scene.resident

    def test_the_sidecar_alone_opens_it(self, scene: Scene, house: House) -> None:
        wrapped = sidecar_of(scene, house, scene.resident_id).entries[0].wrapped_dek
        assert wrapped is not None
        row = row_of(house, scene.resident_id)
        key = house.keying.open(Envelope.from_sidecar(wrapped))
        assert key == house.keys.key(scene.resident_id, row.version_id)

    def test_both_kinds_are_read_under_both_settings(
        self, scene: Scene, house: House, direct: House
    ) -> None:
        made = scene.upload(direct, scene.arriving).id
        assert row_of(house, made).mode == "direct"
        for process in (house, direct):
            assert scene.original(process, made) == scene.arriving
            assert scene.original(process, scene.resident_id) == scene.resident

    def test_a_rotation_says_how_its_key_is_kept(self, house: House) -> None:
        assert house.keys.new(uuid4(), mode="direct").mode == "direct"
        assert house.keys.new(uuid4(), generation=2).mode == "envelope"

    def test_the_envelope_of_another_file_opens_nothing(
        self, scene: Scene, house: House
    ) -> None:
        other = house.keying.seal(scene.resident_id, generate_key())
        with house.uow.write() as session:
            session.execute(update(FileKey).values(wrapped_dek=other.to_row()))
        row = row_of(house, scene.resident_id)
        key = house.keys.key(scene.resident_id, row.version_id)
        with house.uow.read() as session:
            image = image_by_id(session, scene.actor, scene.resident_id)
        assert image is not None
        with house.blobs.open(image.path.original) as handle:
            header = read_header(handle)
        sidecar = house.store.read_sidecar(image.path)
        with pytest.raises(DecryptionFailed):
            sidecar.open_private(sidecar.entries[0], key, header)
        with pytest.raises(DecryptionFailed):
            house.store.open(image.path.original, image.id, Role.ORIGINAL, 0, image.floor)


class TestDestroyed:
    def test_row_and_sidecar_go(self, scene: Scene, house: House) -> None:
        raw = row_of(house, scene.resident_id).wrapped_dek
        assert raw is not None
        house.services.trash.destroy(scene.actor, scene.resident_id)
        with house.uow.read() as session:
            assert session.scalars(select(FileKey)).all() == []
        left = [p for p in scene.settings.store_path.rglob("*") if p.name.endswith(".meta")]
        assert left == []

    def test_one_that_was_marked_is_gone_from_its_row_already(
        self, scene: Scene, house: House
    ) -> None:
        with house.uow.write() as session:
            house.services.trash._mark(session, scene.resident_id)
        assert row_of(house, scene.resident_id).wrapped_dek is None


class TestAReplacedMaster:
    def test_a_worker_that_still_has_it_adds_no_picture(
        self, scene: Scene, house: House
    ) -> None:
        with house.uow.write() as session:
            session.add(FormerMaster(check_value=house.vaulting.master_check))
        before = scene.strays(house)
        with pytest.raises(KeyManagementError, match="start it again"):
            scene.upload(house, scene.arriving)
        assert scene.ids(house) == {scene.resident_id}
        assert scene.strays(house) == before
        assert scene.original(house, scene.resident_id) == scene.resident


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


class TestLocalWrapper:
    @pytest.fixture
    def vaulting(self, tmp_path: Path) -> KeyVaulting:
        vault = LocalVault(tmp_path / "secrets", grace=timedelta(0), clock=Clock())
        vault.prepare()
        return KeyVaulting(vault, [MasterKey(generate_key())])

    @pytest.fixture
    def wrapper(self, vaulting: KeyVaulting) -> LocalKeyWrapper:
        return LocalKeyWrapper(vaulting, KeyCache(10, 60))

    def test_another_process_unwraps(
        self, vaulting: KeyVaulting, wrapper: LocalKeyWrapper
    ) -> None:
        wrapped = wrapper.wrap("kek-aa", bytes(40))
        assert LocalKeyWrapper(vaulting, KeyCache(10, 60)).unwrap(wrapped) == bytes(40)
        assert len(wrapped.ct) == 48

    def test_an_older_version_still_unwraps_and_the_newest_wraps(
        self, wrapper: LocalKeyWrapper
    ) -> None:
        old = wrapper.wrap("kek-aa", bytes(40))
        newest = wrapper.rotate("kek-aa")
        assert wrapper.newest("kek-aa") == newest == wrapper.wrap("kek-aa", bytes(40)).version
        assert wrapper.unwrap(old) == bytes(40)

    def test_a_retired_version_is_gone_for_everybody(
        self, vaulting: KeyVaulting, wrapper: LocalKeyWrapper
    ) -> None:
        old = wrapper.wrap("kek-aa", bytes(40))
        wrapper.rotate("kek-aa")
        value = vaulting.vault.get("kek-aa", old.version).value
        wrapper.retire("kek-aa", old.version)
        wrapper.retire("kek-aa", old.version)
        for one in (wrapper, LocalKeyWrapper(vaulting, KeyCache(10, 60))):
            with pytest.raises(KeyNotFound):
                one.unwrap(old)
        assert vaulting.vault.get("kek-aa", old.version).value != value

    def test_a_kek_that_was_never_used(self, wrapper: LocalKeyWrapper) -> None:
        assert wrapper.newest("kek-bb") is None
        wrapper.retire("kek-bb", "0" * 32)

    def test_an_envelope_of_an_unknown_master(
        self, vaulting: KeyVaulting, wrapper: LocalKeyWrapper
    ) -> None:
        keying = Keying(vaulting, wrapper)
        envelope = replace(keying.seal(uuid4(), generate_key()), master="00000000")
        with pytest.raises(KeyManagementError, match="ENCRYPTION_KEY_PREVIOUS"):
            keying.open(envelope)
