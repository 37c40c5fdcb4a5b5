"""The way into Azure Key Vault: who we are, how the client libraries are set, their errors."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from azure.core.credentials import TokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.identity import (
    ClientSecretCredential,
    CredentialUnavailableError,
    ManagedIdentityCredential,
)
from azure.keyvault.keys import KeyClient
from azure.keyvault.secrets import SecretClient

from app.errors import KeyNotFound, KeyVaultError, KeyVaultUnavailable
from app.vault.line import CONNECT_SECONDS, READ_SECONDS, Failure, seconds_of

API_VERSION = "7.4"
AZURE_ERRORS = (AzureError, AttributeError, KeyError, TypeError, ValueError)
"""The last four: an answer that is not of the form that the library expects."""

DISABLED = frozenset({"SecretDisabled", "KeyDisabled"})
_SIGN_IN_CODE = re.compile(r"AADSTS\d{1,8}")


@dataclass(frozen=True, slots=True)
class AzureAccess:
    """Where the vault is and who we are: an application's three values, or, with all of them
    empty, the managed identity of the machine."""

    url: str
    tenant_id: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)


def transport_options() -> dict[str, Any]:
    """How every client of the libraries is set.

    ``VaultLine`` tries again, not the library, whose patience has no end in time. No body is
    ever logged, and no redirect is followed with a token.
    """
    return {
        "connection_timeout": CONNECT_SECONDS,
        "read_timeout": READ_SECONDS,
        "retry_total": 0,
        "permit_redirects": False,
        "logging_enable": False,
    }


def credential_of(access: AzureAccess) -> TokenCredential:
    """Asks nobody before its first use."""
    options = transport_options()
    if not access.tenant_id:
        return ManagedIdentityCredential(**options)
    return ClientSecretCredential(
        access.tenant_id, access.client_id, access.client_secret, **options
    )


def secret_client(access: AzureAccess, credential: TokenCredential) -> SecretClient:
    """The vault has to prove that it is asked for by its own name: that check of the library
    is on, and no setting turns it off."""
    return SecretClient(access.url, credential, api_version=API_VERSION, **transport_options())


def key_client(access: AzureAccess, credential: TokenCredential) -> KeyClient:
    """As `secret_client`, for key encryption keys."""
    return KeyClient(access.url, credential, api_version=API_VERSION, **transport_options())


def inner_code(error: HttpResponseError) -> str:
    """The vault's own word for a refusal, such as ``SecretDisabled``; empty for none."""
    inner = getattr(error.error, "innererror", None) or {}
    return str(inner.get("code", "")) if isinstance(inner, dict) else ""


def judge(operation: str, reference: str, error: Exception) -> Failure:
    """What an exception of the libraries means; nothing of its text is repeated."""
    facts: dict[str, str | int] = {"reference": reference} if reference else {}
    if isinstance(error, ResourceNotFoundError):
        missing = KeyNotFound("The vault has no such key", operation=operation, details=facts)
        return Failure(missing)
    if isinstance(error, CredentialUnavailableError):
        return Failure(_no_managed_identity(operation), outage=True)
    if isinstance(error, ClientAuthenticationError) and isinstance(error.__cause__, AzureError):
        # Signing in failed of something that is no refusal: nobody answered, or not well.
        return judge(operation, reference, error.__cause__)
    if isinstance(error, HttpResponseError):
        return _answered(operation, facts, error)
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        return _not_reached(operation, error)
    text = "The vault's answer makes no sense; is KEY_VAULT_URL its address?"
    return Failure(KeyVaultError(text, operation=operation, details=facts))


def _answered(operation: str, facts: dict[str, str | int], error: HttpResponseError) -> Failure:
    status = error.status_code or 0
    if status == 429:
        text = "The vault is asked too much at once; try again in a moment"
        headers = getattr(error.response, "headers", {})
        busy = KeyVaultUnavailable(text, operation=operation)
        return Failure(busy, True, seconds_of(headers.get("Retry-After")))
    if status == 408 or status >= 500:
        text = "The vault reports a fault of its own; try again in a moment"
        return Failure(KeyVaultUnavailable(text, operation=operation), True)
    if isinstance(error, ClientAuthenticationError):
        return Failure(_not_accepted(operation, error))
    if code := inner_code(error):
        facts["code"] = code
    text = "The vault refuses; does its policy give the permissions of docs/operations.md?"
    return Failure(
        KeyVaultError(text, operation=operation, details={**facts, "status": status})
    )


def _no_managed_identity(operation: str) -> KeyVaultUnavailable:
    """Or none yet: the machine's own service may come up later than we do."""
    return KeyVaultUnavailable(
        "There is no managed identity here: give the machine one, or set KEY_VAULT_TENANT_ID,"
        " KEY_VAULT_CLIENT_ID and KEY_VAULT_CLIENT_SECRET",
        operation=operation,
    )


def _not_accepted(operation: str, error: ClientAuthenticationError) -> KeyVaultError:
    code = _SIGN_IN_CODE.search(str(error))
    return KeyVaultError(
        "The vault does not accept who we are; do KEY_VAULT_TENANT_ID, KEY_VAULT_CLIENT_ID and"
        " KEY_VAULT_CLIENT_SECRET belong together, and has the secret run out?",
        operation=operation,
        details={"code": code[0]} if code else {},
    )


def _not_reached(operation: str, error: AzureError) -> Failure:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        text = "The vault's certificate cannot be verified; is KEY_VAULT_URL its address?"
        return Failure(KeyVaultError(text, operation=operation))
    text = "The vault cannot be reached; is KEY_VAULT_URL its address, and the network up?"
    hangs = isinstance(error, ServiceResponseTimeoutError)
    return Failure(KeyVaultUnavailable(text, operation=operation), not hangs, outage=True)
