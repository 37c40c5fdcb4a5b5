"""The master key on paper: lines of hex with checks, behind a passphrase if one is given.

::

    K1  0123 4567 89ab cdef  1a2b        four lines: the 32 bytes of the key
    P1  …  P7                            seven lines: the key wrapped under the passphrase's
                                         (RFC 5649, 40 bytes), then the salt (16 bytes)

A line holds 8 bytes and the first two bytes of SHA-256 of ``darkroom/kit/v1``, its label and
its bytes: a mistyped or misplaced line is named, and tells nothing of the others.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from app.crypto.backup_key import new_salt, passphrase_lock
from app.crypto.envelope import WRAPPED_BYTES, unwrap_key, wrap_key
from app.crypto.keys import KEY_BYTES, SecretKey
from app.crypto.passwords import SALT_BYTES
from app.errors import DecryptionFailed, InvalidInput, Mistake

LINE_BYTES: Final = 8
PLAIN, LOCKED = "K", "P"
_BYTES: Final = {PLAIN: KEY_BYTES, LOCKED: WRAPPED_BYTES + SALT_BYTES}
_LABELLED = re.compile(r"\s*([KP])\s?([1-9])[.:)]?\s+(.*)", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{20}")
# What is read for a digit of paper.
_LOOKS = str.maketrans("oOlLiIsS", "00111155")


def kit_lines(key: SecretKey, passphrase: str | None = None) -> list[str]:
    """The lines of a key, to be printed."""
    if passphrase is None:
        return _lines(PLAIN, key.reveal())
    salt = new_salt()
    return _lines(LOCKED, wrap_key(passphrase_lock(passphrase, salt), key) + salt)


def _lines(kind: str, raw: bytes) -> list[str]:
    pieces = [raw[at : at + LINE_BYTES] for at in range(0, len(raw), LINE_BYTES)]
    return [_line(f"{kind}{number}", piece) for number, piece in enumerate(pieces, 1)]


def _line(label: str, piece: bytes) -> str:
    digits = piece.hex()
    groups = " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))
    return f"{label}  {groups}  {_check(label, piece)}"


def _check(label: str, piece: bytes) -> str:
    return hashlib.sha256(b"darkroom/kit/v1/" + label.encode("ascii") + piece).hexdigest()[:4]


def read_lines(text: str) -> dict[str, bytes] | None:
    """The lines of a kit that a text holds, by their labels; None if it holds none.

    InvalidInput names every line that was mistyped, misplaced or left out.
    """
    found: dict[str, bytes] = {}
    mistakes: list[Mistake] = []
    for line in text.splitlines():
        labelled = _LABELLED.fullmatch(line)
        if labelled is None or not any(letter.isdigit() for letter in labelled[3]):
            continue
        label = labelled[1].upper() + labelled[2]
        piece = _piece(label, labelled[3])
        if piece is None:
            mistakes.append(Mistake(label, "This line is not as it was printed."))
        else:
            found[label] = piece
    if not found and not mistakes:
        return None
    kind = PLAIN if any(label.startswith(PLAIN) for label in found) else LOCKED
    seen = found.keys() | {one.path for one in mistakes}
    mistakes += [
        Mistake(label, "This line is missing.") for label in _labels(kind) if label not in seen
    ]
    if mistakes:
        raise InvalidInput(
            "The kit was not typed as it was printed.", mistakes=mistakes, operation="kit.read"
        )
    return {label: found[label] for label in _labels(kind)}


def _labels(kind: str) -> list[str]:
    return [f"{kind}{number}" for number in range(1, _BYTES[kind] // LINE_BYTES + 1)]


def _piece(label: str, text: str) -> bytes | None:
    digits = re.sub(r"[\s\-–—.:]", "", text).translate(_LOOKS).lower()
    if not _HEX.fullmatch(digits):
        return None
    piece = bytes.fromhex(digits[:16])
    return piece if _check(label, piece) == digits[16:] else None


def key_of_lines(lines: dict[str, bytes], passphrase: str | None) -> SecretKey:
    """The key; InvalidInput where a passphrase is missing or wrong."""
    raw = b"".join(lines.values())
    if PLAIN + "1" in lines:
        return SecretKey(raw)
    if passphrase is None:
        raise InvalidInput(
            "This kit is behind a passphrase: name its file with --passphrase-file.",
            operation="kit.read",
        )
    try:
        lock = passphrase_lock(passphrase, raw[WRAPPED_BYTES:])
        return unwrap_key(lock, raw[:WRAPPED_BYTES])
    except DecryptionFailed:
        raise InvalidInput(
            "The passphrase is not the one of this kit.", operation="kit.read"
        ) from None
