"""All that changes how keys are kept, for commands and jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.services.keys.kek_rotation import KekRotation
    from app.services.keys.move import VaultMove
    from app.services.keys.rekey import Rekey
    from app.services.keys.rewrap import Rewrap
    from app.services.keys.root_rotation import RootRotation


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """One service a command: ``keys rewrap``, ``keys rekey``, …"""

    keks: KekRotation
    move: VaultMove
    rekey: Rekey
    rewrap: Rewrap
    roots: RootRotation
