"""What is told of a public picture to an account outside its collection, and to a bad key."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.models import Image
from tests.fixtures import pictures
from tests.fixtures.installation import Installation
from tests.fixtures.uploads import PictureRoom


@pytest.fixture
def public(installation: Installation) -> dict[str, str]:
    """A public picture in a collection with a name of its own, as its uploader sees it."""
    room = PictureRoom(installation)
    slug = room.services.collections.create(room.actor, name="Secret", slug="secret-trial").slug
    image = room.upload(pictures.jpeg(), collection=slug).id
    with installation.house.uow.write() as session:
        session.execute(update(Image).where(Image.id == image).values(is_public=True))
    told: dict[str, str] = installation.api().get(f"/api/v1/images/{image}").json
    return told


def test_a_stranger_learns_neither_collection_nor_address(installation, public) -> None:
    answer = installation.api("bob").get(f"/api/v1/images/{public['id']}")
    assert answer.status_code == 200
    assert (answer.json["collection"], answer.json["path"]) == (None, None)
    assert answer.json["uploaded_from"] is None
    assert "secret-trial" not in answer.text


def test_the_address_of_the_store_leads_a_stranger_nowhere(installation, public) -> None:
    stored_name = public["path"].rpartition("/")[2]
    bob = installation.api("bob")
    assert bob.get(f"/dam/whatever/{stored_name}").status_code == 404
    assert bob.get(public["path"]).status_code == 200
    assert bob.get(f"/images/{public['id']}/original").status_code == 200
    assert installation.api().get(f"/dam/whatever/{stored_name}").status_code == 308


@pytest.mark.parametrize("value", ["", " ", "Bearer", "Bearer ", "Basic eA==", "nonsense"])
@pytest.mark.parametrize("path", ["/auth/login", "/gallery", "/api/v1/me"])
def test_an_empty_or_odd_key_is_refused_in_words(installation, value: str, path: str) -> None:
    client = installation.app.test_client()
    headers = {"Authorization": value, "Accept": "text/html"}
    answer = client.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
