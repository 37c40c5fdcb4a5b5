"""Every kind of damage is found and named, by the quick look where that can see it; nothing
is changed; a run that was stopped goes on."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.crypto.context import BlobContext, Role
from app.crypto.stream import seal_bytes
from app.db.times import utc_now
from app.domain.access import OPERATOR
from app.errors import StoreUnavailable, WorkStopped
from app.jobs.watch import Unwatched
from app.services.keys import file_reference
from app.services.store_check import CheckReport, Plan
from app.services.verification import Damage
from app.storage.object_names import new_temporary_name
from app.wiring import House
from tests.faults.scene import Scene
from tests.fixtures.tampering import append, cut
from tests.fixtures.uploads import flip

LONG_AGO = time.time() - 10 * 86400


class Lab(Scene):
    """Two pictures with a thumbnail: ``bad`` is bent, ``good`` must stay in order."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        with self.opened() as house:
            self.bad = self.resident_id
            self.good = self.upload(house, self.arriving).id
            for one in (self.bad, self.good):
                self.thumbnail(house, one)
            self.bad_path = house.services.verification.rows.get(self.bad).image.path
            self.good_path = house.services.verification.rows.get(self.good).image.path
            self.dek = house.keys.key(self.bad, self.version(self.bad))
        self.keep()

    @property
    def database(self) -> Path:
        return self.instance / "darkroom.db"

    def file(self, key: str) -> Path:
        return self.settings.store_path / key

    def version(self, image_id: UUID) -> bytes:
        return self.file(self.bad_path.original).read_bytes()[36:52]

    def key_file(self, image_id: UUID) -> Path:
        (found,) = self.settings.vault_path.rglob(f"file-{image_id}.json")
        return found

    def sql(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.database)) as direct, direct:
            direct.execute(statement, values)

    def change_key(self, change: Callable[[dict], None]) -> None:
        path = self.key_file(self.bad)
        whole = json.loads(path.read_text())
        change(whole[file_reference(self.bad)])
        path.write_text(json.dumps(whole))

    def older(self) -> None:
        """A genuine blob of the picture, below what the database knows."""
        context = BlobContext(
            file_id=self.bad, role=Role.ORIGINAL, key_version_id=self.version(self.bad)
        )
        blob, _ = seal_bytes(self.resident, self.dek, context)
        self.file(self.bad_path.original).write_bytes(blob)
        self.sql("UPDATE images SET content_rev = 1 WHERE id = ?", self.bad.hex)

    def everything(self) -> dict[str, str]:
        """A hash of every file and every table, but for the book of runs."""
        found = {
            str(path.relative_to(self.instance)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.instance.rglob("*"))
            if path.is_file() and not path.name.startswith("darkroom.db")
        }
        with closing(sqlite3.connect(self.database)) as direct:
            names = direct.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            for (name,) in names.fetchall():
                if name != "maintenance_runs":
                    rows = sorted(map(repr, direct.execute(f"SELECT * FROM {name}").fetchall()))
                    found[name] = hashlib.sha256("".join(rows).encode()).hexdigest()
        return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture(autouse=True)
def restored(lab: Lab) -> None:
    lab.reset()


def kinds(house: House, *, full: bool, **more: object) -> dict[str, int]:
    report = house.services.store_check.run(Unwatched(), Plan(full=full, **more))
    return dict(report.by_kind)


def other_entry(lab: Lab) -> None:
    theirs = json.loads(lab.key_file(lab.good).read_text())[file_reference(lab.good)]
    value = theirs["versions"][theirs["current"]]["value"]

    def put(entry: dict) -> None:
        entry["versions"][entry["current"]]["value"] = value

    lab.change_key(put)


def disabled(entry: dict) -> None:
    entry["versions"][entry["current"]]["enabled"] = False


def half_a_value(entry: dict) -> None:
    version = entry["versions"][entry["current"]]
    raw = base64.b64decode(version["value"])
    version["value"] = base64.b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode()


def another_version(entry: dict) -> None:
    (version,) = entry["versions"].values()
    entry["versions"]["0" * 32] = version | {"created_on": "2020-01-01T00:00:00.000000Z"}


def bent_sidecar(lab: Lab) -> None:
    path = lab.file(lab.bad_path.sidecar)
    whole = json.loads(path.read_bytes())
    private = whole["entries"][0]["private"]
    whole["entries"][0]["private"] = ("A" if private[0] != "A" else "B") + private[1:]
    path.write_text(json.dumps(whole, sort_keys=True, separators=(",", ":")))


def copy(lab: Lab, source: str, target: str) -> None:
    shutil.copy(lab.file(source), lab.file(target))


def stray(lab: Lab, key: str) -> str:
    """The same place under a name that no row has, an hour and more ago."""
    head, _, tail = key.rpartition("/")
    kind, _, rest = tail.split("_", 2)
    return f"{head}/{kind}_1600000000000_{'0' * 32}{rest[32:]}"


def temporary(lab: Lab) -> None:
    path = lab.file(lab.bad_path.original).with_name(new_temporary_name())
    path.write_bytes(b"half")
    os.utime(path, (LONG_AGO, LONG_AGO))


def orphan_key(lab: Lab) -> None:
    entry = json.loads(lab.key_file(lab.bad).read_text())
    stranger = UUID(int=lab.bad.int ^ 1)
    reference = file_reference(stranger)
    changed = {reference: entry[file_reference(lab.bad)]}
    for version in changed[reference]["versions"].values():
        version["created_on"] = "2020-01-01T00:00:00.000000Z"
    folder = lab.settings.vault_path / hashlib.sha256(reference.encode()).hexdigest()[:2]
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / f"{reference}.json").write_text(json.dumps(changed))
    (folder / f"{reference}.json").chmod(0o600)


def linked(lab: Lab) -> None:
    lab.file(lab.bad_path.original).unlink()
    lab.file(lab.bad_path.original).symlink_to(lab.file(lab.good_path.original))


def swapped_tokens(lab: Lab) -> None:
    lab.sql(
        "UPDATE images SET card = (SELECT card FROM images WHERE id = ?) WHERE id = ?",
        lab.good.hex, lab.bad.hex,
    )  # fmt: skip


def bent_tag(lab: Lab) -> None:
    with closing(sqlite3.connect(lab.database)) as direct, direct:
        (token,) = direct.execute("SELECT name FROM tags").fetchone()
        bent = token[:-1] + bytes([token[-1] ^ 1])
        direct.execute("UPDATE tags SET name = ?", (bent,))


def bent_audit(lab: Lab) -> None:
    lab.sql("UPDATE audit_events SET action = 'image.other' WHERE seq = 2")


# name: what is done, what the quick look finds, what the full one finds beside it
QUICK: dict[str, tuple[Callable[[Lab], object], set[str]]] = {
    "bit of the salt": (lambda lab: flip(lab.file(lab.bad_path.original), 60), {"header"}),
    "bit of the key's name": (
        lambda lab: flip(lab.file(lab.bad_path.original), 40), {"header"},
    ),
    "bit of the file id": (lambda lab: flip(lab.file(lab.bad_path.original), 20), {"header"}),
    "bit of the magic": (lambda lab: flip(lab.file(lab.bad_path.original), 0), {"header"}),
    "bit of the header's tag": (
        lambda lab: flip(lab.file(lab.bad_path.original), 100), {"header"},
    ),
    "bit of a chunk": (lambda lab: flip(lab.file(lab.bad_path.original), 200), {"chunk"}),
    "bit of a chunk's tag": (lambda lab: flip(lab.file(lab.bad_path.original), -1), {"chunk"}),
    "cut": (lambda lab: cut(lab.file(lab.bad_path.original), -1), {"cut"}),
    "cut to nothing": (lambda lab: cut(lab.file(lab.bad_path.original), 0), {"cut"}),
    "appended": (lambda lab: append(lab.file(lab.bad_path.original), b"x"), {"grown"}),
    "another picture's": (
        lambda lab: copy(lab, lab.good_path.original, lab.bad_path.original), {"anothers"},
    ),
    "another role's": (
        lambda lab: copy(lab, lab.bad_path.preview, lab.bad_path.original), {"anothers"},
    ),
    "rolled back": (Lab.older, {"rolled_back", "derivative"}),
    "key retired": (
        lambda lab: lab.sql("UPDATE file_keys SET state = 'retired' WHERE file_id = ?",
                            lab.bad.hex), {"no_key_row"},
    ),
    "no blob": (lambda lab: lab.file(lab.bad_path.original).unlink(), {"blob_missing"}),
    "a link": (linked, {"no_file"}),
    "no sidecar": (lambda lab: lab.file(lab.bad_path.sidecar).unlink(), {"sidecar_missing"}),
    "bent sidecar": (bent_sidecar, {"sidecar_damaged"}),
    "cut sidecar": (lambda lab: cut(lab.file(lab.bad_path.sidecar), -1), {"sidecar_damaged"}),
    "sidecar of another": (
        lambda lab: copy(lab, lab.good_path.sidecar, lab.bad_path.sidecar),
        {"sidecar_anothers"},
    ),
    "other type in the row": (
        lambda lab: lab.sql("UPDATE images SET mime_type = 'image/png' WHERE id = ?",
                            lab.bad.hex), {"sidecar_differs"},
    ),
    "other size in the row": (
        lambda lab: lab.sql("UPDATE images SET size = size + 1 WHERE id = ?", lab.bad.hex),
        {"content", "counts"},
    ),
    "no key": (lambda lab: lab.key_file(lab.bad).unlink(), {"key_missing"}),
    "no key row": (
        lambda lab: lab.sql("DELETE FROM file_keys WHERE file_id = ?", lab.bad.hex),
        {"no_key_row"},
    ),
    "foreign key": (other_entry, {"key_foreign"}),
    "bent key": (lambda lab: lab.change_key(half_a_value), {"key_damaged"}),
    "no key at all": (lambda lab: lab.key_file(lab.bad).write_text("{"), {"key_damaged"}),
    "disabled key": (lambda lab: lab.change_key(disabled), {"key_disabled"}),
    "extra version": (lambda lab: lab.change_key(another_version), {"key_extra"}),
    "extra entry": (orphan_key, {"key_without_row"}),
    "bent thumbnail": (
        lambda lab: flip(lab.file(lab.bad_path.thumbnail(320)), -1), {"derivative"},
    ),
    "thumbnail of another": (
        lambda lab: copy(lab, lab.good_path.preview, lab.bad_path.preview), {"derivative"},
    ),
    "a record that is none": (
        lambda lab: lab.file(lab.bad_path.record).write_bytes(b"none"), {"record"},
    ),
    "sealed card of another row": (swapped_tokens, {"row"}),
    "month counter": (lambda lab: lab.sql("UPDATE month_counts SET count = 9"), {"counts"}),
    "collection counter": (
        lambda lab: lab.sql("UPDATE collections SET image_count = 0"), {"counts"},
    ),
    "quota": (lambda lab: lab.sql("UPDATE users SET quota_used = 1"), {"counts"}),
    "temporary": (temporary, {"temporary"}),
    "orphan blob": (
        lambda lab: copy(lab, lab.good_path.original, stray(lab, lab.good_path.original)),
        {"blob_without_row"},
    ),
    "orphan sidecar": (
        lambda lab: copy(lab, lab.good_path.sidecar, stray(lab, lab.good_path.sidecar)),
        {"sidecar_without_blob"},
    ),
    "stranger": (
        lambda lab: lab.file(lab.bad_path.original).with_name("x.enc").write_bytes(b"x"),
        {"foreign"},
    ),
    "row without anything": (
        lambda lab: shutil.rmtree(lab.file(lab.bad_path.original).parent),
        {"blob_missing", "sidecar_missing"},
    ),
    "set aside": (
        lambda lab: lab.sql("UPDATE images SET status = 'quarantined' WHERE id = ?",
                            lab.bad.hex), {"quarantined"},
    ),
    "marker of another store": (
        lambda lab: lab.sql("UPDATE installation SET store_id = ?", uuid4().hex), {"marker"},
    ),
}  # fmt: skip
FULL: dict[str, tuple[Callable[[Lab], object], set[str]]] = {
    "bent tag's name": (bent_tag, {"column"}),
    "bent audit log": (bent_audit, {"audit"}),
    "gap in the audit log": (
        lambda lab: lab.sql("DELETE FROM audit_events WHERE seq = 2"), {"audit"},
    ),
}  # fmt: skip


def test_what_is_sound_is_clean(lab: Lab) -> None:
    with lab.opened() as house:
        for full in (False, True):
            assert kinds(house, full=full) == {}


@pytest.mark.parametrize("name", QUICK)
def test_every_kind_is_found_and_named(lab: Lab, name: str) -> None:
    bend, expected = QUICK[name]
    bend(lab)
    before = lab.everything()
    with lab.opened() as house:
        assert kinds(house, full=False).keys() == expected
        assert kinds(house, full=True).keys() >= expected
        report = house.services.store_check.run(Unwatched(), Plan())
        assert all(one.problem and one.cure for one in report.findings)
        assert str(lab.good) not in {one.subject for one in report.findings}
    assert lab.everything() == before


@pytest.mark.parametrize("name", FULL)
def test_the_full_look_finds_more(lab: Lab, name: str) -> None:
    bend, expected = FULL[name]
    bend(lab)
    before = lab.everything()
    with lab.opened() as house:
        assert kinds(house, full=False) == {}
        assert kinds(house, full=True).keys() == expected
    assert lab.everything() == before


def test_every_damage_is_tried_here() -> None:
    tried = {slug for cases in (QUICK, FULL) for _, found in cases.values() for slug in found}
    untried = {"unreadable", "unknown_key", "column"} | tried
    assert {damage.slug for damage in Damage} == untried


def test_a_blob_under_a_key_that_nobody_knows(lab: Lab) -> None:
    """A rolled-back blob of another run: neither the database nor the sidecar knows it."""
    context = BlobContext(file_id=lab.bad, role=Role.ORIGINAL, key_version_id=b"\x01" * 16)
    blob, _ = seal_bytes(lab.resident, lab.dek, context)
    lab.file(lab.bad_path.original).write_bytes(blob)
    with lab.opened() as house:
        assert kinds(house, full=False) == {"unknown_key": 1}


def test_a_lost_mount_is_no_damage(lab: Lab) -> None:
    with lab.opened() as house:
        lab.file(".darkroom-store").unlink()
        shutil.rmtree(lab.file("dam"))
        with pytest.raises(StoreUnavailable):
            kinds(house, full=False)


class StopsAfter(Unwatched):
    def __init__(self, steps: int) -> None:
        self.steps = steps

    def advance(self, done: int, total: int | None = None) -> None:
        assert total == 2
        self.steps -= 1
        if self.steps < 0:
            raise WorkStopped("stopped")


def test_a_run_that_was_stopped_goes_on_and_forgets_no_problem(lab: Lab) -> None:
    first, _ = sorted([(lab.bad, lab.bad_path), (lab.good, lab.good_path)], key=str)
    flip(lab.file(first[1].original), -1)
    with lab.opened() as house:
        check = house.services.store_check
        with pytest.raises(WorkStopped):
            check.run(StopsAfter(0), Plan(full=True))
        stopped = house.runs.last("verify", "stopped")
        assert (stopped.cursor, stopped.failed, stopped.remaining) == (str(first[0]), 1, 1)
        seen: list[str] = []
        report = check.run(
            Unwatched(), Plan(full=True, resume=True), tell=lambda one: seen.append(one.subject)
        )
        assert (report.images, report.resumed, report.by_kind) == (2, True, {"chunk": 1})
        assert seen == []
        assert check.last().figures["problems"] == 1
        again = check.run(Unwatched(), Plan(full=True, resume=True))
        assert (again.resumed, again.images) == (False, 2)


@pytest.mark.parametrize(("sample", "wanted"), [(1, 1), (0.5, 1), (7, 2), (0.01, 1)])
def test_a_sample_is_as_large_as_it_was_asked_for(lab: Lab, sample: float, wanted: int) -> None:
    temporary(lab)  # belongs to no picture: left out
    with lab.opened() as house:
        report = house.services.store_check.run(Unwatched(), Plan(sample=sample))
        assert (report.images, report.by_kind) == (wanted, {})


def test_a_picture_that_is_in_order_again_is_let_out(lab: Lab) -> None:
    lab.sql("UPDATE images SET status = 'quarantined' WHERE id = ?", lab.bad.hex)
    file = lab.file(lab.bad_path.original)
    flip(file, -1)
    with lab.opened() as house:
        check = house.services.store_check
        before = lab.everything()
        found, released = check.release(OPERATOR, lab.bad)
        assert (released, [one.part for one in found if one.damage]) == (False, ["original"])
        assert lab.everything() == before
        flip(file, -1)
        assert check.release(OPERATOR, lab.bad)[1]
        assert lab.original(house, lab.bad) == lab.resident
        event = house.services.audit.page(OPERATOR, limit=1).entries[0]
        assert (event.action, event.subject_id) == ("image.released", str(lab.bad))
        assert check.release(OPERATOR, lab.bad)[1] is False


def test_a_picture_is_not_let_out_while_its_key_is_away(lab: Lab) -> None:
    lab.sql("UPDATE images SET status = 'quarantined' WHERE id = ?", lab.bad.hex)
    lab.change_key(disabled)
    with lab.opened() as house:
        assert house.services.store_check.release(OPERATOR, lab.bad)[1] is False


def test_what_is_being_destroyed_meanwhile_is_no_damage(lab: Lab) -> None:
    with lab.opened() as house:
        check = house.services.verification.check
        rows, real = check._rows, check._rows.get
        asked: list[UUID] = []

        def get(image_id: UUID):
            asked.append(image_id)
            if len(asked) == 2:
                house.services.trash.destroy(lab.actor, image_id)
            return real(image_id)

        lab.file(lab.bad_path.original).unlink()
        rows.get = get
        try:
            assert check.look(lab.bad, full=True) == ()
        finally:
            del rows.get


def test_the_report_keeps_so_many_findings_and_counts_all(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.store_check.EXAMPLES", 1)
    for path in (lab.bad_path, lab.good_path):
        flip(lab.file(path.original), -1)
    with lab.opened() as house:
        report: CheckReport = house.services.store_check.run(Unwatched(), Plan())
        assert (report.problems, len(report.findings)) == (2, 1)


def test_young_things_may_belong_to_work_under_way(lab: Lab) -> None:
    lab.file(lab.bad_path.original).with_name(new_temporary_name()).write_bytes(b"half")
    with lab.opened() as house:
        house.keys.new(uuid4())
        assert kinds(house, full=False) == {}
        assert utc_now() > utc_now() - timedelta(hours=1)
