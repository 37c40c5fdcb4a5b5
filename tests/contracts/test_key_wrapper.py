"""What every KeyWrapper owes its callers; a new kind joins by a line in WRAPPERS."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.crypto.kdf import MasterKey
from app.crypto.keys import generate_key
from app.db.times import utc_now
from app.errors import KeyDamaged, KeyNotFound, KeyVaultError
from app.services.keys import KeyVaulting, LocalKeyWrapper
from app.vault.azure_keys import AzureWrapper
from app.vault.cache import KeyCache
from app.vault.hashicorp_session import HashicorpAccess, HashicorpSession
from app.vault.hashicorp_transit import TransitWrapper
from app.vault.interface import KeyWrapper, WrappedKey
from app.vault.local import LocalVault
from tests.fixtures.azure import LoopbackAzure
from tests.fixtures.openbao import TOKEN, BaoServer

KEK = "kek-0f"


def hashicorp(request: pytest.FixtureRequest, cleanup: ExitStack) -> KeyWrapper:
    server: BaoServer = request.getfixturevalue("openbao")
    session = HashicorpSession(HashicorpAccess(server.url, token=TOKEN))
    cleanup.callback(session.close)
    return TransitWrapper(session, server.new_mount("transit"))


def azure(request: pytest.FixtureRequest, cleanup: ExitStack) -> KeyWrapper:
    server: LoopbackAzure = request.getfixturevalue("azure")
    wrapper = AzureWrapper(server.key_client())
    cleanup.callback(wrapper.close)
    return wrapper


def local(request: pytest.FixtureRequest, _cleanup: ExitStack) -> KeyWrapper:
    folder: Path = request.getfixturevalue("tmp_path")
    vault = LocalVault(folder / "keys", grace=timedelta(0), clock=utc_now)
    vault.prepare()
    vaulting = KeyVaulting(vault, [MasterKey(generate_key())])
    return LocalKeyWrapper(vaulting, KeyCache(100, 60))


WRAPPERS: dict[str, Callable[[pytest.FixtureRequest, ExitStack], KeyWrapper]] = {
    "azure": azure,
    "hashicorp": hashicorp,
    "local": local,
}


@pytest.fixture(params=sorted(WRAPPERS))
def wrapper(request: pytest.FixtureRequest) -> Iterator[KeyWrapper]:
    with ExitStack() as cleanup:
        yield WRAPPERS[request.param](request, cleanup)


@pytest.fixture
def dek() -> bytes:
    """A DEK as it comes: wrapped under the master key, 40 bytes."""
    return secrets.token_bytes(40)


class TestWrapAndUnwrap:
    def test_gives_back_what_was_wrapped(self, wrapper: KeyWrapper, dek: bytes) -> None:
        wrapped = wrapper.wrap(KEK, dek)
        assert wrapped.kek == KEK
        assert dek not in wrapped.ct
        assert wrapper.unwrap(wrapped) == dek

    def test_the_first_use_makes_the_kek(self, wrapper: KeyWrapper, dek: bytes) -> None:
        assert wrapper.newest(KEK) is None
        assert wrapper.wrap(KEK, dek).version == wrapper.newest(KEK)

    def test_keks_are_apart(self, wrapper: KeyWrapper, dek: bytes) -> None:
        first, second = wrapper.wrap(KEK, dek), wrapper.wrap("kek-10", dek)
        with pytest.raises(KeyVaultError):
            wrapper.unwrap(replace(second, ct=first.ct))

    def test_many_at_once(self, wrapper: KeyWrapper) -> None:
        """The first use of one KEK by several threads, too."""
        deks = [secrets.token_bytes(40) for _ in range(16)]
        with ThreadPoolExecutor(8) as pool:
            wrapped = list(pool.map(lambda dek: wrapper.wrap(KEK, dek), deks))
            assert list(pool.map(wrapper.unwrap, wrapped)) == deks


class TestRotate:
    def test_a_new_version_wraps_and_the_older_ones_unwrap(
        self, wrapper: KeyWrapper, dek: bytes
    ) -> None:
        old = wrapper.wrap(KEK, dek)
        version = wrapper.rotate(KEK)
        assert version != old.version
        assert wrapper.newest(KEK) == version
        new = wrapper.wrap(KEK, dek)
        assert new.version == version
        assert wrapper.unwrap(old) == wrapper.unwrap(new) == dek

    def test_a_kek_that_was_never_used_gets_its_first_version(
        self, wrapper: KeyWrapper
    ) -> None:
        assert wrapper.rotate(KEK) == wrapper.newest(KEK)


class TestVersions:
    def test_all_that_unwrap_oldest_first(self, wrapper: KeyWrapper, dek: bytes) -> None:
        assert wrapper.versions(KEK) == ()
        first = wrapper.wrap(KEK, dek).version
        assert wrapper.versions(KEK) == (first,)
        second, third = wrapper.rotate(KEK), wrapper.rotate(KEK)
        known = wrapper.versions(KEK)
        assert set(known) == {first, second, third}
        assert known[-1] == third
        wrapper.retire(KEK, first)
        assert wrapper.versions(KEK) == (second, third)


class TestRetire:
    def test_what_was_retired_unwraps_nothing(self, wrapper: KeyWrapper, dek: bytes) -> None:
        old = wrapper.wrap(KEK, dek)
        wrapper.rotate(KEK)
        new = wrapper.wrap(KEK, dek)
        wrapper.retire(KEK, old.version)
        with pytest.raises(KeyNotFound):
            wrapper.unwrap(old)
        assert wrapper.unwrap(new) == dek

    def test_again_is_no_error(self, wrapper: KeyWrapper, dek: bytes) -> None:
        old = wrapper.wrap(KEK, dek)
        wrapper.rotate(KEK)
        wrapper.rotate(KEK)
        wrapper.retire(KEK, old.version)
        wrapper.retire(KEK, old.version)
        assert wrapper.wrap(KEK, dek).version == wrapper.newest(KEK)

    def test_one_after_the_other(self, wrapper: KeyWrapper, dek: bytes) -> None:
        old = [wrapper.wrap(KEK, dek)]
        for _ in range(3):
            wrapper.rotate(KEK)
            old.append(wrapper.wrap(KEK, dek))
        newest = old.pop()
        for wrapped in old:
            wrapper.retire(KEK, wrapped.version)
            with pytest.raises(KeyNotFound):
                wrapper.unwrap(wrapped)
        assert wrapper.unwrap(newest) == dek

    def test_the_newest_is_refused(self, wrapper: KeyWrapper, dek: bytes) -> None:
        wrapped = wrapper.wrap(KEK, dek)
        with pytest.raises(KeyVaultError, match="newest"):
            wrapper.retire(KEK, wrapped.version)
        assert wrapper.unwrap(wrapped) == dek


class TestErrors:
    def test_a_flipped_bit_is_noticed(self, wrapper: KeyWrapper, dek: bytes) -> None:
        wrapped = wrapper.wrap(KEK, dek)
        bent = replace(wrapped, ct=wrapped.ct[:-1] + bytes([wrapped.ct[-1] ^ 1]))
        with pytest.raises(KeyDamaged) as caught:
            wrapper.unwrap(bent)
        assert caught.value.details["kek"] == KEK

    @pytest.mark.parametrize("ct", [b"", b"x", b"\x00" * 500])
    def test_what_was_never_wrapped(self, wrapper: KeyWrapper, dek: bytes, ct: bytes) -> None:
        wrapped = wrapper.wrap(KEK, dek)
        with pytest.raises(KeyVaultError):
            wrapper.unwrap(replace(wrapped, ct=ct))

    @pytest.mark.parametrize("version", ["77", "0" * 32, "", "../1", "1:x"])
    def test_a_version_that_never_was(
        self, wrapper: KeyWrapper, dek: bytes, version: str
    ) -> None:
        wrapped = wrapper.wrap(KEK, dek)
        with pytest.raises(KeyNotFound):
            wrapper.unwrap(replace(wrapped, version=version))

    def test_a_kek_that_never_was(self, wrapper: KeyWrapper, dek: bytes) -> None:
        wrapped = wrapper.wrap(KEK, dek)
        with pytest.raises(KeyNotFound):
            wrapper.unwrap(replace(wrapped, kek="kek-ff"))

    @pytest.mark.parametrize("kek", ["", "a/b", "../keys", "kek_1", "k" * 128])
    def test_a_name_that_is_none(self, wrapper: KeyWrapper, dek: bytes, kek: str) -> None:
        calls: list[Callable[[], object]] = [
            lambda: wrapper.wrap(kek, dek),
            lambda: wrapper.unwrap(WrappedKey(kek, "1", dek)),
            lambda: wrapper.rotate(kek),
            lambda: wrapper.newest(kek),
            lambda: wrapper.versions(kek),
            lambda: wrapper.retire(kek, "1"),
        ]
        for call in calls:
            with pytest.raises(KeyVaultError, match="key reference is 1 to 127"):
                call()

    def test_nothing_secret_is_told(self, wrapper: KeyWrapper) -> None:
        planted = b"PLANTED-KEY-OF-FORTY-BYTES-PLANTED-KEY-4"
        wrapped = wrapper.wrap(KEK, planted)
        with pytest.raises(KeyVaultError) as caught:
            wrapper.unwrap(replace(wrapped, ct=wrapped.ct[::-1]))
        error = caught.value
        told = "".join(traceback.format_exception(error)) + repr(error.details) + repr(wrapped)
        assert "PLANTED" not in told
        assert "PLANTED" not in repr(wrapper)
