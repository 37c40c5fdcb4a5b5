"""Azure Key Vault beyond the contract: tags, races, limits, deletion, secrecy."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.errors import KeyDamaged, KeyNotFound, KeyVaultError, KeyVaultUnavailable
from app.vault.azure import AzureVault
from app.vault.azure_access import AzureAccess, credential_of, secret_client
from app.vault.azure_keys import AzureWrapper
from tests.azure.answers import Answer, Request
from tests.fixtures.azure import LoopbackAzure

TYPE = "application/x-darkroom-dek;v=1;m=0badcafe"
FIRST, SECOND = "0" * 31 + "1", "0" * 31 + "2"
PLANTED = b"PLANTED-WRAPPED-KEY-OF-FORTY-BYTES-12345"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def vault(azure: LoopbackAzure) -> Iterator[AzureVault]:
    made = AzureVault(azure.secret_client(), now)
    yield made
    made.close()


def versions_of(azure: LoopbackAzure, name: str) -> list[tuple[str, bool]]:
    """Tag and state of every Azure version, oldest first."""
    found = azure.cloud.secrets.secrets[name].versions
    return [(version.tags["dkrm"], version.enabled) for version in found]


class TestVersions:
    def test_a_version_says_what_it_is(self, azure: LoopbackAzure, vault: AzureVault) -> None:
        expires = datetime(2031, 1, 1, tzinfo=UTC)
        vault.put("file-a", FIRST, PLANTED, content_type=TYPE, expires_on=expires)
        (version,) = azure.cloud.secrets.secrets["file-a"].versions
        assert version.tags["dkrm"] == FIRST
        assert version.content_type == TYPE
        assert version.expires == int(expires.timestamp())

    def test_a_new_wrapping_shuts_the_former_one(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        for value in (b"1", b"2", b"3"):
            vault.put("file-a", FIRST, value, content_type=TYPE)
        assert versions_of(azure, "file-a") == [(FIRST, False), (FIRST, False), (FIRST, True)]
        assert vault.get("file-a", FIRST).value == b"3"

    def test_two_writers_at_once_make_one_key(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        """Both saw nothing there, so Azure has two versions of one tag; then one is shut."""
        listed: list[Request] = []

        def between(request: Request) -> Answer | None:
            if request.method == "PUT" and not listed:
                listed.append(request)
                other = AzureVault(azure.secret_client(), now)
                other.put("file-a", FIRST, b"other", content_type=TYPE)
                other.close()
            return None

        azure.cloud.faults.append(between)
        vault.put("file-a", FIRST, b"mine", content_type=TYPE)
        assert versions_of(azure, "file-a") == [(FIRST, True), (FIRST, True)]
        assert [info.version for info in vault.versions("file-a")] == [FIRST]
        seen = {vault.get("file-a", FIRST).value for _ in range(3)}
        assert len(seen) == 1
        vault.put("file-a", FIRST, b"again", content_type=TYPE)
        assert sum(is_open for _, is_open in versions_of(azure, "file-a")) == 1

    def test_disabling_during_a_new_wrapping_holds(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        vault.put("file-a", FIRST, b"old", content_type=TYPE)
        other = AzureVault(azure.secret_client(), now)

        def between(request: Request) -> Answer | None:
            if request.method == "PUT":
                azure.cloud.faults.clear()
                other.disable("file-a", FIRST)
            return None

        azure.cloud.faults.append(between)
        vault.put("file-a", FIRST, b"new", content_type=TYPE)
        other.close()
        assert not vault.get("file-a", FIRST).enabled
        assert not any(is_open for _, is_open in versions_of(azure, "file-a"))

    def test_what_an_administrator_shut_is_disabled_until_it_is_open_again(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        (version,) = azure.cloud.secrets.secrets["file-a"].versions
        version.enabled = False
        assert not vault.get("file-a", FIRST).enabled
        assert not version.enabled, "it was opened to be read, and shut again"
        version.enabled = True
        assert vault.get("file-a", FIRST).enabled

    def test_a_crash_while_it_was_open_leaves_it_disabled(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        vault.disable("file-a", FIRST)
        azure.cloud.secrets.secrets["file-a"].versions[0].enabled = True
        assert not vault.get("file-a", FIRST).enabled
        assert not vault.versions("file-a")[0].enabled

    def test_names_do_not_differ_by_case(self, vault: AzureVault) -> None:
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        assert vault.get("FILE-A", FIRST).value == b"1"

    def test_secrets_of_others_are_left_alone(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        client = azure.secret_client()
        client.set_secret("file-of-others", "not ours")
        client.set_secret("file-a", "not ours either")
        client.close()
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        assert set(vault.references()) == {"file-a"}
        assert [info.version for info in vault.versions("file-a")] == [FIRST]
        with pytest.raises(KeyNotFound):
            vault.get("file-of-others", FIRST)

    @pytest.mark.parametrize("tags", [{"dkrm-order": "x.y"}, {"dkrm-created": "yesterday"}])
    def test_tags_that_make_no_sense(
        self, azure: LoopbackAzure, vault: AzureVault, tags: dict[str, str]
    ) -> None:
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        azure.cloud.secrets.secrets["file-a"].versions[0].tags.update(tags)
        with pytest.raises(KeyDamaged):
            vault.get("file-a", FIRST)

    def test_the_common_case_is_one_request(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        azure.cloud.requests.clear()
        vault.get("file-a", FIRST)
        assert azure.cloud.requests.total() == 1


class TestDeletion:
    def test_without_purge_protection_nothing_is_left(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        vault.delete("file-a")
        assert azure.cloud.secrets.secrets == {}
        assert vault.recoverable_until("file-a") is None
        vault.put("file-a", SECOND, b"2", content_type=TYPE)

    @pytest.mark.parametrize("why", ["purge_protection", "no permission"])
    def test_where_purging_is_not_allowed_the_day_is_told(
        self, azure: LoopbackAzure, vault: AzureVault, why: str
    ) -> None:
        azure.cloud.secrets.purge_protection = why == "purge_protection"
        azure.cloud.secrets.may_purge = False
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        vault.delete("file-a")
        vault.delete("file-a")
        with pytest.raises(KeyNotFound):
            vault.get("file-a", FIRST)
        until = vault.recoverable_until("file-a")
        assert until is not None
        assert abs(until - now() - timedelta(days=90)) < timedelta(minutes=5)
        with pytest.raises(KeyVaultError, match=f"blocks this name .* {until:%Y-%m-%d}"):
            vault.put("file-a", SECOND, b"2", content_type=TYPE)

    def test_a_deletion_that_was_cut_short_is_finished(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        client = azure.secret_client()
        client.begin_delete_secret("file-a", _polling_interval=0.05).wait()
        client.close()
        vault.delete("file-a")
        assert azure.cloud.secrets.secrets == {}

    def test_a_name_that_is_being_deleted_is_busy(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        azure.cloud.secrets.slowness = 60.0
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        client = azure.secret_client()
        client.begin_delete_secret("file-a")
        client.close()
        with pytest.raises(KeyVaultUnavailable, match="still deleting"):
            vault.put("file-a", SECOND, b"2", content_type=TYPE)


class TestTrouble:
    @pytest.mark.parametrize("status", [429, 500, 503, 408])
    def test_a_passing_trouble_is_waited_for(
        self, azure: LoopbackAzure, vault: AzureVault, status: int
    ) -> None:
        azure.cloud.fail_next(2, status)
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        assert vault.get("file-a", FIRST).value == b"1"

    def test_a_long_throttle_is_not(self, azure: LoopbackAzure, vault: AzureVault) -> None:
        azure.cloud.fail_next(99, 429, Retry_After="10")
        began = time.monotonic()
        with pytest.raises(KeyVaultUnavailable) as caught:
            vault.get("file-a", FIRST)
        assert time.monotonic() - began < 9
        assert caught.value.details["retry_after"] == 10.0

    def test_a_vault_that_hangs(self, azure: LoopbackAzure, vault: AzureVault) -> None:
        vault.check()
        azure.cloud.hang(7.0)
        began = time.monotonic()
        with pytest.raises(KeyVaultUnavailable, match="cannot be reached"):
            vault.get("file-a", FIRST)
        assert time.monotonic() - began < 8
        with pytest.raises(KeyVaultUnavailable, match="a moment ago"):
            vault.get("file-a", FIRST)

    def test_a_vault_that_is_down_and_comes_back(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        azure.stop()
        other = AzureVault(azure.secret_client(), now)
        with pytest.raises(KeyVaultUnavailable, match="cannot be reached"):
            other.get("file-a", FIRST)
        azure.start()
        time.sleep(2.2)
        assert other.get("file-a", FIRST).value == b"1"
        other.close()

    def test_a_token_that_was_taken_back(self, azure: LoopbackAzure, vault: AzureVault) -> None:
        vault.put("file-a", FIRST, b"1", content_type=TYPE)
        azure.cloud.forget_tokens()
        assert vault.get("file-a", FIRST).value == b"1"

    def test_a_wrong_client_secret(self, azure: LoopbackAzure) -> None:
        vault = AzureVault(azure.secret_client(azure.credential("PLANTED-WRONG")), now)
        with pytest.raises(KeyVaultError, match="does not accept who we are") as caught:
            vault.check()
        vault.close()
        assert not isinstance(caught.value, KeyVaultUnavailable)
        assert caught.value.details == {"code": "AADSTS7000215"}
        assert "PLANTED" not in "".join(traceback.format_exception(caught.value))

    def test_a_policy_that_lacks_a_permission(
        self, azure: LoopbackAzure, vault: AzureVault
    ) -> None:
        azure.cloud.refuses_everybody = True
        with pytest.raises(KeyVaultError, match="The vault refuses") as caught:
            vault.check()
        assert caught.value.details["code"] == "ForbiddenByPolicy"

    def test_the_application_insists_on_certificate_and_name(
        self, azure: LoopbackAzure
    ) -> None:
        """What production makes does not talk to the vault of the tests."""
        access = AzureAccess(azure.url, "tenant", "client", "secret")
        vault = AzureVault(secret_client(access, credential_of(access)), now)
        with pytest.raises(KeyVaultError, match="certificate cannot be verified"):
            vault.check()
        vault.close()


def test_no_value_and_no_token_reach_a_log(
    azure: LoopbackAzure, caplog: pytest.LogCaptureFixture
) -> None:
    """At the most talkative level, through success and failure."""
    for name in (None, "azure", "msal", "urllib3"):  # a start may have quietened them
        caplog.set_level(logging.DEBUG, logger=name)
    vault, wrapper = AzureVault(azure.secret_client(), now), AzureWrapper(azure.key_client())
    vault.put("file-a", FIRST, PLANTED, content_type=TYPE)
    vault.get("file-a", FIRST)
    vault.disable("file-a", FIRST)
    vault.get("file-a", FIRST)
    wrapper.unwrap(wrapper.wrap("kek-00", PLANTED))
    azure.cloud.fail_next(2, 500)
    calls: list[Callable[[], object]] = [
        lambda: vault.get("file-b", FIRST),
        lambda: vault.put("file-a", FIRST, PLANTED, content_type="x" * 5000),
        lambda: vault.delete("file-a"),
    ]
    told = ""
    for call in calls:
        try:
            call()
        except KeyVaultError as error:
            told += "".join(traceback.format_exception(error))
    assert told
    assert "PLANTED" not in told
    vault.close()
    wrapper.close()
    assert "127.0.0.1" in caplog.text, "nothing was logged at all"
    text = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    for secret in ("PLANTED", "UExBTlRFRC", azure.cloud.client_secret):
        assert secret not in text
