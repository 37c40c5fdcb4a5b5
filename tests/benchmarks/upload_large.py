"""A 200 MB file in a multipart form: sealed while it is parsed, against Werkzeug's way."""

from __future__ import annotations

import http.client
import os
from urllib.parse import urlsplit

from app.storage.local_disk import LocalDisk
from tests.benchmarks._measure import compare, report
from tests.benchmarks._site import folder, gunicorn
from tests.benchmarks.upload_ready import BOUNDARY, HEAD, TAIL

SIZE = 200_000_000


def send(origin: str, path: str, body: bytes) -> None:
    address = urlsplit(origin)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    assert (answer.status, told.strip()) == (200, b'{"size":%d}' % SIZE), told


def main() -> None:
    body = HEAD + os.urandom(SIZE) + TAIL
    with folder() as place:
        LocalDisk(place / "store").create()
        told = {"PLACE": str(place), "TMPDIR": str(place)}
        with gunicorn("tests.benchmarks._upload_site:app", told) as (origin, _):
            row = compare(
                "200 MB multipart upload, sealed while parsed",
                "saved in plain by Werkzeug's default",
                lambda: send(origin, "/sealed/", body),
                lambda: send(origin, "/plain/", body),
                goal=0.9,
                rounds=5,
            )
    report([row])


if __name__ == "__main__":
    main()
