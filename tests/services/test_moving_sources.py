"""What stands in a folder that is moving in, and what a .meta file may say."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.errors import ConfigurationError, InvalidInput
from app.services.migration.label_files import read_labels
from app.services.migration.meta_file import Meta, read_meta
from app.services.migration.sources import Source, find_sources, refuse_own_places


def folder_of(place: Path, *names: str) -> Path:
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(b"x")
    return place


def shown(sources: tuple[Source, ...], place: Path) -> dict[str, list[str]]:
    return {
        one.name: ["alone"] if one.alone else [str(b.relative_to(place)) for b in one.beside]
        for one in sources
    }


def test_sealed_files_and_their_meta(tmp_path: Path) -> None:
    names = (
        "a/1.jpg.enc",
        "a/1.jpg.enc.meta",
        "2.png.enc",
        "2.png.meta",
        "3.enc",
        "4.enc.meta",
    )
    found = find_sources(folder_of(tmp_path, *names, ".hidden/5.enc", "notes.txt", "s.json"))
    assert shown(found.sources, tmp_path) == {
        "2.png.enc": ["2.png.meta"],
        "3.enc": [],
        "a/1.jpg.enc": ["a/1.jpg.enc.meta"],
        "4.enc.meta": ["alone"],
    }
    assert found.left_alone == 2
    without = find_sources(tmp_path, without=frozenset({(tmp_path / "s.json").resolve()}))
    assert without.left_alone == 1


def test_pictures_and_their_labels(tmp_path: Path) -> None:
    names = ("classes.txt", "a.jpg", "a.txt", "b.png", "b.png.json", "lonely.txt")
    more = ("set/images/one/c.jpg", "set/labels/one/c.txt", "set/classes.txt", "d.jpg")
    found = find_sources(folder_of(tmp_path, *names, *more), labels=True)
    assert shown(found.sources, tmp_path) == {
        "a.jpg": ["a.txt"],
        "b.png": ["b.png.json"],
        "d.jpg": [],
        "set/images/one/c.jpg": ["set/labels/one/c.txt"],
        "lonely.txt": ["alone"],
    }
    assert found.left_alone == 2
    classes = {one.name: one.classes for one in found.sources}
    assert classes["a.jpg"] == tmp_path / "classes.txt"
    assert classes["set/images/one/c.jpg"] == tmp_path / "set" / "classes.txt"


def test_links_are_left_alone_and_dark_folders_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder_of(tmp_path / "old", "a.enc", "dark/b.enc")
    outside = folder_of(tmp_path / "outside", "c.enc")
    (place / "link.enc").symlink_to(outside / "c.enc")
    (place / "more").symlink_to(outside)
    real = os.scandir

    def scandir(path: str) -> object:
        if str(path).endswith("dark"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert list(shown(find_sources(place).sources, place)) == ["a.enc", "dark"]


def test_own_places(tmp_path: Path) -> None:
    inside, beside = tmp_path / "instance" / "store", tmp_path / "old"
    for place in (tmp_path, tmp_path / "instance", inside, inside / "deeper"):
        with pytest.raises(ConfigurationError):
            refuse_own_places(place, inside)
    refuse_own_places(beside, inside)


@pytest.mark.parametrize(
    ("text", "meta"),
    [
        ('{"originalType": ".jpg", "mimeType": "image/jpeg"}', Meta("image/jpeg")),
        ('{"mime_type": "IMAGE/PNG", "original-name": "a.png"}', Meta("image/png", "a.png")),
        ('{"contentType": "x", "file_id": "7"}', Meta(None, None, "7")),
        (".jpg\nimage/jpeg\n", Meta("image/jpeg")),
        ("mime: image/png\nname = a b.png", Meta("image/png", "a b.png")),
        ('{"mimeType": 7, "name": null}', Meta()),
        ("", Meta()),
        ("[" * 99999, Meta()),
        ("\x00\xff nonsense", Meta()),
    ],
)
def test_what_a_meta_file_says(tmp_path: Path, text: str, meta: Meta) -> None:
    path = tmp_path / "a.meta"
    path.write_text(text, encoding="utf-8")
    assert read_meta(path) == meta
    assert read_meta(None) == Meta()


def test_labels_that_cannot_be_read(tmp_path: Path) -> None:
    picture, text = tmp_path / "a.jpg", tmp_path / "a.txt"
    text.write_bytes(b"0 0.5 0.5 0.1 0.1")
    source = Source(picture, "a.jpg", labels=(text,))
    with pytest.raises(InvalidInput, match=r"no classes\.txt"):
        read_labels(source)
    classes = tmp_path / "classes.txt"
    classes.write_text("car")
    text.write_bytes(b"\xff\xfe0")
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_labels(Source(picture, "a.jpg", labels=(text,), classes=classes))
