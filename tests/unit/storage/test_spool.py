"""The spool as a file: in memory or on the disk, it reads the same."""

from __future__ import annotations

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

from app.storage.spool import MEMORY_LIMIT, SealedSpool
from tests.unit.storage import os_faults
from tests.unit.storage.pictures import MARKED
from tests.unit.storage.spools import filled, noise, spool_descriptors

SIZES = [0, 1, 1000, 262143, 262144, 262145, 524288, 524289, 1_000_000]


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
