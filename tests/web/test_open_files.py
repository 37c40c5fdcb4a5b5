"""No answer keeps a file of the store open, or its turn, longer than it hands out bytes."""

from __future__ import annotations

import os
import threading

import pytest

from tests.fixtures import pictures
from tests.fixtures.installation import ApiClient, Installation
from tests.fixtures.tampering import SMALL_CHUNKS
from tests.fixtures.uploads import send_file

ROUNDS = 40  # more than there are turns


@pytest.fixture
def place(install) -> Installation:
    return install(**SMALL_CHUNKS)


@pytest.fixture
def api(place: Installation) -> ApiClient:
    return place.api()


@pytest.fixture(params=["one chunk", "many chunks"])
def image(request, api: ApiClient) -> tuple[str, bytes]:
    """The address of an original, and its bytes."""
    small = request.param == "one chunk"
    content = pictures.jpeg() if small else pictures.bmp(pictures.scene(800, 600))
    name = "a.jpg" if small else "a.bmp"
    made = send_file(api, content, name).json["images"][0]
    return f"/images/{made['id']}/original", content


def open_files(place: Installation) -> list[str]:
    """Blobs that this process has open."""
    store = str(place.settings.store_path)
    targets = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            targets.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        except OSError:
            continue
    return [target for target in targets if target.startswith(store) and ".enc" in target]


def readers() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "read-ahead"]


def test_with_the_last_byte_the_file_is_closed(place, api, image) -> None:
    """Whoever forgets to close the answer leaves nothing open and takes nobody's turn."""
    path, content = image
    kept = []
    for _ in range(ROUNDS):
        answer = api.get(path)
        assert answer.data == content
        kept.append(answer)
        assert open_files(place) == []
    assert len({id(answer) for answer in kept}) == ROUNDS


@pytest.mark.parametrize("pieces", [0, 1, 2])
def test_whoever_goes_away_leaves_nothing_open(place, api, image, pieces: int) -> None:
    path, _ = image
    for _ in range(ROUNDS):
        answer = api.get(path, buffered=False)
        body = answer.iter_encoded()
        for _ in range(pieces):
            next(body, b"")
        answer.close()
        assert (open_files(place), readers()) == ([], [])


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Range": "bytes=2-5"}, 206),
        ({"Range": "bytes=999999999-"}, 416),
        ({"If-None-Match": "*"}, 304),
    ],
)
def test_neither_does_a_part_or_none(place, api, image, headers, status: int) -> None:
    path, _ = image
    for _ in range(ROUNDS):
        answer = api.get(path, headers=headers)
        assert answer.status_code == status
        assert len(answer.data) == {206: 4, 304: 0}.get(status, len(answer.data))
        assert open_files(place) == []


def test_a_head_opens_nothing_for_long(place, api, image) -> None:
    for _ in range(ROUNDS):
        assert api.open("HEAD", image[0]).status_code == 200
        assert open_files(place) == []
