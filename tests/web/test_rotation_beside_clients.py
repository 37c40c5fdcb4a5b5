"""A whole installation gets new keys while clients read and write: none of them notices."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from app.storage.replacing import FilePlace, blobs_of, header_at
from tests.fixtures import programs
from tests.fixtures.busy_clients import (
    Asking,
    BusyClient,
    Crowd,
    Shown,
    signed_in,
    with_key,
)
from tests.fixtures.installation import Installation
from tests.fixtures.server import Server, serving
from tests.fixtures.uploads import PictureRoom, picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
PICTURES = int(os.environ.get("DARKROOM_TEST_ROTATED", "150"))
"""So many are there before; 1,000 take four minutes."""
CLIENTS = 4
SHOWN = ("original", "thumb/320", "preview")
GENERATION_BEFORE = 1


@dataclass
class Filled:
    """A server whose instance has pictures; ``blobs``: every ``.enc`` of theirs."""

    server: Server
    asking: Asking
    email: str
    pictures: list[Shown]
    places: list[FilePlace]
    blobs: set[str]


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[Filled]:
    server = Server(tmp_path)
    with server.filled() as installation:
        room = PictureRoom(installation)
        contents = [picture(n) for n in range(PICTURES)]
        shown = [Shown(str(room.upload(content).id), content) for content in contents]
        installation.services.records.run()
        places = [FilePlace.of_image(room.path(UUID(one.id))) for one in shown]
        found = generations(installation, places)
        key, email = installation.key(), installation.person().email
    assert set(found.values()) == {GENERATION_BEFORE}
    with serving(server):
        asking = with_key(server.url, key)
        for one in shown:
            one.etags.update({what: etag_of(asking, one, what) for what in SHOWN})
        yield Filled(server, asking, email, shown, places, set(found))


def etag_of(asking: Asking, shown: Shown, what: str) -> str:
    answer = asking.ask("GET", f"/images/{shown.id}/{what}")
    assert answer.status == 200, answer
    assert answer.etag
    return answer.etag


def generations(installation: Installation, places: list[FilePlace]) -> dict[str, int]:
    """The generation of every ``.enc`` of these pictures, by its place in the store."""
    blobs, found = installation.house.blobs, {}
    for place in places:
        for blob in blobs_of(blobs, place):
            header = header_at(blobs, blob.key)
            assert header is not None, blob.key
            found[blob.key] = header.generation
    return found


def flask(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    """A command as another process beside the server."""
    return programs.flask(*words, environ=server.environ)


def crowd_of(filled: Filled) -> Crowd:
    """A tenth of the pictures goes to the trash and back, each by one client."""
    over, asking = threading.Event(), filled.asking
    person = signed_in(filled.server.url, filled.email)
    split = max(CLIENTS, PICTURES // 10)
    moving, shared = filled.pictures[:split], filled.pictures[split:]
    clients = []
    for n in range(CLIENTS):
        fresh = map(picture, itertools.count(PICTURES + n, CLIENTS))
        clients.append(
            BusyClient(asking, person, shared, moving[n::CLIENTS], fresh, over, seed=n)
        )
    return Crowd(clients, over)


def test_nobody_notices(filled: Filled) -> None:
    server = filled.server
    with crowd_of(filled) as crowd:
        wait_for_all_kinds(crowd)
        before, began = crowd.counts.total(), time.monotonic()
        rotated = flask(server, "keys", "rotate", "--all", "--json")
        seconds, during = time.monotonic() - began, crowd.counts.total() - before
    counts, failed = crowd.counts, crowd.failed
    print(
        f"\n{rotated.stdout}\n{PICTURES} pictures rotated in {seconds:.1f} s beside {during}"
        f" requests of {CLIENTS} clients, {len(failed)} failed; all requests: {dict(counts)}"
    )
    assert failed[:5] == []
    assert rotated.returncode == 0, rotated
    said = json.loads(rotated.stdout)
    assert said["rotated"] >= PICTURES
    assert (said["failed"], said["remaining"], said["problem"]) == (0, 0, None)
    assert during > CLIENTS
    check_served(filled)
    verified = flask(server, "store", "verify", "--full")
    assert verified.returncode == 0, verified
    print(verified.stdout)
    server.stop()
    check_generations(filled)


def wait_for_all_kinds(crowd: Crowd) -> None:
    """Until the clients have asked for everything at least once."""
    deadline = time.monotonic() + 60
    while len(crowd.counts) < 10:
        assert time.monotonic() < deadline, crowd.counts
        time.sleep(0.05)


def check_served(filled: Filled) -> None:
    """Every original as it was uploaded, under the ETag that it had."""
    for shown in filled.pictures:
        answer = filled.asking.ask("GET", f"/images/{shown.id}/original")
        assert (answer.status, answer.body == shown.content) == (200, True)
        assert {what: etag_of(filled.asking, shown, what) for what in SHOWN} == shown.etags


def check_generations(filled: Filled) -> None:
    """All that was there has the next key, and so has what was made of it meanwhile."""
    with filled.server.filled() as installation:
        found = generations(installation, filled.places)
    assert filled.blobs <= set(found)
    left = {key: at for key, at in found.items() if at != GENERATION_BEFORE + 1}
    assert left == {}
    print(f"{len(found)} blobs at generation {GENERATION_BEFORE + 1}, no other")
