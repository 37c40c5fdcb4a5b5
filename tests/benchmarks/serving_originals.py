"""Originals over HTTP against `rclone serve http` over a crypt remote, which asks nobody.

A 200 MB and a 3 MB original whole, one client; 64 KiB ranges at 150 MB, 16 clients. One
worker on our side; rclone takes all cores.
"""

from __future__ import annotations

import http.client
import os
import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from app.services.examination import Offer
from app.services.new_image import Wishes
from tests.benchmarks import _load
from tests.benchmarks._measure import Row, interleaved, judged, report
from tests.benchmarks._site import Server, folder, installed, rclone, served
from tests.fixtures.installation import Installation

MB = 1_000_000
LARGE, SMALL = 200 * MB, 3 * MB
RANGE = f"bytes={150 * MB}-{150 * MB + 65535}"
BLOCK = 1 << 20
# A bitmap of this size is a picture of 67 megapixels.
LIMITS = {
    "UPLOAD_MAX_SIZE": str(300 * MB),
    "IMAGE_MAX_PIXELS": "100000000",
    "DECODE_MEMORY_MB": "2048",
    "DECODE_TIMEOUT_SECONDS": "120",
}


def bitmap(size: int) -> bytes:
    """A BMP of about ``size`` bytes with pixels that do not repeat."""
    width = 4000
    height = size // (3 * width)
    body = 3 * width * height
    header = b"BM" + (54 + body).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    header += b"\x28\0\0\0" + width.to_bytes(4, "little") + height.to_bytes(4, "little")
    return header + b"\1\0\x18\0" + bytes(24) + os.urandom(body)


def stored(installation: Installation, plain: Path, size: int) -> UUID:
    """Take a picture in; its plain copy lies in ``plain`` under its id."""
    content = bitmap(size)
    offer = Offer("large.bmp", BytesIO(content), len(content))
    taken = installation.services.ingest.accept(installation.person().actor, offer, Wishes())
    (plain / str(taken.id)).write_bytes(content)
    return taken.id


def download(server: Server, path: str, times: int) -> float:
    """Get it so many times over one connection; MB/s."""
    import time

    address = urlsplit(server.origin)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    buffer, taken = bytearray(BLOCK), 0
    began = time.perf_counter()
    for _ in range(times):
        connection.request("GET", path, headers={"Cookie": server.cookie})
        answer = connection.getresponse()
        assert answer.status == 200, answer.status
        while count := answer.readinto(buffer):
            taken += count
    seconds = time.perf_counter() - began
    connection.close()
    return taken / MB / seconds


def rows(ours: Server, rival: Server, large: UUID, small: UUID, place: Path) -> list[Row]:
    def row(work: str, unit: str, goal: float, ask: Callable[[Server, str], float]) -> Row:
        image = small if "3 MB" in work else large
        found = interleaved(
            {
                "ours": lambda: ask(ours, f"/images/{image}/original"),
                "rclone": lambda: ask(rival, f"/{image}"),
            },
            5,
        )
        names = ("ours", "rclone")
        return judged(work, "rclone serve http, crypt", found, names, unit, goal, True)

    made = [
        row("200 MB original", "MB/s", 3.5, lambda *asked: download(*asked, 1)),
        row("3 MB original", "MB/s", 2.5, lambda *asked: download(*asked, 40)),
    ]
    if _load.is_there():

        def ranges(server: Server, path: str) -> float:
            return _load.rate(
                server.origin, [path], place, cookie=server.cookie, headers={"Range": RANGE}
            )

        made.append(row("64 KiB ranges at 150 MB, 16 clients", "/s", 3.0, ranges))
    return made


def measure(place: Path) -> list[Row]:
    plain = place / "plain"
    plain.mkdir()
    with installed(place, **LIMITS) as installation:
        large, small = (stored(installation, plain, size) for size in (LARGE, SMALL))
        with served(installation) as ours, rclone(plain, place) as rival:
            assert rival is not None
            return rows(ours, rival, large, small, place)


def main() -> None:
    if shutil.which("rclone") is None:
        raise SystemExit("Install rclone (and wrk) first: apt-get install rclone wrk")
    with folder() as place:
        report(measure(place))


if __name__ == "__main__":
    main()
