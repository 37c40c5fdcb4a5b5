"""Any mode of pixels ends as the colours that a person expects."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageCms

from app.media.colour import eight_bit, to_srgb
from tests.fixtures import pictures
from tests.unit.media.test_orientation import assert_upright_scene, picture_of


def test_16_bit_grey_is_scaled_not_clipped(decode) -> None:
    picture = picture_of(decode(pictures.grey16_png()))
    left, middle, right = (picture.getpixel((x, 32))[0] for x in (1, 32, 62))
    assert left < 12
    assert 115 < middle < 140
    assert right > 243


def test_dark_16_bit_grey_stays_dark(decode) -> None:
    picture = picture_of(decode(pictures.grey16_png(0, 4095)))
    assert max(picture.getpixel((60, 32))) <= 20


def test_12_bits_in_16_use_their_own_range() -> None:
    image = Image.new("I;16", (4, 4), 4095)
    image.tag_v2 = {258: (12,)}
    assert eight_bit(image).getextrema() == (255, 255)


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [("I", 65535, 255), ("I", 32768, 127), ("I", 100, 100), ("F", 0.5, 127), ("F", 200.0, 200)],
)
def test_wide_modes_keep_their_usual_ranges(mode: str, value: float, expected: int) -> None:
    image = Image.new(mode, (2, 1), 0)
    image.putpixel((1, 0), value)
    assert abs(eight_bit(image).getpixel((1, 0)) - expected) <= 1


def test_wide_values_out_of_the_usual_ranges_are_stretched() -> None:
    image = Image.new("F", (2, 1), -3.0)
    image.putpixel((1, 0), 1e6)
    assert eight_bit(image).getextrema() == (0, 255)
    broken = Image.new("F", (2, 1), float("nan"))
    assert eight_bit(broken).mode == "L"


def test_cmyk_with_the_adobe_marker_is_not_inverted(decode) -> None:
    data = pictures.cmyk_jpeg()
    assert b"Adobe" in data
    assert_upright_scene(decode(data))


def test_cmyk_tiff(decode) -> None:
    assert_upright_scene(decode(pictures.tiff(pictures.scene(mode="CMYK"))))


def test_lab_tiff(decode) -> None:
    lab = ImageCms.profileToProfile(
        pictures.scene(),
        ImageCms.createProfile("sRGB"),
        ImageCms.createProfile("LAB"),
        outputMode="LAB",
    )
    assert_upright_scene(decode(pictures.tiff(lab)))


@pytest.mark.parametrize("mode", ["P", "L", "1", "LA", "RGBA"])
def test_other_modes_of_png(mode: str, decode) -> None:
    rendered = decode(pictures.png(pictures.scene(mode="L").convert(mode)))
    picture = picture_of(rendered)
    assert min(picture.getpixel((72, 48))) > 240
    # All are opaque, whatever their mode can hold.
    assert rendered.derivatives[320][:2] == b"\xff\xd8"


def test_a_transparent_palette_colour_stays_transparent(decode) -> None:
    data = decode(pictures.palette_png()).derivatives[320]
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == "WEBP"
        assert picture.getchannel("A").getextrema() == (0, 255)


def test_transparent_pixels_do_not_bleed_their_colour(decode) -> None:
    image = Image.new("RGBA", (1000, 1000), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 501, 1000))
    data = decode(pictures.png(image)).derivatives[320]
    with Image.open(io.BytesIO(data)) as picture:
        for x in range(155, 166):
            red, _, blue, alpha = picture.getpixel((x, 160))
            assert alpha < 32 or red < 60 < blue


def test_a_profile_is_applied() -> None:
    """A profile with red and blue swapped must swap them in the result."""
    swapped = _swap_red_and_blue(pictures.profile())
    shown = to_srgb(Image.new("RGB", (4, 4), (255, 0, 0)), swapped)
    red, green, blue = shown.getpixel((0, 0))
    assert blue > 240
    assert max(red, green) < 16


def test_a_profile_is_applied_beside_transparency() -> None:
    image = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    red, _, blue, alpha = to_srgb(image, _swap_red_and_blue(pictures.profile())).getpixel(
        (0, 0)
    )
    assert (alpha, red < 16, blue > 240) == (128, True, True)


@pytest.mark.parametrize(
    "profile", [None, b"", b"no profile", pictures.profile()[:200], b"\0" * 5_000_000]
)
def test_a_broken_profile_is_left_out_of_account(profile: bytes | None) -> None:
    image = Image.new("RGB", (4, 4), (200, 100, 50))
    assert to_srgb(image, profile).getpixel((0, 0)) == (200, 100, 50)


def test_a_profile_for_another_colour_space_is_left_out_of_account() -> None:
    assert to_srgb(Image.new("L", (4, 4), 77), pictures.profile()).getpixel((0, 0)) == 77
    cmyk = Image.new("CMYK", (4, 4), (0, 0, 0, 0))
    assert to_srgb(cmyk, pictures.profile()).getpixel((0, 0)) == (255, 255, 255)


def test_a_broken_profile_in_a_file_does_not_cost_the_picture(decode) -> None:
    assert_upright_scene(decode(pictures.png(icc_profile=b"nonsense" * 30)))


def _swap_red_and_blue(profile: bytes) -> bytes:
    names = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}
    swapped = bytearray(profile)
    for number in range(int.from_bytes(profile[128:132], "big")):
        entry = slice(132 + 12 * number, 136 + 12 * number)
        swapped[entry] = names.get(bytes(profile[entry]), bytes(profile[entry]))
    return bytes(swapped)
