"""Data sets taken in: looked at, accepted, applied whole or not at all, twice the same."""

from __future__ import annotations

import json

import pytest

from app.domain.access import Actor
from app.domain.scopes import Scope
from app.domain.states import AnnotationState
from app.errors import Conflict, InvalidInput, NotFound, NotPermitted
from app.services.collections import CollectionEdit
from app.services.exchange.options import ImportOptions, Mode
from tests.fixtures.exchange import ExchangeRoom, coco, coloured, pack
from tests.fixtures.installation import Installation


@pytest.fixture
def room(site: Installation) -> ExchangeRoom:
    return ExchangeRoom(site)


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


def sides(box: object) -> dict[str, float]:
    return {side: getattr(box, side) for side in "xywh"}


def test_examined_then_applied(room: ExchangeRoom) -> None:
    job, report = room.examine(raw(coco("a.png", "b.png")), "set.json")
    assert (report["format"], report["pictures"], report["annotations"]) == ("coco", 2, 4)
    assert (report["matched"], report["to_store"]) == (2, 0)
    assert report["classes"] == {"known": [], "new": ["cat", "dog"], "back": []}
    assert report["modes"]["add"]["added"] == 4
    assert not any(room.boxes().values()), "nothing is written before it is accepted"
    services = room.installation.services
    applied = services.imports.accept(
        room.actor, room.slug, job, accept_losses=bool(report["losses"])
    )
    room.work()
    told = room.job(applied).result
    assert told is not None
    assert (told["added"], told["pictures"]) == (4, 2)
    assert [len(found) for found in room.boxes().values()] == [2, 2, 0]
    assert room.job(job).has_file is False, "the upload is nobody's to fetch"
    with pytest.raises(NotFound):
        services.jobs.result(room.actor, job)


def test_the_same_document_comes_back(room: ExchangeRoom) -> None:
    document = coco("b.png", "a.png", boxes=3)
    room.take(raw(document), "set.json")
    files = room.give()
    assert json.loads(files["set.json"]) == document
    assert sorted(name for name in files if name.endswith(".png"))


def test_exported_deleted_and_imported_is_the_same_set(room: ExchangeRoom) -> None:
    room.take(raw(coco("a.png", "b.png", "c.png")), "set.json")
    before = room.boxes()
    archive = pack(room.give())
    room.clear()
    assert not any(room.boxes().values())
    room.take(archive)
    assert room.boxes() == before


def test_twice_is_once(room: ExchangeRoom) -> None:
    document = raw(coco("a.png", "b.png"))
    room.take(document, "set.json")
    before = room.boxes()
    for mode in Mode:
        again = room.take(document, "set.json", mode=mode)
        assert (again["added"], again["updated"], again["deleted"]) == (0, 0, 0), mode
    assert room.boxes() == before
    exported = pack(room.give())
    again = room.take(exported)
    assert (again["added"], again["updated"], again["deleted"]) == (0, 0, 0)


def test_what_was_changed_here_stays_unless_it_is_replaced(room: ExchangeRoom) -> None:
    document = coco("a.png", boxes=2)
    room.take(raw(document), "set.json")
    document["annotations"][0]["bbox"] = [9, 9, 9, 9]
    document["annotations"][1]["id"] = 77
    _, report = room.examine(raw(document), "set.json")
    assert report["modes"]["add"] | {"kept": 1, "added": 0} == report["modes"]["add"]
    assert report["modes"]["replace"]["updated"] == 1
    assert report["modes"]["empty"] | {"left_alone": 1} == report["modes"]["empty"]
    room.take(raw(document), "set.json", mode=Mode.REPLACE)
    assert room.boxes()["a.png"][0][1].x == 9
    assert len(room.boxes()["a.png"]) == 2


def test_replace_takes_away_what_the_file_lacks(room: ExchangeRoom) -> None:
    room.take(raw(coco("a.png", boxes=3)), "set.json")
    _, report = room.examine(raw(coco("a.png", boxes=1)), "set.json", mode=Mode.REPLACE)
    assert report["modes"]["replace"]["deleted"] == 2
    room.take(raw(coco("a.png", boxes=1)), "set.json", mode=Mode.REPLACE)
    assert len(room.boxes()["a.png"]) == 1


def test_pictures_of_the_archive_are_stored(room: ExchangeRoom) -> None:
    files = {
        "annotations/instances.json": raw(coco("new.png", "a.png", "gone.png")),
        "images/new.png": coloured(900),
        "images/a.png": coloured(0),  # which the collection has
        "images/bad.png": b"no picture",
        "README.md": b"hello",
    }
    _, report = room.examine(pack(files))
    assert (report["to_store"], report["matched"]) == (1, 2)
    codes = {loss["code"]: loss["count"] for loss in report["losses"]}
    assert codes["missing-picture"] == 2
    assert codes["picture-refused"] == 1
    assert codes["files-ignored"] == 1
    told = room.take(pack(files))
    assert told["stored"] == 1
    page = room.installation.services.library.page(room.actor, _all(), slug=room.slug)
    assert {card.name for card in page.cards} == {"a.png", "b.png", "c.png", "new.png"}
    assert {card.name: card.annotation_count for card in page.cards}["new.png"] == 2


def test_an_archive_with_pictures_again_has_no_names_of_several(room: ExchangeRoom) -> None:
    labels = raw(coco("new.png", "deep/a.png"))
    files = {"x.json": labels, "images/new.png": coloured(901), "in/deep/a.png": coloured(0)}
    told = room.take(pack(files))
    assert told["losses"] == []
    _, report = room.examine(pack(files))
    assert (report["losses"], report["matched"]) == ([], 2)


@pytest.mark.parametrize("folder", ["", "images/"])
def test_names_in_several_folders_are_told_apart(room: ExchangeRoom, folder: str) -> None:
    files = {
        "x.json": raw(coco("same.png", "d/same.png")),
        folder + "same.png": coloured(902),
        folder + "d/same.png": coloured(903),
    }
    told = [room.take(pack(files))["losses"], room.examine(pack(files))[1]["losses"]]
    assert [[loss["code"] for loss in losses] for losses in told] == [["duplicate-names"]] * 2


def _all() -> object:
    from app.services.listing import ListQuery

    return ListQuery(limit=50)


def test_names_decide_never_the_order(room: ExchangeRoom) -> None:
    document = coco("x/c.png", "elsewhere\\b.png", "a.png")
    room.take(raw(document), "set.json")
    by_name = {entry["file_name"]: entry["id"] for entry in document["images"]}
    for name, wanted in (("a.png", "a.png"), ("c.png", "x/c.png")):
        first = next(a for a in document["annotations"] if a["image_id"] == by_name[wanted])
        assert room.boxes()[name][0][1].y == first["bbox"][1]


@pytest.mark.parametrize("mode", list(Mode))
def test_one_picture_twice_is_stored_once_and_that_is_told(
    room: ExchangeRoom, mode: Mode
) -> None:
    document = coco("x/d.png", "y/e.png", boxes=3)
    twins = pack(
        {"s.json": raw(document), **dict.fromkeys(("x/d.png", "y/e.png"), coloured(7))}
    )
    _, report = room.examine(twins, mode=mode)
    (loss,) = report["losses"]
    told = (loss["code"], loss["count"], loss["place"])
    assert (*told, report["to_store"]) == ("same-picture", 3, "y/e.png", 1)
    result = room.take(twins, mode=mode)
    assert (result["stored"], result["added"], result["pictures"]) == (1, 3, 1)
    _, again = room.examine(twins, mode=mode)
    assert [each["code"] for each in again["losses"]] == ["same-picture"]
    result = room.take(twins, mode=mode)
    assert [result[kind] for kind in ("stored", "added", "updated", "deleted")] == [0] * 4


def test_two_pictures_of_one_name_are_nobodys(room: ExchangeRoom) -> None:
    room.add("a.png", coloured(901))
    _, report = room.examine(raw(coco("a.png", "b.png")), "set.json")
    assert report["matched"] == 1
    assert "ambiguous-name" in {loss["code"] for loss in report["losses"]}
    _, report = room.examine(raw(coco("x/b.png", "y/b.png")), "set.json")
    assert report["matched"] == 0
    assert report["can_apply"] is False


def test_swapped_sizes_are_told(room: ExchangeRoom) -> None:
    document = coco("a.png")
    document["images"][0] |= {"width": 48, "height": 64}
    _, report = room.examine(raw(document), "set.json")
    assert "size-swapped" in {loss["code"] for loss in report["losses"]}


def test_losses_must_be_accepted(room: ExchangeRoom) -> None:
    job, report = room.examine(raw(coco("a.png", "nowhere.png")), "set.json")
    assert report["needs_acceptance"]
    imports = room.installation.services.imports
    with pytest.raises(Conflict, match="lost"):
        imports.accept(room.actor, room.slug, job, accept_losses=False)
    first = imports.accept(room.actor, room.slug, job, accept_losses=True)
    assert imports.accept(room.actor, room.slug, job, accept_losses=True) == first


def test_a_closed_set_of_labels_refuses_with_places(room: ExchangeRoom) -> None:
    services = room.installation.services
    services.collections.edit(room.actor, room.slug, CollectionEdit(labels_closed=True))
    job, report = room.examine(raw(coco("a.png")), "set.json")
    assert [mistake["path"] for mistake in report["mistakes"]] == ["classes[0]", "classes[1]"]
    with pytest.raises(InvalidInput) as refusal:
        services.imports.accept(room.actor, room.slug, job, accept_losses=True)
    assert len(refusal.value.mistakes) == 2


def test_classes_are_mapped_and_found_by_alias(room: ExchangeRoom) -> None:
    services = room.installation.services
    room.take(raw(coco("a.png", labels=("cat",))), "set.json")
    services.collections.edit(room.actor, room.slug, CollectionEdit(labels_closed=True))
    mapped = {"kitty": "cat"}
    document = raw(coco("b.png", labels=("kitty",)))
    _, report = room.examine(document, "set.json", classes=mapped)
    assert report["classes"] == {"known": ["cat"], "new": [], "back": []}
    room.take(document, "set.json", classes=mapped)
    assert {found[0] for found in room.boxes()["b.png"]} == {"cat"}


@pytest.mark.parametrize(
    "document",
    [b"{", b"[]", b'{"images": 3}', b"\xff\xfe", b'{"images": [], "annotations": [{}]}'],
)
def test_what_makes_no_sense_is_told_with_its_place(
    room: ExchangeRoom, document: bytes
) -> None:
    _, report = room.examine(document, "set.json", format="coco")
    assert report["mistakes"]
    assert report["can_apply"] is False


def test_a_state_for_all(room: ExchangeRoom) -> None:
    document = coco("a.png", "b.png")
    document["annotations"] = [a for a in document["annotations"] if a["image_id"] == 100]
    room.take(raw(document), "set.json", state=AnnotationState.DONE)
    states = [
        room.installation.services.annotations.get(room.actor, room.images[name]).state
        for name in ("a.png", "b.png", "c.png")
    ]
    assert states == ["done", "done", "new"], "b was looked at and is empty"


def test_what_was_accepted_stays(room: ExchangeRoom) -> None:
    room.take(raw(coco("a.png")), "set.json")
    services = room.installation.services
    current = services.annotations.get(room.actor, room.images["a.png"])
    services.annotations.put(
        room.actor,
        room.images["a.png"],
        {
            "state": "accepted",
            "annotations": [
                {
                    "id": str(a.id),
                    "label": a.label,
                    "box": {k: getattr(a.box, k) for k in "xywh"},
                }
                for a in current.annotations
            ],
        },
        "*",
    )
    before = room.boxes()
    _, report = room.examine(raw(coco("a.png", boxes=4)), "set.json")
    assert "read-only" in {loss["code"] for loss in report["losses"]}
    told = room.take(raw(coco("a.png", boxes=4)), "set.json")
    assert (told["added"], told["read_only"]) == (0, 1)
    assert room.boxes() == before
    room.take(raw(coco("a.png")), "set.json", state=AnnotationState.IN_PROGRESS)
    found = room.installation.services.annotations.get(room.actor, room.images["a.png"])
    assert found.state is AnnotationState.ACCEPTED


def test_who_may_import(room: ExchangeRoom) -> None:
    services = room.installation.services
    for role in ("viewer", "annotator", "reviewer"):
        person = room.installation.person(role)
        services.members.add(room.actor, room.slug, email=person.email, role=role)
    start = services.imports.start
    import io

    for role, allowed in (("viewer", False), ("annotator", False), ("reviewer", True)):
        who = room.installation.person(role).actor
        given = (who, room.slug, io.BytesIO(raw(coco("a.png"))), "s.json", ImportOptions())
        if allowed:
            start(*given)
        else:
            with pytest.raises(NotPermitted):
                start(*given)
    with pytest.raises(NotFound):
        start(room.installation.person("eve").actor, *given[1:])
    key = Actor(room.actor.user_id, scopes=frozenset({Scope.COLLECTIONS_READ}))
    with pytest.raises(NotPermitted):
        start(key, *given[1:])


def test_a_key_without_uploads_stores_no_pictures(room: ExchangeRoom) -> None:
    import io

    scopes = frozenset({Scope.ANNOTATIONS_WRITE, Scope.ACCOUNT_READ})
    key = Actor(room.actor.user_id, scopes=scopes)
    archive = pack({"a.json": raw(coco("a.png", "new.png")), "new.png": coloured(900)})
    imports = room.installation.services.imports
    job = imports.start(key, room.slug, io.BytesIO(archive), "a.zip", ImportOptions())
    room.work()
    report = imports.report(key, room.slug, job)
    assert (report["to_store"], report["matched"]) == (0, 1)
    assert "pictures-left" in {loss["code"] for loss in report["losses"]}


def test_a_stopped_import_leaves_nothing(room: ExchangeRoom, monkeypatch) -> None:
    archive = pack({"a.json": raw(coco("n.png")), "n.png": coloured(900)})
    job, _ = room.examine(archive)
    services = room.installation.services

    def fail(*_: object, **__: object) -> None:
        raise Conflict("something else")

    monkeypatch.setattr(type(services.importing.taking_in), "write", fail)
    applied = services.imports.accept(room.actor, room.slug, job, accept_losses=True)
    room.work()
    assert room.job(applied).state == "failed"
    page = services.library.page(room.actor, _all(), slug=room.slug)
    assert {card.name for card in page.cards} == set(room.names)


def test_a_picture_that_is_in_the_trash_is_told_before(room: ExchangeRoom) -> None:
    room.installation.services.trash.trash(room.actor, room.images["a.png"])
    archive = pack({"set.json": raw(coco("a.png", "b.png")), "a.png": coloured(0)})
    _, report = room.examine(archive)
    codes = {loss["code"] for loss in report["losses"]}
    assert codes == {"picture-refused", "missing-picture"}
    told = room.take(archive)
    assert (told["pictures"], told["added"], told["stored"]) == (1, 2, 0)
