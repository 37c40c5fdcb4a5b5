"""HashiCorp's kind of vault beyond the contract, against a real server: the documented policy,
signing in, what is left after a change and a deletion, two writers, secrecy."""

from __future__ import annotations

import logging
import re
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hvac
import pytest

from app.errors import KeyDamaged, KeyNotFound, KeyVaultError, KeyVaultUnavailable
from app.vault.hashicorp import HashicorpVault
from app.vault.hashicorp_session import HashicorpAccess, HashicorpSession
from app.vault.hashicorp_transit import TransitWrapper
from tests.fixtures.openbao import TOKEN, Bao, BaoServer

TOP = Path(__file__).resolve().parents[3]
TYPE = "application/x-darkroom-dek;v=1;m=0badcafe"
FIRST, SECOND = "0" * 31 + "1", "0" * 31 + "2"
PLANTED = b"PLANTED-WRAPPED-KEY-OF-FORTY-BYTES-12345"
Make = Callable[..., HashicorpVault]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def mount(openbao: BaoServer) -> str:
    return openbao.new_mount()


@pytest.fixture
def make(openbao: BaoServer, mount: str) -> Iterator[Make]:
    """Vaults that share a mount; with a root token unless something else is given."""
    with ExitStack() as cleanup:

        def made(**access: str) -> HashicorpVault:
            given = {"url": openbao.url, **(access or {"token": TOKEN})}
            vault = HashicorpVault(HashicorpSession(HashicorpAccess(**given)), mount, now)
            cleanup.callback(vault.close)
            return vault

        yield made


@pytest.fixture
def root(openbao: BaoServer) -> Iterator[Any]:
    with openbao.client() as client:
        yield client


def documented_policy(mount: str, transit: str) -> str:
    """The policy of docs/operations.md, for these mounts."""
    page = (TOP / "docs" / "operations.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```hcl\n(.*?)```", page, re.DOTALL)
    return str(text).replace("secret/", f"{mount}/").replace("transit/", f"{transit}/")


class Approle:
    """A role with a policy of its own; ``ids`` sign in."""

    def __init__(self, root: Any, policy: str, **terms: str) -> None:
        self._root = root
        self.name = f"role-{time.monotonic_ns()}"
        if "approle/" not in root.sys.list_auth_methods()["data"]:
            root.sys.enable_auth_method("approle")
        root.sys.create_or_update_policy(self.name, policy)
        role = root.auth.approle
        role.create_or_update_approle(self.name, token_policies=[self.name], **terms)
        self.ids = {
            "role_id": role.read_role_id(self.name)["data"]["role_id"],
            "secret_id": role.generate_secret_id(self.name)["data"]["secret_id"],
        }


class TestThePolicyOfTheDocumentation:
    def test_it_is_enough(self, openbao: BaoServer, make: Make, mount: str, root: Any) -> None:
        transit = openbao.new_mount("transit")
        role = Approle(root, documented_policy(mount, transit), token_ttl="1h")
        vault = make(**role.ids)
        vault.prepare()
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        vault.put("file-a", SECOND, b"2", content_type=TYPE)
        vault.put("file-a", FIRST, b"1 again", content_type=TYPE)
        vault.disable("file-a", FIRST)
        assert vault.get("file-a", SECOND).value == b"2"
        assert list(vault.references()) == ["file-a"]
        vault.delete("file-a")
        assert list(vault.references()) == []
        session = HashicorpSession(HashicorpAccess(openbao.url, **role.ids))
        wrapper = TransitWrapper(session, transit)
        old = wrapper.wrap("kek-00", PLANTED)
        wrapper.rotate("kek-00")
        assert wrapper.unwrap(old) == PLANTED
        wrapper.retire("kek-00", old.version)
        with pytest.raises(KeyNotFound):
            wrapper.unwrap(old)
        session.close()

    def test_it_is_no_more_than_that(self, openbao: BaoServer, mount: str, root: Any) -> None:
        other = openbao.new_mount()
        role = Approle(root, documented_policy(mount, "transit"), token_ttl="1h")
        session = HashicorpSession(HashicorpAccess(openbao.url, **role.ids))
        vault = HashicorpVault(session, other, now)
        for call in (vault.check, lambda: vault.put("a", FIRST, b"", content_type=TYPE)):
            with pytest.raises(KeyVaultError, match="refuses"):
                call()
        session.close()

    def test_less_is_noticed_before_the_first_key(
        self, make: Make, mount: str, root: Any
    ) -> None:
        reading = f'path "{mount}/data/*" {{ capabilities = ["read"] }}'
        vault = make(**Approle(root, reading, token_ttl="1h").ids)
        with pytest.raises(KeyVaultError, match=f"does not let Darkroom write to {mount}/data"):
            vault.prepare()


class TestSigningIn:
    def test_a_token_that_was_revoked_is_replaced_by_an_approle(
        self, make: Make, mount: str, root: Any
    ) -> None:
        role = Approle(root, documented_policy(mount, "transit"), token_ttl="1h")
        vault = make(**role.ids)
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        session = vault._session
        root.auth.token.revoke(session._client.token)
        session._logged_in_at -= 60  # as if that was a minute ago
        assert vault.get("file-a", FIRST).value == b"1"

    def test_a_token_is_renewed_while_it_is_used(
        self, make: Make, mount: str, root: Any
    ) -> None:
        role = Approle(root, documented_policy(mount, "transit"), token_ttl="2m")
        vault = make(**role.ids)
        vault.check()
        session = vault._session
        token = session._client.token
        time.sleep(1.1)
        session._renew_at = 0.0
        vault.check()
        assert session._client.token == token, "renewed, not signed in again"
        assert root.auth.token.lookup(token)["data"]["ttl"] > 118

    def test_a_token_that_cannot_be_renewed_any_more_is_replaced(
        self, make: Make, mount: str, root: Any
    ) -> None:
        role = Approle(
            root, documented_policy(mount, "transit"), token_ttl="30s", token_max_ttl="30s"
        )
        vault = make(**role.ids)
        vault.check()
        session = vault._session
        token = session._client.token
        session._renew_at = 0.0
        vault.check()
        assert session._client.token != token

    @pytest.mark.parametrize(
        "who", [{"token": "s.PLANTED"}, {"role_id": "PLANTED", "secret_id": "PLANTED"}]
    )
    def test_who_is_not_known_is_refused(self, make: Make, who: dict[str, str]) -> None:
        vault = make(**who)
        with pytest.raises(KeyVaultError) as caught:
            vault.check()
        assert not isinstance(caught.value, KeyVaultUnavailable)
        assert "PLANTED" not in "".join(traceback.format_exception(caught.value))
        assert "PLANTED" not in repr(HashicorpAccess("https://v", **who))

    def test_nothing_of_the_home_folder_is_used(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / ".vault-token").write_text(TOKEN)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("VAULT_TOKEN", TOKEN)
        with pytest.raises(KeyVaultError):
            make(token="", role_id="none", secret_id="none").check()


class TestWhatIsLeft:
    def test_no_former_version_after_a_change(self, make: Make, mount: str, root: Any) -> None:
        vault = make()
        for value in (b"old", b"newer", b"newest"):
            vault.put("file-a", FIRST, value, content_type=TYPE)
        vault.disable("file-a", FIRST)
        kv = root.secrets.kv.v2
        about = kv.read_secret_metadata("file-a", mount_point=mount)["data"]
        assert list(about["versions"]) == [str(about["current_version"])]
        for number in range(1, about["current_version"]):
            with pytest.raises(hvac.exceptions.InvalidPath):
                kv.read_secret_version(
                    "file-a", number, mount_point=mount, raise_on_deleted_version=True
                )

    def test_nothing_after_a_deletion(self, make: Make, mount: str, root: Any) -> None:
        vault = make()
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        vault.delete("file-a")
        with pytest.raises(hvac.exceptions.InvalidPath):
            root.secrets.kv.v2.read_secret_metadata("file-a", mount_point=mount)
        assert vault.recoverable_until("file-a") is None

    def test_what_somebody_else_deleted_is_said_and_not_overwritten(
        self, make: Make, mount: str, root: Any
    ) -> None:
        vault, kv = make(), root.secrets.kv.v2
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        kv.delete_latest_version_of_secret("file-a", mount_point=mount)
        with pytest.raises(KeyNotFound, match="kv undelete"):
            vault.get("file-a", FIRST)
        with pytest.raises(KeyVaultError, match="kv undelete"):
            vault.put("file-a", SECOND, b"2", content_type=TYPE)
        kv.undelete_secret_versions("file-a", [1], mount_point=mount)
        assert vault.get("file-a", FIRST).value == b"1"


class TestWriters:
    def test_two_vaults_lose_nothing_of_each_other(self, make: Make) -> None:
        """Two sessions stand for two processes: they share no lock."""
        vaults = [make(), make()]
        names = [f"{number:032x}" for number in range(24)]
        with ThreadPoolExecutor(6) as pool:
            for number, name in enumerate(names):
                pool.submit(vaults[number % 2].put, "file-a", name, b"value", content_type=TYPE)
        assert {info.version for info in vaults[0].versions("file-a")} == set(names)

    @pytest.mark.parametrize(
        "document",
        [
            {"x": "PLANTED"},
            {"current": FIRST},
            {"current": FIRST, FIRST: {"value": "PLANTED"}},
            {"current": FIRST, FIRST: "PLANTED", "more": 1},
        ],
    )
    def test_what_is_no_key_is_damaged(
        self, make: Make, mount: str, root: Any, document: dict[str, Any]
    ) -> None:
        vault = make()
        root.secrets.kv.v2.create_or_update_secret("file-a", document, mount_point=mount)
        with pytest.raises(KeyDamaged) as caught:
            vault.get("file-a", FIRST)
        assert "PLANTED" not in "".join(traceback.format_exception(caught.value))

    def test_a_mount_of_version_1_is_refused(self, openbao: BaoServer) -> None:
        session = HashicorpSession(HashicorpAccess(openbao.url, token=TOKEN))
        vault = HashicorpVault(session, openbao.new_mount("kv"), now)
        with pytest.raises(KeyVaultError, match="no KV secrets engine of version 2"):
            vault.prepare()
        session.close()


@pytest.mark.slow
def test_a_sealed_vault_is_said_to_be_sealed(bao: Bao) -> None:
    session = HashicorpSession(HashicorpAccess(bao.url, token=bao.token))
    vault = HashicorpVault(session, "secret", now)
    vault.put("file-a", FIRST, b"1", content_type=TYPE)
    with bao.client() as client:
        client.sys.seal()
    with pytest.raises(KeyVaultUnavailable, match="sealed"):
        vault.get("file-a", FIRST)
    bao.unseal()
    time.sleep(2.1)
    assert vault.get("file-a", FIRST).value == b"1"
    session.close()


def test_no_value_and_no_token_reach_a_log(
    make: Make, mount: str, root: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """At the most talkative level, through success and failure."""
    role = Approle(root, documented_policy(mount, "transit"), token_ttl="1h")
    caplog.clear()
    for name in (None, "hvac", "urllib3"):  # a start in this process may have quietened them
        caplog.set_level(logging.DEBUG, logger=name)
    vault = make(**role.ids)
    vault.put("file-a", FIRST, PLANTED, content_type=TYPE)
    vault.put("file-a", FIRST, PLANTED, content_type=TYPE)
    assert vault.get("file-a", FIRST).value == PLANTED
    with pytest.raises(KeyNotFound):
        vault.get("file-b", FIRST)
    vault.delete("file-a")
    assert "127.0.0.1" in caplog.text, "nothing was logged at all"
    text = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    token = vault._session._client.token
    for secret in ("PLANTED", "UExBTlRFRC", token, role.ids["secret_id"]):
        assert secret not in text
    assert token not in repr(vault) + repr(vault._session)
