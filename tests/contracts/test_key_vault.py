"""What every KeyVault owes its callers; a new kind of vault joins by a line in VAULTS."""

from __future__ import annotations

import secrets
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.errors import KeyNotFound, KeyVaultError
from app.vault.azure import AzureVault
from app.vault.hashicorp import HashicorpVault
from app.vault.hashicorp_session import HashicorpAccess, HashicorpSession
from app.vault.interface import KeyVault
from app.vault.local import LocalVault
from tests.fixtures.azure import LoopbackAzure
from tests.fixtures.openbao import TOKEN, BaoServer

CONTENT_TYPE = "application/x-darkroom-dek;v=1;m=0badcafe"


class Clock:
    """A second later at every look, so that versions have an order."""

    def __init__(self) -> None:
        self.now = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def local(request: pytest.FixtureRequest, clock: Clock) -> KeyVault:
    folder: Path = request.getfixturevalue("tmp_path")
    return LocalVault(folder / "secrets", grace=timedelta(hours=24), clock=clock)


def hashicorp(request: pytest.FixtureRequest, clock: Clock) -> KeyVault:
    server: BaoServer = request.getfixturevalue("openbao")
    mount = server.new_mount()
    session = HashicorpSession(HashicorpAccess(server.url, token=TOKEN))
    return HashicorpVault(session, mount, clock)


def azure(request: pytest.FixtureRequest, clock: Clock) -> KeyVault:
    server: LoopbackAzure = request.getfixturevalue("azure")
    return AzureVault(server.secret_client(), clock)


VAULTS: dict[str, Callable[[pytest.FixtureRequest, Clock], KeyVault]] = {
    "local": local,
    "hashicorp": hashicorp,
    "azure": azure,
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=sorted(VAULTS))
def vault(request: pytest.FixtureRequest, clock: Clock) -> Iterator[KeyVault]:
    """A vault in use: something else is in it already."""
    made = VAULTS[request.param](request, clock)
    made.prepare()
    put(made, "root-columns", version(0xFE), b"another key")
    yield made
    made.close()


def version(number: int) -> str:
    return f"{number:032x}"


def put(vault: KeyVault, reference: str, name: str, value: bytes, **more: Any) -> None:
    vault.put(reference, name, value, **{"content_type": CONTENT_TYPE, **more})


class TestPutAndGet:
    def test_gives_back_what_was_put(self, vault: KeyVault, clock: Clock) -> None:
        before, value = clock.now, secrets.token_bytes(40)
        expires = datetime(2030, 2, 1, 12, tzinfo=UTC)
        put(vault, "file-a", version(1), value, expires_on=expires)
        entry = vault.get("file-a", version(1))
        assert entry.value == value
        assert entry.content_type == CONTENT_TYPE
        assert entry.enabled
        assert before < entry.created_on <= clock.now
        assert entry.created_on.tzinfo is UTC
        assert entry.expires_on == expires

    @pytest.mark.parametrize("value", [b"", b"\x00", bytes(range(256)) * 4])
    def test_any_bytes_are_a_value(self, vault: KeyVault, value: bytes) -> None:
        put(vault, "file-a", version(1), value)
        assert vault.get("file-a", version(1)).value == value

    def test_no_expiry_stays_none(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"value")
        assert vault.get("file-a", version(1)).expires_on is None

    def test_an_unknown_reference_is_not_found(self, vault: KeyVault) -> None:
        with pytest.raises(KeyNotFound):
            vault.get("file-unknown", version(1))

    def test_an_unknown_version_is_not_found(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"value")
        with pytest.raises(KeyNotFound):
            vault.get("file-a", version(2))

    def test_references_are_apart(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"a")
        put(vault, "file-b", version(1), b"b")
        assert vault.get("file-a", version(1)).value == b"a"
        assert vault.get("file-b", version(1)).value == b"b"

    def test_a_second_version_leaves_the_first_as_it_was(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(2), b"old")
        former = vault.get("file-a", version(2))
        put(vault, "file-a", version(1), b"new")
        assert vault.get("file-a", version(2)) == former
        assert vault.get("file-a", version(1)).value == b"new"


class TestReplacing:
    """Re-wrapping: the same version gets another value."""

    def test_takes_value_content_type_and_expiry(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"old", expires_on=datetime(2031, 1, 1, tzinfo=UTC))
        created = vault.get("file-a", version(1)).created_on
        put(vault, "file-a", version(1), b"new", content_type="application/x;m=1")
        entry = vault.get("file-a", version(1))
        assert entry.value == b"new"
        assert entry.content_type == "application/x;m=1"
        assert entry.expires_on is None
        assert entry.created_on == created

    def test_does_not_enable_what_was_disabled(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"old")
        vault.disable("file-a", version(1))
        put(vault, "file-a", version(1), b"new")
        entry = vault.get("file-a", version(1))
        assert (entry.value, entry.enabled) == (b"new", False)

    def test_does_not_make_an_old_version_current(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"1")
        put(vault, "file-a", version(2), b"2")
        put(vault, "file-a", version(1), b"1 again")
        assert [i.version for i in vault.versions("file-a") if i.current] == [version(2)]


class TestVersions:
    def test_oldest_first_and_the_last_new_one_is_current(self, vault: KeyVault) -> None:
        for number in (3, 1, 2):
            put(vault, "file-a", version(number), b"value")
        infos = vault.versions("file-a")
        assert [info.version for info in infos] == [version(3), version(1), version(2)]
        assert [info.current for info in infos] == [False, False, True]

    def test_tells_what_get_tells(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"v", expires_on=datetime(2031, 1, 1, tzinfo=UTC))
        (info,) = vault.versions("file-a")
        entry = vault.get("file-a", version(1))
        assert info.enabled is entry.enabled
        assert info.created_on == entry.created_on
        assert info.expires_on == entry.expires_on
        assert info.content_type == entry.content_type

    def test_an_unknown_reference_is_not_found(self, vault: KeyVault) -> None:
        with pytest.raises(KeyNotFound):
            vault.versions("file-unknown")


class TestDisable:
    def test_marks_only_that_version(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"1")
        put(vault, "file-a", version(2), b"2")
        vault.disable("file-a", version(1))
        assert not vault.get("file-a", version(1)).enabled
        assert vault.get("file-a", version(1)).value == b"1"
        assert vault.get("file-a", version(2)).enabled
        assert [info.enabled for info in vault.versions("file-a")] == [False, True]

    def test_again_is_no_error(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"1")
        vault.disable("file-a", version(1))
        vault.disable("file-a", version(1))
        assert not vault.get("file-a", version(1)).enabled

    def test_what_is_not_there_is_not_found(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"1")
        with pytest.raises(KeyNotFound):
            vault.disable("file-a", version(2))
        with pytest.raises(KeyNotFound):
            vault.disable("file-unknown", version(1))


class TestDelete:
    def test_all_versions_are_gone_and_others_stay(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"1")
        put(vault, "file-a", version(2), b"2")
        put(vault, "file-b", version(1), b"b")
        vault.delete("file-a")
        for number in (1, 2):
            with pytest.raises(KeyNotFound):
                vault.get("file-a", version(number))
        with pytest.raises(KeyNotFound):
            vault.versions("file-a")
        assert vault.get("file-b", version(1)).value == b"b"
        assert "file-a" not in set(vault.references())

    def test_again_is_no_error(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"1")
        vault.delete("file-a")
        vault.delete("file-a")
        vault.delete("file-never-there")


class TestReferences:
    def test_every_reference_once(self, vault: KeyVault) -> None:
        for letter in "abc":
            put(vault, f"file-{letter}", version(1), b"value")
        put(vault, "file-a", version(2), b"value")
        found = list(vault.references())
        assert sorted(found) == ["file-a", "file-b", "file-c", "root-columns"]

    def test_only_those_with_the_prefix(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"value")
        assert list(vault.references("root-")) == ["root-columns"]
        assert list(vault.references("nothing")) == []


class TestNames:
    @pytest.mark.parametrize("reference", ["a", "file-" + "0" * 122, "A-9"])
    def test_accepted(self, vault: KeyVault, reference: str) -> None:
        put(vault, reference, version(1), b"value")
        assert vault.get(reference, version(1)).value == b"value"

    @pytest.mark.parametrize(
        "reference",
        ["", "a" * 128, "../a", "a/b", "a.json", "a_b", "a\n", "a\x00", "ä", "٣", "."],
    )
    def test_refused_everywhere(self, vault: KeyVault, reference: str) -> None:
        calls: list[Callable[[], object]] = [
            lambda: put(vault, reference, version(1), b"value"),
            lambda: vault.get(reference, version(1)),
            lambda: vault.disable(reference, version(1)),
            lambda: vault.versions(reference),
            lambda: vault.delete(reference),
        ]
        for call in calls:
            with pytest.raises(KeyVaultError, match="key reference is 1 to 127"):
                call()

    @pytest.mark.parametrize("name", ["", "1", "A" * 32, "g" * 32, "0" * 33, "0" * 32 + "\n"])
    def test_a_version_is_32_hex_digits(self, vault: KeyVault, name: str) -> None:
        calls: list[Callable[[], object]] = [
            lambda: put(vault, "file-a", name, b"value"),
            lambda: vault.get("file-a", name),
            lambda: vault.disable("file-a", name),
        ]
        for call in calls:
            with pytest.raises(KeyVaultError, match="32 hex digits"):
                call()


class TestAtOnce:
    def test_versions_put_by_many_threads_are_all_there(self, vault: KeyVault) -> None:
        values = {version(number): secrets.token_bytes(40) for number in range(48)}
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda item: put(vault, "file-a", *item), values.items()))
        assert {name: vault.get("file-a", name).value for name in values} == values
        assert sum(info.current for info in vault.versions("file-a")) == 1

    def test_disabling_while_others_put_is_not_lost(self, vault: KeyVault) -> None:
        for number in range(16):
            put(vault, "file-a", version(number), b"old")
        with ThreadPoolExecutor(8) as pool:
            for number in range(16):
                pool.submit(vault.disable, "file-a", version(number))
                pool.submit(put, vault, "file-a", version(100 + number), b"new")
        state = {info.version: info.enabled for info in vault.versions("file-a")}
        assert [state[version(number)] for number in range(16)] == [False] * 16
        assert [state[version(100 + number)] for number in range(16)] == [True] * 16


class TestSecrecy:
    def test_no_value_in_a_repr(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"PLANTED-KEY")
        assert "PLANTED" not in repr(vault.get("file-a", version(1)))
        assert "PLANTED" not in repr(vault.versions("file-a"))
        assert "PLANTED" not in repr(vault)

    def test_errors_say_what_when_and_nothing_secret(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"PLANTED-KEY")
        with pytest.raises(KeyNotFound) as caught:
            vault.get("file-a", version(2))
        error = caught.value
        told = "".join(traceback.format_exception(error))
        assert error.message
        assert error.operation == "vault.get"
        assert error.details["reference"] == "file-a"
        assert abs(datetime.now(UTC) - error.at) < timedelta(minutes=1)
        for text in (str(error), repr(error), repr(error.details), told):
            assert "PLANTED" not in text


class TestReadiness:
    def test_a_vault_in_order_passes_its_check(self, vault: KeyVault) -> None:
        vault.check()

    def test_preparing_again_changes_nothing(self, vault: KeyVault) -> None:
        put(vault, "file-a", version(1), b"1")
        vault.prepare()
        assert vault.get("file-a", version(1)).value == b"1"
