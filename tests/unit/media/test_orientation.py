"""A picture is shown as it was taken, whichever way the file says so."""

from __future__ import annotations

import io
from functools import partial

import pytest
from PIL import Image, ImageChops, ImageStat

from app.media.decoder_client import Rendered
from tests.fixtures import pictures
from tests.fixtures.corpus import corpus_file

CORNERS = {
    (0.25, 0.25): "RED",
    (0.75, 0.25): "GREEN",
    (0.25, 0.75): "BLUE",
    (0.75, 0.75): "WHITE",
}


def picture_of(rendered: Rendered, size: int = 320) -> Image.Image:
    with Image.open(io.BytesIO(rendered.derivatives[size])) as derivative:
        return derivative.convert("RGB")


def assert_upright_scene(rendered: Rendered) -> None:
    assert (rendered.width, rendered.height) == (96, 64)
    picture = picture_of(rendered)
    assert picture.size == (96, 64)
    for (x, y), name in CORNERS.items():
        found = picture.getpixel((int(x * 96), int(y * 64)))
        wanted = getattr(pictures, name)
        assert all(abs(a - b) < 30 for a, b in zip(found, wanted, strict=True)), (name, found)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_in_jpeg(orientation: int, decode) -> None:
    rendered = decode(pictures.camera_jpeg(orientation=orientation))
    assert_upright_scene(rendered)
    assert rendered.metadata["orientation"] == orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("make", [pictures.avif, pictures.heic])
def test_transformation_boxes_of_avif_and_heic(make, orientation: int, decode) -> None:
    assert_upright_scene(decode(make(orientation=orientation)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_tag(orientation: int, decode) -> None:
    stored = pictures.scene()
    if orientation > 1:
        stored = stored.transpose(pictures._STORED[orientation])
    rendered = decode(pictures.tiff(stored, tiffinfo={0x0112: orientation}))
    assert_upright_scene(rendered)
    assert rendered.metadata["orientation"] == orientation


def test_exif_in_png_and_webp(decode) -> None:
    stored = pictures.scene().transpose(Image.Transpose.ROTATE_90)
    for save in (pictures.png, partial(pictures.webp, quality=95)):
        assert_upright_scene(decode(save(stored, exif=pictures.exif(6))))


def test_orientation_only_in_xmp(decode) -> None:
    stored = pictures.scene().transpose(Image.Transpose.ROTATE_180)
    assert_upright_scene(decode(pictures.save(stored, "JPEG", quality=92, xmp=pictures.xmp(3))))


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_invalid_value_counts_as_upright(value: int, decode) -> None:
    tags = pictures.exif()
    tags[0x0112] = value
    assert_upright_scene(decode(pictures.save(pictures.scene(), "JPEG", quality=92, exif=tags)))


def test_transparent_pictures_are_turned_too(decode) -> None:
    stored = pictures.scene(mode="RGBA").transpose(Image.Transpose.ROTATE_90)
    stored.putpixel((0, 0), (0, 0, 0, 0))
    rendered = decode(pictures.png(stored, exif=pictures.exif(6)))
    assert rendered.derivatives[320][:4] == b"RIFF"
    assert_upright_scene(rendered)


@pytest.mark.parametrize("number", range(2, 9))
def test_the_corpus_shows_one_view_in_eight_orientations(number: int, decode) -> None:
    upright, turned = corpus_file("exif/land_1.jpg"), corpus_file(f"exif/land_{number}.jpg")
    if upright is None or turned is None:
        pytest.skip("the made corpus has its own orientation tests")
    a, b = decode(upright.read()), decode(turned.read())
    assert (a.width, a.height) == (b.width, b.height) == (600, 450)
    # A digit in the middle differs; turned by mistake, the mean difference is above 40.
    difference = ImageStat.Stat(ImageChops.difference(picture_of(a), picture_of(b)))
    assert max(difference.mean) < 15
