"""Settings of the vault: what belongs together, what is refused, and why."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import pytest

from app.config import load_settings
from app.config_vault import VaultSettings
from app.errors import ConfigurationError

KEYS = {"ENCRYPTION_KEY": secrets.token_hex(32), "SECRET_KEY": secrets.token_hex(32)}
AZURE = {"KEY_VAULT_MODE": "azure", "KEY_VAULT_URL": "https://darkroom.vault.azure.net"}
APPLICATION = {
    "KEY_VAULT_TENANT_ID": "tenant",
    "KEY_VAULT_CLIENT_ID": "client",
    "KEY_VAULT_CLIENT_SECRET": "PLANTED-SECRET",
}
BAO = {"KEY_VAULT_MODE": "hashicorp", "KEY_VAULT_URL": "https://bao.example:8200"}
TOKEN = {"VAULT_TOKEN": "PLANTED-TOKEN"}
APPROLE = {"VAULT_ROLE_ID": "role", "VAULT_SECRET_ID": "PLANTED-SECRET"}


def vault(*parts: dict[str, str]) -> VaultSettings:
    environ = {name: value for part in (KEYS, *parts) for name, value in part.items()}
    return load_settings(environ)[0].vault


def test_the_vault_is_local_unless_told_otherwise() -> None:
    assert vault().mode == "local"
    assert not vault().is_remote
    assert vault().mount == "secret"


@pytest.mark.parametrize(
    "given",
    [
        [AZURE],
        [AZURE, APPLICATION],
        [BAO, TOKEN],
        [BAO, APPROLE],
        [BAO, TOKEN, {"KEY_VAULT_URL": "http://127.0.0.1:8200"}],
        [BAO, TOKEN, {"KEY_VAULT_URL": "http://[::1]:8200/"}],
        [BAO, TOKEN, {"KEY_VAULT_URL": "http://localhost:8200"}],
        [BAO, TOKEN, {"VAULT_MOUNT": "/team/kv/"}],
    ],
)
def test_accepted(given: list[dict[str, str]]) -> None:
    assert vault(*given).is_remote


REFUSED = {
    "a mode that is none": ([{"KEY_VAULT_MODE": "gcp"}], "must be one of: local, azure"),
    "azure nowhere": ([{"KEY_VAULT_MODE": "azure"}], "KEY_VAULT_URL is not set"),
    "hashicorp nowhere": ([{"KEY_VAULT_MODE": "hashicorp"}, TOKEN], "KEY_VAULT_URL is not set"),
    "azure in clear": (
        [AZURE, {"KEY_VAULT_URL": "http://127.0.0.1"}],
        "must be an https:// address",
    ),
    "a remote vault in clear": (
        [BAO, TOKEN, {"KEY_VAULT_URL": "http://bao.example:8200"}],
        "must be an https:// address; http:// is for a vault on this machine",
    ),
    "an address with more": (
        [BAO, TOKEN, {"KEY_VAULT_URL": "https://bao.example/v1"}],
        "and nothing else",
    ),
    "an address with a password": (
        [BAO, TOKEN, {"KEY_VAULT_URL": "https://me:PLANTED@bao.example"}],
        "and nothing else",
    ),
    "a managed HSM": (
        [AZURE, {"KEY_VAULT_URL": "https://x.managedhsm.azure.net"}],
        "keeps no secrets",
    ),
    "an application by halves": (
        [AZURE, {"KEY_VAULT_TENANT_ID": "tenant", "KEY_VAULT_CLIENT_ID": "client"}],
        "KEY_VAULT_CLIENT_SECRET is not set: set all three",
    ),
    "nobody": ([BAO], "Set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID"),
    "a role without its secret": ([BAO, {"VAULT_ROLE_ID": "role"}], "Set VAULT_TOKEN, or"),
    "two at once": ([BAO, TOKEN, APPROLE], "are both set"),
    "no authority": ([BAO, TOKEN, {"VAULT_CACERT": "/not/there.pem"}], "names no file"),
    "a mount that is none": ([BAO, TOKEN, {"VAULT_MOUNT": "../sys"}], "VAULT_MOUNT must be"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_in_one_sentence(what: str) -> None:
    given, says = REFUSED[what]
    with pytest.raises(ConfigurationError, match=says) as caught:
        vault(*given)
    assert "PLANTED" not in str(caught.value)


def test_no_secret_in_a_repr() -> None:
    for given in ([AZURE, APPLICATION], [BAO, APPROLE], [BAO, TOKEN]):
        assert "PLANTED" not in repr(vault(*given))


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("PLANTED-TOKEN\n")
    token.chmod(0o600)
    assert vault(BAO, {"VAULT_TOKEN_FILE": str(token)}).token == "PLANTED-TOKEN"


def test_an_address_without_a_mode_is_warned_of() -> None:
    said = load_settings({**KEYS, "KEY_VAULT_URL": AZURE["KEY_VAULT_URL"]})[1]
    assert any("KEY_VAULT_MODE is local" in warning for warning in said)


def test_another_vault_may_be_described_to_move_to() -> None:
    described = vault({"KEY_VAULT_URL": AZURE["KEY_VAULT_URL"]})
    described.require("azure")
    with pytest.raises(ConfigurationError):
        described.require("hashicorp")


def test_a_missing_package_is_said_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from app.wiring_vault import build_vault

    settings = load_settings({**KEYS, **BAO, **TOKEN})[0]
    for loaded in [name for name in sys.modules if name.startswith("app.vault.hashicorp")]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, "hvac", None)
    with pytest.raises(ConfigurationError, match=r"requirements-scale\.txt"):
        build_vault(settings)
