"""Whatever is touched on the disk is noticed before a byte of the damaged chunk leaves.

Each row of the matrix bends one thing of one picture. Over HTTP the answer is 409, or, for a
thumbnail or preview, the same picture made again; the other picture is served as before; the
audit log and ``encryption verify`` name the damaged one.
"""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest

from app.crypto.context import Role
from app.domain.media_kinds import MediaKind
from app.errors import DecryptionFailed
from app.models import Image
from app.services.image_access import ImageAccess
from app.storage.encrypted_store import Floor
from app.storage.object_paths import ObjectPath
from app.storage.sidecar import PrivateFacts, PublicFacts
from tests.fixtures import pictures
from tests.fixtures.installation import ApiClient, Installation
from tests.fixtures.uploads import PictureRoom, flip

HEADER = {
    "magic": 0,
    "version": 8,
    "suite": 9,
    "role": 10,
    "flags": 11,
    "chunk_size": 14,
    "file_id": 16,
    "generation": 35,
    "key_version_id": 36,
    "content_rev": 51,
    "variant": 55,
    "salt": 56,
    "nonce_prefix": 83,
    "zero": 95,
    "header_tag": 96,
    "header_tag's end": 127,
}
SMALL_CHUNKS = {"ENCRYPTION_STREAM_CHUNK_KIB": "4", "ENCRYPTION_CHUNK_SIZE_MB": "1"}


@dataclass
class Lab:
    """Two pictures: ``bad`` will be bent, ``good`` must not suffer; contents by id."""

    installation: Installation
    room: PictureRoom
    client: ApiClient
    bad: UUID
    good: UUID
    contents: dict[UUID, bytes]

    @property
    def path(self) -> ObjectPath:
        return self.room.path(self.bad)

    def file(self, key: str) -> Path:
        return self.room.blob(key)

    def url(self, what: str = "original", image_id: UUID | None = None) -> str:
        return f"/images/{image_id or self.bad}/{what}"

    def forget(self) -> None:
        """As another worker, or this one after its cache ran out."""
        for image_id in (self.bad, self.good):
            self.installation.house.keys._cache.forget(f"file-{image_id}")

    def problems(self) -> set[tuple[str, str]]:
        """What ``encryption verify`` finds: (picture or column, part)."""
        verify = self.installation.services.verification
        found = [*verify.images(), *verify.columns()]
        return {(one.subject, one.part) for one in found if one.problem}

    def cli_names(self) -> str:
        result = self.installation.app.test_cli_runner().invoke(
            args=["encryption", "verify", "--json"]
        )
        assert result.exit_code == 1
        return result.output

    def check_good(self) -> None:
        for what in ("original", "preview", "thumb/320", "thumb/640"):
            answer = self.client.get(self.url(what, self.good))
            assert answer.status_code == 200, what
            if what == "original":
                assert answer.data == self.contents[self.good]
        assert self.room.row(self.good).status == "ready"

    def check_quarantined(self) -> None:
        """409 for everything of the picture, conditional requests and thumbnails too."""
        for what in ("original", "preview", "thumb/320", "thumb/160"):
            for headers in ({}, {"If-None-Match": "*"}, {"Range": "bytes=0-3"}):
                answer = self.client.get(self.url(what), headers=headers)
                assert answer.status_code == 409, what
                assert answer.mimetype == "application/problem+json"
        event = self.room.last_audited("image.quarantined")
        assert event is not None
        assert event.subject_id == str(self.bad)


@pytest.fixture
def lab(install) -> Lab:
    installation = install(**SMALL_CHUNKS)
    room = PictureRoom(installation)
    client = installation.api("ann")
    contents = [pictures.png(pictures.photograph(300, 200 + n)) for n in range(2)]
    bad, good = (room.upload(content).id for content in contents)
    lab = Lab(
        installation, room, client, bad, good, dict(zip((bad, good), contents, strict=True))
    )
    lab.check_good()
    assert lab.problems() == set()
    return lab


@pytest.fixture
def long_lab(lab: Lab) -> Lab:
    """The bent picture has many chunks of 4 KiB."""
    content = pictures.bmp(pictures.scene(800, 600))  # 1.4 MB
    lab.bad = lab.room.upload(content).id
    lab.contents[lab.bad] = content
    return lab


@pytest.mark.parametrize("field", HEADER)
def test_a_field_of_the_originals_header(lab: Lab, field: str) -> None:
    flip(lab.file(lab.path.original), HEADER[field])
    answer = lab.client.get(lab.url())
    assert answer.status_code == 409
    assert lab.contents[lab.bad][:8] not in answer.data
    lab.check_quarantined()
    lab.check_good()
    assert (str(lab.bad), "original") in lab.problems()
    assert str(lab.bad) in lab.cli_names()
    assert str(lab.good) not in lab.cli_names()


def _cut(path: Path, at: int) -> None:
    path.write_bytes(path.read_bytes()[:at])


def _append(path: Path, extra: bytes) -> None:
    path.write_bytes(path.read_bytes() + extra)


def _swap_chunks(path: Path, one: int, other: int, size: int = 4096 + 16) -> None:
    raw = bytearray(path.read_bytes())
    a, b = (slice(128 + n * size, 128 + (n + 1) * size) for n in (one, other))
    raw[a], raw[b] = raw[b], raw[a]
    path.write_bytes(raw)


BODIES: dict[str, Callable[[Path], None]] = {
    "first byte of the ciphertext": lambda path: flip(path, 128),
    "last byte of the tag": lambda path: flip(path, -1),
    "first byte of the tag": lambda path: flip(path, -16),
    "cut by one byte": lambda path: _cut(path, -1),
    "cut by one chunk": lambda path: _cut(path, 128 + 4112),
    "cut after the header": lambda path: _cut(path, 128),
    "cut within the header": lambda path: _cut(path, 60),
    "empty": lambda path: _cut(path, 0),
    "one byte longer": lambda path: _append(path, b"\0"),
    "an empty chunk appended": lambda path: _append(path, bytes(16)),
    "its own last chunk again": lambda path: _append(path, path.read_bytes()[-4112:]),
}


@pytest.mark.parametrize("what", BODIES)
def test_the_body_of_a_long_original(long_lab: Lab, what: str) -> None:
    BODIES[what](long_lab.file(long_lab.path.original))
    answer = long_lab.client.get(long_lab.url())
    assert answer.status_code == 409
    long_lab.check_quarantined()
    long_lab.check_good()
    assert (str(long_lab.bad), "original") in long_lab.problems()


def test_two_chunks_that_changed_places(long_lab: Lab) -> None:
    """They lie behind the first one: the answer ends before them, short of its length."""
    _swap_chunks(long_lab.file(long_lab.path.original), 100, 101)
    content = long_lab.contents[long_lab.bad]
    with pytest.raises(DecryptionFailed):
        _ = long_lab.client.get(long_lab.url(), buffered=False).data
    long_lab.check_quarantined()
    long_lab.check_good()
    assert (str(long_lab.bad), "original") in long_lab.problems()
    assert len(content) > 200 * 4096


def test_no_byte_of_a_damaged_later_chunk_leaves(long_lab: Lab) -> None:
    at = 150
    flip(long_lab.file(long_lab.path.original), 128 + at * 4112 + 5)
    content = long_lab.contents[long_lab.bad]
    before = long_lab.client.get(long_lab.url(), headers={"Range": "bytes=0-4095"})
    assert (before.status_code, before.data) == (206, content[:4096])
    sent = bytearray()
    answer = long_lab.client.get(long_lab.url(), buffered=False)
    assert answer.status_code == 200
    with pytest.raises(DecryptionFailed):
        sent.extend(part for piece in answer.iter_encoded() for part in piece)
    answer.close()
    assert len(sent) <= at * 4096
    assert bytes(sent) == content[: len(sent)]
    long_lab.check_quarantined()
    long_lab.check_good()


def test_a_range_that_begins_in_a_damaged_chunk_is_an_error_page(long_lab: Lab) -> None:
    flip(long_lab.file(long_lab.path.original), 128 + 150 * 4112 + 5)
    answer = long_lab.client.get(
        long_lab.url(), headers={"Range": f"bytes={150 * 4096 + 9}-{150 * 4096 + 10}"}
    )
    assert answer.status_code == 409
    long_lab.check_quarantined()


@pytest.mark.parametrize("field", [*HEADER, "ciphertext", "tag", "cut", "empty"])
@pytest.mark.parametrize("what", ["thumb/320", "preview"])
def test_a_derivative_is_made_again(lab: Lab, what: str, field: str) -> None:
    key = lab.path.preview if what == "preview" else lab.path.thumbnail(320)
    before = lab.client.get(lab.url(what)).data
    file = lab.file(key)
    match field:
        case "ciphertext":
            flip(file, 128)
        case "tag":
            flip(file, -1)
        case "cut":
            _cut(file, -40)
        case "empty":
            _cut(file, 0)
        case _:
            flip(file, HEADER[field])
    part = "preview" if what == "preview" else "thumbnail 320"
    assert lab.problems() == {(str(lab.bad), part)}
    answer = lab.client.get(lab.url(what))
    assert (answer.status_code, answer.data) == (200, before)
    event = lab.room.last_audited("derivative.damaged")
    assert event.subject_id == str(lab.bad)
    assert lab.problems() == set()
    lab.check_good()


SWAPS = {
    "the original of another picture": lambda lab: (
        lab.room.path(lab.good).original,
        lab.path.original,
    ),
    "a thumbnail as the original": lambda lab: (lab.path.thumbnail(320), lab.path.original),
}


@pytest.mark.parametrize("what", SWAPS)
def test_a_genuine_blob_in_the_place_of_the_original(lab: Lab, what: str) -> None:
    source, target = SWAPS[what](lab)
    shutil.copy(lab.file(source), lab.file(target))
    assert lab.client.get(lab.url()).status_code == 409
    lab.check_quarantined()
    lab.check_good()
    assert (str(lab.bad), "original") in lab.problems()


PLACES = {
    "another picture's thumbnail": lambda lab: lab.room.path(lab.good).thumbnail(320),
    "another size": lambda lab: lab.path.thumbnail(640),
    "another role": lambda lab: lab.path.preview,
    "the original": lambda lab: lab.path.original,
}


@pytest.mark.parametrize("what", PLACES)
def test_a_genuine_blob_in_the_place_of_a_thumbnail(lab: Lab, what: str) -> None:
    before = lab.client.get(lab.url("thumb/320")).data
    shutil.copy(lab.file(PLACES[what](lab)), lab.file(lab.path.thumbnail(320)))
    answer = lab.client.get(lab.url("thumb/320"))
    assert (answer.status_code, answer.data) == (200, before)
    assert lab.room.audited("derivative.damaged") == 1
    lab.check_good()


def _database(lab: Lab, statement: str, *values: object) -> None:
    with sqlite3.connect(lab.installation.instance / "darkroom.db") as direct:
        direct.execute(statement, values)
    direct.close()


@pytest.mark.parametrize("column", ["generation", "content_rev"])
def test_a_rolled_back_original(lab: Lab, column: str) -> None:
    """The blob is genuine, but the database knows of a later one."""
    if column == "generation":
        _database(lab, "UPDATE file_keys SET generation = 2 WHERE file_id = ?", lab.bad.hex)
    else:
        _database(lab, "UPDATE images SET content_rev = 1 WHERE id = ?", lab.bad.hex)
    answer = lab.client.get(lab.url())
    assert answer.status_code == 409
    assert lab.room.last_audited("image.quarantined").details["code"] == "rolled_back"
    lab.check_quarantined()
    lab.check_good()
    assert (str(lab.bad), "original") in lab.problems()


def test_a_rolled_back_thumbnail_is_made_again_and_recorded(lab: Lab) -> None:
    """Original and row are of revision 1, the thumbnail is of revision 0."""
    house = lab.installation.house
    path = lab.path
    access = lab.room.access(lab.bad)
    with house.store.open(path.original, lab.bad, *_original(access)) as blob:
        version = blob.reader.header.key_version_id
    house.blobs.delete(path.original)
    house.blobs.delete(path.sidecar)
    content = lab.contents[lab.bad]
    with house.uow.read() as session:
        meta = session.get(Image, lab.bad).meta
    _reseal(house, path, lab.bad, version, BytesIO(content), len(content), meta)
    _database(lab, "UPDATE images SET content_rev = 1 WHERE id = ?", lab.bad.hex)
    assert lab.client.get(lab.url()).data == content
    answer = lab.client.get(lab.url("thumb/320"))
    assert answer.status_code == 200
    assert lab.room.audited("derivative.damaged") == 1
    with house.store.open(
        path.thumbnail(320), lab.bad, *_thumb(lab.room.access(lab.bad))
    ) as blob:
        assert blob.reader.header.content_rev == 1


def _original(access: ImageAccess) -> tuple[Role, int, Floor]:
    return Role.ORIGINAL, 0, access.floor


def _thumb(access: ImageAccess) -> tuple[Role, int, Floor]:
    return Role.THUMBNAIL, 320, access.floor


def _reseal(house, path, image_id, version, source, size, meta) -> None:
    house.store.seal_original(
        path,
        image_id,
        house.keys.key(image_id, version),
        version,
        source,
        size,
        PublicFacts(file_type=MediaKind.IMAGE, mime_type="image/png"),
        PrivateFacts(
            filename="a.png",
            owner_id=image_id,
            collection_id=image_id,
            uploaded_at="2026-11-22T00:00:00+00:00",
            sha256=meta["sha256"],
            md5=meta["md5"],
        ),
        content_rev=1,
    )


@pytest.mark.parametrize("what", ["bit", "cut", "another's", "missing", "not JSON"])
def test_a_sidecar_is_named_and_the_picture_still_opens(lab: Lab, what: str) -> None:
    """Serving never reads a sidecar; the verification does."""
    file = lab.file(lab.path.sidecar)
    match what:
        case "bit":
            entry = json.loads(file.read_bytes())
            private = entry["entries"][0]["private"]
            entry["entries"][0]["private"] = ("A" if private[0] != "A" else "B") + private[1:]
            file.write_text(json.dumps(entry, sort_keys=True, separators=(",", ":")))
        case "cut":
            _cut(file, -1)
        case "another's":
            shutil.copy(lab.file(lab.room.path(lab.good).sidecar), file)
        case "missing":
            file.unlink()
        case _:
            file.write_bytes(b"\x89PNG")
    assert lab.client.get(lab.url()).data == lab.contents[lab.bad]
    assert lab.problems() == {(str(lab.bad), "sidecar")}
    lab.check_good()


def _entry(lab: Lab, image_id: UUID) -> Path:
    (found,) = lab.installation.settings.vault_path.rglob(f"file-{image_id}.json")
    return found


def _values(entry: Path) -> tuple[dict, dict]:
    whole = json.loads(entry.read_text())
    ((_, reference),) = whole.items()
    ((_, version),) = reference["versions"].items()
    return whole, version


@pytest.mark.parametrize("what", ["value", "another's value", "gone", "not JSON", "disabled"])
def test_a_vault_entry(lab: Lab, what: str) -> None:
    """A key that does not fit quarantines; a vault that does not answer only says 5xx."""
    entry = _entry(lab, lab.bad)
    whole, version = _values(entry)
    match what:
        case "value":
            raw = bytearray(base64.b64decode(version["value"]))
            raw[5] ^= 1
            version["value"] = base64.b64encode(raw).decode()
        case "another's value":
            version["value"] = _values(_entry(lab, lab.good))[1]["value"]
        case "disabled":
            version["enabled"] = False
    if what == "gone":
        entry.unlink()
    elif what == "not JSON":
        entry.write_text("{")
    else:
        entry.write_text(json.dumps(whole))
    lab.forget()
    answer = lab.client.get(lab.url())
    if what in {"value", "another's value"}:
        assert answer.status_code == 409
        lab.check_quarantined()
    else:
        assert answer.status_code >= 500
        assert lab.room.row(lab.bad).status == "ready"
    assert lab.contents[lab.bad][:8] not in answer.data
    lab.check_good()
    lab.forget()
    assert (str(lab.bad), "original") in lab.problems()


COLUMNS = {
    "images.card": ("images", "id"),
    "images.meta": ("images", "id"),
    "annotations.label": ("annotations", "image_id"),
    "annotations.box": ("annotations", "image_id"),
    "tags.name": ("tags", None),
    "collections.name": ("collections", None),
    "users.name": ("users", None),
}


@pytest.mark.parametrize("bend", ["bit", "swapped"])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_token_of_a_column(lab: Lab, column: str, bend: str) -> None:
    """The damaged value is not shown, the pictures are: no answer is a 500."""
    table, _, name = column.partition(".")
    for image_id in (lab.bad, lab.good):
        lab.installation.services.tags.replace(lab.room.actor, image_id, [f"t {image_id}"])
        lab.client.put(
            f"/api/v1/images/{image_id}/annotations",
            json={"annotations": [{"label": "cat", "box": {"x": 1, "y": 1, "w": 9, "h": 9}}]},
            headers={"If-Match": "*"},
        )
    lab.installation.person("eve")
    database = lab.installation.instance / "darkroom.db"
    with sqlite3.connect(database) as direct:
        rows = direct.execute(f"SELECT rowid, {name} FROM {table} LIMIT 2").fetchall()
        (row, token), (_, other) = rows
        bent = other if bend == "swapped" else token[:-1] + bytes([token[-1] ^ 1])
        direct.execute(f"UPDATE {table} SET {name} = ? WHERE rowid = ?", (bent, row))
    direct.close()
    assert (column, "column") in lab.problems()
    assert column in lab.cli_names()
    for image_id in (lab.bad, lab.good):
        for what in ("original", "thumb/320"):
            assert lab.client.get(lab.url(what, image_id)).status_code == 200
    for page in ("/api/v1/images", f"/api/v1/images/{lab.bad}", f"/api/v1/images/{lab.good}"):
        assert lab.client.get(page).status_code == 200, page
