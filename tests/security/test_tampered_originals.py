"""An original that was touched on the disk is noticed before a byte of the damage leaves.

Each test bends one thing of one picture. Over HTTP the answer is 409, to a program and to a
browser; the other picture is served as before; the audit log and ``encryption verify`` name
the damaged one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import DecryptionFailed
from tests.fixtures.tampering import HEADER, Lab, append, change_database, cut, swap_chunks
from tests.fixtures.uploads import flip


@pytest.mark.parametrize("field", HEADER)
def test_a_field_of_the_originals_header(lab: Lab, field: str) -> None:
    flip(lab.file(lab.path.original), HEADER[field])
    answer = lab.client.get(lab.url())
    assert answer.status_code == 409
    assert lab.contents[lab.bad][:8] not in answer.data
    lab.check_quarantined()
    lab.check_good()
    assert (str(lab.bad), "original") in lab.problems()
    assert str(lab.bad) in lab.cli_names()
    assert str(lab.good) not in lab.cli_names()


BODIES: dict[str, Callable[[Path], None]] = {
    "first byte of the ciphertext": lambda path: flip(path, 128),
    "last byte of the tag": lambda path: flip(path, -1),
    "first byte of the tag": lambda path: flip(path, -16),
    "cut by one byte": lambda path: cut(path, -1),
    "cut by one chunk": lambda path: cut(path, 128 + 4112),
    "cut after the header": lambda path: cut(path, 128),
    "cut within the header": lambda path: cut(path, 60),
    "empty": lambda path: cut(path, 0),
    "one byte longer": lambda path: append(path, b"\0"),
    "an empty chunk appended": lambda path: append(path, bytes(16)),
    "its own last chunk again": lambda path: append(path, path.read_bytes()[-4112:]),
}


@pytest.mark.parametrize("what", BODIES)
def test_the_body_of_a_long_original(long_lab: Lab, what: str) -> None:
    BODIES[what](long_lab.file(long_lab.path.original))
    answer = long_lab.client.get(long_lab.url())
    assert answer.status_code == 409
    long_lab.check_quarantined()
    long_lab.check_good()
    assert (str(long_lab.bad), "original") in long_lab.problems()


def test_two_chunks_that_changed_places(long_lab: Lab) -> None:
    """They lie behind the first one: the answer ends before them, short of its length."""
    swap_chunks(long_lab.file(long_lab.path.original), 100, 101)
    content = long_lab.contents[long_lab.bad]
    with pytest.raises(DecryptionFailed):
        _ = long_lab.client.get(long_lab.url(), buffered=False).data
    long_lab.check_quarantined()
    long_lab.check_good()
    assert (str(long_lab.bad), "original") in long_lab.problems()
    assert len(content) > 200 * 4096


def test_no_byte_of_a_damaged_later_chunk_leaves(long_lab: Lab) -> None:
    at = 150
    flip(long_lab.file(long_lab.path.original), 128 + at * 4112 + 5)
    content = long_lab.contents[long_lab.bad]
    before = long_lab.client.get(long_lab.url(), headers={"Range": "bytes=0-4095"})
    assert (before.status_code, before.data) == (206, content[:4096])
    sent = bytearray()
    answer = long_lab.client.get(long_lab.url(), buffered=False)
    assert answer.status_code == 200
    with pytest.raises(DecryptionFailed):
        sent.extend(part for piece in answer.iter_encoded() for part in piece)
    answer.close()
    assert len(sent) <= at * 4096
    assert bytes(sent) == content[: len(sent)]
    long_lab.check_quarantined()
    long_lab.check_good()


def test_a_range_that_begins_in_a_damaged_chunk_is_an_error_page(long_lab: Lab) -> None:
    flip(long_lab.file(long_lab.path.original), 128 + 150 * 4112 + 5)
    answer = long_lab.client.get(
        long_lab.url(), headers={"Range": f"bytes={150 * 4096 + 9}-{150 * 4096 + 10}"}
    )
    assert answer.status_code == 409
    long_lab.check_quarantined()


SWAPS = {
    "the original of another picture": lambda lab: (
        lab.room.path(lab.good).original,
        lab.path.original,
    ),
    "a thumbnail as the original": lambda lab: (lab.path.thumbnail(320), lab.path.original),
}


@pytest.mark.parametrize("what", SWAPS)
def test_a_genuine_blob_in_the_place_of_the_original(lab: Lab, what: str) -> None:
    source, target = SWAPS[what](lab)
    shutil.copy(lab.file(source), lab.file(target))
    assert lab.client.get(lab.url()).status_code == 409
    lab.check_quarantined()
    lab.check_good()
    assert (str(lab.bad), "original") in lab.problems()


@pytest.mark.parametrize("column", ["generation", "content_rev"])
def test_a_rolled_back_original(lab: Lab, column: str) -> None:
    """The blob is genuine, but the database knows of a later one."""
    if column == "generation":
        change_database(
            lab, "UPDATE file_keys SET generation = 2 WHERE file_id = ?", lab.bad.hex
        )
    else:
        change_database(lab, "UPDATE images SET content_rev = 1 WHERE id = ?", lab.bad.hex)
    answer = lab.client.get(lab.url())
    assert answer.status_code == 409
    assert lab.room.last_audited("image.quarantined").details["code"] == "rolled_back"
    lab.check_quarantined()
    lab.check_good()
    assert (str(lab.bad), "original") in lab.problems()
