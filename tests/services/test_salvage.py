"""What still opens of a damaged file comes out exactly, and what is lost is told exactly."""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path

import pytest

from app.crypto.context import Role
from app.crypto.stream import MemorySource, open_bytes
from app.errors import EncryptionError
from app.jobs.watch import Unwatched
from app.services.salvage import SalvageReport
from tests.fixtures.tampering import SMALL_CHUNKS, Lab, append, cut
from tests.fixtures.uploads import flip

CHUNK = 4096
STEP = CHUNK + 16


@pytest.fixture
def blob(long_lab: Lab) -> Path:
    """1.4 MB in chunks of 4 KiB, with its sidecar beside it."""
    return long_lab.file(long_lab.path.original)


def salvaged(
    lab: Lab, blob: Path, *, sidecar: bool = True, sealed: bool = False
) -> tuple[SalvageReport, bytes]:
    beside = blob.with_name(blob.name + ".meta").read_bytes() if sidecar else None
    out, source = io.BytesIO(), MemorySource(blob.read_bytes())
    service = lab.installation.house.salvage
    report = service.run(Unwatched(), source, beside, out, sealed=sealed)
    return report, out.getvalue()


def with_holes(content: bytes, *lost: tuple[int, int]) -> bytes:
    raw = bytearray(content)
    for start, stop in lost:
        raw[start:stop] = bytes(stop - start)
    return bytes(raw)


@pytest.mark.parametrize("sidecar", [True, False])
def test_what_is_whole_comes_out_whole(long_lab: Lab, blob: Path, sidecar: bool) -> None:
    report, out = salvaged(long_lab, blob, sidecar=sidecar)
    assert out == long_lab.contents[long_lab.bad]
    assert (report.is_whole, report.lost, report.header_mended) == (True, [], False)
    assert report.file_id == long_lab.bad


@pytest.mark.parametrize("sidecar", [True, False])
def test_damaged_chunks_are_holes_and_neighbours_are_one_range(
    long_lab: Lab, blob: Path, sidecar: bool
) -> None:
    for index in (0, 7, 8, 100):
        flip(blob, 128 + index * STEP + 5)
    report, out = salvaged(long_lab, blob, sidecar=sidecar)
    lost = [(0, CHUNK), (7 * CHUNK, 9 * CHUNK), (100 * CHUNK, 101 * CHUNK)]
    assert (report.lost, report.size_known, report.is_whole) == (lost, True, False)
    assert out == with_holes(long_lab.contents[long_lab.bad], *lost)
    assert report.good == report.size - 4 * CHUNK


@pytest.mark.parametrize("sidecar", [True, False])
def test_a_file_that_was_cut(long_lab: Lab, blob: Path, sidecar: bool) -> None:
    content = long_lab.contents[long_lab.bad]
    cut(blob, 128 + 10 * STEP + 100)
    report, out = salvaged(long_lab, blob, sidecar=sidecar)
    assert out[: 10 * CHUNK] == content[: 10 * CHUNK]
    assert report.good == 10 * CHUNK
    assert report.size_known is sidecar
    assert not report.is_whole
    if sidecar:
        assert report.lost == [(10 * CHUNK, len(content))]
        assert len(out) == len(content)


def test_what_was_appended_is_left_out(long_lab: Lab, blob: Path) -> None:
    append(blob, b"x" * 100)
    report, out = salvaged(long_lab, blob)
    assert (report.is_whole, out) == (True, long_lab.contents[long_lab.bad])


def test_a_turned_bit_of_the_header_is_mended(long_lab: Lab, blob: Path) -> None:
    sound = blob.read_bytes()
    for bit in range(0, 1024, 29):
        raw = bytearray(sound)
        raw[bit // 8] ^= 1 << bit % 8
        blob.write_bytes(raw)
        report, out = salvaged(long_lab, blob, sidecar=bool(bit % 2))
        assert report.header_mended
        assert out == long_lab.contents[long_lab.bad]


def test_a_header_is_mended_from_the_sidecar_but_for_its_random_part(
    long_lab: Lab, blob: Path
) -> None:
    raw = bytearray(blob.read_bytes())
    raw[0:60] = os.urandom(60)
    raw[96:128] = bytes(32)
    blob.write_bytes(raw)
    report, out = salvaged(long_lab, blob)
    assert (report.header_mended, out) == (True, long_lab.contents[long_lab.bad])
    raw[60:64] = os.urandom(4)
    blob.write_bytes(raw)
    with pytest.raises(EncryptionError, match="No key of this vault"):
        salvaged(long_lab, blob)


def test_sealed_it_is_a_sound_blob_of_the_same_picture(long_lab: Lab, blob: Path) -> None:
    flip(blob, 128 + 3 * STEP)
    for sidecar in (True, False):
        report, out = salvaged(long_lab, blob, sidecar=sidecar, sealed=True)
        key = long_lab.installation.house.keys.key(long_lab.bad, out[36:52])
        opened = open_bytes(out, key, file_id=long_lab.bad, role=Role.ORIGINAL)
        content = long_lab.contents[long_lab.bad]
        assert opened == with_holes(content, (3 * CHUNK, 4 * CHUNK))
        assert report.lost == [(3 * CHUNK, 4 * CHUNK)]
        assert content[:64] not in out


def test_a_sidecar_that_is_none_counts_for_nothing(long_lab: Lab, blob: Path) -> None:
    other = long_lab.file(long_lab.room.path(long_lab.good).sidecar)
    for sidecar in (b"\x89PNG", other.read_bytes()):
        blob.with_name(blob.name + ".meta").write_bytes(sidecar)
        report, out = salvaged(long_lab, blob)
        assert (report.is_whole, out) == (True, long_lab.contents[long_lab.bad])


@pytest.mark.parametrize("keying", ["direct", "envelope"])
def test_the_command_needs_vault_and_key_alone(install, keying: str, tmp_path: Path) -> None:
    installation = install(**SMALL_CHUNKS, KEY_VAULT_KEYING=keying)
    from tests.fixtures import pictures
    from tests.fixtures.uploads import PictureRoom

    room, content = PictureRoom(installation), pictures.bmp(pictures.scene(800, 600))
    path = room.path(room.upload(content).id)
    copied = tmp_path / "damaged.enc"
    for key, target in ((path.original, copied), (path.sidecar, tmp_path / "damaged.enc.meta")):
        shutil.copy(room.blob(key), target)
    flip(copied, 128 + 2 * STEP)
    installation.house.close()
    (installation.instance / "darkroom.db").unlink()
    shutil.rmtree(installation.settings.store_path)
    runner, out = installation.app.test_cli_runner(), tmp_path / "out.bmp"
    answer = runner.invoke(args=["store", "salvage", str(copied), str(out), "--json"])
    assert answer.exit_code == 1
    told = json.loads(answer.stdout)
    assert told["lost"] == [[2 * CHUNK, 3 * CHUNK]]
    assert out.read_bytes() == with_holes(content, (2 * CHUNK, 3 * CHUNK))
    assert out.stat().st_mode & 0o777 == 0o600
    answer = runner.invoke(args=["store", "salvage", str(copied), str(out)])
    assert (answer.exit_code, "not there yet" in answer.output) == (1, True)
    piped = runner.invoke(args=["store", "salvage", str(copied), "-"])
    assert piped.stdout_bytes == out.read_bytes()
    assert f"Lost: bytes {2 * CHUNK}-{3 * CHUNK - 1}" in piped.stderr


def test_nothing_in_clear_goes_among_what_is_kept(long_lab: Lab, blob: Path) -> None:
    instance = long_lab.installation.instance
    link = instance.with_name("link")
    link.symlink_to(instance)
    before = sorted((instance / "store").rglob("*"))
    runner = long_lab.installation.app.test_cli_runner()
    for out in (instance / "out", instance / "store" / "out", link / "secrets" / "out"):
        answer = runner.invoke(args=["store", "salvage", str(blob), str(out)])
        assert (answer.exit_code, "outside of it" in answer.output) == (1, True)
    assert sorted((instance / "store").rglob("*")) == before
    assert not list(instance.rglob("out"))


def test_of_a_file_that_is_none_of_ours_nothing_is_written(
    long_lab: Lab, tmp_path: Path
) -> None:
    (tmp_path / "none").write_bytes(b"x" * 1000)
    runner = long_lab.installation.app.test_cli_runner()
    out = tmp_path / "out"
    answer = runner.invoke(args=["store", "salvage", str(tmp_path / "none"), str(out)])
    assert (answer.exit_code, out.exists()) == (2, False)
