"""Data sets given out: losses first, then an archive that says what is in it."""

from __future__ import annotations

import hashlib
import json

import pytest

from app.domain.access import Actor
from app.domain.scopes import Scope
from app.domain.states import AnnotationState
from app.errors import Conflict, InvalidInput, NotFound, NotPermitted
from app.media.stripping import Policy
from app.services.exchange.options import ExportOptions, Names, Splits
from app.services.labels import LabelEdit
from tests.fixtures import pictures
from tests.fixtures.exchange import ExchangeRoom, coco, coloured, pack
from tests.fixtures.installation import Installation


@pytest.fixture
def room(site: Installation) -> ExchangeRoom:
    made = ExchangeRoom(site)
    made.take(json.dumps(coco(*made.names)).encode(), "set.json")
    return made


def documents(files: dict[str, bytes]) -> list[dict]:
    return [
        json.loads(content)
        for name, content in files.items()
        if name.endswith(".json") and name != "manifest.json"
    ]


def test_the_manifest_tells_every_file(room: ExchangeRoom) -> None:
    files = room.give()
    manifest = json.loads(files.pop("manifest.json"))
    assert {each["name"] for each in manifest["files"]} == set(files)
    for each in manifest["files"]:
        content = files[each["name"]]
        assert each["size"] == len(content)
        assert each["sha256"] == hashlib.sha256(content).hexdigest()
    assert manifest["options"]["format"] == manifest["format"] == "coco"
    assert manifest["counts"]["pictures"] == 3
    assert {each["id"] for each in manifest["pictures"]} == set(map(str, room.images.values()))
    assert manifest["schema_version"] >= 1
    assert manifest["missing"] == []
    assert coloured(0) in files.values(), "bit for bit"


def test_losses_come_first(room: ExchangeRoom) -> None:
    """A class that was made here has a colour, which COCO cannot hold."""
    services = room.installation.services
    services.labels.create(room.actor, room.slug, _label("bird"))
    job = services.exports.start(room.actor, room.slug, ExportOptions("coco"))
    room.work()
    report = services.exports.report(room.actor, room.slug, job)
    assert report["needs_acceptance"]
    assert {loss["code"] for loss in report["losses"]} == {"class-details"}
    assert not room.job(job).has_file
    again = services.exports.accept(room.actor, room.slug, job)
    room.work()
    assert room.job(again).has_file
    with pytest.raises(Conflict):
        services.exports.accept(room.actor, room.slug, again)


def _label(name: str):
    from app.services.labels import LabelEdit

    return LabelEdit(name=name)


def test_without_a_loss_it_is_made_at_once(room: ExchangeRoom) -> None:
    services = room.installation.services
    job = services.exports.start(room.actor, room.slug, ExportOptions("coco"))
    room.work()
    assert room.job(job).has_file
    assert room.job(job).result["losses"] == []


def test_names_by_id_and_by_number_lead_back(room: ExchangeRoom) -> None:
    before = room.boxes()
    for names in (Names.ID, Names.NUMBERED):
        files = room.give(names=names, images=False)
        told = {entry["file_name"] for each in documents(files) for entry in each["images"]}
        assert not told & set(room.names)
        room.clear()
        room.take(pack(files))
        assert room.boxes() == before, names


def test_only_some(room: ExchangeRoom) -> None:
    services = room.installation.services
    services.annotations.put(
        room.actor,
        room.images["b.png"],
        {
            "state": "accepted",
            "annotations": [
                {"label": "dog", "box": dict(zip("xywh", (1, 2, 3, 4), strict=True))}
            ],
        },
        "*",
    )
    files = room.give(states=(AnnotationState.ACCEPTED,), images=False)
    assert [i["file_name"] for d in documents(files) for i in d["images"]] == ["b.png"]
    files = room.give(labels=("cat",), images=False)
    told = documents(files)[0]
    names = {entry["id"]: entry["name"] for entry in told["categories"]}
    assert {names[a["category_id"]] for a in told["annotations"]} == {"cat"}
    assert {i["file_name"] for i in told["images"]} == {"a.png", "c.png"}


def test_labels_are_found_by_their_other_names_and_unknown_ones_are_told(
    room: ExchangeRoom,
) -> None:
    services, slug = room.installation.services, room.slug
    label = next(e for e in services.labels.list(room.actor, slug) if e.name == "cat")
    services.labels.edit(room.actor, slug, label.id, LabelEdit(name="feline"))
    told = documents(room.give(labels=("cat",), images=False))[0]
    names = {entry["id"]: entry["name"] for entry in told["categories"]}
    assert {names[a["category_id"]] for a in told["annotations"]} == {"feline"}
    options = ExportOptions(labels=("feline", "whale"))
    for attempt in (
        lambda: room.give(labels=("whale",)),
        lambda: services.exports.start(room.actor, slug, options),
    ):
        with pytest.raises(InvalidInput, match="no label of the collection") as caught:
            attempt()
        assert caught.value.mistakes[0].path == "labels"


def test_splits_stay_when_pictures_come(room: ExchangeRoom) -> None:
    shares = Splits({"train": 50, "val": 50}, seed=5)

    def dealt() -> dict[str, str]:
        manifest = json.loads(room.give(splits=shares, images=False)["manifest.json"])
        return {each["id"]: each["split"] for each in manifest["pictures"]}

    for n in range(12):
        room.add(f"more-{n}.png", coloured(300 + n))
    before = dealt()
    assert set(before.values()) == {"train", "val"}
    room.add("one-more.png", coloured(400))
    after = dealt()
    assert {id_: after[id_] for id_ in before} == before
    assert dealt() == after


def test_metadata_goes_and_pixels_stay(room: ExchangeRoom) -> None:
    content = pictures.camera_jpeg(orientation=6)
    room.add("photo.jpg", content)
    room.add("photo.heic", pictures.heic())
    secret = pictures.SECRET.encode()
    assert any(secret in each for each in room.give().values())
    stripped = room.give(metadata=Policy.ALL)
    assert not any(secret in each for name, each in stripped.items() if "heic" not in name)
    manifest = json.loads(stripped["manifest.json"])
    assert "metadata-kept" in {loss["code"] for loss in manifest["losses"]}


def test_a_picture_that_goes_meanwhile_is_told(room: ExchangeRoom, monkeypatch) -> None:
    services = room.installation.services
    real = type(services.exporting).write

    def write(self, actor, prepared, target, watch):
        services.trash.destroy(room.actor, room.images["b.png"])
        return real(self, actor, prepared, target, watch)

    monkeypatch.setattr(type(services.exporting), "write", write)
    files = room.give()
    manifest = json.loads(files["manifest.json"])
    assert len(manifest["missing"]) == 1
    assert sum(name.endswith(".png") for name in files) == 2


def test_who_may_export(room: ExchangeRoom) -> None:
    services = room.installation.services
    reviewer = room.installation.person("reviewer")
    services.members.add(room.actor, room.slug, email=reviewer.email, role="reviewer")
    with pytest.raises(NotPermitted):
        services.exports.start(reviewer.actor, room.slug, ExportOptions("coco"))
    with pytest.raises(NotFound):
        services.exports.start(
            room.installation.person("eve").actor, room.slug, ExportOptions("coco")
        )
    with pytest.raises(InvalidInput):
        services.exports.start(room.actor, room.slug, ExportOptions("nonsense"))
    key = Actor(room.actor.user_id, scopes=frozenset({Scope.COLLECTIONS_READ}))
    job = services.exports.start(key, room.slug, ExportOptions("coco", accept_losses=True))
    room.work()
    assert room.job(job).has_file


def test_who_may_no_longer_export_has_no_file(room: ExchangeRoom) -> None:
    services = room.installation.services
    editor = room.installation.person("editor")
    member = services.members.add(room.actor, room.slug, email=editor.email, role="editor")
    options = ExportOptions("coco", accept_losses=True)
    job = services.exports.start(editor.actor, room.slug, options)
    room.work()
    services.jobs.result(editor.actor, job).blob.close()
    services.members.change(room.actor, room.slug, member.id, role="reviewer")
    with pytest.raises(NotPermitted):
        services.jobs.result(editor.actor, job)
    services.members.remove(room.actor, room.slug, member.id)
    with pytest.raises(NotFound):
        services.jobs.result(editor.actor, job)


def test_memory_stays_small_whatever_is_packed() -> None:
    """What is written grows by 48 MiB, what is held by nothing."""
    import tracemalloc

    from app.services.exchange.manifest import Manifest
    from app.services.exchange.packing import Packing

    class Counting:
        size = 0

        def write(self, data: bytes) -> None:
            self.size += len(data)

    peaks = []
    for blocks in (16, 64):
        target, manifest = Counting(), Manifest({})
        tracemalloc.start()
        packing = Packing(target, manifest)
        packing.picture("a.bin", (bytes(1 << 20) for _ in range(blocks)))
        packing.end(manifest.encode({}))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert target.size > blocks << 20
    assert peaks[1] < peaks[0] + (4 << 20)
