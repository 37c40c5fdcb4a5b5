"""Metadata is read, bounded and plain; none of it is in a derivative."""

from __future__ import annotations

import json
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import PngImagePlugin, TiffImagePlugin

from app.media.plain_values import BUDGET, MAX_TEXT, Budget, number, plain, text_of
from tests.fixtures import pictures
from tests.fixtures.corpus import corpus_file
from tests.unit.media.stripped import foreign_parts

LEAKS = (b"Exif", b"ns.adobe", b"xmp", b"ICC_PROFILE", b"ICCP", b"GPS", b"Maker", b"Photoshop")
MAKERS = [
    pictures.camera_jpeg,
    pictures.avif,
    pictures.heic,
    pictures.text_png,
    lambda: pictures.webp(
        exif=pictures.exif(), xmp=pictures.xmp(), icc_profile=pictures.profile()
    ),
    lambda: pictures.png(exif=pictures.exif(), icc_profile=pictures.profile()),
    lambda: pictures.webp(
        pictures.scene(mode="RGBA"), exif=pictures.exif(), xmp=pictures.xmp()
    ),
    lambda: pictures.tiff(tiffinfo={270: pictures.SECRET, 700: pictures.xmp()}),
    lambda: pictures.save(pictures.scene(), "GIF", comment=pictures.SECRET.encode()),
]


@pytest.mark.parametrize("make", MAKERS)
def test_nothing_of_it_is_in_a_derivative(make, decode) -> None:
    data = make()
    assert pictures.SECRET.encode() in data
    rendered = decode(data)
    for part in (*rendered.derivatives.values(), rendered.placeholder):
        assert foreign_parts(part) == []
        assert pictures.SECRET.encode() not in part
        assert not any(leak in part for leak in LEAKS)


@pytest.mark.parametrize("make", [pictures.camera_jpeg, pictures.avif, pictures.heic])
def test_camera_place_and_time_are_read(make, decode) -> None:
    rendered = decode(make())
    assert rendered.taken_at == pictures.TAKEN_AT
    assert rendered.metadata["exif"]["Make"] == "Maker"
    assert rendered.metadata["exif"]["UserComment"] == pictures.SECRET
    place = rendered.metadata["gps"]
    assert place["latitude"] == pytest.approx(pictures.LATITUDE)
    assert place["longitude"] == pytest.approx(pictures.LONGITUDE)
    assert place["altitude"] == 171.5
    assert rendered.metadata["xmp_bytes"] == len(pictures.xmp())


def test_text_chunks_and_comments_are_read(decode) -> None:
    text = decode(pictures.text_png()).metadata["text"]
    assert text == {"Comment": pictures.SECRET, "Title": "写真"}
    assert decode(pictures.camera_jpeg()).metadata["text"] == {"comment": pictures.SECRET}


def test_nothing_is_shown_of_it_by_accident(decode) -> None:
    rendered = decode(pictures.camera_jpeg())
    assert pictures.SECRET not in repr(rendered)
    assert "2021" not in repr(rendered)


@pytest.mark.parametrize(
    ("name", "latitude", "longitude"),
    [
        ("exif/gps_10.jpg", 43.4674483, 11.8851267),
        ("good/x_iphone.HEIC", 39.0513444, -94.2887722),
    ],
)
def test_gps_of_real_cameras(name: str, latitude: float, longitude: float, decode) -> None:
    file = corpus_file(name)
    if file is None:
        pytest.skip("not in the made corpus")
    place = decode(file.read()).metadata["gps"]
    assert (place["latitude"], place["longitude"]) == (latitude, longitude)


def test_iptc_of_a_real_picture(decode) -> None:
    file = corpus_file("exif/iptc.jpg")
    if file is None:
        pytest.skip("not in the made corpus")
    iptc = decode(file.read()).metadata["iptc"]
    assert iptc["city"] == "Budapest"
    assert "holiday" in iptc["keywords"]


@pytest.mark.parametrize(
    "moment",
    ["0000:00:00 00:00:00", "    :  :     :  :  ", "2021:13:01 00:00:00", "yesterday", ""],
)
def test_an_impossible_capture_time_is_none(moment: str, decode) -> None:
    tags = pictures.exif()
    tags.get_ifd(0x8769)[0x9003] = moment
    assert decode(pictures.save(pictures.scene(), "JPEG", exif=tags)).taken_at is None


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        b"Exif\0\0nonsense" * 50,
        pictures.exif().tobytes()[:80],
    ],
)
def test_broken_exif_costs_the_metadata_not_the_picture(exif: bytes, decode) -> None:
    rendered = decode(pictures.save(pictures.scene(), "JPEG", exif=exif))
    assert (rendered.width, rendered.taken_at) == (96, None)


def test_impossible_places_are_left_out(decode) -> None:
    tags = pictures.exif()
    place = tags.get_ifd(0x8825)
    place[2], place[4] = (123.0, 0.0, 0.0), (math.inf, 0.0, 0.0)
    found = decode(pictures.save(pictures.scene(), "JPEG", exif=tags)).metadata["gps"]
    assert "latitude" not in found
    assert "longitude" not in found


def test_a_flood_of_text_is_bounded(decode) -> None:
    texts = PngImagePlugin.PngInfo()
    for n in range(300):
        texts.add_text(f"Key {n}", "x" * 5000)
    found = decode(pictures.png(pnginfo=texts)).metadata
    assert found["shortened"] is True
    assert len(json.dumps(found)) < 2 * BUDGET


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
        | st.fractions(),
        lambda inner: st.lists(inner, max_size=30) | st.tuples(inner, inner),
        max_leaves=30,
    )
)  # fmt: skip
def test_any_value_becomes_strict_json(value) -> None:
    found = plain(value)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    json.dumps(found).encode("ascii")
    assert not isinstance(found, str) or len(found) <= MAX_TEXT


def test_numbers_that_are_none() -> None:
    assert number(TiffImagePlugin.IFDRational(1, 0)) is None
    assert number(TiffImagePlugin.IFDRational(1, 4)) == 0.25
    assert number("word") is None
    assert plain(1 << 60) is None
    assert number(sys.float_info.max) is None  # 15 digits of it lead beyond


def test_bytes_are_text_only_if_they_are_text() -> None:
    assert text_of(b"0230") == "0230"
    assert text_of(b"UNICODE\0" + "Zoë".encode("utf-16")) == "Zoë"
    assert text_of(b"\x00\x01\x02\xff\xfe binary") is None
    assert text_of(b"") is None
    assert plain("a\0b\ud800c") == "abc"


def test_the_budget_says_when_it_is_spent() -> None:
    budget = Budget(40)
    assert budget.take("name", "short")
    assert not budget.spent
    assert not budget.take("name", "x" * 40)
    assert budget.spent
