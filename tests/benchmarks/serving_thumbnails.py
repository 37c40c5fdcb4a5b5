"""20 KB thumbnails a second: logged in, authorised, decrypted, 16 clients.

Against the same server that reads plain files instead, against the same login and check in
front of Flask's `send_file`, and against `rclone serve http` over a crypt remote, which asks
nobody. One worker on each
of our sides; rclone takes all cores.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from tests.benchmarks import _load
from tests.benchmarks._measure import Row, interleaved, judged, report
from tests.benchmarks._site import Server, folder, installed, rclone, served
from tests.fixtures import pictures
from tests.fixtures.installation import Installation

IMAGES, SIZE, BYTES = 64, 320, 20_000
ROUNDS = 5


def fill(installation: Installation, plain: Path) -> list[UUID]:
    """Pictures whose 320 px thumbnail has some 20 KB; their plain copies lie in ``plain``."""
    from io import BytesIO

    from app.services.examination import Offer
    from app.services.new_image import Wishes

    actor, services = installation.person().actor, installation.services
    made = []
    for number in range(IMAGES):
        content = pictures.jpeg(noisy(number), quality=90)
        offer = Offer(f"{number}.jpg", BytesIO(content), len(content))
        image = services.ingest.accept(actor, offer, Wishes()).id
        data = services.delivery.read(services.delivery.thumbnail(actor, image, SIZE))
        assert 0.7 < len(data) / BYTES < 1.4, len(data)
        (plain / f"{image}.jpg").write_bytes(data)
        made.append(image)
    return made


def noisy(seed: int):
    from PIL import Image

    grain = Image.effect_noise((640, 480), 40 + seed / 100)
    tint = Image.linear_gradient("L").resize((640, 480))
    return Image.merge("RGB", (grain, Image.blend(grain, tint, 0.5), tint))


def measure(place: Path) -> list[Row]:
    plain = place / "plain"
    plain.mkdir()
    with installed(place) as installation:
        images = fill(installation, plain)
        site = "tests.benchmarks._plain_site:app"
        with (
            served(installation) as ours,
            served(installation, site, PLAIN_FOLDER=str(plain)) as other,
            rclone(plain, place) as rival,
        ):
            return rows(ours, other, rival, images, place)


def rows(
    ours: Server, other: Server, rival: Server | None, images: list[UUID], place: Path
) -> list[Row]:
    def once(server: Server, form: str) -> float:
        paths = [form.format(image) for image in images]
        return _load.rate(server.origin, paths, place, cookie=server.cookie)

    sides = {
        "sealed": lambda: once(ours, f"/images/{{}}/thumb/{SIZE}"),
        "plain": lambda: once(other, f"/images/{{}}/thumb/{SIZE}"),
        "send_file": lambda: once(other, f"/plain/{{}}/thumb/{SIZE}"),
    }
    if rival is not None:
        sides["rclone"] = lambda: once(rival, "/{}.jpg")
    found = interleaved(sides, ROUNDS)
    work = "20 KB thumbnails a second, 16 clients, 1 worker"
    goals = {
        "plain": ("the same way, plain file", 1.0),
        "send_file": ("the same login and check, Flask's send_file", 1.0),
        "rclone": ("rclone serve http, crypt, no login", 0.5),
    }
    return [
        judged(work, baseline, found, ("sealed", name), "/s", goal, True)
        for name, (baseline, goal) in goals.items()
        if name in found
    ]


def main() -> None:
    if not _load.is_there():
        raise SystemExit("Install wrk (and rclone) first: apt-get install wrk rclone")
    with folder() as place:
        report(measure(place))


if __name__ == "__main__":
    main()
