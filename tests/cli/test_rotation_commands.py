"""``flask keys rotate`` as processes: two of them at once, and one that gets a Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.models import FileKey
from app.storage.replacing import FilePlace, blobs_of, header_at
from tests.fixtures.programs import BARE, TOP
from tests.fixtures.uploads import PictureRoom, picture

PATIENCE = 120.0


class Rotate:
    """``keys rotate --all`` as a process; it has nothing in common with another one but
    database, vault and store."""

    def __init__(self, room: PictureRoom) -> None:
        words = ["-m", "flask", "--app", "wsgi", "keys", "rotate", "--all", "--json"]
        self.process = subprocess.Popen(
            [sys.executable, *words],
            cwd=TOP,
            env=BARE | room.installation.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def answer(self) -> tuple[int, dict[str, Any]]:
        said, errors = self.process.communicate(timeout=PATIENCE)
        assert "Traceback" not in errors, errors
        return self.process.returncode, json.loads(said)


def generations(room: PictureRoom, image_id: UUID) -> set[int]:
    blobs, place = room.installation.house.blobs, FilePlace.of_image(room.path(image_id))
    found = [header_at(blobs, blob.key) for blob in blobs_of(blobs, place)]
    return {header.generation for header in found if header is not None}


def rotated_rows(room: PictureRoom) -> int:
    """How many files have a second key in use."""
    with room.installation.house.uow.read_rows() as rows:
        chosen = select(func.count()).select_from(FileKey)
        second = chosen.where(FileKey.state == "active", FileKey.generation == 2)
        return int(rows.execute(second).scalar_one())


def check_rotated_once(room: PictureRoom, ids: list[UUID]) -> None:
    for number, image_id in enumerate(ids):
        assert generations(room, image_id) == {2}
        assert room.original(image_id) == picture(number)
    assert room.audited("key.rotate") == len(ids)
    assert not [key for key in room.blobs() if ".tmp-" in key]
    assert [found for found in room.services.verification.images() if found.problem] == []


@pytest.mark.slow
def test_two_processes_share_the_files_and_rotate_none_twice(room: PictureRoom) -> None:
    ids = [room.upload(picture(n)).id for n in range(40)]
    answers = [work.answer() for work in [Rotate(room), Rotate(room)]]
    told = [
        (code, said["rotated"], said["remaining"], said["resumed"]) for code, said in answers
    ]
    print(f"\n(exit code, rotated, remaining, resumed) of each: {told}")
    assert sum(said["rotated"] for _, said in answers) == len(ids), told
    assert [said["failed"] for _, said in answers] == [0, 0]
    for code, said in answers:  # the other one may be at its last file
        assert code == (1 if said["remaining"] else 0), told
    assert 0 in {code for code, _ in answers}, told
    check_rotated_once(room, ids)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_between_two_files_and_again_goes_on(
    room: PictureRoom, number: signal.Signals
) -> None:
    ids = [room.upload(picture(n)).id for n in range(40)]
    work = Rotate(room)
    deadline = time.monotonic() + PATIENCE
    while rotated_rows(room) < 2:
        assert time.monotonic() < deadline
        assert work.process.poll() is None, work.answer()
        time.sleep(0.002)
    os.killpg(work.process.pid, number)
    code, said = work.answer()
    done = said["rotated"]
    assert (code, said["stopped"], said["failed"]) == (130, True, 0)
    assert 2 <= done < len(ids)
    assert said["remaining"] == len(ids) - done
    assert rotated_rows(room) == done
    assert not [key for key in room.blobs() if ".tmp-" in key]
    code, again = Rotate(room).answer()
    print(f"\nstopped after {done}, {again['rotated']} by the next run")
    assert (code, again["resumed"], again["remaining"]) == (0, True, 0)
    assert done + again["rotated"] == len(ids)
    check_rotated_once(room, ids)
