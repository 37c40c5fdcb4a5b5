"""What a worker does before it works: begin, or wait for a vault on the network.

A vault that is away is no reason to stay away: after a power cut it may come up last. The
worker answers meanwhile, with 503 and the reason, and begins by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from app.errors import DarkroomError, KeyVaultUnavailable
from app.startup import start
from app.wiring import House

log = logging.getLogger("darkroom.start")

RETRY_SECONDS = 3.0


def begin(house: House, away: KeyVaultUnavailable | None, work: Callable[[], None]) -> None:
    """Call ``work`` now, or when the vault has answered; ``away``: the start is not complete,
    as the vault was not there."""
    if away is None:
        try:
            work()
        except KeyVaultUnavailable as error:
            away = error
        else:
            return
    house.unready = away
    threading.Thread(target=_wait, args=(house, work), name="late-start", daemon=True).start()


def _wait(house: House, work: Callable[[], None]) -> None:
    """Whatever keeps the installation from starting is told and tried again: there is a
    process that people look at, so it stays."""
    while True:
        time.sleep(RETRY_SECONDS)
        try:
            start(house.settings)
            house.unready = None
            work()
        except DarkroomError as error:
            log.warning("not ready yet", exc_info=error)
            house.unready = error
        else:
            log.info("The key vault is there: Darkroom is ready")
            return
