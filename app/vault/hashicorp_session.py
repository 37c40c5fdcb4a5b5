"""A session with HashiCorp Vault or OpenBao: the client of hvac, its token, its errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import hvac
import requests
from hvac import exceptions as refused
from hvac.adapters import JSONAdapter

from app.errors import KeyNotFound, KeyVaultError, KeyVaultUnavailable
from app.vault.line import CONNECT_SECONDS, READ_SECONDS, Failure, VaultLine, seconds_of

T = TypeVar("T")

_CONNECTIONS = 32
_SHORTEST_LEASE = 60.0
_LOGIN_PAUSE = 10.0
# The last four: an answer that is not JSON, or not of the form that was expected.
_ERRORS = (
    refused.VaultError,
    requests.RequestException,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class HashicorpAccess:
    """Where the vault is and who we are: a token, or an AppRole by its two ids."""

    url: str
    token: str = field(default="", repr=False)
    role_id: str = field(default="", repr=False)
    secret_id: str = field(default="", repr=False)
    namespace: str = ""
    cacert: str = ""


class _Adapter(JSONAdapter):  # type: ignore[misc]
    """Keeps what the exceptions of hvac leave out."""

    def _raise_for_error(self, method: str, url: str, response: requests.Response) -> None:
        try:
            super()._raise_for_error(method, url, response)
        except refused.VaultError as error:
            error.retry_after = seconds_of(response.headers.get("Retry-After"))
            raise


class HashicorpSession:
    """Asks the vault with a token that is kept alive. Safe to use from many threads.

    A token that can be renewed is renewed when half of its time is over, by whoever asks
    next; where that fails, an AppRole signs in again. Nothing is asked before the first use.
    """

    def __init__(
        self, access: HashicorpAccess, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._access = access
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._client: Any = None
        self._renew_at: float | None = 0.0
        self._logged_in_at = float("-inf")
        self._line = VaultLine(_ERRORS, judge)

    def ask(self, operation: str, reference: str, request: Callable[[Any], T]) -> T:
        """What ``request`` makes of the client; raises KeyVaultError and its kinds."""
        return self._line.ask(operation, reference, lambda: self._asked(request))

    def close(self) -> None:
        """Give back the connections; the next use makes new ones."""
        with self._lock:
            client, self._client, self._renew_at = self._client, None, 0.0
        if client is not None:
            client.adapter.close()

    def _asked(self, request: Callable[[Any], T]) -> T:
        client = self._alive()
        try:
            return request(client)
        except refused.Forbidden:
            if not self._may_sign_in_again():
                raise
        return request(self._alive())

    def _alive(self) -> Any:
        """The client, with a token that has some time left."""
        with self._lock:
            if self._client is None:
                self._client = _client(self._access)
            if self._renew_at is not None and self._monotonic() >= self._renew_at:
                self._keep_alive(self._client)
            return self._client

    def _keep_alive(self, client: Any) -> None:
        lease = _renewed(client) if client.token else None
        if lease is None and self._access.role_id:
            lease = self._sign_in(client)
        elif lease is None:
            client.token = self._access.token
            lease = _time_left(client)
        self._renew_at = None if lease <= 0 else self._monotonic() + lease / 2

    def _sign_in(self, client: Any) -> float:
        self._logged_in_at = self._monotonic()
        client.token = ""
        answer = client.auth.approle.login(self._access.role_id, self._access.secret_id)
        return float(answer["auth"]["lease_duration"])

    def _may_sign_in_again(self) -> bool:
        """A refusal may mean a token that was revoked; asked with a fresh one it means no."""
        with self._lock:
            stale = self._monotonic() - self._logged_in_at > _LOGIN_PAUSE
            if not (self._access.role_id and stale and self._client is not None):
                return False
            self._client.token = ""
            self._renew_at = 0.0
            return True


def _client(access: HashicorpAccess) -> Any:
    session = requests.Session()
    session.verify = access.cacert or True
    for scheme in ("https://", "http://"):
        session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=_CONNECTIONS))
    return hvac.Client(
        url=access.url,
        token="",  # else hvac would look for one in the home folder
        session=session,
        timeout=(CONNECT_SECONDS, READ_SECONDS),
        namespace=access.namespace or None,
        adapter=_Adapter,
    )


def _renewed(client: Any) -> float | None:
    """Seconds that the token has now; None if it could not be renewed, or not for long."""
    try:
        lease = float(client.auth.token.renew_self()["auth"]["lease_duration"])
    except (refused.Forbidden, refused.InvalidRequest):
        return None
    return lease if lease >= _SHORTEST_LEASE else None


def _time_left(client: Any) -> float:
    """Seconds until the given token has to be renewed twice over; 0: never."""
    about = client.auth.token.lookup_self()["data"]
    return float(about["ttl"]) if about.get("renewable") else 0.0


def judge(operation: str, reference: str, error: Exception) -> Failure:
    """What an exception of hvac or requests means; nothing of its text is repeated."""
    if isinstance(error, requests.RequestException):
        return _not_reached(operation, error)
    facts = {"reference": reference} if reference else {}
    if isinstance(error, refused.InvalidPath):
        return Failure(
            KeyNotFound("The vault has no such key", operation=operation, details=facts)
        )
    if isinstance(error, refused.Forbidden | refused.Unauthorized):
        text = (
            "The vault refuses: the token or AppRole has run out, or its policy lacks a"
            " permission that docs/operations.md names"
        )
        return Failure(KeyVaultError(text, operation=operation, details=facts))
    if isinstance(error, refused.VaultDown | refused.VaultNotInitialized):
        text = "The vault is sealed or in maintenance; unseal it"
        return Failure(KeyVaultUnavailable(text, operation=operation), True, outage=True)
    if isinstance(error, refused.RateLimitExceeded):
        text = "The vault is asked too much at once; try again in a moment"
        busy = KeyVaultUnavailable(text, operation=operation)
        return Failure(busy, True, getattr(error, "retry_after", None))
    if isinstance(error, refused.InvalidRequest) and not _is_getting_ready(error):
        text = "The vault refuses the request; is VAULT_MOUNT a KV engine of version 2?"
        return Failure(KeyVaultError(text, operation=operation, details=facts))
    if isinstance(error, refused.VaultError):
        text = "The vault reports a fault of its own; its log says more"
        return Failure(KeyVaultUnavailable(text, operation=operation), True)
    text = "The vault's answer makes no sense; is KEY_VAULT_URL its address?"
    return Failure(KeyVaultError(text, operation=operation, details=facts))


def _is_getting_ready(error: refused.InvalidRequest) -> bool:
    """A KV engine of version 2 that was mounted a moment ago."""
    return any("Upgrading from non-versioned" in said for said in error.errors or ())


def _not_reached(operation: str, error: requests.RequestException) -> Failure:
    if isinstance(error, requests.exceptions.SSLError):
        text = "The vault's certificate cannot be verified; VAULT_CACERT names who signed it"
        return Failure(KeyVaultError(text, operation=operation))
    text = "The vault cannot be reached; is it running, and is KEY_VAULT_URL its address?"
    hangs = isinstance(error, requests.exceptions.ReadTimeout)
    lost = isinstance(error, requests.exceptions.ConnectionError)
    unreached = KeyVaultUnavailable(text, operation=operation)
    return Failure(unreached, again=lost and not hangs, outage=True)
