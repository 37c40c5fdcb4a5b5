"""``/api/v1/collections``: members, roles, label classes."""

from __future__ import annotations

import pytest

from tests.fixtures import pictures
from tests.fixtures.installation import ApiClient, Installation

COLLECTIONS = "/api/v1/collections"


@pytest.fixture
def ann(installation: Installation) -> ApiClient:
    return installation.api("ann")


@pytest.fixture
def slug(ann: ApiClient) -> str:
    made = ann.post(COLLECTIONS, json={"name": "Ward 7", "description": "x-rays"})
    assert made.status_code == 201, made.json
    return str(made.json["slug"])


def test_everybody_has_a_private_collection(ann: ApiClient) -> None:
    (own,) = ann.get(COLLECTIONS).json["collections"]
    assert own["is_private"] is True
    assert own["role"] == "owner"
    assert own["slug"].startswith("c-")
    assert ann.delete(f"{COLLECTIONS}/{own['slug']}").status_code in {403, 409, 422}


def test_a_collection_is_made_changed_and_removed(ann: ApiClient, slug: str) -> None:
    path = f"{COLLECTIONS}/{slug}"
    changed = ann.open("PATCH", path, json={"name": "Ward 8", "label_set": "closed"})
    assert changed.status_code == 200
    assert (changed.json["name"], changed.json["label_set"]) == ("Ward 8", "closed")
    assert changed.json["description"] == "x-rays"
    assert ann.delete(path).status_code == 204
    assert ann.get(path).status_code == 404


def test_a_typed_address_is_kept_and_belongs_to_one(ann: ApiClient) -> None:
    first = ann.post(COLLECTIONS, json={"name": "One", "slug": "winter-2026"})
    assert (first.status_code, first.json["slug"]) == (201, "winter-2026")
    assert ann.post(COLLECTIONS, json={"name": "Two", "slug": "winter-2026"}).status_code == 409
    wrong = ann.post(COLLECTIONS, json={"name": "Two", "slug": "../x"})
    assert (wrong.status_code, wrong.json["errors"][0]["path"]) == (422, "slug")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "$.name"),
        ({"name": 5}, "$.name"),
        ({"name": "a", "color": "b"}, "$.color"),
        ({"name": "a\x07b"}, "name"),
        ([], "$"),
    ],
)
def test_wrong_bodies_are_named(ann: ApiClient, body: object, place: str) -> None:
    answer = ann.post(COLLECTIONS, json=body)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["path"] == place


def test_members_see_what_their_role_allows(
    installation: Installation, ann: ApiClient, slug: str
) -> None:
    path = f"{COLLECTIONS}/{slug}"
    bob_account, bob = installation.person("bob"), installation.api("bob")
    assert bob.get(path).status_code == 404
    added = ann.post(f"{path}/members", json={"email": bob_account.email, "role": "viewer"})
    assert added.status_code == 201
    assert bob.get(path).json["role"] == "viewer"
    assert bob.upload((pictures.png(), "a.png"), collection=slug).status_code == 403
    member = f"{path}/members/{bob_account.id}"
    assert ann.open("PATCH", member, json={"role": "editor"}).json["role"] == "editor"
    assert bob.upload((pictures.png(), "a.png"), collection=slug).status_code == 201
    assert bob.open("PATCH", path, json={"name": "Mine"}).status_code == 403
    assert ann.delete(member).status_code == 204
    assert bob.get(path).status_code == 404


def test_the_last_owner_stays(installation: Installation, ann: ApiClient, slug: str) -> None:
    me = f"{COLLECTIONS}/{slug}/members/{installation.person('ann').id}"
    assert ann.delete(me).status_code == 409
    assert ann.open("PATCH", me, json={"role": "viewer"}).status_code == 409


def test_label_classes_keep_their_ids(ann: ApiClient, slug: str) -> None:
    path = f"{COLLECTIONS}/{slug}/labels"
    car = ann.post(path, json={"name": "car"}).json
    bus = ann.post(path, json={"name": "bus"}).json
    assert [car["hotkey"], bus["hotkey"]] == ["1", "2"]
    assert car["colour"] != bus["colour"]
    assert ann.post(path, json={"name": "car"}).status_code == 409
    renamed = ann.open("PATCH", f"{path}/{car['id']}", json={"name": "lorry", "hotkey": ""})
    assert (renamed.json["id"], renamed.json["hotkey"]) == (car["id"], None)
    assert ann.delete(f"{path}/{bus['id']}").status_code == 204
    assert [label["name"] for label in ann.get(path).json["labels"]] == ["lorry"]
