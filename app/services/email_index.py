"""Accounts are found by a blind index of their e-mail address, which itself is sealed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.crypto.blind_index import blind_index
from app.crypto.keys import SecretKey
from app.domain.credentials import email_key

if TYPE_CHECKING:
    from app.services.keys import RootKeys

ROOT: Final = "blind"


class EmailIndex:
    """HMAC under the root key ``blind`` over table, column and the casefolded address."""

    def __init__(self, roots: RootKeys) -> None:
        self._roots = roots

    def current(self, email: str) -> bytes:
        """What a new or changed row keeps."""
        return _index(self._roots.active(ROOT).key, email)

    def candidates(self, email: str) -> list[bytes]:
        """What a row may hold, one for each version of the root key."""
        return [_index(key, email) for key in self._roots.all(ROOT).values()]


def _index(key: SecretKey, email: str) -> bytes:
    return blind_index(key, b"users", b"email", email_key(email))
