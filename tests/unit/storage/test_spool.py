"""Bodies of uploads: in memory, or sealed on the disk, and never otherwise."""

from __future__ import annotations

import errno
import gc
import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from app.errors import DecryptionFailed, StoreFull, StoreUnavailable
from app.storage import unlinked_file
from app.storage.spool import MEMORY_LIMIT, SealedSpool
from tests.unit.storage import os_faults
from tests.unit.storage.pictures import MARKED

SIZES = [0, 1, 1000, 262143, 262144, 262145, 524288, 524289, 1_000_000]


def noise(size: int) -> bytes:
    return (MARKED * (size // len(MARKED) + 1))[:size]


def filled(folder: Path, data: bytes, limit: int) -> SealedSpool:
    spool = SealedSpool(folder, limit)
    for start in range(0, len(data), 65536):
        spool.write(data[start : start + 65536])
    return spool


def spool_descriptors(folder: Path) -> list[str]:
    """Descriptors of this process that lie in the folder, as paths that can be opened."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        link = f"/proc/self/fd/{number}"
        try:
            target = os.readlink(link)
        except FileNotFoundError:
            continue
        if target.startswith(str(folder)) and target.endswith("(deleted)"):
            found.append(link)
    return found


@pytest.fixture(params=["unnamed", "unlinked"])
def kind_of_file(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With O_TMPFILE, and as on file systems that have none."""
    if request.param == "unlinked":
        monkeypatch.setattr(unlinked_file, "_UNNAMED", 0)
    return str(request.param)


@pytest.mark.parametrize("limit", [0, 300_000, MEMORY_LIMIT])
@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_is_read(tmp_path: Path, size: int, limit: int) -> None:
    data = noise(size)
    with filled(tmp_path, data, limit) as spool:
        assert spool.tell() == spool.size == size
        assert spool.is_on_disk == (size > limit)
        assert spool.seek(0) == 0
        assert spool.read() == data
        assert spool.read() == b""
        assert spool.seek(-5, os.SEEK_END) == max(size - 5, 0) if size >= 5 else True
        assert spool.seek(0, os.SEEK_END) == spool.tell() == size
    assert os.listdir(tmp_path) == []


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


def test_a_small_body_never_reaches_the_disk(tmp_path: Path) -> None:
    watch = os_faults.watched(lambda number, name: None)
    with watch as trace, SealedSpool(tmp_path / "spool") as spool:
        spool.write(noise(MEMORY_LIMIT))
        spool.seek(0)
        spool.read(10)
    assert trace == []
    assert not (tmp_path / "spool").exists()


def test_the_limit_is_that_of_the_whole_body(tmp_path: Path) -> None:
    for total, on_disk in [(MEMORY_LIMIT, False), (MEMORY_LIMIT + 1, True), (None, True)]:
        with SealedSpool.for_body(tmp_path, total) as spool:
            spool.write(b"x")
            assert spool.is_on_disk is on_disk


def test_two_spools_share_no_key(tmp_path: Path) -> None:
    with filled(tmp_path, noise(9000), 0) as one, filled(tmp_path, noise(9000), 0) as two:
        one.seek(0)
        two.seek(0)
        first, second = (Path(link).read_bytes() for link in spool_descriptors(tmp_path))
        assert first[128:] != second[128:]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(0, 600_000),
    limit=st.sampled_from([0, 1 << 20]),
    moves=st.lists(
        st.tuples(st.integers(0, 600_000), st.integers(0, 400_000), st.booleans()), max_size=8
    ),
)
def test_it_reads_like_a_file(
    tmp_path: Path, size: int, limit: int, moves: list[tuple[int, int, bool]]
) -> None:
    data = noise(size)
    like = io.BytesIO(data)
    with filled(tmp_path, data, limit) as spool:
        for offset, length, into in moves:
            assert spool.seek(offset) == like.seek(offset)
            if into:
                mine, theirs = bytearray(length), bytearray(length)
                assert spool.readinto(mine) == like.readinto(theirs)
                assert mine == theirs
            else:
                assert spool.read(length) == like.read(length)
            assert spool.tell() == like.tell()


@pytest.mark.parametrize("limit", [0, MEMORY_LIMIT])
def test_lines_and_iteration(tmp_path: Path, limit: int) -> None:
    lines = [b"first\n", b"second " + b"x" * 300_000 + b"\n", b"last"]
    with filled(tmp_path, b"".join(lines), limit) as spool:
        spool.seek(0)
        assert spool.readline() == lines[0]
        assert spool.readline(6) == b"second"
        spool.seek(0)
        assert list(spool) == lines
        spool.seek(0)
        assert spool.readlines() == lines
        assert io.BufferedReader(spool).read() == b""
        assert spool.closed


def test_a_text_reader_may_stand_on_it(tmp_path: Path) -> None:
    with filled(tmp_path, "naïve\r\ncafé\n".encode(), 0) as spool:
        spool.seek(0)
        text = io.TextIOWrapper(spool, encoding="utf-8", newline="")
        assert text.read() == "naïve\r\ncafé\n"


def multipart(files: dict[str, bytes]) -> tuple[bytes, str]:
    body = b""
    for name, data in files.items():
        body += (
            b"--edge\r\nContent-Disposition: form-data; "
            b'name="files"; filename="%s"\r\n'
            b"Content-Type: image/jpeg\r\n\r\n%s\r\n" % (name.encode(), data)
        )
    return body + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def test_it_carries_the_files_of_a_form(tmp_path: Path) -> None:
    """As the stream of Werkzeug's own parser, which the web layer gives it to."""
    files = {"a.jpg": noise(9_000_000), "b.jpg": b"", "c.jpg": noise(9_000_001)}
    body, content_type = multipart(files)
    spools: list[SealedSpool] = []

    def stream(
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None,
        content_length: int | None = None,
    ) -> SealedSpool:
        spools.append(SealedSpool.for_body(tmp_path, total_content_length))
        return spools[-1]

    parser = FormDataParser(stream_factory=stream, max_form_parts=10)
    mimetype, options = parse_options_header(content_type)
    _, _, found = parser.parse(io.BytesIO(body), mimetype, len(body), options)
    for upload, (name, data) in zip(found.getlist("files"), files.items(), strict=True):
        assert upload.filename == name
        assert upload.stream.read() == data
        upload.stream.seek(0)
        copied = io.BytesIO()
        upload.save(copied)
        assert copied.getvalue() == data
    assert [spool.is_on_disk for spool in spools] == [True, False, True]
    for link in spool_descriptors(tmp_path):
        assert MARKED not in Path(link).read_bytes()
    assert os.listdir(tmp_path) == []
    for upload in found.getlist("files"):
        upload.close()
    assert spool_descriptors(tmp_path) == []


@pytest.mark.parametrize("limit", [0, MEMORY_LIMIT])
@pytest.mark.parametrize(
    "begin", [lambda spool: spool.seek(0), lambda spool: spool.read(1)], ids=["seek", "read"]
)
def test_writing_ends_where_reading_begins(
    tmp_path: Path, limit: int, begin: Callable[[SealedSpool], object]
) -> None:
    with filled(tmp_path, b"abc", limit) as spool:
        assert spool.writable()
        begin(spool)
        assert not spool.writable()
        with pytest.raises(io.UnsupportedOperation):
            spool.write(b"d")


def test_reading_first_stands_at_the_end(tmp_path: Path) -> None:
    for limit in (0, MEMORY_LIMIT):
        with filled(tmp_path, b"abc", limit) as spool:
            assert spool.read() == b""
            assert spool.tell() == 3


def test_a_closed_spool_is_closed(tmp_path: Path) -> None:
    for limit in (0, MEMORY_LIMIT):
        spool = filled(tmp_path, b"abc", limit)
        spool.close()
        spool.close()
        for call in (spool.read, spool.tell, lambda s=spool: s.seek(0), spool.readline):
            with pytest.raises(ValueError, match="closed"):
                call()
        with pytest.raises(ValueError, match="closed"):
            spool.write(b"x")


def test_it_gives_nothing_away(tmp_path: Path) -> None:
    with filled(tmp_path, MARKED, 0) as spool:
        with pytest.raises(io.UnsupportedOperation):
            spool.fileno()
        with pytest.raises(TypeError):
            pickle.dumps(spool)
        assert "SECRET" not in repr(spool)


def test_a_forgotten_spool_leaves_nothing(tmp_path: Path) -> None:
    spool = filled(tmp_path, noise(300_000), 0)
    spool.seek(0)
    assert len(spool_descriptors(tmp_path)) == 1
    del spool
    gc.collect()
    assert spool_descriptors(tmp_path) == []
    assert os.listdir(tmp_path) == []


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
