"""What a large spool leaves on the disk: nothing readable, whatever fails."""

from __future__ import annotations

import errno
import gc
import os
from pathlib import Path

import pytest

from app.errors import DecryptionFailed, StoreFull, StoreUnavailable
from app.storage import unlinked_file
from tests.unit.storage import os_faults
from tests.unit.storage.pictures import MARKED
from tests.unit.storage.spools import filled, noise, spool_descriptors


@pytest.fixture(params=["unnamed", "unlinked"])
def kind_of_file(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With O_TMPFILE, and as on file systems that have none."""
    if request.param == "unlinked":
        monkeypatch.setattr(unlinked_file, "_UNNAMED", 0)
    return str(request.param)


def test_a_touched_file_is_noticed(tmp_path: Path) -> None:
    data = noise(600_000)
    with filled(tmp_path, data, 0) as spool:
        spool.seek(0)
        (link,) = spool_descriptors(tmp_path)
        with open(link, "r+b") as raw:
            raw.seek(128 + 262144 + 16 + 1000)
            raw.write(b"\0\0\0\0")
        assert spool.read(200_000) == data[:200_000]
        with pytest.raises(DecryptionFailed):
            spool.read()


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.ENOSPC, StoreFull), (errno.EIO, StoreUnavailable)]
)
@pytest.mark.parametrize("onwards", [False, True])
def test_every_call_may_fail(
    tmp_path: Path,
    number: int,
    kind: type[Exception],
    onwards: bool,
    kind_of_file: str,
) -> None:
    data = noise(700_000)

    def use() -> None:
        with filled(tmp_path / "spool", data, 0) as spool:
            spool.seek(0)
            assert spool.read() == data

    calls = os_faults.count(use)
    assert calls > 8
    failures = 0
    for at in range(1, calls + 1):
        with os_faults.watched(os_faults.failing(at, number, onwards=onwards)):
            try:
                use()
            except kind:
                failures += 1
        assert spool_descriptors(tmp_path) == []
        for left in (tmp_path / "spool").iterdir():
            assert left.name.startswith(".tmp-")
            assert MARKED not in left.read_bytes()
    assert failures >= calls - 4


def test_a_kill_at_every_call_leaves_no_plaintext(tmp_path: Path, kind_of_file: str) -> None:
    data = noise(300_000)
    folder = tmp_path / "spool"

    def use() -> None:
        with filled(folder, data, 0) as spool:
            spool.seek(0)
            assert spool.read() == data

    at = 1
    while os_faults.killed_at(at, use):
        if folder.exists():
            for left in folder.iterdir():
                assert left.read_bytes() == b""
        at += 1
    assert at > 5


def test_no_plaintext_reaches_the_disk(tmp_path: Path, kind_of_file: str) -> None:
    data = noise(3_000_000)
    with filled(tmp_path, data, 0) as spool:
        for reading in (False, True):
            if reading:
                spool.seek(0)
                assert spool.read(100) == data[:100]
            assert os.listdir(tmp_path) == []
            (link,) = spool_descriptors(tmp_path)
            raw = Path(link).read_bytes()
            assert len(raw) > 2_000_000
            assert MARKED not in raw
            assert data[1000:1016] not in raw
            assert os.stat(link).st_mode & 0o777 == 0o600
    assert spool_descriptors(tmp_path) == []


def test_a_forgotten_spool_leaves_nothing(tmp_path: Path) -> None:
    spool = filled(tmp_path, noise(300_000), 0)
    spool.seek(0)
    assert len(spool_descriptors(tmp_path)) == 1
    del spool
    gc.collect()
    assert spool_descriptors(tmp_path) == []
    assert os.listdir(tmp_path) == []


def test_two_spools_share_no_key(tmp_path: Path) -> None:
    with filled(tmp_path, noise(9000), 0) as one, filled(tmp_path, noise(9000), 0) as two:
        one.seek(0)
        two.seek(0)
        first, second = (Path(link).read_bytes() for link in spool_descriptors(tmp_path))
        assert first[128:] != second[128:]
