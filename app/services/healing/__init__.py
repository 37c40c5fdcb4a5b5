"""Mending what verification found: from a backup, from the row, or by making it again."""

from app.services.healing.healing import Healed, Healing, HealReport
from app.services.healing.sidecar_repair import SidecarRepair
from app.services.healing.sources import BlobSource, FolderCopy

__all__ = [
    "BlobSource",
    "FolderCopy",
    "HealReport",
    "Healed",
    "Healing",
    "SidecarRepair",
]
