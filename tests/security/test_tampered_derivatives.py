"""A thumbnail or preview that was touched on the disk is made again from its original.

Whoever asks, by whichever way, gets the picture and never the damage; the audit log tells.
"""

from __future__ import annotations

import shutil
from io import BytesIO

import pytest

from app.crypto.context import Role
from app.domain.media_kinds import MediaKind
from app.models import Image
from app.services.image_access import ImageAccess
from app.storage.encrypted_store import Floor
from app.storage.sidecar import PrivateFacts, PublicFacts
from tests.fixtures.tampering import HEADER, WAYS, Lab, change_database, cut
from tests.fixtures.uploads import flip


@pytest.mark.parametrize("field", [*HEADER, "ciphertext", "tag", "cut", "empty"])
@pytest.mark.parametrize("what", ["thumb/320", "preview"])
@pytest.mark.parametrize("way", WAYS)
def test_a_derivative_is_made_again(
    lab: Lab, ways: list[str], way: str, what: str, field: str
) -> None:
    key = lab.path.preview if what == "preview" else lab.path.thumbnail(320)
    before = lab.get(way, what).data
    file = lab.file(key)
    match field:
        case "ciphertext":
            flip(file, 128)
        case "tag":
            flip(file, -1)
        case "cut":
            cut(file, -40)
        case "empty":
            cut(file, 0)
        case _:
            flip(file, HEADER[field])
    part = "preview" if what == "preview" else "thumbnail 320"
    assert lab.problems() == {(str(lab.bad), part)}
    answer = lab.get(way, what)
    assert (answer.status_code, answer.data) == (200, before)
    assert ways == ["short" if way == "browser" else "Flask"] * 2
    event = lab.room.last_audited("derivative.damaged")
    assert event.subject_id == str(lab.bad)
    assert lab.problems() == set()
    lab.check_good()


PLACES = {
    "another picture's thumbnail": lambda lab: lab.room.path(lab.good).thumbnail(320),
    "another size": lambda lab: lab.path.thumbnail(640),
    "another role": lambda lab: lab.path.preview,
    "the original": lambda lab: lab.path.original,
}


@pytest.mark.parametrize("what", PLACES)
@pytest.mark.parametrize("way", WAYS)
def test_a_genuine_blob_in_the_place_of_a_thumbnail(lab: Lab, way: str, what: str) -> None:
    before = lab.get(way, "thumb/320").data
    shutil.copy(lab.file(PLACES[what](lab)), lab.file(lab.path.thumbnail(320)))
    answer = lab.get(way, "thumb/320")
    assert (answer.status_code, answer.data) == (200, before)
    assert lab.room.audited("derivative.damaged") == 1
    lab.check_good()


SHOWN = ("thumb/320", "preview")


@pytest.mark.parametrize("what", SHOWN)
@pytest.mark.parametrize("way", WAYS)
def test_the_original_is_damaged_too(lab: Lab, way: str, what: str) -> None:
    """Nothing is left to make the derivative from: 409, and no picture of anybody."""
    before = lab.get(way, what)
    assert before.status_code == 200
    key = lab.path.preview if what == "preview" else lab.path.thumbnail(320)
    flip(lab.file(key), -1)
    flip(lab.file(lab.path.original), -1)
    answer = lab.get(way, what, **{"If-None-Match": '"other"'})
    assert answer.status_code == 409
    lab.check_quarantined()
    lab.check_good()


@pytest.mark.parametrize("what", SHOWN)
@pytest.mark.parametrize("way", WAYS)
def test_a_quarantined_picture_is_told_unchanged_to_nobody(
    lab: Lab, way: str, what: str
) -> None:
    """A browser that has the thumbnail does not hear that it may still show it."""
    known = {"If-None-Match": lab.get(way, what).headers["ETag"]}
    assert lab.get(way, what, **known).status_code == 304
    flip(lab.file(lab.path.original), -1)
    assert lab.get(way).status_code == 409
    assert lab.get(way, what, **known).status_code == 409


@pytest.mark.parametrize("way", WAYS)
def test_a_rolled_back_thumbnail_is_made_again_and_recorded(lab: Lab, way: str) -> None:
    """Original and row are of revision 1, the thumbnail is of revision 0."""
    house = lab.installation.house
    path = lab.path
    access = lab.room.access(lab.bad)
    with house.store.open(path.original, lab.bad, *_original(access)) as blob:
        version = blob.reader.header.key_version_id
    house.blobs.delete(path.original)
    house.blobs.delete(path.sidecar)
    content = lab.contents[lab.bad]
    with house.uow.read() as session:
        meta = session.get(Image, lab.bad).meta
    _reseal(house, path, lab.bad, version, BytesIO(content), len(content), meta)
    change_database(lab, "UPDATE images SET content_rev = 1 WHERE id = ?", lab.bad.hex)
    assert lab.client.get(lab.url()).data == content
    answer = lab.get(way, "thumb/320")
    assert answer.status_code == 200
    assert lab.room.audited("derivative.damaged") == 1
    with house.store.open(
        path.thumbnail(320), lab.bad, *_thumb(lab.room.access(lab.bad))
    ) as blob:
        assert blob.reader.header.content_rev == 1


def _original(access: ImageAccess) -> tuple[Role, int, Floor]:
    return Role.ORIGINAL, 0, access.floor


def _thumb(access: ImageAccess) -> tuple[Role, int, Floor]:
    return Role.THUMBNAIL, 320, access.floor


def _reseal(house, path, image_id, version, source, size, meta) -> None:
    house.store.seal_original(
        path,
        image_id,
        house.keys.key(image_id, version),
        version,
        source,
        size,
        PublicFacts(file_type=MediaKind.IMAGE, mime_type="image/png"),
        PrivateFacts(
            filename="a.png",
            owner_id=image_id,
            collection_id=image_id,
            uploaded_at="2026-11-22T00:00:00+00:00",
            sha256=meta["sha256"],
            md5=meta["md5"],
        ),
        content_rev=1,
    )
