"""Keys on their way into the vault and out: wrapped, named by their master, never shown."""

from __future__ import annotations

import base64
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.crypto.envelope import unwrap_key
from app.crypto.kdf import MasterKey
from app.crypto.keys import SecretKey, generate_key
from app.errors import (
    DarkroomError,
    DecryptionFailed,
    EncryptionError,
    KeyManagementError,
    KeyNotFound,
    KeyVaultError,
)
from app.services.keys import KeyVaulting
from app.vault.local import LocalVault

VERSION, OTHER = b"\x01" * 16, b"\x02" * 16
PLANTED = b"q7XvR2mK" * 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


@pytest.fixture
def vault(path: Path) -> LocalVault:
    vault = LocalVault(path, grace=timedelta(hours=24), clock=lambda: datetime.now(UTC))
    vault.prepare()
    return vault


@pytest.fixture
def master() -> MasterKey:
    return MasterKey(generate_key())


@pytest.fixture
def vaulting(vault: LocalVault, master: MasterKey) -> KeyVaulting:
    return KeyVaulting(vault, [master])


class TestWrapping:
    def test_gives_back_the_key(self, vaulting: KeyVaulting) -> None:
        key, other = generate_key(), generate_key()
        vaulting.store("file-a", VERSION, key)
        vaulting.store("file-a", OTHER, other)
        assert vaulting.load("file-a", VERSION) == key
        assert vaulting.load("file-a", OTHER) == other

    def test_the_vault_gets_the_key_wrapped_and_the_master_named(
        self, vaulting: KeyVaulting, vault: LocalVault, master: MasterKey
    ) -> None:
        expires = datetime(2031, 1, 1, tzinfo=UTC)
        key = SecretKey(PLANTED)
        vaulting.store("file-a", VERSION, key, expires_on=expires)
        entry = vault.get("file-a", "01" * 16)
        assert entry.content_type == f"application/x-darkroom-dek;v=1;m={master.id}"
        assert entry.expires_on == expires
        assert len(entry.value) == 40
        assert unwrap_key(master.vaultwrap, entry.value) == key

    def test_no_key_in_clear_on_the_disk(self, vaulting: KeyVaulting, path: Path) -> None:
        vaulting.store("file-a", VERSION, SecretKey(PLANTED))
        vaulting.store("file-a", OTHER, SecretKey(PLANTED))
        for file in path.rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert PLANTED not in content
                assert base64.b64encode(PLANTED)[:40] not in content
                assert PLANTED.hex().encode() not in content.lower()

    def test_deletes_and_disables(self, vaulting: KeyVaulting, vault: LocalVault) -> None:
        vaulting.store("file-a", VERSION, generate_key())
        vaulting.disable("file-a", VERSION)
        assert not vault.get("file-a", "01" * 16).enabled
        vaulting.delete("file-a")
        with pytest.raises(KeyNotFound):
            vaulting.load("file-a", VERSION)


class TestMasters:
    def test_a_previous_master_reads_and_the_current_one_writes(
        self, vault: LocalVault, master: MasterKey
    ) -> None:
        key = generate_key()
        KeyVaulting(vault, [master]).store("file-a", VERSION, key)
        current = MasterKey(generate_key())
        both = KeyVaulting(vault, [current, MasterKey(generate_key()), master])
        assert both.load("file-a", VERSION) == key
        both.store("file-b", VERSION, key)
        assert vault.get("file-b", "01" * 16).content_type.endswith(f";m={current.id}")
        assert both.master_id == current.id
        assert len(both.previous_ids) == 2
        assert master.id in both.previous_ids

    def test_no_master_is_tried_that_is_not_named(
        self, vault: LocalVault, master: MasterKey
    ) -> None:
        """The value opens under the first key, and the entry names the second."""
        other = MasterKey(generate_key())
        both = KeyVaulting(vault, [master, other])
        both.store("file-a", VERSION, generate_key())
        entry = vault.get("file-a", "01" * 16)
        renamed = entry.content_type.replace(master.id, other.id)
        vault.put("file-a", "01" * 16, entry.value, content_type=renamed)
        with pytest.raises(DecryptionFailed):
            both.load("file-a", VERSION)

    def test_an_unknown_master_is_named(self, vault: LocalVault, master: MasterKey) -> None:
        KeyVaulting(vault, [master]).store("file-a", VERSION, generate_key())
        foreign = KeyVaulting(vault, [MasterKey(generate_key())])
        with pytest.raises(KeyManagementError, match=f"{master.id}.*KEY_PREVIOUS") as caught:
            foreign.load("file-a", VERSION)
        assert caught.value.details == {"reference": "file-a", "master": master.id}

    def test_the_same_key_twice_is_one(self, vault: LocalVault) -> None:
        key = generate_key()
        vaulting = KeyVaulting(vault, [MasterKey(key), MasterKey(key)])
        assert vaulting.previous_ids == ()

    def test_two_with_one_id_are_refused(self, vault: LocalVault, master: MasterKey) -> None:
        twin = MasterKey(generate_key())
        twin.id = master.id
        with pytest.raises(KeyManagementError, match="same id"):
            KeyVaulting(vault, [master, twin])

    def test_none_is_refused(self, vault: LocalVault) -> None:
        with pytest.raises(EncryptionError, match=r"^ENCRYPTION_KEY not configured$"):
            KeyVaulting(vault, [])


class TestRefusals:
    def test_a_disabled_version(self, vaulting: KeyVaulting) -> None:
        vaulting.store("file-a", VERSION, generate_key())
        vaulting.disable("file-a", VERSION)
        with pytest.raises(KeyManagementError, match="disabled"):
            vaulting.load("file-a", VERSION)

    @pytest.mark.parametrize("byte", range(0, 40, 3))
    def test_a_flipped_bit(self, vaulting: KeyVaulting, vault: LocalVault, byte: int) -> None:
        vaulting.store("file-a", VERSION, generate_key())
        entry = vault.get("file-a", "01" * 16)
        value = bytearray(entry.value)
        value[byte] ^= 1
        vault.put("file-a", "01" * 16, bytes(value), content_type=entry.content_type)
        with pytest.raises(DecryptionFailed, match=r"^Decryption failed - invalid key or"):
            vaulting.load("file-a", VERSION)

    @pytest.mark.parametrize(
        "content_type",
        ["", "text/plain", "application/x-darkroom-dek;v=2;m=01234567", "x;v=1;m=01234567"],
    )
    def test_something_that_is_no_key(
        self, vaulting: KeyVaulting, vault: LocalVault, content_type: str
    ) -> None:
        vault.put("file-a", "01" * 16, b"hello", content_type=content_type)
        with pytest.raises(KeyVaultError, match="not a Darkroom key"):
            vaulting.load("file-a", VERSION)


class TestSecrecy:
    """Whatever goes wrong with a planted key, nothing that is written down shows it."""

    FORMS = (
        PLANTED.decode(),
        PLANTED.hex(),
        base64.b64encode(PLANTED).decode()[:40],
        PLANTED[:8].decode(),
        repr(PLANTED),
    )

    @pytest.fixture
    def broken(self, vault: LocalVault, path: Path) -> dict[str, Callable[[], object]]:
        """Calls that fail, each with the planted key, or its wrapped form, in their hands."""
        master = MasterKey(SecretKey(PLANTED))
        vaulting = KeyVaulting(vault, [master])
        for reference in (
            "file-disabled",
            "file-damaged",
            "file-cut",
            "file-open",
            "file-other",
        ):
            vaulting.store(reference, VERSION, SecretKey(PLANTED))
        vaulting.disable("file-disabled", VERSION)
        kind = vault.get("file-damaged", "01" * 16).content_type
        vault.put("file-damaged", "01" * 16, PLANTED + b"12345678", content_type=kind)
        files = {file.stem: file for file in path.rglob("*.json")}
        files["file-cut"].write_bytes(files["file-cut"].read_bytes()[:-3] + PLANTED)
        files["file-open"].chmod(0o644)
        foreign = KeyVaulting(vault, [MasterKey(generate_key())])
        return {
            "disabled": lambda: vaulting.load("file-disabled", VERSION),
            "damaged": lambda: vaulting.load("file-damaged", VERSION),
            "cut": lambda: vaulting.load("file-cut", VERSION),
            "open": lambda: vaulting.load("file-open", VERSION),
            "missing": lambda: vaulting.load("file-missing", VERSION),
            "foreign": lambda: foreign.load("file-other", VERSION),
            "name": lambda: vaulting.store(PLANTED.decode() + "_", VERSION, SecretKey(PLANTED)),
            "version": lambda: vaulting.load("file-a", PLANTED),
            "length": lambda: SecretKey(PLANTED + b"!"),
        }

    def test_no_error_shows_a_key(
        self, broken: dict[str, Callable[[], object]], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        kinds = set()
        for name, call in broken.items():
            with pytest.raises(DarkroomError) as caught:
                call()
            error = caught.value
            kinds.add(type(error))
            assert error.message, name
            assert error.operation, name
            assert abs(datetime.now(UTC) - error.at) < timedelta(minutes=1), name
            for text in written_down(error):
                assert not any(form in text for form in self.FORMS), (name, text)
        assert kinds >= {KeyVaultError, KeyManagementError, EncryptionError, DecryptionFailed}
        assert caplog.text == ""

    def test_nothing_shows_itself(self, vault: LocalVault) -> None:
        vaulting = KeyVaulting(vault, [MasterKey(SecretKey(PLANTED))])
        vaulting.store("file-a", VERSION, SecretKey(PLANTED))
        shown = repr(vaulting) + repr(vars(vaulting)) + repr(vault.get("file-a", "01" * 16))
        assert not any(form in shown for form in self.FORMS)
        wrapped = vault.get("file-a", "01" * 16).value
        assert repr(wrapped)[2:-1] not in shown


def written_down(error: BaseException) -> Iterator[str]:
    """All that a log, a page or a report could make of an error and of those behind it."""
    yield "".join(traceback.format_exception(error))
    behind: BaseException | None = error
    while behind is not None:
        yield str(behind)
        yield repr(behind)
        yield repr(vars(behind))
        if isinstance(behind, DarkroomError):
            yield json.dumps(behind.details)
        behind = behind.__cause__ or behind.__context__
