"""The commands of moving in, on real files: counts that add up, exit codes, what is told."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from uuid import UUID

import pytest

from app.crypto.keys import SecretKey, generate_key
from app.domain.access import OPERATOR
from tests.fixtures import pictures
from tests.fixtures.installation import Installation
from tests.fixtures.older_files import (
    TYPED_KEY,
    cbc,
    cbc_text,
    gcm,
    meta,
    put_old,
    secrets_file,
)
from tests.fixtures.uploads import PictureRoom, picture


@pytest.fixture
def home(install) -> Installation:
    installation = install(IMAGE_ENCRYPTION_KEY=TYPED_KEY)
    installation.person()
    return installation


@pytest.fixture
def old(tmp_path: Path) -> Path:
    folder = tmp_path / "dam" / "loras"
    folder.mkdir(parents=True)
    return folder


class Answer:
    def __init__(self, code: int, output: str, stderr: str) -> None:
        self.code, self.output, self.stderr = code, output, stderr

    @property
    def told(self) -> dict:
        return json.loads(self.output)


def run(home: Installation, *words: object, owner: str = "ann") -> Answer:
    args = ["encryption", *map(str, words), "--owner", home.person(owner).email, "--json"]
    result = home.app.test_cli_runner().invoke(args=args)
    assert result.exception is None or isinstance(result.exception, SystemExit), result
    return Answer(result.exit_code, result.stdout, result.stderr)


def adds_up(told: dict) -> bool:
    parts = ("imported", "already_there", "could_be_imported", "proven", "remaining")
    return told["found"] == sum(told.get(part, 0) for part in parts) + len(told["refused"])


def reasons(told: dict) -> dict[str, str]:
    return {one["source"]: one["message"] for one in told["refused"]}


def originals(home: Installation) -> set[bytes]:
    room = PictureRoom(home)
    listed = home.api().get("/api/v1/images?limit=200").json["images"]
    return {room.original(UUID(one["id"])) for one in listed}


def test_a_folder_of_the_first_document(home: Installation, old: Path) -> None:
    one, two, three = pictures.jpeg(), pictures.png(), picture(3)
    put_old(old, "lora_1625123456789_1234.jpg", one, told=meta("image/jpeg", ".jpg"))
    put_old(old, "lora_1625123456790_77.png", two, told="image/png\n.png")
    put_old(old, "no-meta.bmp", three, told=None)
    before = {path: path.read_bytes() for path in old.iterdir()}
    dry = run(home, "import-legacy", old)
    assert (dry.code, dry.told["could_be_imported"], dry.told["dry_run"]) == (0, 3, True)
    assert dry.told["key_form"] == "utf8"
    assert originals(home) == set()
    done = run(home, "import-legacy", old, "--run")
    assert (done.code, done.told["imported"]) == (0, 3)
    assert adds_up(done.told)
    assert originals(home) == {one, two, three}
    again = run(home, "import-legacy", old, "--run")
    assert (again.code, again.told["already_there"]) == (0, 3)
    assert "imported" not in again.told
    names = {i["original_name"] for i in home.api().get("/api/v1/images").json["images"]}
    assert names == {"lora_1625123456789_1234.jpg", "lora_1625123456790_77.png", "no-meta.bmp"}
    assert {path: path.read_bytes() for path in old.iterdir()} == before


def test_what_is_refused_is_told_one_by_one(home: Installation, old: Path) -> None:
    good = pictures.png()
    put_old(old, "good.png", good)
    put_old(old, "other-key.png", good, generate_key())
    damaged = bytearray(cbc(pictures.jpeg()))
    damaged[40] ^= 1
    (old / "damaged.jpg.enc").write_bytes(damaged)
    (old / "cut.jpg.enc").write_bytes(cbc(pictures.jpeg())[:-8])
    (old / "empty.jpg.enc").write_bytes(b"")
    (old / "text.txt.enc").write_bytes(cbc(b"a letter, no picture" * 99))
    (old / "plain.png").write_bytes(good)
    (old / "gone.png.enc.meta").write_text(meta())
    clip = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(5000)
    (old / "clip.mp4").write_bytes(cbc(clip))
    (old / "notes.txt").write_text("somebody's notes")
    (old / ".hidden.enc").write_bytes(b"x")
    done = run(home, "import-legacy", old, "--run")
    assert done.code == 1
    assert (done.told["found"], done.told["imported"], done.told["left_alone"]) == (9, 1, 1)
    assert adds_up(done.told)
    told = reasons(done.told)
    failed = "Decryption failed - invalid key or corrupted data"
    wrong = ("other-key.png", "damaged.jpg", "cut.jpg", "empty.jpg", "text.txt")
    assert {told[f"{name}.enc"] for name in wrong} == {failed}
    assert "encryption migrate" in told["plain.png"]
    assert "missing" in told["gone.png.enc.meta"]
    assert "Clips cannot be stored yet" in told["clip.mp4"]
    assert originals(home) == {good}


def test_mixed_forms_are_taken_in_turn(install, old: Path) -> None:
    text = "ab" * 32
    home = install(IMAGE_ENCRYPTION_KEY=text)
    hashed = SecretKey(hashlib.sha256(text.encode()).digest())
    for n in range(3):
        put_old(old, f"hex{n}.bmp", picture(n), SecretKey(bytes.fromhex(text)))
    put_old(old, "hashed.bmp", picture(9), hashed)
    (old / "as-text.bmp.enc").write_text(cbc_text(picture(5), SecretKey(bytes.fromhex(text))))
    done = run(home, "import-legacy", old, "--run")
    assert (done.told["key_form"], done.told["imported"]) == ("hex", 4)
    assert list(reasons(done.told)) == ["hashed.bmp.enc"]
    rest = run(home, "import-legacy", old, "--run", "--key-form", "sha256")
    assert (rest.code, rest.told["imported"], len(rest.told["refused"])) == (1, 1, 4)
    assert originals(home) == {picture(n) for n in (0, 1, 2, 5, 9)}


def test_a_wrong_key_stores_nothing(install, old: Path) -> None:
    home = install(IMAGE_ENCRYPTION_KEY="another-key-of-32-characters-xyz")
    for n in range(5):
        put_old(old, f"{n}.png", picture(n))
    answer = run(home, "import-legacy", old, "--run")
    assert answer.code == 2
    assert "None of 5 files of this folder opens with IMAGE_ENCRYPTION_KEY" in answer.stderr
    assert "another-key" not in answer.stderr
    assert run(home, "import-legacy", old, "--key-form", "hex").code == 2
    assert originals(home) == set()
    bare = install()
    missing = run(bare, "import-legacy", old, "--run")
    assert (missing.code, "IMAGE_ENCRYPTION_KEY is not set" in missing.stderr) == (2, True)


def test_tagged_files_and_their_secrets(install, old: Path) -> None:
    home = install()
    keys = {f"file-{n}": generate_key() for n in range(5)}
    names = ("0.enc", "1.png.enc", "file-2.enc", "upload_3.enc", "nothing.enc")
    for n, name in enumerate(names):
        (old / name).write_bytes(gcm(picture(n), keys[f"file-{n}"]))
    (old / "damaged.enc").write_bytes(gcm(picture(7), keys["file-4"])[:-1] + b"x")
    (old / "damaged.enc.meta").write_text('{"file_id": "4"}')
    secrets = secrets_file(old / "secrets.json", keys)
    done = run(home, "import-legacy", old, "--secrets", secrets, "--run")
    assert (done.code, done.told["imported"], done.told["found"]) == (1, 5, 6)
    assert "Decryption failed" in reasons(done.told)["damaged.enc"]
    assert originals(home) == {picture(n) for n in range(5)}
    proof = run(home, "verify-migration", old, "--secrets", secrets)
    assert (proof.code, proof.told["proven"], len(proof.told["refused"])) == (1, 5, 1)


@pytest.mark.parametrize("text", ["no json", '{"a": "short"}', "[]"])
def test_a_bad_secrets_file(home: Installation, old: Path, text: str) -> None:
    (old / "s.json").write_text(text)
    answer = run(home, "import-legacy", old, "--secrets", old / "s.json")
    assert (answer.code, "secrets file" in answer.stderr) == (2, True)


def test_darkrooms_own_folders_are_no_source(home: Installation) -> None:
    for place in (home.instance, home.instance.parent, home.settings.store_path):
        for words in (("import-legacy",), ("migrate",), ("verify-migration",)):
            answer = run(home, *words, place)
            assert (answer.code, "belongs to Darkroom itself" in answer.stderr) == (2, True)


def labelled(folder: Path) -> None:
    (folder / "classes.txt").write_text("car\nperson\n")
    (folder / "a.bmp").write_bytes(picture(1, 100, 50))
    (folder / "a.txt").write_text("0 0.5 0.5 0.2 0.4\n1 0.1 0.1 0.1 0.1\n")
    shapes = [{"label": "tree", "shape_type": "rectangle", "points": [[30, 20], [10, 5]]}]
    (folder / "b.bmp").write_bytes(picture(2, 100, 50))
    (folder / "b.json").write_text(json.dumps({"shapes": shapes, "imagePath": "b.bmp"}))
    (folder / "bare.bmp").write_bytes(picture(3, 100, 50))


def boxes(home: Installation, name: str) -> list[tuple]:
    listed = home.api().get("/api/v1/images").json["images"]
    (one,) = [image["id"] for image in listed if image["original_name"] == name]
    found = home.api().get(f"/api/v1/images/{one}/annotations").json["annotations"]
    return [(b["label"], *(round(b["box"][side], 6) for side in "xywh")) for b in found]


def test_a_plain_folder_with_labels(home: Installation, old: Path) -> None:
    labelled(old)
    dry = run(home, "migrate", old)
    assert (dry.code, dry.told["could_be_imported"], dry.told["boxes"]) == (0, 3, 3)
    done = run(home, "migrate", old, "--run")
    assert (done.code, done.told["imported"], done.told["boxes"]) == (0, 3, 3)
    assert boxes(home, "a.bmp") == [("car", 40, 15, 20, 20), ("person", 5, 2.5, 10, 5)]
    assert boxes(home, "b.bmp") == [("tree", 10, 5, 20, 15)]
    again = run(home, "migrate", old, "--run")
    assert (again.told["already_there"], again.told["boxes"]) == (3, 0)
    proof = run(home, "verify-migration", old)
    assert (proof.code, proof.told["proven"], proof.told["boxes"]) == (0, 3, 3)


def test_bad_labels_keep_their_picture_out(home: Installation, old: Path) -> None:
    labelled(old)
    (old / "a.txt").write_text("0 0.5 0.5 0.2\n")
    (old / "b.txt").write_text("")
    (old / "lonely.json").write_text("{}")
    (old / "clip.mp4").write_bytes(b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(99))
    done = run(home, "migrate", old, "--run")
    told = reasons(done.told)
    assert (done.code, done.told["imported"], len(told)) == (1, 1, 4)
    assert adds_up(done.told)
    assert "line 1" in told["a.bmp"]
    assert "several label files" in told["b.bmp"]
    assert "missing" in told["lonely.json"]
    assert "Clips cannot be stored yet" in told["clip.mp4"]
    assert originals(home) == {picture(3, 100, 50)}
    (old / "clip.mp4").unlink()
    bare = run(home, "migrate", old, "--run", "--no-labels")
    assert (bare.code, bare.told["imported"], bare.told["left_alone"]) == (0, 2, 5)


def test_the_proof_finds_what_is_missing_or_changed(home: Installation, old: Path) -> None:
    labelled(old)
    run(home, "migrate", old, "--run")
    (old / "late.bmp").write_bytes(picture(8))
    (old / "bare.bmp").write_bytes(picture(9))
    ids = {
        one["original_name"]: one["id"]
        for one in home.api().get("/api/v1/images").json["images"]
    }
    changed = {"annotations": []}
    home.api().put(
        f"/api/v1/images/{ids['b.bmp']}/annotations", json=changed, headers={"If-Match": "*"}
    )
    home.api().delete(f"/api/v1/images/{ids['a.bmp']}")
    proof = run(home, "verify-migration", old)
    told = reasons(proof.told)
    assert (proof.code, adds_up(proof.told)) == (1, True)
    assert told.keys() == {"late.bmp", "bare.bmp", "a.bmp", "b.bmp"}
    assert "trash" in told["a.bmp"]
    assert "1 of 1 boxes" in told["b.bmp"]
    assert "import it first" in told["late.bmp"]


def test_only_what_is_proven_is_removed(home: Installation, old: Path) -> None:
    labelled(old)
    for n in range(3):
        put_old(old, f"old{n}.bmp", picture(20 + n), told=meta("image/bmp"))
    run(home, "import-legacy", old, "--run")
    run(home, "migrate", old, "--run")
    put_old(old, "late.bmp", picture(50))
    damaged = next(home.settings.store_path.rglob("*.bmp.enc"))
    raw = bytearray(damaged.read_bytes())
    raw[-1] ^= 1
    damaged.write_bytes(raw)
    proof = run(home, "verify-migration", old, "--labels", "--remove-source")
    assert proof.code == 1
    assert (proof.told["proven"], proof.told["removed"], proof.told["kept"]) == (5, 5, [])
    assert len(reasons(proof.told)) == 2
    left = {path.name for path in old.iterdir() if path.suffix in {".enc", ".bmp"}}
    assert left == set(reasons(proof.told))
    assert (old / "classes.txt").exists()
    events = home.services.audit.page(OPERATOR, limit=200, action="migration.remove_source")
    assert len(events.entries) == 5


def test_labels_and_boxes_of_an_older_database(
    home: Installation, old: Path, tmp_path: Path
) -> None:
    for n in range(2):
        put_old(old, f"frame_{n}.bmp", picture(n, 100, 50), told=meta("image/bmp"))
    run(home, "import-legacy", old, "--run")
    path = tmp_path / "events.db"
    rows = [
        (1, "data/frames/frame_0.bmp.enc", cbc_text(b"car"), cbc_text(b"[1, 2, 30, 40]")),
        (2, "frame_0.bmp", "person", '{"x": 5, "y": 6, "width": 7, "height": 8}'),
        (3, "frame_1.bmp", cbc_text(b"tree"), "(1.5, 2.5, 3.5, 4.5)"),
        (4, "nowhere.bmp", "car", "[1, 2, 3, 4]"),
        (5, "frame_1.bmp", cbc_text(b"x", generate_key()), "[1, 2, 3, 4]"),
        (6, "frame_1.bmp", "car", "[1, 2, 0, 4]"),
        (7, "frame_1.bmp", None, "[1, 2, 3, 4]"),
    ]
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE annotations (id, frame_path, label, bbox)")
        database.executemany("INSERT INTO annotations VALUES (?, ?, ?, ?)", rows)
    database.close()
    words = ("--database", f"sqlite:///{path}", "--table", "annotations")
    words += ("--columns", "id=id,image=frame_path,label=label,box=bbox")
    dry = run(home, "migrate", *words)
    assert (dry.code, dry.told["could_be_imported"], adds_up(dry.told)) == (1, 3, True)
    assert boxes(home, "frame_0.bmp") == []
    done = run(home, "migrate", *words, "--run")
    assert (done.told["imported"], len(done.told["refused"])) == (3, 4)
    assert boxes(home, "frame_0.bmp") == [("car", 1, 2, 30, 40), ("person", 5, 6, 7, 8)]
    assert boxes(home, "frame_1.bmp") == [("tree", 1.5, 2.5, 3.5, 4.5)]
    again = run(home, "migrate", *words, "--run")
    assert (again.told["already_there"], "imported" in again.told) == (3, False)
    proof = run(home, "verify-migration", *words)
    assert (proof.told["proven"], len(proof.told["refused"]), adds_up(proof.told)) == (
        3,
        4,
        True,
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--database", "mysql://x", "--table", "t"), "named as sqlite"),
        (("--database", "sqlite:////nowhere/x.db", "--table", "t"), "no file of this name"),
        (("--database", "@/nowhere", "--table", "t"), "address cannot be read"),
    ],
)
def test_a_database_that_is_none(home: Installation, words: tuple[str, ...], said: str) -> None:
    answer = run(home, "migrate", *words, "--columns", "id=a,image=b,label=c,box=d")
    assert (answer.code, said in answer.stderr) == (2, True)
    assert not Path("/nowhere").exists()
