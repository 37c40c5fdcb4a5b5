"""A signed address shows the bytes of one picture, and nothing of how it is labelled."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.fixtures.uploads import PictureRoom, picture

BOX = {"x": 1, "y": 1, "w": 3, "h": 3}
OF_A_PICTURE = (
    "annotations",
    "annotations/changes",
    "annotations/history",
    "comments",
    "task",
)


@pytest.fixture
def labelled(room: PictureRoom) -> tuple[PictureRoom, str, str]:
    """A private and a public picture, each with a box; their ids."""
    ids = [room.upload(picture(n), is_public=n == 1).id for n in range(2)]
    for image in ids:
        op = {"op": "add", "label": "secret-label", "box": BOX}
        room.services.annotation_ops.patch(room.actor, image, {"ops": [op]})
    return room, str(ids[0]), str(ids[1])


def test_who_holds_a_link_sees_no_label(labelled: tuple[PictureRoom, str, str]) -> None:
    room, private, _ = labelled
    url = room.installation.api("ann").get(f"/api/v1/images/{private}").json["url"]
    token = url.rpartition("/m/")[2]
    nobody = room.installation.browser(None)
    shown = nobody.get(f"/m/{token}")
    assert shown.status_code == 200
    assert b"secret-label" not in shown.data
    for below in OF_A_PICTURE:
        assert nobody.get(f"/m/{token}/{below}").status_code == 404
        path = f"/api/v1/images/{private}/{below}"
        for answer in (
            nobody.get(path),
            nobody.get(f"{path}?token={token}"),
            nobody.get(path, headers={"Authorization": f"Bearer {token}"}),
        ):
            assert answer.status_code == 401
    assert nobody.get(f"/images/{private}/annotate").status_code in {302, 303, 401, 404}


def test_who_sees_a_public_picture_sees_no_label(
    labelled: tuple[PictureRoom, str, str],
) -> None:
    room, private, public = labelled
    stranger = room.installation.api("zoe")
    assert stranger.get(f"/api/v1/images/{public}").status_code == 200
    for below in OF_A_PICTURE:
        assert stranger.get(f"/api/v1/images/{public}/{below}").status_code == 403
        assert stranger.get(f"/api/v1/images/{private}/{below}").status_code == 404
    for document in ({"ops": []}, {"ops": 7}):
        for image, told in ((public, 403), (private, 404), (str(uuid4()), 404)):
            path = f"/api/v1/images/{image}/annotations"
            answer = stranger.open("PATCH", path, json=document)
            assert answer.status_code == told
