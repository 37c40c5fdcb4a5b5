"""Archives: sound ones are read in place, what is made to do harm is refused with its place."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import FileTooLarge, InvalidInput, RefusedError
from app.services.exchange.archive import Upload
from app.services.exchange.archive_limits import ArchiveLimits
from tests.services.exchange import archives
from tests.services.exchange.archives import pack

SMALL = ArchiveLimits(
    entries=10, directory=4096, document=4096, documents=6000, picture=1 << 20
)


def opened(raw: bytes, folder: Path, name: str = "set.zip", limits: ArchiveLimits = SMALL):
    return Upload(io.BytesIO(raw), name, folder, limits)


def test_documents_pictures_and_the_rest(tmp_path: Path) -> None:
    raw = pack(
        {
            "labels/a.txt": b"0 .5 .5 1 1\n",
            "images\\a.PNG": b"picture",
            "ünï/b.json": b"{}",
            "inner.zip": pack({"c.json": b"{}"}),
            "__MACOSX/labels/._a.txt": b"junk",
            "Thumbs.db": b"junk",
            "./d.xml": b"<a/>",
            "empty/": b"",
        }
    )
    with opened(raw, tmp_path) as upload:
        assert list(upload.documents) == ["labels/a.txt", "ünï/b.json", "d.xml"]
        assert upload.pictures == ("images/a.PNG",)
        assert upload.ignored == ("inner.zip", "__MACOSX/labels/._a.txt", "Thumbs.db")
        assert upload.documents["labels/a.txt"] == b"0 .5 .5 1 1\n"
        assert upload.size_of("images/a.PNG") == 7
        with upload.open_picture("images/a.PNG") as picture:
            assert picture.read() == b"picture"
        with pytest.raises(KeyError):
            upload.documents["images/a.PNG"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["set.json", "a/b.XML", "labels.csv", "a.txt"])
def test_one_file_by_itself(tmp_path: Path, name: str) -> None:
    with opened(b"[1]", tmp_path, name) as upload:
        assert list(upload.documents.values()) == [b"[1]"]
        assert upload.pictures == upload.ignored == ()


@pytest.mark.parametrize("name", ["set.exe", "set", "a.png", "a.tar.gz", ""])
def test_what_is_neither_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="ZIP"):
        opened(b"\x1f\x8b\x08 whatever", tmp_path, name)


HOSTILE = {
    "absolute": archives.entry("/etc/a.json"),
    "drive": archives.entry("C:/a.json"),
    "backslash drive": archives.entry("C:\\a.json"),
    "up": archives.entry("a/../../b.json"),
    "up by backslash": archives.entry("a\\..\\..\\b.json"),
    "network": archives.entry("\\\\host\\a.json"),
    "nul": archives.entry("a.json\0.png"),
    "line": archives.entry("a\nb.json"),
    "direction": archives.entry("a\u202egpj.json"),
    "long": archives.entry("a" * 2000 + ".json"),
    "link": archives.entry("a.json", b"/etc/passwd", mode=0o120777),
    "device": archives.entry("a.json", b"", mode=0o020666),
    "fifo": archives.entry("a.json", b"", mode=0o010666),
    "encrypted": archives.entry("a.json", flags=0x1),
    "strongly encrypted": archives.entry("a.json", flags=0x41),
    "hidden list": archives.entry("a.json", flags=0x2000),
    "shared data": archives.shared(3),
    "bomb": pack({"a.png": bytes(3 << 20)}),
    "many small bombs": pack({f"{n}.png": bytes(1 << 20) for n in range(9)}),
    "nothing": pack({}),
    "bzip2": pack({"a.json": b"{}"}, method=zipfile.ZIP_BZIP2),
    "lzma": pack({"a.json": b"{}"}, method=zipfile.ZIP_LZMA),
    "cut": pack({"a.json": b"{}" * 99})[:-30],
    "no list": b"PK\x03\x04" + bytes(99),
    "list elsewhere": pack({"a.json": b"{}"})[:-6] + b"\xf0\0\0\0\0\0",
    "crowded": archives.crowded(1 << 40),
    "crowded 32": archives.crowded(11),
    "many": pack({f"{n}.json": b"{}" for n in range(11)}),
    "large document": pack({"a.json": bytes(range(256)) * 20}),
    "large documents": pack({f"{n}.json": bytes(range(256)) * 8 for n in range(4)}),
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_harm_is_refused(tmp_path: Path, what: str) -> None:
    with pytest.raises((InvalidInput, FileTooLarge)) as refusal:
        opened(HOSTILE[what], tmp_path)
    assert "etc" not in refusal.value.message
    assert list(tmp_path.iterdir()) == []


def test_two_entries_of_one_name(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a/b.json", b"1")
        archive.writestr("a\\b.json", b"2")
    with pytest.raises(InvalidInput, match="same name"):
        opened(out.getvalue(), tmp_path)


@pytest.mark.parametrize("told", [3, 4000])
def test_a_size_that_is_not_true_is_noticed(tmp_path: Path, told: int) -> None:
    raw = archives.lying("a.json", b'{"x": 1}' * 40, told)
    with opened(raw, tmp_path) as upload, pytest.raises(InvalidInput):
        upload.documents["a.json"]
    raw = archives.lying("a.png", b"p" * 99, told)
    with opened(raw, tmp_path) as upload, pytest.raises(InvalidInput):
        upload.open_picture("a.png")
    assert list(tmp_path.iterdir()) == []


def test_names_without_the_mark_of_utf8(tmp_path: Path) -> None:
    with opened(archives.entry("größe.json", b"[]"), tmp_path) as upload:
        assert list(upload.documents) == ["größe.json"]


def test_a_damaged_entry_is_told_by_its_name(tmp_path: Path) -> None:
    raw = bytearray(pack({"a.json": bytes(range(200)) * 9}))
    raw[60] ^= 0xFF
    with opened(bytes(raw), tmp_path) as upload, pytest.raises(InvalidInput) as refusal:
        upload.documents["a.json"]
    assert refusal.value.mistakes[0].path == "a.json"


def test_zip64_is_read(tmp_path: Path) -> None:
    out = io.BytesIO()
    with (
        zipfile.ZipFile(out, "w") as archive,
        archive.open("a.json", "w", force_zip64=True) as f,
    ):
        f.write(b"[]")
    with opened(out.getvalue(), tmp_path) as upload:
        assert upload.documents["a.json"] == b"[]"


def test_memory_stays_small_whatever_a_picture_takes(tmp_path: Path) -> None:
    """What is read grows by 48 MiB, what is held by nothing: a large picture is sealed."""
    peaks = []
    for blocks in (16, 64):
        source = archives.Endless(blocks)
        limits = ArchiveLimits(picture=1 << 32)
        tracemalloc.start()
        upload = Upload(source, "a.zip", tmp_path, limits)
        with upload, upload.open_picture("images/big.png") as picture:
            assert picture.size == blocks << 20
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + (8 << 20)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_is_a_refusal(tmp_path_factory, data: st.DataObject) -> None:
    raw = bytearray(pack({"a.json": b"{}" * 30, "b/c.png": b"p" * 50, "d.txt": b"0 1 2"}))
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(4, len(raw) - 1))] = data.draw(st.integers(0, 255))
    folder = tmp_path_factory.getbasetemp()
    try:
        with opened(bytes(raw), folder) as upload:
            for name in upload.documents:
                upload.documents[name]
            for name in upload.pictures:
                upload.open_picture(name).close()
    except RefusedError:
        pass
