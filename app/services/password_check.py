"""Passwords against what is stored, with the same work whether or not there is an account."""

from __future__ import annotations

import secrets

from app.crypto.passwords import PasswordCost, hash_password, needs_rehash, verify_password


class PasswordCheck:
    """Every check costs one Argon2id derivation, also for an account that does not exist."""

    def __init__(self, cost: PasswordCost) -> None:
        self._cost = cost
        self._nobodys = hash_password(secrets.token_urlsafe(16), cost)

    def hash(self, password: str) -> str:
        return hash_password(password, self._cost)

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether the password is the stored one; never for None."""
        fits = verify_password(stored or self._nobodys, password)
        return fits and stored is not None

    def rehashed(self, stored: str, password: str) -> str | None:
        """A hash at today's cost for a password that fits, None where it has that."""
        return self.hash(password) if needs_rehash(stored, self._cost) else None
