"""Ways to look at the children of a decoder, and to decode bytes with a given one."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from contextlib import suppress

from app.media import formats
from app.media.decoder_client import Decoder, Rendered

JPEG, PNG = formats.JPEG.file_type, formats.PNG.file_type


def render(decoder: Decoder, data: bytes, file_type: formats.FileType = JPEG) -> Rendered:
    return decoder.render(io.BytesIO(data), len(data), file_type)


def idle_pids(decoder: Decoder) -> list[int]:
    return [child.pid for child in decoder._pool.idle]


def children_of_this_process() -> set[int]:
    """Those of every thread; one may end while they are looked through."""
    found: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        with suppress(FileNotFoundError), open(f"/proc/self/task/{task}/children") as file:
            found |= {int(pid) for pid in file.read().split()}
    return found


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
