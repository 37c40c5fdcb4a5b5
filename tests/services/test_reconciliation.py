"""What a crash left is told, mended where that loses nothing, destroyed only on request."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable

import pytest

from app.domain.access import OPERATOR
from app.jobs.watch import Unwatched
from app.services.reconciliation import Means, Reconciliation
from app.storage.object_names import new_temporary_name
from app.wiring import House
from tests.fixtures.uploads import flip
from tests.services.test_store_check import (
    LONG_AGO,
    Lab,
    bent_sidecar,
    copy,
    kinds,
    orphan_key,
    stray,
    temporary,
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("reconcile"))


@pytest.fixture(autouse=True)
def restored(lab: Lab) -> None:
    lab.reset()


def reconcile(house: House, **means: bool) -> Reconciliation:
    return house.services.reconciler.run(Unwatched(), OPERATOR, Means(**means))


def orphan_blob(lab: Lab) -> None:
    copy(lab, lab.good_path.original, stray(lab, lab.good_path.original))


REPAIRED: dict[str, tuple[Callable[[Lab], object], str, str]] = {
    "temporary": (temporary, "stale_temporary", "removed"),
    "no sidecar": (
        lambda lab: lab.file(lab.bad_path.sidecar).unlink(), "sidecar_missing", "written again",
    ),
    "bent sidecar": (bent_sidecar, "sidecar_damaged", "written again"),
    "sidecar of another": (
        lambda lab: copy(lab, lab.good_path.sidecar, lab.bad_path.sidecar),
        "sidecar_anothers", "written again",
    ),
    "month": (lambda lab: lab.sql("UPDATE month_counts SET count = 7"), "counter", "recounted"),
    "pictures": (
        lambda lab: lab.sql("UPDATE collections SET image_count = 7"), "counter", "recounted",
    ),
    "bytes": (lambda lab: lab.sql("UPDATE users SET quota_used = 7"), "counter", "recounted"),
}  # fmt: skip


@pytest.mark.parametrize("name", REPAIRED)
def test_what_is_understood_is_mended(lab: Lab, name: str) -> None:
    bend, kind, done = REPAIRED[name]
    bend(lab)
    before = lab.everything()
    with lab.opened() as house:
        report = reconcile(house)
        assert (dict(report.found), report.done.total()) == ({kind: 1}, 0)
        assert lab.everything() == before
        report = reconcile(house, repair=True)
        assert (report.left, dict(report.done)) == (0, {done: 1})
        assert kinds(house, full=True) == {}
        assert reconcile(house, repair=True).found.total() == 0
        assert lab.original(house, lab.bad) == lab.resident
        event = house.services.audit.page(OPERATOR, limit=1).entries[0]
        assert (event.action, event.details[f"found_{kind}"]) == ("store.reconcile", 1)


LEFT: dict[str, tuple[Callable[[Lab], object], str]] = {
    "orphan blob": (orphan_blob, "blob_without_row"),
    "orphan sidecar": (
        lambda lab: copy(lab, lab.good_path.sidecar, stray(lab, lab.good_path.sidecar)),
        "sidecar_without_blob",
    ),
    "orphan key": (orphan_key, "key_without_row"),
    "row without blob": (
        lambda lab: lab.file(lab.bad_path.original).unlink(), "row_without_blob",
    ),
    "stranger": (
        lambda lab: lab.file(lab.bad_path.original).with_name("x.enc").write_bytes(b"x"),
        "foreign",
    ),
    "sidecar that disagrees": (
        lambda lab: lab.sql("UPDATE images SET mime_type = 'image/png' WHERE id = ?",
                            lab.bad.hex), "sidecar_differs",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT)
def test_what_is_not_understood_is_left(lab: Lab, name: str) -> None:
    bend, kind = LEFT[name]
    bend(lab)
    before = lab.everything()
    with lab.opened() as house:
        report = reconcile(house, repair=True)
        assert report.found.keys() <= {kind, "sidecar_without_blob"}
        assert report.done.total() == 0
        assert lab.everything() == before


@pytest.mark.parametrize("name", ["orphan blob", "orphan sidecar", "orphan key"])
def test_what_nobody_knows_is_destroyed_on_request(lab: Lab, name: str) -> None:
    LEFT[name][0](lab)
    with lab.opened() as house:
        report = reconcile(house, discard=True)
        assert (report.left, dict(report.done)) == (0, {"discarded": 1})
        assert kinds(house, full=True) == {}
        assert lab.original(house, lab.good) == lab.arriving


def test_a_forged_header_destroys_no_key_of_a_living_picture(lab: Lab) -> None:
    """The stray file names the key of ``good``: the file goes, the key stays."""
    orphan_blob(lab)
    with lab.opened() as house:
        assert reconcile(house, discard=True).left == 0
        assert lab.key_file(lab.good).exists()


def test_a_key_waits_for_files_that_nobody_knows(lab: Lab) -> None:
    orphan_key(lab)
    orphan_blob(lab)
    with lab.opened() as house:
        unknown = house.services.reconciler._unknown
        unknown.discard_file = lambda actor, key: (None, "not now")
        try:
            report = reconcile(house, discard=True)
        finally:
            del unknown.discard_file
        reasons = {item.kind: item.why for item in report.items}
        assert "may belong to a file" in reasons["key_without_row"]


def test_what_is_known_again_when_its_turn_comes_is_left(lab: Lab) -> None:
    orphan_blob(lab)
    key = stray(lab, lab.good_path.original)
    name = key.rpartition("/")[2].removesuffix(".enc")
    with lab.opened() as house:
        lab.sql("UPDATE images SET stored_name = ? WHERE id = ?", name, lab.good.hex)
        done, why = house.services.reconciler._unknown.discard_file(OPERATOR, key)
        assert (done, why) == (None, "the database knows it meanwhile")
        reference = f"file-{lab.good}"
        assert house.services.reconciler._unknown.discard_key(OPERATOR, reference)[0] is None
        assert lab.key_file(lab.good).exists()


def test_a_temporary_file_that_grows_again_is_left(lab: Lab) -> None:
    path = lab.file(lab.bad_path.original).with_name(new_temporary_name())
    path.write_bytes(b"half")
    os.utime(path, (LONG_AGO, LONG_AGO))
    with lab.opened() as house:
        reconciler = house.services.reconciler
        real = reconciler._blobs.open

        def grown(key: str):
            if ".tmp-" in key:
                os.utime(path, (time.time(), time.time()))
            return real(key)

        reconciler._blobs.open = grown
        try:
            report = reconcile(house, repair=True)
        finally:
            del reconciler._blobs.open
        assert (path.exists(), report.items[0].why) == (True, "it is being written")


def test_a_sidecar_waits_for_a_sound_file(lab: Lab) -> None:
    lab.file(lab.bad_path.sidecar).unlink()
    flip(lab.file(lab.bad_path.original), 200)
    with lab.opened() as house:
        assert reconcile(house, repair=True).done.total() == 0
        assert not lab.file(lab.bad_path.sidecar).exists()


def test_the_command_asks_before_it_destroys(lab: Lab) -> None:
    from app import create_app

    orphan_blob(lab)
    runner = create_app(lab.settings).test_cli_runner()
    dry = runner.invoke(args=["store", "reconcile", "--json"])
    assert (dry.exit_code, json.loads(dry.stdout)["left"]) == (1, 1)
    refused = runner.invoke(args=["store", "reconcile", "--discard"], input="n\n")
    assert (refused.exit_code, kinds_left(lab)) == (1, 1)
    done = runner.invoke(args=["store", "reconcile", "--discard", "--yes"])
    assert (done.exit_code, kinds_left(lab)) == (0, 0)


def kinds_left(lab: Lab) -> int:
    return lab.file(stray(lab, lab.good_path.original)).exists()


def test_a_whole_folder_that_is_lost_is_told_and_no_row_is_removed(lab: Lab) -> None:
    shutil.rmtree(lab.file(lab.bad_path.original).parent)
    with lab.opened() as house:
        reconcile(house, repair=True, discard=True)
        assert lab.bad in lab.ids(house)
