"""A marker in everything that people type or upload is found nowhere in clear.

Searched: every file below the instance (database, WAL, store, vault, spool), the log in both
forms, and what the decoder's children show of themselves. Forms: raw, UTF-16, hex, base64.
"""

from __future__ import annotations

import base64
import logging
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import load_settings
from app.startup import start
from app.storage import unlinked_file
from app.wiring import House
from tests.fixtures import pictures
from tests.fixtures.installation import Installation, environment
from tests.fixtures.uploads import send_file

TOP = Path(__file__).resolve().parents[2]
WORDS = {
    "filename": "MarkFile7e3a.png",
    "collection": "MarkColl7e3a",
    "description": "MarkDesc7e3a",
    "email": "markmail7e3a@people.example",
    "person": "MarkName7e3a",
    "tag": "MarkTag7e3a",
    "label": "MarkLabel7e3a",
    "attribute": "MarkAttr7e3a",
    "exif": pictures.SECRET,
    "pixels": "MarkPixels7e3a",
    "password": "MarkPassword7e3a-and-more",
}


def forms(word: str | bytes) -> Iterator[bytes]:
    """The ways in which a word may lie about; base64 at each of its three alignments."""
    raw = word if isinstance(word, bytes) else word.encode()
    for case in {raw, raw.lower()}:
        yield case
        yield case.decode("latin-1").encode("utf-16-le")
        yield case.decode("latin-1").encode("utf-16-be")
        yield case.hex().encode()
        yield case.hex().upper().encode()
        for pad in range(3):
            coded = base64.b64encode(bytes(pad) + case)
            yield coded[4 if pad else 0 : len(coded) // 4 * 4 - 4]


def found_in(raw: bytes, words: dict[str, str]) -> list[str]:
    return [name for name, word in words.items() if any(form in raw for form in forms(word))]


def picture_with_words(width: int = 64, height: int = 64) -> bytes:
    """A BMP whose pixels spell the marker, so that the file holds it as it stands."""
    plain = pictures.bmp(pictures.scene(width, height))
    pixels = WORDS["pixels"].encode()
    (offset,) = struct.unpack_from("<I", plain, 10)
    room = len(plain) - offset
    return plain[:offset] + (pixels * (room // len(pixels) + 1))[:room]


def everything_below(instance: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(instance.rglob("*")):
        yield f"the name of {path.name}", str(path.relative_to(instance)).encode()
        if path.is_file():
            yield str(path.relative_to(instance)), path.read_bytes()


def test_the_search_finds_each_form() -> None:
    for name, word in WORDS.items():
        raw = word.encode()
        coded = [raw, raw.hex().encode(), word.encode("utf-16-le")]
        coded += [base64.b64encode(b"x" * n + raw + b"tail") for n in range(6)]
        for form in coded:
            assert found_in(b"before" + form + b"after", WORDS) == [name], (name, form)
    assert found_in(os.urandom(1 << 16), WORDS) == []


@pytest.fixture
def used(install, caplog: pytest.LogCaptureFixture) -> tuple[Installation, dict[str, str]]:
    """An installation in which everything was said and done once; and all secret words."""
    photograph = pictures.camera_jpeg()  # Pillow of the tests logs what it writes
    caplog.set_level(logging.DEBUG)
    installation = install(REGISTRATION_OPEN="true")
    person = installation.services.accounts.register(
        email=WORDS["email"], name=WORDS["person"], password=WORDS["password"]
    )
    installation.people["ann"] = person
    browser = installation.browser(None)
    assert browser.sign_in(WORDS["email"], WORDS["password"]).status_code == 303
    browser.sign_in(WORDS["email"], WORDS["password"] + "-wrong")
    client = installation.api("ann")
    made = client.post(
        "/api/v1/collections",
        json={"name": WORDS["collection"], "description": WORDS["description"]},
    )
    assert made.status_code == 201, made.text
    slug = made.get_json()["slug"]
    sent = client.upload(
        (picture_with_words(), WORDS["filename"]),
        (photograph, "b-" + WORDS["filename"]),
        collection=slug,
        tags=WORDS["tag"],
    )
    assert sent.status_code == 201, sent.text
    image_id = sent.get_json()["images"][0]["id"]
    box = {
        "label": WORDS["label"],
        "box": {"x": 1, "y": 2, "w": 3, "h": 4},
        "attributes": {WORDS["attribute"]: WORDS["attribute"]},
    }
    put = client.put(
        f"/api/v1/images/{image_id}/annotations",
        json={"annotations": [box]},
        headers={"If-Match": "*"},
    )
    assert put.status_code == 200, put.text
    refused = client.upload((b"no picture " * 9, WORDS["filename"]), collection=slug)
    assert refused.status_code == 415
    for what in ("original", "original?download=1", "preview", "thumb/320", "thumb/160"):
        assert client.get(f"/images/{image_id}/{what}").status_code == 200
    client.get(f"/api/v1/images?tag={WORDS['tag']}")
    key = client.headers["Authorization"].removeprefix("Bearer ")
    return installation, WORDS | {"api key": key}


def test_nothing_below_the_instance(used: tuple[Installation, dict[str, str]]) -> None:
    installation, words = used
    places = list(everything_below(installation.instance))
    assert any(name == "darkroom.db-wal" for name, _ in places), "the WAL is searched too"
    assert sum(name.endswith(".enc") for name, _ in places) > 8
    secrets = words | {
        "master key": installation.environ["ENCRYPTION_KEY"],
        "secret key": installation.environ["SECRET_KEY"],
    }
    found = [(name, hits) for name, raw in places if (hits := found_in(raw, secrets))]
    assert found == []
    for name, raw in places:
        assert bytes.fromhex(secrets["master key"]) not in raw, name


def test_nothing_in_the_log(
    used: tuple[Installation, dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    installation, words = used
    records = caplog.get_records("setup") + caplog.get_records("call")
    assert any(record.name.startswith("darkroom") for record in records)
    said = "\n".join(
        f"{record.getMessage()} {record.__dict__} {record.exc_text}" for record in records
    )
    assert found_in(said.encode(), words) == []
    assert installation.environ["ENCRYPTION_KEY"] not in said
    assert installation.environ["SECRET_KEY"] not in said


def test_nothing_shows_in_the_decoders_children(
    used: tuple[Installation, dict[str, str]],
) -> None:
    installation, words = used
    children = _children()
    assert children, "a warm decoder child is there to be looked at"
    secrets = words | {"master key": installation.environ["ENCRYPTION_KEY"]}
    for pid in children:
        for what in ("cmdline", "environ"):
            raw = Path(f"/proc/{pid}/{what}").read_bytes()
            assert found_in(raw, secrets) == [], what
        opened = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
        instance = str(installation.instance)
        assert not any(target.startswith(instance) for target in opened)


def _children() -> list[int]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    every = [Path(task, "children").read_text() for task in Path("/proc/self/task").iterdir()]
    return [int(pid) for pid in {*listed.split(), *" ".join(every).split()}]


def test_a_large_upload_is_spooled_without_a_trace(install, monkeypatch) -> None:
    """More than 16 MiB go through a file, which is sealed and has no name."""
    written: list[bytes] = []
    real = os.write

    def watch(descriptor: int, data: object) -> int:
        written.append(bytes(data))
        return real(descriptor, data)

    installation = install()
    client = installation.api("ann")
    content = picture_with_words(2600, 2400)
    assert len(content) > 16 << 20
    assert found_in(content, WORDS) == ["pixels"]
    monkeypatch.setattr(unlinked_file.os, "write", watch)
    answer = send_file(client, content, WORDS["filename"])
    monkeypatch.undo()
    assert answer.status_code == 201, answer.text
    assert sum(map(len, written)) > len(content)
    for path, raw in everything_below(installation.instance):
        assert found_in(raw, {"pixels": WORDS["pixels"]}) == [], path


PLANTED = {
    "ENCRYPTION_KEY": "ab" * 32,
    "SECRET_KEY": "planted-secret-key-0123456789-0123456789",
    "INSTANCE_PATH": "planted-instance",
    "DATABASE_URL": "sqlite:///planted.db",
    "STORE_URL": "file:planted-store",
    "KEY_VAULT_LOCAL_PATH": "planted-secrets",
    "KEY_VAULT_TOKEN": "planted-token",
    "UPLOAD_MAX_SIZE": "3",
}
PROBE = """
import os
from app.config import TOP


def test_probe(installation):
    planted = {names!r}
    assert not set(planted) & set(os.environ), "a setting of the machine reached the tests"
    assert os.environ["DARKROOM_ENV_FILE"] == os.devnull
    assert installation.environ["ENCRYPTION_KEY"] != planted["ENCRYPTION_KEY"]
    assert installation.settings.upload_max_size > 3
    assert "planted" not in repr(installation.settings)
    try:
        open(TOP / ".env").close()
    except PermissionError as error:
        assert "machine's own data" in str(error)
    else:
        raise AssertionError("the .env of this clone could be read")
    try:
        os.listdir(TOP / "instance")
    except PermissionError as error:
        assert "machine's own data" in str(error)
    else:
        raise AssertionError("the instance of this clone could be read")
"""


def test_the_tests_use_nothing_of_the_machine(tmp_path: Path) -> None:
    """Settings, a ``.env`` and an instance are planted; a session of tests meets none."""
    probe = tmp_path / "test_planted.py"
    probe.write_text(PROBE.format(names=PLANTED).replace("\n\n\n", "\n\n", 1))
    command = [sys.executable, "-m", "pytest", str(probe), "-q", "-p", "no:cacheprovider"]
    command += ["--confcutdir", str(TOP), "-c", str(TOP / "pyproject.toml")]
    command += ["--rootdir", str(TOP), "--basetemp", str(tmp_path / "inner")]
    command += ["-p", "tests.conftest"]
    result = subprocess.run(
        command,
        cwd=TOP,
        env=PLANTED | {"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-2000:]
    assert not (TOP / "planted-instance").exists()


def test_two_installations_share_nothing(tmp_path: Path) -> None:
    rooms = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        settings, _ = load_settings(environment(folder))
        start(settings)
        rooms.append(House(settings))
    one, two = rooms
    assert one.settings.encryption_key != two.settings.encryption_key
    for root in ("columns", "blind", "etag", "audit", "url", "transient"):
        assert one.roots.active(root).key != two.roots.active(root).key
    for house in rooms:
        house.close()
