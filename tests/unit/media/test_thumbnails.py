"""Sizes, kinds and quality of the derivatives."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from app.media import thumbnails
from app.media.photo import bare, fit
from tests.fixtures import pictures
from tests.unit.media.test_orientation import assert_upright_scene


def opened(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image


def test_each_size_is_the_longest_side(decode) -> None:
    rendered = decode(pictures.jpeg(pictures.photograph(2000, 1500)))
    assert {n: opened(part).size for n, part in rendered.derivatives.items()} == {
        320: (320, 240),
        640: (640, 480),
        1600: (1600, 1200),
    }


def test_no_derivative_is_larger_than_the_picture(decode) -> None:
    rendered = decode(pictures.jpeg(pictures.photograph(500, 400)))
    assert [opened(rendered.derivatives[n]).size for n in (320, 640, 1600)] == [
        (320, 256),
        (500, 400),
        (500, 400),
    ]
    assert rendered.derivatives[640] == rendered.derivatives[1600]


@pytest.mark.parametrize(
    ("size", "thumb"), [((4000, 2), (320, 1)), ((2, 4000), (1, 320)), ((1, 1), (1, 1))]
)
def test_extreme_ratios_never_reach_0_pixels(size, thumb, decode) -> None:
    for make in (pictures.png, pictures.jpeg):
        rendered = decode(make(pictures.scene(*size)))
        assert (rendered.width, rendered.height) == size
        assert opened(rendered.derivatives[320]).size == thumb


@given(st.integers(1, 40_000), st.integers(1, 40_000), st.integers(1, 4096))
def test_fit_keeps_the_ratio_and_the_bounds(width: int, height: int, side: int) -> None:
    fitted = fit((width, height), side)
    assert max(fitted) == min(side, max(width, height))
    assert min(fitted) >= 1
    assert abs(fitted[0] * height - fitted[1] * width) <= max(width, height)


def test_other_sizes_on_request(decode) -> None:
    rendered = decode(pictures.jpeg(pictures.photograph(2000, 1500)), sizes=(160, 1920))
    assert {n: opened(part).width for n, part in rendered.derivatives.items()} == {
        160: 160,
        1920: 1920,
    }


def test_transparency_becomes_webp_and_stays(decode) -> None:
    rendered = decode(pictures.alpha_png(1000, 500))
    for part in rendered.derivatives.values():
        image = opened(part)
        assert (image.format, image.mode) == ("WEBP", "RGBA")
        low, high = image.getchannel("A").getextrema()
        assert low < 10
        assert high > 245


def test_an_alpha_channel_that_hides_nothing_is_dropped(decode) -> None:
    part = decode(pictures.png(pictures.scene(mode="RGBA"))).derivatives[320]
    assert opened(part).format == "JPEG"


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_shown_by_its_first_frame(name: str, decode) -> None:
    rendered = decode(pictures.animation(name, frames=5))
    assert rendered.frames == 5
    assert_upright_scene(rendered)


def test_alternative_pictures_in_a_file_are_no_frames(decode) -> None:
    pages = pictures.save(
        pictures.scene(), "TIFF", save_all=True, append_images=[pictures.scene()] * 2
    )
    assert decode(pages).frames == 3
    stereo = pictures.save(
        pictures.scene(), "MPO", save_all=True, append_images=[pictures.scene()]
    )
    rendered = decode(stereo)
    assert (rendered.mime_type, rendered.frames) == ("image/jpeg", 1)


def test_steps_are_as_good_as_one_step_from_the_full_size(decode) -> None:
    full = pictures.photograph(3000, 2000)
    rendered = decode(pictures.jpeg(full, quality=95))
    for side in (320, 640, 1600):
        wanted = full.resize(fit(full.size, side), Image.Resampling.LANCZOS)
        found = opened(rendered.derivatives[side]).convert("RGB")
        difference = ImageStat.Stat(ImageChops.difference(wanted, found))
        # Mean absolute difference of 255; one JPEG encoding alone costs about 1.
        assert max(difference.mean) < 3, side


def test_a_bare_picture_has_no_memory() -> None:
    image = pictures.scene()
    image.info.update(comment=b"secret", exif=b"Exif\0\0", icc_profile=b"icc")
    fresh = bare(image)
    assert fresh.info == {}
    assert fresh.tobytes() == image.tobytes()


def test_equal_steps_are_the_same_object() -> None:
    steps = thumbnails.ladder(bare(pictures.scene()), (320, 640, 320))
    assert [size for size, _ in steps] == [640, 320]
    assert steps[0][1] is steps[1][1]


def test_the_placeholder_is_tiny_and_keeps_the_colours(decode) -> None:
    rendered = decode(pictures.jpeg(pictures.scene(1200, 800)))
    image = opened(rendered.placeholder)
    assert image.size == (16, 11)
    assert image.format == "WEBP"
    assert len(rendered.placeholder) < 400
    assert image.convert("RGB").getpixel((2, 2))[0] > 150
