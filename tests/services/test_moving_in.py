"""Old sealed files at the service's door: chance, damage, the corpus, large files."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text

from app.crypto.keys import SecretKey, generate_key
from app.crypto.legacy_cbc import open_cbc
from app.domain.access import OPERATOR
from app.errors import DecryptionFailed
from app.services.migration.opened import OldFiles, OldKeys
from app.services.migration.outcome import Outcome, Verdict
from app.services.migration.proof import Proven
from app.services.migration.sources import Source, find_sources
from app.services.new_image import UNVERIFIED, Wishes
from app.storage import unlinked_file
from tests.fixtures import pictures
from tests.fixtures.corpus import corpus_files
from tests.fixtures.installation import Installation
from tests.fixtures.older_files import OLD_KEY, cbc, cbc_text, gcm, put_old
from tests.fixtures.uploads import PictureRoom, picture

FAILED = "Decryption failed - invalid key or corrupted data"


def opener(home: Installation, keys: OldKeys | None = None) -> OldFiles:
    limit = home.settings.upload_max_size
    return OldFiles(keys or OldKeys(OLD_KEY), home.instance, limit)


def take(home: Installation, source: Source, keys: OldKeys | None = None) -> Outcome:
    folders, actor = home.services.moving_in.folders, home.person().actor
    return folders.take(actor, source, opener(home, keys), Wishes(), dry_run=False)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder of the older program, beside the installation."""
    folder = tmp_path / "old"
    folder.mkdir()
    return folder


class _Nowhere:
    def write(self, data: bytes, /) -> int:
        return len(data)


def keys_that_pass_the_padding(sealed: Path, wanted: int) -> list[SecretKey]:
    """Wrong keys of which PKCS#7 says nothing: about one in 256."""
    found: list[SecretKey] = []
    while len(found) < wanted:
        key = generate_key()
        with sealed.open("rb") as file:
            try:
                open_cbc(file, key, _Nowhere())
            except DecryptionFailed:
                continue
        found.append(key)
    return found


def test_three_hundred_wrong_keys_that_pass_the_padding(
    installation: Installation, old: Path
) -> None:
    path = put_old(old, "a.png", pictures.png(pictures.scene(8, 8)), told=None)
    (source,) = find_sources(path.parent).sources
    installation.person()
    for key in keys_that_pass_the_padding(path, 300):
        outcome = take(installation, source, OldKeys(key))
        assert (outcome.verdict, outcome.reason) == (Verdict.REFUSED, FAILED)
    left = PictureRoom(installation).left()
    assert (left.rows["images"], left.keys, left.files) == (0, frozenset(), frozenset())
    assert take(installation, source).verdict is Verdict.IMPORTED


@pytest.mark.parametrize("head", [b"%!", b"MZ", b"\x1f\x9d", b"\xff\xf1", b"\xff\xfb"])
def test_noise_that_begins_like_something_else_by_chance(
    installation: Installation, old: Path, head: bytes
) -> None:
    put_old(old, "a.bin", head + os.urandom(4000), told=None)
    (source,) = find_sources(old).sources
    assert take(installation, source).reason == FAILED


def test_the_right_magic_bytes_over_noise(installation: Installation, old: Path) -> None:
    for n, head in enumerate((b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\x89PNG\r\n\x1a\n")):
        put_old(old, f"{n}.bin", head + os.urandom(4000), told=None)
    for source in find_sources(old).sources:
        assert take(installation, source).reason == FAILED
    assert PictureRoom(installation).left().rows["images"] == 0


def test_where_it_came_from_is_kept(installation: Installation, old: Path) -> None:
    key = generate_key()
    put_old(old, "old.png", pictures.png(), told='{"originalName": "Ferien ☀.png"}')
    (old / "7.enc").write_bytes(gcm(picture(7), key))
    (old / "text.bmp.enc").write_text(cbc_text(picture(8)))
    keys = OldKeys(OLD_KEY, {"file-7": key})
    outcomes = {s.name: take(installation, s, keys) for s in find_sources(old).sources}
    with installation.house.uow.read_rows() as rows:
        told = rows.execute(text("SELECT id, provenance FROM images")).all()
    known = {UUID(str(row.id)): row.provenance for row in told}
    assert {name: known[o.image_id] for name, o in outcomes.items()} == {
        "old.png.enc": UNVERIFIED,
        "text.bmp.enc": UNVERIFIED,
        "7.enc": "sealed",
    }
    listed = installation.api().get("/api/v1/images").json["images"]
    assert {one["original_name"] for one in listed} == {"Ferien ☀.png", "7", "text.bmp"}


@pytest.mark.slow
def test_the_corpus_moves_in(installation: Installation, old: Path) -> None:
    """What an upload takes, an import takes, byte by byte; what it refuses is refused."""
    wanted = [file for file in corpus_files() if file.expected != "either"][:80]
    contents = [file.read() for file in wanted]
    for n, content in enumerate(contents):
        put_old(old, f"{n:03}", content, told=None)
    door, actor = installation.services.moving_in, installation.person().actor
    sources = find_sources(old).sources
    assert len(sources) == len(wanted)
    for file, content, source in zip(wanted, contents, sources, strict=True):
        outcome = take(installation, source)
        taken = outcome.verdict is not Verdict.REFUSED
        assert taken == (file.expected == "accept" and not file.is_clip), (file, outcome)
        one = door.proof.prove(actor, None, source, opener(installation))
        assert isinstance(one, Proven) == taken, (file, one)
        if outcome.image_id is not None:
            assert PictureRoom(installation).original(outcome.image_id) == content


def test_a_large_file_goes_through_the_sealed_spool(
    installation: Installation, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = b"MarkPixels51c0"
    large = bytearray(picture(1, 2600, 2400))
    large[5000:] = (marker * (len(large) // len(marker)))[: len(large) - 5000]
    key = generate_key()
    put_old(old, "large.bmp", bytes(large), told=None)
    (old / "9.enc").write_bytes(gcm(bytes(large), key))
    written: list[bytes] = []
    real = os.write

    def watch(descriptor: int, data: bytes) -> int:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):  # else a pipe to the decoder
            written.append(bytes(data))
        return real(descriptor, data)

    monkeypatch.setattr(unlinked_file.os, "write", watch)
    verdicts = [
        take(installation, source, OldKeys(OLD_KEY, {"file-9": key})).verdict
        for source in find_sources(old).sources
    ]
    monkeypatch.undo()
    assert sorted(verdicts) == [Verdict.THERE, Verdict.IMPORTED]
    assert sum(map(len, written)) > 2 * len(large)
    assert not any(marker in piece for piece in written)
    for path in installation.instance.rglob("*"):
        assert not path.is_file() or marker not in path.read_bytes(), path


def test_a_file_over_the_limit_is_not_decrypted(install, old: Path) -> None:
    home = install(UPLOAD_MAX_SIZE="20000")
    key = generate_key()
    (old / "a.bmp.enc").write_bytes(cbc(picture(1, 200, 200)))
    (old / "b.bmp.enc").write_text(cbc_text(picture(1, 200, 200)))
    (old / "7.enc").write_bytes(gcm(picture(1, 200, 200), key))
    for source in find_sources(old).sources:
        outcome = take(home, source, OldKeys(OLD_KEY, {"file-7": key}))
        assert "UPLOAD_MAX_SIZE" in outcome.reason, outcome


def test_a_source_that_cannot_be_read(installation: Installation, old: Path) -> None:
    gone = Source(old / "gone.png.enc", "gone.png.enc")
    folder = Source(old, "folder")
    door, actor = installation.services.moving_in, installation.person().actor
    for source in (gone, folder):
        assert take(installation, source).reason == "It cannot be read."
        one = door.proof.prove(actor, None, source, opener(installation))
        assert isinstance(one, Outcome)
        assert one.reason == "It cannot be read."


def test_a_source_that_changed_after_its_proof_stays(
    installation: Installation, old: Path
) -> None:
    path = put_old(old, "a.png", pictures.png())
    (source,) = find_sources(old).sources
    take(installation, source)
    door, actor = installation.services.moving_in, installation.person().actor
    one = door.proof.prove(actor, None, source, opener(installation))
    assert isinstance(one, Proven)
    with path.open("ab") as file:
        file.write(b"more")
    outcome = door.removal.remove(OPERATOR, one, frozenset())
    assert outcome is not None
    assert "changed" in outcome.reason
    assert path.exists()
    assert source.meta is not None
    assert source.meta.exists()


def test_a_picture_set_aside_is_no_proof(installation: Installation, old: Path) -> None:
    put_old(old, "a.png", pictures.png())
    (source,) = find_sources(old).sources
    taken = take(installation, source)
    with installation.house.uow.write() as session:
        session.execute(text("UPDATE images SET status = 'quarantined'"))
    door, actor = installation.services.moving_in, installation.person().actor
    one = door.proof.prove(actor, None, source, opener(installation))
    assert isinstance(one, Outcome)
    assert "set aside" in one.reason
    assert taken.image_id is not None


def test_somebody_elses_collection_is_not_found(installation: Installation, old: Path) -> None:
    put_old(old, "a.png", pictures.png())
    (source,) = find_sources(old).sources
    bob = installation.person("bob").actor
    theirs = installation.services.collections.create(bob, name="Theirs").slug
    folders, ann = installation.services.moving_in.folders, installation.person().actor
    wishes = Wishes(collection=theirs)
    refused = folders.take(ann, source, opener(installation), wishes, dry_run=True)
    assert refused.verdict is Verdict.REFUSED
    assert "Theirs" not in refused.reason
    assert PictureRoom(installation).left().rows["images"] == 0
