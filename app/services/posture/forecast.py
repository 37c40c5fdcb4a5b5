"""How long a rotation will take: by the vault's limit, by the last run, by the pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

VAULT_WRITES_A_SECOND: Final = {"azure": 30.0}
"""Azure Key Vault takes 300 creations of secrets in 10 s a vault; others name no limit."""
BYTES_A_SECOND: Final = 20_000_000
ENOUGH_FILES: Final = 20
GUESSED_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Forecast:
    """``seconds`` for ``files``; ``why`` names what sets the pace."""

    files: int
    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Experience:
    """What the last rotation did: ``files`` in ``seconds``."""

    files: int
    seconds: float


def forecast(
    files: int, sealed_bytes: int, vault_mode: str, last: Experience | None
) -> Forecast:
    """The slowest of what limits it; ``sealed_bytes`` are those of the ``files``."""
    known = last is not None and last.files >= ENOUGH_FILES
    each = last.seconds / last.files if last is not None and known else GUESSED_SECONDS
    limits = [
        (files * each, "at the speed of the last rotation" if known else "as a first guess"),
        (sealed_bytes / BYTES_A_SECOND, "at 20 MB/s, the pace of the sweeper"),
    ]
    rate = VAULT_WRITES_A_SECOND.get(vault_mode)
    if rate is not None:
        limits.append((files / rate, "at this vault's limit"))
    seconds, why = max(limits)
    return Forecast(files, seconds, why)
