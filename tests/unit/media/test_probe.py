"""The type of a file is told by its content, and every refusal says what it saw."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import UnsupportedType
from app.media import formats
from app.media.probe import HEAD_BYTES, probe
from tests.fixtures import pictures
from tests.fixtures.corpus import corpus_files

MADE = [
    (pictures.jpeg, formats.JPEG),
    (pictures.png, formats.PNG),
    (lambda: pictures.animation("PNG"), formats.PNG),
    (lambda: pictures.animation("GIF"), formats.GIF),
    (pictures.webp, formats.WEBP),
    (pictures.avif, formats.AVIF),
    (pictures.heic, formats.HEIC),
    (pictures.tiff, formats.TIFF),
    (lambda: pictures.tiff(big_tiff=True), formats.TIFF),
    (pictures.bmp, formats.BMP),
]
CLIPS = [
    (b"\0\0\0\x18ftypisom\0\0\2\0isomiso2", formats.MP4),
    (b"\0\0\0\x14ftypqt  \0\0\2\0qt  ", formats.MOV),
    (b"\x1a\x45\xdf\xa3\x8b\x42\x82\x84webm" + b"\0" * 60, formats.WEBM),
    (b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska" + b"\0" * 60, formats.MKV),
]
REFUSED = [
    (b"8BPS\0\1" + b"\0" * 60, "Photoshop"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    (b"\xef\xbb\xbf <?xml version='1.0'?>\n<svg/>", "SVG"),
    (b"<!DOCTYPE html><title>x</title>", "HTML"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n", "PostScript"),
    (b"%PDF-1.7\n", "PDF"),
    (b"\xd7\xcd\xc6\x9a" + b"\0" * 40, "WMF"),
    (b"\0\0\1\0\1\0\x10\x10" + b"\0" * 40, "icon"),
    (b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 " + b"\0" * 40, "JPEG 2000"),
    (b"RIFF\x9e\x16\0\0AVI LIST" + b"\0" * 40, "AVI"),
    (b"\0\0\0\x18ftyp3gp5\0\0\2\0isom", "3GP"),
    (b"\xff\xd8\xff<script>alert(1)</script>", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n<script>", "not accepted"),
    (b"BM not a bitmap at all, only two letters", "accepted"),
    (b"plain words", "no picture of a known type"),
]


@pytest.mark.parametrize(("make", "row"), MADE)
def test_pictures_are_known_by_content(make, row) -> None:
    data = make()
    assert probe(data[:HEAD_BYTES], len(data)) == row.file_type
    assert probe(data[:HEAD_BYTES], len(data)).kind == "image"


@pytest.mark.parametrize(("head", "row"), CLIPS)
def test_clips_are_known_as_such(head: bytes, row) -> None:
    assert probe(head, 10_000) == row.file_type
    assert probe(head, 10_000).kind == "video"


@pytest.mark.parametrize(("data", "named"), REFUSED)
def test_a_refusal_names_what_was_seen_and_what_is_accepted(data: bytes, named: str) -> None:
    with pytest.raises(UnsupportedType) as caught:
        probe(data, len(data))
    assert named in caught.value.message
    assert "Accepted are JPEG, PNG" in caught.value.message


def test_an_empty_file_is_refused_as_such() -> None:
    with pytest.raises(UnsupportedType, match="empty"):
        probe(b"", 0)


def test_a_file_that_is_two_things_is_refused() -> None:
    jpeg = bytearray(pictures.jpeg())
    jpeg[128:132] = b"DICM"
    # The JPEG signature comes first in the file: this one is a JPEG to both readers.
    assert probe(bytes(jpeg), len(jpeg)) == formats.JPEG.file_type
    dicom_with_png_inside = b"\0" * 128 + b"DICM" + pictures.png()
    with pytest.raises(UnsupportedType):
        probe(dicom_with_png_inside, len(dicom_with_png_inside))
    raw_in_tiff_clothes = b"II*\0\x10\0\0\0CR\2\0" + b"\0" * 60
    with pytest.raises(UnsupportedType, match="Canon raw"):
        probe(raw_in_tiff_clothes, len(raw_in_tiff_clothes))


def test_a_still_picture_brand_is_told_apart_by_its_companions() -> None:
    avif = b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf" + b"\0" * 20
    heif = b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf" + b"\0" * 20
    assert probe(avif, 1000) == formats.AVIF.file_type
    assert probe(heif, 1000) == formats.HEIF.file_type


@given(st.binary(max_size=300), st.integers(0, 1 << 40))
def test_any_bytes_are_either_known_or_refused(head: bytes, size: int) -> None:
    try:
        known = probe(head, size)
    except UnsupportedType:
        return
    assert known in {row.file_type for row in formats.FORMATS}


@pytest.mark.parametrize(("make", "row"), MADE[:4])
def test_every_shortened_head_is_either_known_or_refused(make, row) -> None:
    data = make()
    for length in range(64):
        try:
            assert probe(data[:length], len(data)) == row.file_type
        except UnsupportedType:
            continue


def test_the_corpus_is_never_called_something_else() -> None:
    for file in corpus_files():
        data = file.read()
        try:
            kind = probe(data[:HEAD_BYTES], len(data)).kind
        except UnsupportedType:
            assert file.expected != "accept", file.name
        else:
            assert (kind == "video") == file.is_clip, file.name


def test_only_what_a_browser_shows_is_inline() -> None:
    inline = {row.file_type.mime_type for row in formats.FORMATS if row.inline}
    assert inline == {
        "image/jpeg", "image/png", "image/gif", "image/webp", "image/avif",
        "video/mp4", "video/webm",
    }  # fmt: skip
    assert formats.shows_inline("image/png")
    assert not formats.shows_inline("image/svg+xml")
    with pytest.raises(UnsupportedType):
        formats.format_of("image/svg+xml")
