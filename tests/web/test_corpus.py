"""Every file of the corpus through the upload API, with the verdict of its manifest.

``accept`` is stored and comes back byte for byte, with preview and thumbnails; ``reject`` is
refused with 415 or 422 and leaves nothing; ``either`` may go one way or the other. Never a
500, at most ten seconds each.

Clips are a matter of their own: until this version decodes them, every clip is refused with
415 and a sentence that says so, also those that the manifest marks ``accept``.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import PurePath

import pytest
from PIL import Image as Pillow

from app.media.formats import CLIPS_REFUSED
from tests.fixtures.corpus import CorpusFile, corpus_files
from tests.fixtures.installation import ApiClient, Installation, _installed, environment
from tests.fixtures.uploads import PictureRoom, send_file

MOST_SECONDS = 10.0
PICTURES = [file for file in corpus_files() if not file.is_clip]
CLIPS = [file for file in corpus_files() if file.is_clip]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One installation for the whole corpus, as a gallery has it."""
    yield from _installed(environment(tmp_path_factory.mktemp("corpus")))


@pytest.fixture(scope="module")
def client(running: Installation) -> ApiClient:
    return running.api("ann")


@pytest.mark.parametrize("file", PICTURES, ids=str)
def test_a_picture(running: Installation, client: ApiClient, file: CorpusFile) -> None:
    content, room = file.read(), PictureRoom(running)
    before = room.left()
    began = time.monotonic()
    answer = send_file(client, content, PurePath(file.name).name)
    assert time.monotonic() - began < MOST_SECONDS
    expected = {"accept": {201}, "reject": {415, 422}, "either": {200, 201, 415, 422}}
    assert answer.status_code in expected[file.expected], answer.text
    if answer.status_code in {415, 422}:
        _check_refusal(answer.get_json(), PurePath(file.name).name)
        assert room.left() == before
    else:
        _check_stored(client, answer.get_json()["images"][0], content)


@pytest.mark.parametrize("file", CLIPS, ids=str)
def test_a_clip_is_refused_politely(
    running: Installation, client: ApiClient, file: CorpusFile
) -> None:
    room = PictureRoom(running)
    before = room.left()
    answer = send_file(client, file.read(), PurePath(file.name).name)
    assert answer.status_code == 415, answer.text
    _check_refusal(answer.get_json(), PurePath(file.name).name)
    if file.expected == "accept":
        assert answer.get_json()["errors"][0]["message"] == CLIPS_REFUSED
    assert room.left() == before


def _check_refusal(problem: dict, name: str) -> None:
    (error,) = problem["errors"]
    assert error["file"] == name
    assert error["message"].endswith(".")


def _check_stored(client: ApiClient, image: dict, content: bytes) -> None:
    url = f"/images/{image['id']}"
    original = client.get(f"{url}/original", buffered=True)
    assert (original.status_code, original.data) == (200, content)
    detail = client.get(f"/api/v1/images/{image['id']}").get_json()
    longest = max(detail["dimensions"]["width"], detail["dimensions"]["height"])
    for what, most in (
        ("thumb/160", 160),
        ("thumb/320", 320),
        ("thumb/640", 640),
        ("preview", 1600),
    ):
        answer = client.get(f"{url}/{what}", buffered=True)
        assert answer.status_code == 200, what
        with Pillow.open(BytesIO(answer.data)) as shown:
            shown.load()
            assert min(shown.size) >= 1
            assert max(shown.size) <= min(most, longest)
            assert not shown.getexif(), "no metadata in a derivative"
