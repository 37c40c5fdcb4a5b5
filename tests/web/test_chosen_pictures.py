"""What is done with pictures that were ticked in the gallery: a blind round, another label."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from sqlalchemy import insert
from werkzeug.test import TestResponse

from app.models import Image
from app.services.labels import LabelEdit
from tests.fixtures.installation import Browser, Installation
from tests.fixtures.uploads import PictureRoom, picture
from tests.fixtures.workbench import card_row

BOX = {"x": 1, "y": 1, "w": 5, "h": 5}


class Gallery:
    """Ann's collection, in which Bob labels too; three pictures with a car on each."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.services, self.ann = installation.services, installation.person("ann").actor
        self.slug = self.services.collections.create(self.ann, name="Cars").slug
        bob = installation.person("bob")
        self.services.members.add(self.ann, self.slug, email=bob.email, role="annotator")
        self.people = [str(self.ann.user_id), str(bob.id)]
        self.label = self.services.labels.create(self.ann, self.slug, LabelEdit(name="car")).id
        (place,) = [p for p in self.services.library.places(self.ann) if p.slug == self.slug]
        rows = [card_row(place.id, n, 3) for n in range(3)]
        with installation.house.engine.begin() as connection:
            connection.execute(insert(Image), rows)
        self.images = [row["id"] for row in rows]
        for image in self.images:
            drawn = {"annotations": [{"label": "car", "box": BOX}]}
            self.services.annotations.put(self.ann, image, drawn, "*")
        self.browser: Browser = installation.browser("ann")

    def chosen(self, count: int) -> list[str]:
        return [str(image) for image in self.images[:count]]

    def post(self, end: str, **fields: object) -> TestResponse:
        return self.browser.post(f"/collections/{self.slug}/{end}", data=fields)

    def labels(self) -> list[str]:
        found = (self.services.annotations.get(self.ann, image) for image in self.images)
        return [one.label for each in found for one in each.annotations]


@pytest.fixture
def gallery(installation: Installation) -> Gallery:
    return Gallery(installation)


def test_the_bar_offers_both_in_one_collection_alone(gallery: Gallery) -> None:
    ends = ("agreement/chosen", "labels/relabel")
    here = gallery.browser.get(f"/gallery?collection={gallery.slug}").text
    everywhere = gallery.browser.get("/gallery").text
    for end in ends:
        assert f'formaction="/collections/{gallery.slug}/{end}"' in here
        assert end not in everywhere
    seen_by_bob = gallery.installation.browser("bob").get(f"/gallery?collection={gallery.slug}")
    assert "formaction" not in seen_by_bob.text


def test_a_round_with_chosen_pictures(gallery: Gallery) -> None:
    form = gallery.post("agreement/chosen", ids=gallery.chosen(2))
    assert form.status_code == 200
    assert "2 pictures that you chose" in form.text
    told = re.findall(r'name="images" value="([^"]+)"', form.text)
    assert told == gallery.chosen(2)
    again = gallery.post("agreement", name="", annotators=gallery.people, images=told)
    assert again.status_code == 422
    assert re.findall(r'name="images" value="([^"]+)"', again.text) == told, "kept in the form"
    made = gallery.post("agreement", name="Two", annotators=gallery.people, images=told)
    assert made.status_code == 303
    round_id = UUID(made.location.rsplit("/", 1)[1])
    view = gallery.services.rounds.of(gallery.ann, gallery.slug, round_id)
    assert sorted(str(line.card.id) for line in view.pictures) == sorted(told)
    assert view.seed is None


@pytest.mark.parametrize("ids", [[], ["x"]])
def test_without_pictures_there_is_no_form(gallery: Gallery, ids: list[str]) -> None:
    assert gallery.post("agreement/chosen", ids=ids).status_code == 422
    assert gallery.post("labels/relabel", label=gallery.label, into="bus").status_code == 422


def test_another_label_in_chosen_pictures(gallery: Gallery) -> None:
    done = gallery.post(
        "labels/relabel", ids=gallery.chosen(2), label=gallery.label, into="bus"
    )
    assert done.status_code == 303
    assert done.location.endswith(f"/gallery?collection={gallery.slug}")
    assert "2 annotations" in gallery.browser.get(done.location).text
    assert gallery.labels() == ["bus", "bus", "car"]


def test_a_name_that_is_none_changes_nothing(gallery: Gallery) -> None:
    done = gallery.post("labels/relabel", ids=gallery.chosen(2), label=gallery.label, into=" ")
    assert done.status_code == 303
    assert gallery.labels() == ["car", "car", "car"]


def test_a_copy_has_all_keys_of_the_editor(gallery: Gallery) -> None:
    room = PictureRoom(gallery.installation)
    image = str(room.upload(picture(), collection=gallery.slug).id)
    told = {"name": "Keys", "annotators": gallery.people, "images": [image]}
    round_page = gallery.post("agreement", **told).location
    keys = re.compile(r'data-keys="([^"]+)"')
    copy = keys.search(gallery.browser.get(f"{round_page}/{image}").text)
    plain = keys.search(gallery.browser.get(f"/images/{image}/annotate").text)
    assert copy
    assert plain
    assert copy[1] == plain[1] != "[]"


def test_rounds_of_programs(gallery: Gallery) -> None:
    api = gallery.installation.api("ann")
    path = f"/api/v1/collections/{gallery.slug}/rounds"
    told = {"name": "Both", "annotators": gallery.people, "images": gallery.chosen(1)}
    made = api.post(path, json=told)
    assert made.status_code == 201
    assert [each["image_id"] for each in made.json["pictures"]] == gallery.chosen(1)
    for name in ("ann", "bob"):
        who = gallery.installation.person(name).actor
        copy = gallery.services.rounds.mine(
            who, gallery.slug, UUID(made.json["id"]), gallery.images[0]
        )
        ops = [{"op": "add", "label": "car", "box": BOX}]
        gallery.services.copies.patch(who, copy, {"ops": ops})
        gallery.services.copies.submit(who, copy)
    found = api.get(f"{path}/{made.json['id']}").json
    (pair,) = found["pairs"]
    assert pair["agreement"]["matched"] == 1
    assert pair["agreement"]["kappa"] == 1
    (line,) = api.get(path).json["rounds"]
    assert (line["copies"], line["submitted"]) == (2, 2)
    for wrong in ({"images": ["x"]}, {"count": 1}, {"iou": "x"}, {"annotators": []}):
        assert api.post(path, json=told | wrong).status_code == 422, wrong


def test_the_label_that_is_looked_for_is_the_one_to_change(gallery: Gallery) -> None:
    bike = gallery.services.labels.create(gallery.ann, gallery.slug, LabelEdit(name="bike")).id
    address = f"/gallery?collection={gallery.slug}"
    assert "selected>" not in gallery.browser.get(address).text.split('id="bulk-label"')[1]
    bar = gallery.browser.get(f"{address}&label=bike").text.split('id="bulk-label"')[1]
    assert re.findall(r'<option value="([^"]+)" selected>', bar) == [str(bike)]


def test_beside_a_picture_stands_whether_somebody_looked(installation: Installation) -> None:
    room, browser = PictureRoom(installation), installation.browser("ann")
    image = room.upload(picture(1), "a.bmp").id

    def words(annotations: list[dict[str, object]], state: str) -> str:
        told = {"annotations": annotations, "state": state}
        installation.services.annotations.put(room.actor, image, told, "*")
        page = browser.get(f"/images/{image}").text
        section = re.search(r"<h3>Labels</h3>(.*?)</section>", page, re.DOTALL)
        assert section
        return " ".join(re.sub(r"<[^>]+>", " ", section[1]).split())

    drawn: list[dict[str, object]] = [{"label": "car", "box": {"x": 1, "y": 1, "w": 2, "h": 2}}]
    assert words(drawn, "in_progress").endswith("1 annotation, labelling begun.")
    assert words([], "in_progress") == "No annotations, labelling begun. Draw the first"
    assert words([], "done") == "Looked at, and nothing is there: labelled."


def test_a_label_that_comes_back_by_its_name_is_not_told_as_a_new_one(
    gallery: Gallery,
) -> None:
    gallery.services.labels.remove(gallery.ann, gallery.slug, gallery.label)
    drawn = {"annotations": [{"label": name, "box": BOX} for name in ("car", "bike")]}
    for told in ({"annotations": []}, drawn):
        gallery.services.annotations.put(gallery.ann, gallery.images[0], told, "*")
    page = gallery.browser.get(f"/collections/{gallery.slug}/labels").text
    assert "Ann added “bike” and offered “car” again" in " ".join(
        re.sub(r"<[^>]+>", " ", page).split()
    )
