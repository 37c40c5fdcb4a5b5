"""What is no file, in the place of a blob, is damage like any other."""

from __future__ import annotations

import os

import pytest

from tests.fixtures.tampering import FOREIGN, WAYS, Lab


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", FOREIGN)
def test_in_the_place_of_an_original(lab: Lab, what: str, way: str) -> None:
    other = lab.file(lab.room.path(lab.good).original)
    FOREIGN[what](lab.file(lab.path.original), other)
    assert lab.get(way).status_code == 409
    lab.check_quarantined()
    lab.check_good()
    assert lab.room.audited("image.quarantined") == 1
    assert (str(lab.bad), "original") in lab.problems()
    assert str(lab.bad) in lab.cli_names()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("part", ["thumb/320", "preview"])
@pytest.mark.parametrize("what", FOREIGN)
def test_a_derivative_is_made_again(lab: Lab, what: str, part: str, way: str) -> None:
    key = lab.path.preview if part == "preview" else lab.path.thumbnail(320)
    before = lab.get(way, part).data
    FOREIGN[what](lab.file(key), lab.file(lab.room.path(lab.good).thumbnail(320)))
    answer = lab.get(way, part)
    assert (answer.status_code, answer.data) == (200, before)
    assert lab.room.audited("derivative.damaged") == 1
    assert lab.file(key).is_file()
    assert not lab.file(key).is_symlink()
    assert lab.problems() == set()
    lab.check_good()


def test_what_lies_in_a_folder_that_was_in_the_way_is_kept(lab: Lab) -> None:
    place = lab.file(lab.path.preview)
    place.unlink()
    place.mkdir()
    (place / "somebody's").write_bytes(b"work")
    assert lab.client.get(lab.url("preview")).status_code == 200
    kept = list(place.parent.glob("**/somebody's"))
    assert [path.read_bytes() for path in kept] == [b"work"]


def test_a_folder_that_became_a_link_sets_nothing_aside(lab: Lab) -> None:
    """Whoever moves a store with links meets a refusal, and loses no picture by it."""
    folder = lab.file(lab.path.original).parent.parent
    folder.rename(folder.with_name("moved"))
    os.symlink(folder.with_name("moved"), folder)
    lab.installation.house.blobs._walked.clear()
    assert lab.client.get(lab.url()).status_code >= 500
    assert lab.room.row(lab.bad).status == "ready"
    assert lab.room.audited("image.quarantined") == 0
