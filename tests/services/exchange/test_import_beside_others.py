"""What an import does while it has the write lock, and what others change before it has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event, func, select

from app.db.engine import ACCESS
from app.db.field_cipher import FieldCipher, cipher_of
from app.models import Annotation, AnnotationOp, AuditEvent
from app.services.annotation_past import entries, entry_of
from app.services.exchange.options import Mode
from app.services.exchange.stored_pictures import StoredPictures
from app.services.exchange.taking_in import TakingIn
from app.services.label_recount import counted_tallies, kept_tallies
from app.services.labels import LabelEdit
from tests.fixtures.exchange import ExchangeRoom, coco, coloured, pack
from tests.fixtures.installation import Installation
from tests.services.test_annotation_replay import replayed

BOX = {"x": 1, "y": 2, "w": 3, "h": 4}


@pytest.fixture
def room(site: Installation) -> ExchangeRoom:
    return ExchangeRoom(site)


def raw(document: object) -> bytes:
    return json.dumps(document).encode()


@dataclass
class Work:
    """Of a write transaction: statements, and sealed values that were made or opened."""

    statements: int = 0
    sealed: int = 0


class Counting:
    """The keys of the columns, with a bell."""

    def __init__(self, keys: Any, bell: Callable[[], None]) -> None:
        self._keys, self._bell = keys, bell

    def sealer(self, codec: int, context: str) -> Callable[[bytes], bytes]:
        return self._rung(self._keys.sealer(codec, context))

    def opener(self, codec: int, context: str) -> Callable[[bytes], bytes]:
        return self._rung(self._keys.opener(codec, context))

    def _rung(self, real: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
        def call(value: bytes) -> bytes:
            self._bell()
            return real(value)

        return call


@contextmanager
def other_keys(cipher: FieldCipher, keys: Any) -> Iterator[None]:
    usual = cipher.keys
    cipher.use(keys)
    try:
        yield
    finally:
        cipher.use(usual)  # type: ignore[arg-type]


class Watch:
    """What each write transaction does, from when it has the lock."""

    def __init__(self) -> None:
        self.done: list[Work] = []
        self._open = False

    def begin(self, connection: Any) -> None:
        if writes(connection):
            self.done.append(Work())
            self._open = True

    def commit(self, connection: Any) -> None:
        self._open = self._open and not writes(connection)

    rollback = commit

    def before_cursor_execute(self, connection: Any, *_: Any) -> None:
        if self._open and writes(connection):
            self.done[-1].statements += 1

    def bell(self) -> None:
        if self._open:
            self.done[-1].sealed += 1


def writes(connection: Any) -> bool:
    return connection.get_execution_options().get(ACCESS) != "read"


@contextmanager
def watched(installation: Installation) -> Iterator[list[Work]]:
    engine, watch = installation.house.engine, Watch()
    cipher = cipher_of(engine.dialect)
    names = ("begin", "commit", "rollback", "before_cursor_execute")
    with ExitStack() as undo:
        for name in names:
            listener = getattr(watch, name)
            event.listen(engine, name, listener)
            undo.callback(event.remove, engine, name, listener)
        undo.enter_context(other_keys(cipher, Counting(cipher.keys, watch.bell)))
        yield watch.done


@contextmanager
def meanwhile(
    monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object], after: str = "prepare"
) -> Iterator[list[int]]:
    """Somebody does something each time an import was made ready, and is not written yet."""
    calls: list[int] = []
    real = getattr(TakingIn, after)

    def then(self: TakingIn, *args: Any, **kwargs: Any) -> Any:
        made = real(self, *args, **kwargs)
        if kwargs.get("session") is None and len(args) < 3 + 3 * (after == "prepare"):
            calls.append(1)
            deed()
        return made

    with monkeypatch.context() as patch:
        patch.setattr(TakingIn, after, then)
        yield calls


def check_sound(room: ExchangeRoom, pictures: int | None = None) -> None:
    """The log replays to what there is, the counts are right, the audit log's chain holds."""
    services = room.installation.services
    with room.installation.house.uow.read() as session:
        assert counted_tallies(session) == kept_tallies(session)
        for image_id in room.images.values():
            rows = session.connection().execute(
                entries()
                .where(AnnotationOp.image_id == image_id)
                .order_by(AnnotationOp.seq, AnnotationOp.place)
            )
            log = [entry_of(row) for row in rows]
            found = services.annotations.get(room.actor, image_id)
            assert replayed(log) == {one.id: one for one in found.annotations}
            assert max((entry.seq for entry in log), default=0) == found.revision
        imported = session.scalar(
            select(func.count())
            .select_from(AuditEvent)
            .where(
                AuditEvent.action == "annotations.import",
                AuditEvent.subject_id.in_([str(id_) for id_ in room.images.values()]),
            )
        )
    assert pictures is None or imported == pictures
    assert room.installation.house.audit.verify().broken_at is None


def test_nothing_is_sealed_or_opened_a_box_while_others_wait(site: Installation) -> None:
    """Twenty times as many boxes: the same statements, the same few sealed values."""
    heaviest = []
    for pictures, boxes in ((2, 3), (12, 10)):
        names = tuple(f"{n}.png" for n in range(pictures))
        room = ExchangeRoom(site, names=names)
        job, _ = room.examine(raw(coco(*names, boxes=boxes)), "set.json")
        site.services.imports.accept(room.actor, room.slug, job, accept_losses=True)
        with watched(site) as done:
            room.work()
        heaviest.append(max(done, key=lambda work: work.statements))
        assert sum(map(len, room.boxes().values())) == pictures * boxes
        check_sound(room, pictures)
    assert heaviest[0] == heaviest[1]
    assert heaviest[0].sealed < 20
    assert heaviest[0].statements < 40


def test_boxes_that_came_meanwhile_stay(room: ExchangeRoom, monkeypatch) -> None:
    services = room.installation.services
    drawn = {"annotations": [{"label": "cat", "box": BOX}]}
    document = raw(coco("a.png", "b.png"))
    job, _ = room.examine(document, "set.json")
    services.imports.accept(room.actor, room.slug, job, accept_losses=True)

    def save() -> None:
        services.annotations.put(room.actor, room.images["a.png"], drawn, "*")

    services.labels.create(room.actor, room.slug, LabelEdit(name="cat"))
    services.labels.create(room.actor, room.slug, LabelEdit(name="dog"))
    with meanwhile(monkeypatch, save) as calls:
        room.work()
    assert len(calls) == 1
    assert [len(found) for found in room.boxes().values()] == [3, 2, 0]
    assert services.annotations.get(room.actor, room.images["a.png"]).revision == 2
    check_sound(room, 2)


def test_who_saves_at_every_try_is_not_lost_either(room: ExchangeRoom, monkeypatch) -> None:
    services = room.installation.services
    room.take(raw(coco("a.png", boxes=4)), "first.json")

    def save() -> None:
        found = services.annotations.get(room.actor, room.images["a.png"])
        drawn = [{"id": str(one.id), "label": "cat", "box": BOX} for one in found.annotations]
        more = [{"label": "dog", "box": BOX}]
        services.annotations.put(
            room.actor, room.images["a.png"], {"annotations": drawn + more}, "*"
        )

    with (
        meanwhile(monkeypatch, save) as first,
        meanwhile(monkeypatch, save, after="make_again") as later,
    ):
        room.take(raw(coco("a.png", "c.png", boxes=6)), "first.json")
    assert (len(first), len(later)) == (1, 3)
    assert [len(found) for found in room.boxes().values()] == [10, 0, 6]
    check_sound(room, 3)


def test_labels_that_changed_meanwhile_are_read_again(room: ExchangeRoom, monkeypatch) -> None:
    services = room.installation.services
    made = services.labels.create(room.actor, room.slug, LabelEdit(name="cat"))
    names = iter(["kitty", "tom"])

    def rename() -> None:
        if name := next(names, None):
            services.labels.edit(room.actor, room.slug, made.id, LabelEdit(name=name))

    with meanwhile(monkeypatch, rename) as calls:
        room.take(raw(coco("a.png", labels=("cat",))), "set.json")
    assert len(calls) == 3
    labels = {label.name for label in services.labels.list(room.actor, room.slug)}
    assert {box[0] for box in room.boxes()["a.png"]} <= labels
    check_sound(room, 1)


def test_what_was_sealed_with_keys_of_before_is_sealed_again(
    room: ExchangeRoom, monkeypatch
) -> None:
    cipher = cipher_of(room.installation.house.engine.dialect)
    turned = Counting(cipher.keys, lambda: None)
    with (
        other_keys(cipher, cipher.keys),
        meanwhile(monkeypatch, lambda: cipher.use(turned)),
        meanwhile(monkeypatch, lambda: None, after="make_again") as again,
    ):
        room.take(raw(coco("a.png", "b.png")), "set.json")
    assert len(again) == 1
    assert [len(found) for found in room.boxes().values()] == [2, 2, 0]


def test_somebody_uploads_a_picture_of_the_archive_under_another_name_of_it(
    room: ExchangeRoom, monkeypatch
) -> None:
    """While the import is under way: both names of the file mean one picture then."""
    same = coloured(901)
    document = coco("x/n.png", "other.png")
    archive = pack({"set.json": raw(document), "x/n.png": same})
    job, report = room.examine(archive)
    assert (report["matched"], report["to_store"]) == (1, 1)
    look, imports = StoredPictures.look_at, room.installation.services.imports

    def beside(*given: Any) -> Any:
        found = look(*given)
        room.add("other.png", same)
        return found

    monkeypatch.setattr(StoredPictures, "look_at", beside)
    applied = imports.accept(room.actor, room.slug, job, accept_losses=True)
    room.work()
    view = room.job(applied)
    assert view.state == "done", view.error
    assert (view.result or {})["added"] == 4
    assert len(room.boxes()["other.png"]) == 4
    check_sound(room)


def test_replaced_with_an_index_of_labels(room: ExchangeRoom) -> None:
    services = room.installation.services
    services.label_indexing.switch(room.actor, room.slug, on=True)
    room.work()
    room.take(raw(coco("a.png", "b.png", boxes=3)), "set.json")
    check_sound(room, 2)
    other = coco("a.png", "b.png", boxes=2, labels=("owl",))
    told = room.take(raw(other), "set.json", mode=Mode.REPLACE)
    assert (told["updated"], told["deleted"]) == (4, 2)
    check_sound(room, 4)
    with room.installation.house.uow.read() as session:
        ids = list(room.images.values())
        rows = session.scalars(select(Annotation).where(Annotation.image_id.in_(ids)))
        assert len({row.label for row in rows}) == 1
