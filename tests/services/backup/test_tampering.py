"""Whoever may write to the target may destroy a backup, and may not change one unnoticed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import DarkroomError, DecryptionFailed
from tests.fixtures.backups import BackupRoom, files_below
from tests.fixtures.uploads import flip

PARTS = ("database.part", "vault.part", "catalogue.part")


@pytest.fixture(scope="module")
def site_room(tmp_path_factory: pytest.TempPathFactory, site) -> BackupRoom:
    from tests.fixtures.uploads import PictureRoom

    room = BackupRoom(site, tmp_path_factory.mktemp("target") / "backups", PictureRoom(site))
    for seed in range(3):
        room.upload(seed)
    room.create()
    room.upload(7)
    room.create()
    return room


@pytest.fixture
def copy(site_room: BackupRoom, tmp_path: Path) -> BackupRoom:
    """The same backups, to be spoilt."""
    target = tmp_path / "backups"
    shutil.copytree(site_room.target, target)
    return BackupRoom(site_room.installation, target, site_room.pictures)


def names(room: BackupRoom) -> list[str]:
    return room.house.recovery.names(str(room.target))


def is_detected(room: BackupRoom, there: Path) -> None:
    """By the drill, and by a restore, which leaves nothing."""
    try:
        sound = room.verify().is_sound
    except DecryptionFailed:  # a manifest that does not open
        sound = False
    assert not sound
    with pytest.raises(DarkroomError):
        room.restore(there)
    assert not there.exists()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def empty(path: Path) -> None:
    path.write_bytes(b"")


SPOIL: dict[str, Callable[[Path], object]] = {
    "first bit": lambda path: flip(path, 0),
    "header": lambda path: flip(path, 70),
    "middle": lambda path: flip(path, path.stat().st_size // 2),
    "last bit": lambda path: flip(path, -1),
    "cut": cut,
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "empty": empty,
    "gone": Path.unlink,
}


# Without a manifest it is no backup: then the older one is the newest.
EVERY_PART = [
    (part, how)
    for part in (*PARTS, "manifest.json")
    for how in SPOIL
    if (part, how) != ("manifest.json", "gone")
]


@pytest.mark.parametrize(("part", "how"), EVERY_PART)
def test_a_part(copy: BackupRoom, tmp_path: Path, part: str, how: str) -> None:
    SPOIL[how](copy.generation(names(copy)[-1]) / part)
    is_detected(copy, tmp_path / "elsewhere")


@pytest.mark.parametrize("how", SPOIL)
def test_every_kind_of_file(copy: BackupRoom, tmp_path: Path, how: str) -> None:
    opened = copy.house.recovery.open(str(copy.target))
    holding = next(one for one in opened.holdings() if len(one.files) > 2)
    for file in holding.files:
        victim = copy.objects()[file.sha256]
        before = victim.read_bytes()
        SPOIL[how](victim)
        report = copy.verify()
        assert file.key in {one.what for one in report.problems}, file.key
        with pytest.raises(DarkroomError):
            copy.restore(tmp_path / "elsewhere")
        assert not (tmp_path / "elsewhere").exists()
        victim.write_bytes(before)
    assert copy.verify().is_sound


def test_objects_that_were_swapped(copy: BackupRoom, tmp_path: Path) -> None:
    opened = copy.house.recovery.open(str(copy.target))
    one, two = [each for each in opened.holdings() if len(each.files) > 2][:2]
    first, second = copy.objects()[one.files[0].sha256], copy.objects()[two.files[0].sha256]
    a, b = first.read_bytes(), second.read_bytes()
    first.write_bytes(b)
    second.write_bytes(a)
    is_detected(copy, tmp_path / "elsewhere")


@pytest.mark.parametrize("part", PARTS)
def test_an_older_part(copy: BackupRoom, tmp_path: Path, part: str) -> None:
    old, new = (copy.generation(name) for name in names(copy))
    shutil.copy(old / part, new / part)
    is_detected(copy, tmp_path / "elsewhere")


@pytest.mark.parametrize("part", PARTS)
def test_a_part_in_the_place_of_another(copy: BackupRoom, tmp_path: Path, part: str) -> None:
    new = copy.generation(names(copy)[-1])
    other = PARTS[(PARTS.index(part) + 1) % len(PARTS)]
    shutil.copy(new / part, new / other)
    is_detected(copy, tmp_path / "elsewhere")


def test_an_older_manifest(copy: BackupRoom, tmp_path: Path) -> None:
    old, new = (copy.generation(name) for name in names(copy))
    shutil.copy(old / "manifest.json", new / "manifest.json")
    is_detected(copy, tmp_path / "elsewhere")


@pytest.mark.parametrize("field", ["id", "store_id", "at", "locked", "lock", "v"])
def test_a_changed_head(copy: BackupRoom, tmp_path: Path, field: str) -> None:
    manifest = copy.generation(names(copy)[-1]) / "manifest.json"
    document = json.loads(manifest.read_bytes())
    other = json.loads((copy.generation(names(copy)[0]) / "manifest.json").read_bytes())
    changed = {"lock": {"kind": "master", "id": "00000000"}, "v": 2}
    foreign = {**other["head"], "store_id": "00000000-0000-4000-8000-000000000000", **changed}
    document["head"][field] = foreign[field]
    manifest.write_bytes(json.dumps(document, sort_keys=True, separators=(",", ":")).encode())
    with pytest.raises(DarkroomError):
        copy.verify()
    with pytest.raises(DarkroomError):
        copy.restore(tmp_path / "elsewhere")


def test_the_rest_of_a_damaged_backup_can_be_had(copy: BackupRoom, tmp_path: Path) -> None:
    opened = copy.house.recovery.open(str(copy.target))
    holding = next(one for one in opened.holdings() if len(one.files) > 2)
    flip(copy.objects()[holding.files[0].sha256], 0)
    flip(copy.objects()[holding.files[1].sha256], -1)
    there = tmp_path / "elsewhere"
    report = copy.restore(there, skip_damaged=True)
    assert set(report.left_out) == {one.key for one in holding.files[:2]}
    copy.started_at(there).close()


def test_nothing_is_readable_in_the_target(site_room: BackupRoom) -> None:
    """No name, label, pixel or key: the names of files are hashes and random."""
    room = site_room
    key = room.installation.environ["ENCRYPTION_KEY"]
    person = room.installation.person("ann")
    words = [b"holiday", person.email.encode(), key.encode(), bytes.fromhex(key)]
    for one in ("columns", "blind", "audit", "url"):
        words += [each.reveal() for each in room.house.roots.all(one).values()]
    found = files_below(room.target)
    assert len(found) > 10
    for name, raw in found.items():
        for word in words:
            assert word not in raw, name
            assert word.hex().encode() not in raw, name


@pytest.mark.parametrize("field", ["id", "store_id", "at", "lock", "locked"])
@pytest.mark.parametrize("value", [5, [], None, {}], ids=str)
def test_a_head_of_other_kinds(
    copy: BackupRoom, tmp_path: Path, field: str, value: object
) -> None:
    manifest = copy.generation(names(copy)[-1]) / "manifest.json"
    document = json.loads(manifest.read_bytes())
    document["head"][field] = value
    manifest.write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
    is_detected(copy, tmp_path / "elsewhere")
