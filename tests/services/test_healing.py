"""A damaged picture is healed from a copy, and nothing that does not fit is put in place."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.access import OPERATOR
from app.errors import StoreUnavailable
from app.jobs.watch import Unwatched
from app.models import StaleRecord
from app.services.healing import HealReport
from app.wiring import House
from tests.fixtures.tampering import append, cut
from tests.fixtures.uploads import flip
from tests.services.test_store_check import (
    Lab,
    another_version,
    bent_sidecar,
    copy,
    disabled,
    half_a_value,
    kinds,
    linked,
    other_entry,
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("heal"))


@pytest.fixture(autouse=True)
def restored(lab: Lab) -> None:
    lab.reset()


@pytest.fixture
def backup(lab: Lab, tmp_path: Path) -> Path:
    shutil.copytree(lab.instance, tmp_path / "copy")
    return tmp_path / "copy"


def heal(house: House, backup: Path, **more: object) -> HealReport:
    healing = house.services.healing
    return healing.run(Unwatched(), OPERATOR, healing.source(str(backup)), **more)


BENT: dict[str, Callable[[Lab], object]] = {
    "bit of the header": lambda lab: flip(lab.file(lab.bad_path.original), 60),
    "bit of a chunk": lambda lab: flip(lab.file(lab.bad_path.original), 200),
    "cut": lambda lab: cut(lab.file(lab.bad_path.original), -1),
    "appended": lambda lab: append(lab.file(lab.bad_path.original), b"x"),
    "missing": lambda lab: lab.file(lab.bad_path.original).unlink(),
    "a link": linked,
    "another's": lambda lab: copy(lab, lab.good_path.original, lab.bad_path.original),
    "sidecar missing": lambda lab: lab.file(lab.bad_path.sidecar).unlink(),
    "sidecar bent": bent_sidecar,
    "sidecar of another": lambda lab: copy(lab, lab.good_path.sidecar, lab.bad_path.sidecar),
    "folder missing": lambda lab: shutil.rmtree(lab.file(lab.bad_path.original).parent),
    "key missing": lambda lab: lab.key_file(lab.bad).unlink(),
    "key foreign": other_entry,
    "key bent": lambda lab: lab.change_key(half_a_value),
    "key no key": lambda lab: lab.key_file(lab.bad).write_text("{"),
    "key and file": lambda lab: (
        lab.key_file(lab.bad).unlink(),
        flip(lab.file(lab.bad_path.original), 200),
    ),
    "thumbnail": lambda lab: flip(lab.file(lab.bad_path.thumbnail(320)), -1),
    "set aside alone": lambda lab: lab.sql(
        "UPDATE images SET status = 'quarantined' WHERE id = ?", lab.bad.hex
    ),
}


@pytest.mark.parametrize("name", BENT)
def test_every_bent_part_is_mended(lab: Lab, backup: Path, name: str) -> None:
    BENT[name](lab)
    lab.sql("UPDATE images SET status = 'quarantined' WHERE id = ?", lab.bad.hex)
    with lab.opened() as house:
        report = heal(house, backup)
        assert (report.looked, report.healed, report.failed) == (2, 1, 0)
        (picture,) = report.pictures
        assert (picture.id, picture.released, picture.left) == (lab.bad, True, ())
        assert kinds(house, full=True) == {}
        assert lab.original(house, lab.bad) == lab.resident
        assert lab.thumbnail(house, lab.bad)
        event = house.services.audit.page(OPERATOR, limit=1, action="image.healed").entries[0]
        assert event.details["mended"] == list(picture.mended)
        assert heal(house, backup).pictures == []


def refused(lab: Lab, house: House, backup: Path) -> str:
    """What is told of a picture that cannot be healed; nothing was changed."""
    before = lab.everything()
    report = heal(house, backup, wanted=[lab.bad])
    assert lab.everything() == before
    assert (report.failed, report.healed) == (1, 0)
    return " ".join(report.pictures[0].left)


WRONG: dict[str, tuple[Callable[[Lab, Path], object], str]] = {
    "no such file": (lambda lab, file: file.unlink(), "not in the store"),
    "bent as well": (lambda lab, file: flip(file, 300), "bytes of its file were changed"),
    "another's": (
        lambda lab, file: shutil.copy(lab.file(lab.good_path.original), file),
        "another picture",
    ),
    "a link": (lambda lab, file: (file.unlink(), os.symlink("/etc/passwd", file)), "link"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_not_put_in_place(lab: Lab, backup: Path, name: str) -> None:
    bend, words = WRONG[name]
    flip(lab.file(lab.bad_path.original), 200)
    bend(lab, backup / "store" / lab.bad_path.original)
    with lab.opened() as house:
        assert words in refused(lab, house, backup)


def test_an_older_state_is_not_put_in_place(lab: Lab, backup: Path) -> None:
    lab.sql("UPDATE images SET content_rev = 1 WHERE id = ?", lab.bad.hex)
    lab.file(lab.bad_path.original).unlink()
    with lab.opened() as house:
        assert "older than the database" in refused(lab, house, backup)


def test_other_bytes_than_were_uploaded_are_not_put_in_place(lab: Lab, backup: Path) -> None:
    """Even under the right key: the hash of the upload is sealed in the row."""
    from app.crypto.context import BlobContext, Role
    from app.crypto.stream import seal_bytes

    forged = bytes(len(lab.resident))
    context = BlobContext(
        file_id=lab.bad, role=Role.ORIGINAL, key_version_id=lab.version(lab.bad)
    )
    blob, _ = seal_bytes(forged, lab.dek, context)
    (backup / "store" / lab.bad_path.original).write_bytes(blob)
    lab.file(lab.bad_path.original).unlink()
    with lab.opened() as house:
        assert "not what was uploaded" in refused(lab, house, backup)


def test_a_key_that_somebody_disabled_stays_so(lab: Lab, backup: Path) -> None:
    lab.change_key(disabled)
    with lab.opened() as house:
        assert "enable it there" in refused(lab, house, backup)


def test_a_foreign_key_of_the_backup_is_not_taken(lab: Lab, backup: Path) -> None:
    (theirs,) = (backup / "secrets").rglob(f"file-{lab.bad}.json")
    other_entry(lab)
    shutil.copy(lab.key_file(lab.bad), theirs)
    lab.key_file(lab.bad).unlink()
    with lab.opened() as house:
        assert "no key that fits" in refused(lab, house, backup)


def test_an_extra_version_is_left_to_the_rotation(lab: Lab, backup: Path) -> None:
    lab.change_key(another_version)
    with lab.opened() as house:
        heal(house, backup)
        assert kinds(house, full=False) == {"key_extra": 1}


def test_a_copy_of_another_store_is_refused(lab: Lab, backup: Path, tmp_path: Path) -> None:
    marker = backup / "store" / ".darkroom-store"
    whole = json.loads(marker.read_text())
    whole["store_id"] = "00112233-4455-4677-8899-aabbccddeeff"
    marker.write_text(json.dumps(whole, sort_keys=True, separators=(",", ":")))
    with lab.opened() as house:
        with pytest.raises(StoreUnavailable, match="another installation"):
            heal(house, backup)
        with pytest.raises(StoreUnavailable, match="no copy of a store"):
            heal(house, tmp_path)


def test_a_copy_of_the_store_alone_does(lab: Lab, backup: Path) -> None:
    lab.file(lab.bad_path.original).unlink()
    with lab.opened() as house:
        assert heal(house, backup / "store").healed == 1


def test_a_bent_record_is_written_again_by_its_job(lab: Lab, backup: Path) -> None:
    lab.file(lab.bad_path.record).write_bytes(b"none")
    with lab.opened() as house:
        assert heal(house, backup).healed == 1
        with house.uow.read() as session:
            assert session.get(StaleRecord, lab.bad) is not None


def test_a_full_look_finds_what_a_quick_one_cannot(lab: Lab, backup: Path) -> None:
    with lab.opened() as house:
        assert heal(house, backup, full=True).looked == 2


def test_a_picture_that_is_destroyed_meanwhile_does_not_come_back(
    lab: Lab, backup: Path
) -> None:
    lab.file(lab.bad_path.original).unlink()
    with lab.opened() as house:
        expected = house.services.verification.rows.get(lab.bad)
        source = house.services.healing.source(str(backup))
        house.services.trash.destroy(lab.actor, lab.bad)
        house.services.healing._placing.original(source, expected)
        assert lab.strays(house) == set()


def test_the_command_tells_what_it_did(lab: Lab, backup: Path) -> None:
    from app import create_app

    flip(lab.file(lab.bad_path.original), 200)
    runner = create_app(lab.settings).test_cli_runner()
    answer = runner.invoke(args=["store", "heal", "--from", str(backup), "--json"])
    assert answer.exit_code == 0, answer.output
    told = json.loads(answer.stdout)
    assert (told["healed"], told["pictures"][0]["mended"]) == (1, ["original"])
    verify = runner.invoke(args=["store", "verify", "--full"])
    assert (verify.exit_code, "everything is in order" in verify.stdout) == (0, True)
    flip(lab.file(lab.bad_path.original), 200)
    verify = runner.invoke(args=["store", "verify", "--json"])
    assert verify.exit_code == 1
    (finding,) = json.loads(verify.stdout)["findings"]
    assert finding["cure"].startswith(f"store heal --from BACKUP --image {lab.bad}")
    one = runner.invoke(args=["store", "verify", "--image", str(lab.bad), "--json"])
    assert (one.exit_code, json.loads(one.stdout)["images"][0]["released"]) == (1, False)
    nobody = runner.invoke(args=["store", "verify", "--image", str(lab.bad)[:-1] + "0"])
    assert nobody.exit_code == 1
    for wrong in (["--full", "--quick"], ["--sample", "0"], ["--sample", "x%"]):
        assert runner.invoke(args=["store", "verify", *wrong]).exit_code == 2


def test_a_backup_heals_file_and_key(lab: Lab, tmp_path: Path) -> None:
    with lab.opened() as house:
        house.services.backups.run(Unwatched(), str(tmp_path / "target"))
        flip(lab.file(lab.bad_path.original), 200)
        lab.key_file(lab.bad).unlink()
        report = heal(house, tmp_path / "target")
        assert (report.healed, report.failed) == (1, 0), report.pictures
        assert lab.original(house, lab.bad) == lab.resident
