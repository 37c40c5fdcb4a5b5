"""Settings of the key vault: which one, where it is, who we are to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from app import config_values as v
from app.errors import ConfigurationError

VaultMode = Literal["local", "azure", "hashicorp"]
MODES: tuple[VaultMode, ...] = get_args(VaultMode)
_SIGN_IN = ("KEY_VAULT_TENANT_ID", "KEY_VAULT_CLIENT_ID", "KEY_VAULT_CLIENT_SECRET")


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """``mode`` is the vault in use; the rest describes it, or one to move to."""

    mode: VaultMode
    url: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    token: str = field(repr=False)
    role_id: str = field(repr=False)
    secret_id: str = field(repr=False)
    mount: str
    namespace: str
    cacert: str

    @property
    def is_remote(self) -> bool:
        """Whether it is reached over the network."""
        return self.mode != "local"

    def require(self, mode: str) -> None:
        """Raise ConfigurationError, in one sentence, unless a vault of this mode is
        described completely and without contradiction."""
        if mode not in MODES:
            raise _wrong("KEY_VAULT_MODE must be one of: " + ", ".join(MODES))
        if mode == "azure":
            self._require_azure()
        elif mode == "hashicorp":
            self._require_hashicorp()

    def _require_azure(self) -> None:
        host = self._host("azure", https_only=True)
        if host.endswith(".managedhsm.azure.net"):
            raise _wrong("KEY_VAULT_URL is a Managed HSM, which keeps no secrets: name a vault")
        given = [bool(one) for one in (self.tenant_id, self.client_id, self.client_secret)]
        if any(given) and not all(given):
            missing = ", ".join(
                name for name, is_ in zip(_SIGN_IN, given, strict=True) if not is_
            )
            raise _wrong(
                f"{missing} is not set: set all three of an application, or none of them for"
                " the managed identity of this machine"
            )

    def _require_hashicorp(self) -> None:
        self._host("hashicorp", https_only=False)
        approle = [bool(self.role_id), bool(self.secret_id)]
        if self.token and any(approle):
            raise _wrong(
                "VAULT_TOKEN and VAULT_ROLE_ID are both set: keep the one to sign in by"
            )
        if not self.token and not all(approle):
            raise _wrong("Set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID, to sign in")
        if self.cacert and not Path(self.cacert).is_file():
            raise _wrong("VAULT_CACERT names no file")

    def _host(self, mode: str, *, https_only: bool) -> str:
        if not self.url:
            raise _wrong(f"KEY_VAULT_URL is not set, and KEY_VAULT_MODE={mode} needs it")
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        plain = parts.scheme == "http" and not https_only and _is_loopback(host)
        if not host or not (parts.scheme == "https" or plain):
            rest = "" if https_only else "; http:// is for a vault on this machine alone"
            raise _wrong(f"KEY_VAULT_URL must be an https:// address{rest}")
        if parts.username or parts.query or parts.fragment or parts.path.strip("/"):
            raise _wrong("KEY_VAULT_URL must be a scheme, a host and a port, and nothing else")
        return host.lower()


def vault_settings(values: v.Values) -> VaultSettings:
    """Read and check the vault's settings; raises ConfigurationError."""
    one, text = values.one, values.text
    mode: VaultMode = one("KEY_VAULT_MODE", "local", _mode)
    read = VaultSettings(
        mode=mode,
        url=text("KEY_VAULT_URL").rstrip("/"),
        tenant_id=text("KEY_VAULT_TENANT_ID"),
        client_id=text("KEY_VAULT_CLIENT_ID"),
        client_secret=text("KEY_VAULT_CLIENT_SECRET"),
        token=text("VAULT_TOKEN"),
        role_id=text("VAULT_ROLE_ID"),
        secret_id=text("VAULT_SECRET_ID"),
        mount=one("VAULT_MOUNT", "secret", _mount),
        namespace=text("VAULT_NAMESPACE"),
        cacert=text("VAULT_CACERT"),
    )
    read.require(mode)
    return read


def vault_warnings(values: v.Values) -> list[str]:
    """Name an address that nobody uses: the mode that belongs to it may be forgotten."""
    if values.has("KEY_VAULT_URL") and values.text("KEY_VAULT_MODE", "local") == "local":
        return ["KEY_VAULT_URL is set, but KEY_VAULT_MODE is local: keys are kept on this disk"]
    return []


def _mode(text: str) -> VaultMode:
    for mode in MODES:
        if text == mode:
            return mode
    raise ValueError("must be one of: " + ", ".join(MODES))


def _mount(text: str) -> str:
    mount = text.strip("/")
    if not mount or any(part in {"", ".", ".."} for part in mount.split("/")):
        raise ValueError("must be the path of a secrets engine, such as secret")
    if not all(letter.isalnum() or letter in "-_./" for letter in mount):
        raise ValueError("must be the path of a secrets engine, such as secret")
    return mount


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong(sentence: str) -> ConfigurationError:
    return ConfigurationError(sentence, operation="settings.vault")
