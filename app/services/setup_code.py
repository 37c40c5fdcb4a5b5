"""The code that proves that whoever makes the first account can read the server's log."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

from app.crypto.mac import sign

if TYPE_CHECKING:
    from app.services.keys import RootKeys

CODE_BYTES = 10


def setup_code(roots: RootKeys) -> str:
    """Return the code: 80 bits of an HMAC, the same until the first account exists."""
    raw = sign(roots.active("url").key, b"darkroom/setup/v1")[:CODE_BYTES]
    text = base64.b32encode(raw).decode("ascii").lower()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def is_setup_code(roots: RootKeys, typed: str) -> bool:
    """Compare in constant time; spaces, hyphens and case do not matter."""
    plain = "".join(char for char in typed.lower() if char.isalnum())
    wanted = setup_code(roots).replace("-", "")
    return hmac.compare_digest(plain.encode(), wanted.encode())
