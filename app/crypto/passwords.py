"""Passwords: Argon2id (RFC 9106) as PHC strings, which any Argon2 library verifies."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from app.crypto.keys import KEY_BYTES, SecretKey

SALT_BYTES: Final = 16
HASH_BYTES: Final = 32

# A stored string that asks for more is damaged or planted: it would only eat the memory.
MOST_MEMORY_KIB: Final = 2**20
MOST_ITERATIONS: Final = 64
MOST_LANES: Final = 64

_PHC = re.compile(r"\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$.+\$.+", re.ASCII)


@dataclass(frozen=True, slots=True)
class PasswordCost:
    """What one guess costs; the default is OWASP's minimum, about 40 ms."""

    memory_kib: int = 19456
    iterations: int = 2
    lanes: int = 1


def hash_password(password: str, cost: PasswordCost | None = None) -> str:
    """A PHC string ``$argon2id$v=19$m=..,t=..,p=..$salt$hash`` with a fresh salt."""
    cost = cost or PasswordCost()
    argon = Argon2id(
        salt=os.urandom(SALT_BYTES),
        length=HASH_BYTES,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )
    return argon.derive_phc_encoded(_normal_form(password))


def verify_password(phc: str, password: str) -> bool:
    """Whether the password is the one; False for a string that is no Argon2id hash."""
    if _cost_of(phc) is None:
        return False
    try:
        Argon2id.verify_phc_encoded(_normal_form(password), phc)
    except (InvalidKey, ValueError):
        return False
    return True


def derive_key(passphrase: str, salt: bytes, cost: PasswordCost) -> SecretKey:
    """The key that a passphrase stands for; ``salt`` is random, at least 16 bytes."""
    argon = Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )
    return SecretKey(argon.derive(_normal_form(passphrase)))


def needs_rehash(phc: str, cost: PasswordCost) -> bool:
    """Whether a password that was just verified should be hashed again at ``cost``."""
    return _cost_of(phc) != cost


def _cost_of(phc: str) -> PasswordCost | None:
    found = _PHC.fullmatch(phc)
    if found is None:
        return None
    cost = PasswordCost(*(int(number) for number in found.groups()))
    bearable = (
        cost.memory_kib <= MOST_MEMORY_KIB
        and cost.iterations <= MOST_ITERATIONS
        and cost.lanes <= MOST_LANES
    )
    return cost if bearable else None


def _normal_form(password: str) -> bytes:
    """NFKC (NIST SP 800-63B), so that one password is one on every keyboard.

    Lone surrogates are encoded rather than refused: the error would quote the password.
    """
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
