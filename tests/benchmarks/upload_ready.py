"""From upload to ready: one 12 MP JPEG over HTTP, against bare Pillow in one process.

Ours is everything: HTTP, the sealed spool, checksums, the decoder child, keys, blobs,
sidecar, rows and audit. Pillow makes the same three sizes and the placeholder, and keeps
nothing.
"""

from __future__ import annotations

import http.client
import io
import itertools
from urllib.parse import urlsplit

from PIL import Image, ImageOps

from app.media.decoder_client import STANDARD_SIZES
from tests.benchmarks._measure import Row, compare, report
from tests.benchmarks._site import Server, folder, installed, served
from tests.fixtures import pictures

BOUNDARY = "darkroom-benchmark"
HEAD = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
).encode()
TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


def distinct(photo: bytes, number: int) -> bytes:
    """The same picture with another comment: not a duplicate."""
    comment = f"{number:032}".encode()
    return photo[:2] + b"\xff\xfe" + (2 + len(comment)).to_bytes(2, "big") + comment + photo[2:]


def upload(server: Server, key: str, content: bytes) -> None:
    address = urlsplit(server.origin)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    connection.request("POST", "/api/v1/images", HEAD + content + TAIL, headers)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    assert answer.status == 201, told


def bare_pillow(content: bytes) -> None:
    """What a short script does with `thumbnail`, each size from the one before."""
    with Image.open(io.BytesIO(content)) as opened:
        opened.draft(None, (max(STANDARD_SIZES),) * 2)
        picture = ImageOps.exif_transpose(opened.convert("RGB"))
    for size in sorted(STANDARD_SIZES, reverse=True):
        picture.thumbnail((size, size), Image.Resampling.LANCZOS)
        picture.save(io.BytesIO(), "JPEG", quality=80)
    picture.thumbnail((16, 16))
    picture.save(io.BytesIO(), "WEBP", quality=40)


def measure(server: Server, key: str) -> Row:
    photo, numbers = pictures.camera_jpeg(pictures.photograph(4000, 3000)), itertools.count()
    return compare(
        f"upload to ready, one 12 MP JPEG of {len(photo) / 1e6:.1f} MB",
        "bare Pillow, the same derivatives",
        lambda: upload(server, key, distinct(photo, next(numbers))),
        lambda: bare_pillow(photo),
        goal=1.3,
        rounds=11,
    )


def main() -> None:
    with folder() as place, installed(place) as installation:
        key = installation.key()
        with served(installation) as server:
            report([measure(server, key)])


if __name__ == "__main__":
    main()
