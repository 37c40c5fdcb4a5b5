"""Filling spools, and looking at what they leave on the disk."""

from __future__ import annotations

import os
from pathlib import Path

from app.storage.spool import SealedSpool
from tests.unit.storage.pictures import MARKED


def noise(size: int) -> bytes:
    return (MARKED * (size // len(MARKED) + 1))[:size]


def filled(folder: Path, data: bytes, limit: int) -> SealedSpool:
    spool = SealedSpool(folder, limit)
    for start in range(0, len(data), 65536):
        spool.write(data[start : start + 65536])
    return spool


def spool_descriptors(folder: Path) -> list[str]:
    """Descriptors of this process that lie in the folder, as paths that can be opened."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        link = f"/proc/self/fd/{number}"
        try:
            target = os.readlink(link)
        except FileNotFoundError:
            continue
        if target.startswith(str(folder)) and target.endswith("(deleted)"):
            found.append(link)
    return found
