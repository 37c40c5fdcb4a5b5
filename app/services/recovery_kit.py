"""The recovery kit: the master key for paper, whole or in shares, and back.

Shares are SLIP-39 (the package shamir-mnemonic): 33 words each, with a checksum; any
``threshold`` of them make the key, fewer tell nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from shamir_mnemonic import MnemonicError, Share, combine_mnemonics, generate_mnemonics
from shamir_mnemonic.wordlist import WORDLIST

from app.crypto.kdf import MasterKey
from app.crypto.keys import KEY_BYTES, SecretKey
from app.crypto.kit import key_of_lines, kit_lines, read_lines
from app.domain.access import OPERATOR
from app.errors import InvalidInput, Mistake
from app.services.backup.locks import SHORTEST_PASSPHRASE

if TYPE_CHECKING:
    from app.services.audit import AuditLog

WORDS: Final = 33
ROW: Final = 6
MOST_SHARES: Final = 16
_ROW = re.compile(r"\s*S([1-6])[.:)]?\s+([A-Za-z\s]+)")
_MASTER = re.compile(r"^\s*Master key\s+([0-9a-f]{8})\s*$", re.MULTILINE | re.IGNORECASE)
_KNOWN: Final = frozenset(WORDLIST)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of a kit; ``lines`` are what has to be typed in again."""

    lines: tuple[str, ...] = field(repr=False)
    number: int = 1


@dataclass(frozen=True, slots=True)
class Kit:
    """``threshold`` of the sheets make the key; ``master`` are its 8 hex digits."""

    installation: UUID
    master: str
    made_at: datetime
    threshold: int
    locked: bool
    sheets: tuple[Sheet, ...]


class RecoveryKits:
    """Makes kits of this installation's master key; each is in the audit log."""

    def __init__(
        self,
        key: SecretKey,
        audit: AuditLog,
        store_id: Callable[[], UUID],
        clock: Callable[[], datetime],
    ) -> None:
        self._key = key
        self._audit = audit
        self._store_id = store_id
        self._clock = clock

    def export(
        self, *, shares: int = 1, threshold: int = 1, passphrase: str | None = None
    ) -> Kit:
        """The key for paper; written down before anybody sees it. InvalidInput for numbers
        that make no sense and for a passphrase that is too short."""
        _refuse_nonsense(shares, threshold, passphrase)
        kit = Kit(
            installation=self._store_id(),
            master=MasterKey(self._key).id,
            made_at=self._clock(),
            threshold=threshold,
            locked=passphrase is not None,
            sheets=_sheets(self._key, shares, threshold, passphrase),
        )
        details = {"master": kit.master, "shares": shares, "threshold": threshold}
        self._audit.record("keys.export_kit", actor=OPERATOR, details=details)
        return kit


def _refuse_nonsense(shares: int, threshold: int, passphrase: str | None) -> None:
    if shares != 1 and not 2 <= threshold <= shares <= MOST_SHARES:
        raise InvalidInput(
            f"Of 2 to {MOST_SHARES} shares, at least 2 and at most all make the key.",
            operation="kit.export",
        )
    if shares == 1 and threshold != 1:
        raise InvalidInput("One share is the whole key.", operation="kit.export")
    if passphrase is not None and shares > 1:
        raise InvalidInput(
            "Shares take no passphrase: that no one of them tells anything is their lock.",
            operation="kit.export",
        )
    if passphrase is not None and len(passphrase) < SHORTEST_PASSPHRASE:
        raise InvalidInput(
            f"A passphrase of a kit has at least {SHORTEST_PASSPHRASE} characters.",
            operation="kit.export",
        )


def _sheets(
    key: SecretKey, shares: int, threshold: int, passphrase: str | None
) -> tuple[Sheet, ...]:
    if shares == 1:
        return (Sheet(tuple(kit_lines(key, passphrase))),)
    (group,) = generate_mnemonics(1, [(threshold, shares)], key.reveal())
    return tuple(Sheet(_rows(words.split()), at) for at, words in enumerate(group, 1))


def _rows(words: Sequence[str]) -> tuple[str, ...]:
    rows = [words[at : at + ROW] for at in range(0, len(words), ROW)]
    return tuple(f"S{number}  {' '.join(row)}" for number, row in enumerate(rows, 1))


def read_kit(text: str, passphrase: str | None = None) -> SecretKey:
    """The master key that a typed kit holds; InvalidInput says what was mistyped or lacks.

    Where the text tells the key's 8 digits (``Master key 1a2b3c4d``), they are compared.
    """
    lines = read_lines(text)
    key = key_of_lines(lines, passphrase) if lines is not None else _combined(text)
    claimed = _MASTER.search(text)
    if claimed is not None and claimed[1].lower() != MasterKey(key).id:
        raise InvalidInput(
            f"What was typed makes another key than {claimed[1].lower()}: are all sheets of"
            " one kit?",
            operation="kit.read",
        )
    return key


def _combined(text: str) -> SecretKey:
    shares = _shares(text)
    if not shares:
        raise InvalidInput(
            "There is neither a key nor a share in this text: type the lines that begin with"
            " K, P or S.",
            operation="kit.read",
        )
    mistakes = [found for at, words in enumerate(shares, 1) for found in _wrong(at, words)]
    if mistakes:
        raise InvalidInput(
            "The shares were not typed as they were printed.",
            mistakes=mistakes,
            operation="kit.read",
        )
    return _combine([" ".join(words) for words in shares])


def _combine(shares: Sequence[str]) -> SecretKey:
    parsed = {Share.from_mnemonic(one).words()[3]: one for one in shares}
    needed = Share.from_mnemonic(shares[0]).member_threshold
    if len({Share.from_mnemonic(one).identifier for one in shares}) != 1:
        raise InvalidInput("These shares are not of one kit.", operation="kit.read")
    if len(parsed) < needed:
        raise InvalidInput(
            f"{needed} different shares are needed, and {len(parsed)} were given.",
            operation="kit.read",
        )
    try:
        raw = combine_mnemonics(list(parsed.values())[:needed])
    except MnemonicError:
        raw = b""
    if len(raw) != KEY_BYTES:
        raise InvalidInput("These shares do not make a key.", operation="kit.read")
    return SecretKey(raw)


def _shares(text: str) -> list[list[str]]:
    """The words of each share: of lines S1 to S6, or of a line that is all words."""
    found: list[list[str]] = []
    for line in text.splitlines():
        row = _ROW.fullmatch(line)
        if row is not None:
            if row[1] == "1" or not found:
                found.append([])
            found[-1] += row[2].lower().split()
            continue
        words = line.lower().split()
        if len(words) >= WORDS - 3 and sum(word in _KNOWN for word in words) > len(words) / 2:
            found.append(words)
    return found


def _wrong(share: int, words: Sequence[str]) -> list[Mistake]:
    """What is wrong with a share by itself: its length, its words, its checksum."""
    name = f"share {share}"
    if len(words) != WORDS:
        return [Mistake(name, f"It has {len(words)} words, not {WORDS}.")]
    unknown = [at for at, word in enumerate(words, 1) if word not in _KNOWN]
    if unknown:
        return [Mistake(f"{name}, word {at}", "This is no word of a share.") for at in unknown]
    try:
        Share.from_mnemonic(" ".join(words))
    except MnemonicError:
        return [Mistake(name, "A word is wrong, or two are swapped: its checksum differs.")]
    return []
