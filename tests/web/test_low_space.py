"""Readiness says that space runs out before everything fails; a folder that was turned into
a link is an outage, no server error and no lost picture."""

from __future__ import annotations

import pytest

from tests.fixtures.installation import Installation
from tests.fixtures.uploads import PictureRoom, picture


@pytest.mark.parametrize(("free", "status"), [(0, "degraded"), (1 << 40, "ready")])
def test_a_disk_that_fills_up_is_told(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, free: int, status: str
) -> None:
    monkeypatch.setattr(installation.house.blobs, "free_bytes", lambda: free)
    answer = installation.app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, status)
    assert ("MiB are free" in answer.json["parts"]["store"]) == (status == "degraded")


def test_a_folder_that_became_a_link_is_a_503(installation: Installation) -> None:
    room = PictureRoom(installation)
    image_id = room.upload(picture()).id
    folder = room.blob(room.path(image_id).original).parent
    away = installation.instance.with_name("away")
    folder.rename(away)
    folder.symlink_to(away)
    installation.house.blobs._walked.clear()
    client = installation.api()
    for what in ("original", "thumb/320"):
        assert client.get(f"/images/{image_id}/{what}").status_code == 503
    assert room.row(image_id).status == "ready"
    folder.unlink()
    away.rename(folder)
    assert client.get(f"/images/{image_id}/original").data == picture()
