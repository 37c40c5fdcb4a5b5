"""A lost database made anew: equal to the lost one, but for what must not come back."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.engine import make_url

from app import create_app
from app.db.base import Base
from app.db.field_cipher import Sealed
from app.db.times import utc_now
from app.domain.access import OPERATOR
from app.errors import (
    ConfigurationError,
    Conflict,
    DarkroomError,
    EncryptionError,
    StoreUnavailable,
)
from app.models import FileKey, Image, User
from app.models import Installation as InstallationRow
from app.services.agreement.rounds import Draw
from app.services.collections import CollectionEdit
from app.services.exchange.notes import (
    PictureNote,
    notes_ahead,
    write_document,
    write_notes,
)
from app.services.labels import LabelEdit
from app.services.rebuild import RebuildReport
from app.startup import start
from app.storage.instance_lock import hold_running
from app.storage.object_paths import DIRECTORY_RECORD
from app.wiring import House
from tests.fixtures.installation import PASSWORD, Browser, Installation
from tests.fixtures.uploads import PictureRoom, flip, picture

BOX = {"x": 1.25, "y": 2.0, "w": 3.0, "h": 4.0}
NAMES = ("Übung 1.jpg", "a\u202eb.png", "x" * 200 + ".bmp", "日本.png", " . ", "a'b\"c.png")

#: Tables that do not come back, and columns whose value is another one, with the reason.
GONE = {
    "alembic_version",
    "alert_messages",
    "alerts",  # of the moment
    "annotation_ops",  # what is there comes back, not how it came about
    "api_keys",  # somebody may have it
    "audit_events",  # begins anew
    "former_masters",  # asked by workers that ran while the key was replaced
    "jobs",
    "kek_versions",  # the next rotation of these keys looks for itself
    "maintenance_runs",
    "presences",  # of the moment
    "sessions",
    "stale_records",
}
OTHER = {
    ("users", "password_hash"),  # a secret
    ("users", "state"),  # disabled until somebody lets them in
    ("users", "updated_at"),
    ("users", "password_changed_at"),
    ("users", "last_login_at"),
    ("users", "must_change_password"),
    ("file_keys", "id"),
    ("file_keys", "created_at"),  # by the clock of the vault, a moment later
    ("installation", "created_at"),
}


def database_of(installation: Installation) -> Path:
    return Path(make_url(installation.settings.database_url).database or "")


def rows_of(house: House) -> dict[str, dict[Any, dict[str, Any]]]:
    """Every table that comes back: its rows by primary key, all values opened."""
    found: dict[str, dict[Any, dict[str, Any]]] = {}
    with house.uow.read_rows() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name in GONE:
                continue
            names = [c.name for c in table.columns if (table.name, c.name) not in OTHER]
            keys = [c.name for c in table.primary_key.columns if c.name in names]
            keys = keys or ["file_id", "generation"]
            rows: dict[Any, dict[str, Any]] = {}
            for row in connection.execute(select(table)):
                value = dict(row._mapping)
                opened = {
                    name: value[name].of(row.id)
                    if isinstance(value[name], Sealed)
                    else value[name]
                    for name in names
                }
                if table.name != "month_counts" or opened["count"]:
                    rows[tuple(opened[key] for key in keys)] = opened
            found[table.name] = rows
    return found


def lose(installation: Installation) -> None:
    """The database, and what SQLite keeps beside it, is gone."""
    installation.house.close()
    place = database_of(installation)
    for end in ("", "-wal", "-shm"):
        place.with_name(place.name + end).unlink(missing_ok=True)


def fresh(installation: Installation) -> House:
    return House(installation.settings)


def rebuild(installation: Installation) -> RebuildReport:
    house = fresh(installation)
    try:
        return house.services.rebuild.run()
    finally:
        house.close()


@pytest.fixture
def filled(room: PictureRoom) -> PictureRoom:
    """One of everything that an installation may hold."""
    services, owner, site = room.services, room.actor, room.installation
    site.person("boss")
    slug = services.collections.create(owner, name="Straßen", description="alt\nneu").slug
    there = services.collections.create(owner, name="There").slug
    gone = services.collections.create(owner, name="Gone").slug
    services.collections.remove(owner, gone)
    services.collections.edit(
        owner, slug, CollectionEdit(labels_closed=False, timeline="taken")
    )
    bob = site.person("bob")
    services.members.add(owner, slug, email=bob.email, role="annotator")
    services.labels.create(owner, slug, LabelEdit(name="car", colour="#123456", hotkey="3"))
    ids = [
        room.upload(
            picture(n), name, collection=slug, tags=("sea", f"t{n}"), is_public=n == 1
        ).id
        for n, name in enumerate(NAMES)
    ]
    for n, image in enumerate(ids[:4]):
        boxes = [
            {"label": label, "box": BOX, "attributes": {"n": n / 3, "x": [1, None, "ä"]}}
            for label in ("car", "bus", "car")
        ]
        services.annotations.put(owner, image, {"annotations": boxes, "state": "done"}, "*")
    pinned = services.annotations.get(owner, ids[0]).annotations[0].id
    said = services.comments.add(
        bob.actor, ids[0], "ä\nb", annotation_id=pinned, point=(1.5, -2.0)
    )
    services.comments.change(owner, said.id, resolved=True)
    services.tasks.review(owner, ids[0], "reject", "the one at the left")
    services.tasks.assign(owner, ids[5], bob.id)
    services.tasks.skip(owner, ids[5], "zu dunkel")
    services.labels.create(owner, slug, LabelEdit(name="gone"))
    names = {label.name: label.id for label in services.labels.list(owner, slug)}
    services.labels.remove(owner, slug, names["gone"])
    services.labels.edit(owner, slug, names["bus"], LabelEdit(name="coach"))
    services.label_indexing.run(services.collections.get(owner, slug).id, on=True)
    services.trash.trash(owner, ids[2])
    services.trash.trash(owner, ids[4])
    services.moves.move(owner, ids[3], there)
    services.collections.edit(owner, there, CollectionEdit(name="Elsewhere"))
    services.account_administration.set_quota(OPERATOR, bob.id, 12345)
    services.account_administration.set_disabled(OPERATOR, site.person("carl").id, True)
    services.accounts.choose_theme(bob.actor, "dark")
    services.saved_filters.add(owner, "mine", {"state": "done", "attribute": ["a:1"]}, slug)
    services.preferences.set_keymap(bob.actor, {"draw": "b"})
    draw = Draw("zwei", (owner.user_id, bob.id), images=(ids[1],))
    started = services.rounds.make(owner, slug, draw)
    for who in (owner, bob.actor):
        copy = services.rounds.mine(who, slug, started, ids[1])
        op = {"op": "add", "id": str(uuid4()), "label": "car", "box": BOX}
        services.copies.patch(who, copy, {"ops": [op]})
    services.copies.submit(owner, services.rounds.mine(owner, slug, started, ids[1]))
    with site.house.uow.write() as session:
        where = services.collections.get(owner, slug).id
        told = PictureNote({"place": 1, "extra": {"ä": 1.5}}, {})
        notes = notes_ahead(site.house.engine, where, "coco", {ids[0]: told})
        write_notes(session, where, "coco", notes, utc_now())
        write_document(session, where, "coco", {"v": 1, "extra": {"info": [None]}})
    room.upload(picture(99), expires_at=utc_now() + timedelta(days=3))
    site.key("ann")
    services.records.run()
    assert services.records.behind() == 0
    return room


def test_the_rebuilt_database_equals_the_lost_one(filled: PictureRoom) -> None:
    site = filled.installation
    before = rows_of(site.house)
    assert {name for name, rows in before.items() if not rows} == set()
    lose(site)
    report = rebuild(site)
    assert (report.found, report.rebuilt, report.failed) == (7, 7, 0)
    assert (report.directory, report.disabled_before, report.stand_ins) == ("ok", 1, {})
    assert report.is_whole
    after = rows_of(fresh(site))
    for table, rows in before.items():
        assert after[table] == rows, table


def test_nothing_lets_anybody_in(filled: PictureRoom) -> None:
    site = filled.installation
    lose(site)
    rebuild(site)
    with fresh(site).uow.read() as session:
        for user in session.scalars(select(User)):
            assert (user.password_hash, user.state) == (None, "disabled")
    house = fresh(site)
    assert house.services.accounts.is_empty() is False
    events = house.services.audit.page(OPERATOR).entries
    assert [event.action for event in events] == ["database.rebuilt"]
    assert house.services.audit.verify().broken_at is None
    run = house.services.runs.last("rebuild")
    assert run is not None
    assert (run.found, run.done, run.failed) == (7, 7, 0)


def test_an_administrator_gets_in_and_works(filled: PictureRoom) -> None:
    site = filled.installation
    with site.house.uow.read() as session:
        images = session.scalars(select(Image).where(Image.trashed_at.is_(None))).all()
        known = {image.id: (image.card or {})["name"] for image in images}
    lose(site)
    rebuild(site)
    start(site.settings)
    again = Installation(site.environ, site.settings, create_app(site.settings))
    refused = Browser(again.app.test_client()).sign_in("ann@people.example")
    assert refused.status_code != 303
    administration = again.services.account_administration
    ann = administration.find(OPERATOR, "ann@people.example")
    administration.reset_password(OPERATOR, ann.id, PASSWORD)
    ann = administration.set_disabled(OPERATOR, ann.id, False)
    browser = Browser(again.app.test_client())
    assert browser.sign_in("ann@people.example").status_code == 303
    api = again.services.api_keys.create(ann.actor, name="new", scopes=["all"]).key
    client = again.app.test_client()
    told = {"Authorization": f"Bearer {api}"}
    for image, name in known.items():
        answer = client.get(f"/api/v1/images/{image}", headers=told)
        assert answer.status_code == 200, answer.text
        assert json.loads(answer.text)["original_name"] == name
        boxes = client.get(f"/api/v1/images/{image}/annotations", headers=told)
        assert boxes.status_code == 200
        thumbnail = client.get(f"/images/{image}/thumb/320", headers=told)
        assert thumbnail.status_code == 200
        thumbnail.close()
    assert again.services.records.run().failed == 0
    assert again.services.records.behind() == 0
    again.house.close()


def test_a_database_in_the_way_is_refused(filled: PictureRoom) -> None:
    site = filled.installation
    before = rows_of(site.house)
    with pytest.raises(ConfigurationError, match="move it away"):
        rebuild(site)
    assert rows_of(site.house) == before


def test_a_running_server_is_refused(filled: PictureRoom) -> None:
    site = filled.installation
    lose(site)
    serving = hold_running(site.settings.instance_path)
    with pytest.raises(Conflict, match="stop it"):
        rebuild(site)
    os.close(serving)
    assert rebuild(site).is_whole


def test_what_is_left_of_a_lost_one_is_refused(filled: PictureRoom) -> None:
    """SQLite would apply the old log to the new file."""
    site = filled.installation
    lose(site)
    place = database_of(site)
    wal = place.with_name(place.name + "-wal")
    wal.write_bytes(b"old")
    with pytest.raises(ConfigurationError, match="move it away"):
        rebuild(site)
    assert not place.exists()
    wal.unlink()
    place.write_bytes(b"no database at all, but a long enough file" * 100)
    with pytest.raises(ConfigurationError, match="move it away"):
        rebuild(site)


def test_an_empty_database_gives_way(filled: PictureRoom) -> None:
    """As a first start makes it that is refused for the pictures in the store."""
    site = filled.installation
    lose(site)
    database_of(site).touch(mode=0o600)
    with pytest.raises(ConfigurationError, match="store rebuild-db"):
        start(site.settings)
    assert rebuild(site).is_whole
    start(site.settings)


def test_a_wrong_key_or_a_missing_marker_is_refused(filled: PictureRoom) -> None:
    site = filled.installation
    lose(site)
    marker = site.settings.store_path / ".darkroom-store"
    raw = marker.read_bytes()
    marker.unlink()
    with pytest.raises(StoreUnavailable):
        rebuild(site)
    told = json.loads(raw)
    marker.write_bytes(raw.replace(told["check"].encode(), b"0" * 64))
    with pytest.raises(EncryptionError):
        rebuild(site)
    assert not database_of(site).exists()


# -- what is missing or damaged


@pytest.fixture
def pair(room: PictureRoom) -> tuple[PictureRoom, UUID, UUID]:
    one, two = (room.upload(picture(n), f"name {n}.bmp", tags=("sea",)).id for n in range(2))
    boxes = [{"label": "car", "box": BOX}]
    room.services.annotations.put(room.actor, one, {"annotations": boxes}, "*")
    room.services.records.run()
    return room, one, two


Pair = tuple[PictureRoom, UUID, UUID]


def lost_row(room: PictureRoom, image: UUID) -> dict[str, Any]:
    house = fresh(room.installation)
    with house.uow.read() as session:
        row = session.get_one(Image, image)
        return {c.key: getattr(row, c.key) for c in Image.__table__.columns}


def test_without_its_record_the_sidecar_suffices(pair: Pair) -> None:
    room, one, two = pair
    before = lost_row(room, one)
    room.blob(room.path(one).record).unlink()
    lose(room.installation)
    report = rebuild(room.installation)
    assert (report.found, report.rebuilt, report.incomplete, report.failed) == (2, 1, 1, 0)
    assert report.reasons == {"no record": 1}
    after = lost_row(room, one)
    different = {name for name in after if after[name] != before[name]}
    assert different == {"annotation_count", "annotation_rev", "annotation_state",
                         "link_epoch", "updated_at"}  # fmt: skip
    behind = fresh(room.installation).services.records.behind()
    assert behind == 2  # its record, and the directory with its disabled accounts
    assert two


def test_a_damaged_record_is_left_to_be_mended(pair: Pair) -> None:
    room, one, _ = pair
    record = room.blob(room.path(one).record)
    flip(record, -3)
    raw = record.read_bytes()
    lose(room.installation)
    assert rebuild(room.installation).reasons == {"damaged record": 1}
    fresh(room.installation).services.records.run()
    assert record.read_bytes() == raw


def test_without_its_sidecar_and_record_the_header_suffices(pair: Pair) -> None:
    room, one, _ = pair
    before, path = lost_row(room, one), room.path(one)
    room.blob(path.sidecar).unlink()
    room.blob(path.record).unlink()
    lose(room.installation)
    report = rebuild(room.installation)
    assert report.reasons == {"no record": 1, "no sidecar": 1}
    after = lost_row(room, one)
    for name in ("collection_id", "mime_type", "size", "dedupe", "stored_name"):
        assert after[name] == before[name], name
    assert after["uploader_id"] is None
    assert (after["card"]["name"], after["card"]["width"]) == (str(path.stored_name), 48)
    assert after["meta"]["sha256"] == before["meta"]["sha256"]


def test_a_damaged_original_is_quarantined_with_all_that_is_known(pair: Pair) -> None:
    room, one, _ = pair
    before = lost_row(room, one)
    flip(room.blob(room.path(one).original), 20)  # in its header
    lose(room.installation)
    report = rebuild(room.installation)
    assert report.reasons == {"damaged original": 1, "damaged sidecar": 1}
    after = lost_row(room, one)
    assert after.pop("status") == "quarantined"
    before.pop("status")
    assert after == before


def test_a_missing_original_is_quarantined_too(pair: Pair) -> None:
    room, one, _ = pair
    room.blob(room.path(one).original).unlink()
    lose(room.installation)
    assert rebuild(room.installation).incomplete == 1
    assert lost_row(room, one)["status"] == "quarantined"


def test_what_nothing_opens_is_told_as_failed(pair: Pair) -> None:
    room, one, two = pair
    for path in room.installation.settings.vault_path.rglob(f"file-{one}.json*"):
        path.unlink()
    lose(room.installation)
    report = rebuild(room.installation)
    assert (report.found, report.rebuilt, report.failed) == (2, 1, 1)
    assert report.reasons == {"no key": 1}
    assert not report.is_whole
    assert lost_row(room, two)["id"] == two


def test_without_its_directory_everything_gets_a_stand_in(pair: Pair) -> None:
    room, one, _ = pair
    before = lost_row(room, one)
    room.blob(DIRECTORY_RECORD).unlink()
    lose(room.installation)
    report = rebuild(room.installation)
    assert (report.directory, report.failed) == ("missing", 0)
    assert report.stand_ins == {"account": 1, "collection": 1, "label": 1, "tag": 1}
    after = lost_row(room, one)
    assert after == before
    start(room.installation.settings)
    house = fresh(room.installation)
    boxes = house.services.annotations.get(room.actor, one).annotations
    assert [box.label[:6] for box in boxes] == ["label-"]
    administrator = house.services.accounts.create(
        OPERATOR, email="new@people.example", name="New", password=PASSWORD, is_admin=True
    )
    assert administrator.is_admin


def test_a_damaged_directory_is_told(pair: Pair) -> None:
    room, _, _ = pair
    flip(room.blob(DIRECTORY_RECORD), -1)
    lose(room.installation)
    report = rebuild(room.installation)
    assert report.directory == "damaged"
    assert not report.is_whole


def test_a_copy_under_another_name_is_told(pair: Pair) -> None:
    room, one, _ = pair
    path = room.blob(room.path(one).original)
    bits = path.name.split("_")[2][:32]
    path.with_name(path.name.replace(bits, "f" * 32)).write_bytes(path.read_bytes())
    lose(room.installation)
    report = rebuild(room.installation)
    assert (report.found, report.rebuilt + report.incomplete, report.failed) == (3, 2, 1)
    assert report.reasons["a copy of another"] == 1


def test_leftovers_and_foreign_files_are_left_alone(pair: Pair) -> None:
    room, one, _ = pair
    path = room.path(one)
    original = room.blob(path.original)
    thumbnail = next(original.parent.glob("*.thumb-320.enc"))
    bits = thumbnail.name.split("_")[2][:32]
    thumbnail.with_name(thumbnail.name.replace(bits, "e" * 32)).write_bytes(b"x")
    (original.parent / "note.txt").write_text("x")
    lose(room.installation)
    report = rebuild(room.installation)
    assert (report.leftover, report.foreign, report.found) == (1, 1, 2)


def test_an_interrupted_rotation_comes_back_with_both_keys(pair: Pair) -> None:
    room, one, _ = pair
    house = room.installation.house
    new = house.keys.new(one, generation=2)
    row = house.keys.row(new)
    row.state = "pending"
    with house.uow.write() as session:
        session.add(row)
        session.execute(update(Image).where(Image.id == one).values(is_public=True))
    house.services.records.run()  # under the new key, as a rotation leaves it half way
    lose(room.installation)
    assert rebuild(room.installation).rebuilt == 2
    with fresh(room.installation).uow.read() as session:
        keys = session.scalars(
            select(FileKey).where(FileKey.file_id == one).order_by(FileKey.generation)
        ).all()
    assert [(key.generation, key.state) for key in keys] == [(1, "active"), (2, "pending")]
    assert keys[1].version_id == new.version
    assert lost_row(room, one)["is_public"] is True


def test_it_stops_and_leaves_nothing(pair: Pair) -> None:
    room, _, _ = pair

    class Stop:
        def advance(self, done: int, total: int | None = None) -> None:
            raise DarkroomError("stopped")

    lose(room.installation)
    house = fresh(room.installation)
    with pytest.raises(DarkroomError):
        house.services.rebuild.run(Stop())
    assert {path.name for path in database_of(room.installation).parent.iterdir()} <= {
        "secrets",
        "store",
        "queue.db",
        ".running",
    }
    assert rebuild(room.installation).is_whole


def test_a_store_without_pictures_is_rebuilt_too(room: PictureRoom) -> None:
    site = room.installation
    site.person("ann")
    site.services.records.run()
    lose(site)
    assert rebuild(site).is_whole
    with fresh(site).uow.read() as session:
        assert session.scalar(select(InstallationRow.store_id)) is not None
        assert session.scalar(select(User.state)) == "disabled"
