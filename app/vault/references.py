"""The names that all vaults accept, so that keys can move from one to another.

Source: the names of Azure Key Vault secrets, ``[0-9A-Za-z-]{1,127}``, are the narrowest.
"""

from __future__ import annotations

import re

from app.errors import KeyVaultError

_REFERENCE = re.compile(r"[0-9A-Za-z-]{1,127}")
_VERSION = re.compile(r"[0-9a-f]{32}")


def is_reference(name: str) -> bool:
    """Whether a name that a vault tells can be one of ours."""
    return _REFERENCE.fullmatch(name) is not None


def check_reference(reference: str, operation: str) -> None:
    """Raise KeyVaultError unless it is 1 to 127 letters, digits and hyphens.

    What was given is not repeated in the error: it may come from anywhere.
    """
    if not is_reference(reference):
        raise KeyVaultError(
            "A key reference is 1 to 127 letters, digits and hyphens", operation=operation
        )


def check_version(version: str, operation: str) -> None:
    """Raise KeyVaultError unless it is 32 lower-case hex digits (16 random bytes)."""
    if not _VERSION.fullmatch(version):
        raise KeyVaultError("A key version is 32 hex digits", operation=operation)
