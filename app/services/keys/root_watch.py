"""Every process looks now and again whether there are new root keys."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from app.errors import DarkroomError
from app.services.keys.root_keys import RootKeys

log = logging.getLogger("darkroom.keys")
REFRESH_SECONDS: Final = 20


def watch_roots(
    roots: Callable[[], RootKeys], pause: Callable[[float], object] = time.sleep
) -> None:
    """Look for ever, in a thread beside the requests; once a process.

    ``roots`` may raise as long as there is no vault: then it is asked again.
    """
    thread = threading.Thread(target=_watch, args=(roots, pause), name="roots", daemon=True)
    thread.start()


def _watch(roots: Callable[[], RootKeys], pause: Callable[[float], object]) -> None:
    failing = False
    while True:
        pause(REFRESH_SECONDS)
        try:
            if roots().refresh():
                log.info("the root keys have changed")
            failing = False
        except DarkroomError as error:
            if not failing:
                log.warning("the root keys could not be looked at", exc_info=error)
            failing = True
