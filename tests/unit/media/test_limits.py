"""Every cap is checked before pixels are decoded, and said in numbers."""

from __future__ import annotations

import io
import time

import pytest
from PIL import PngImagePlugin

from app.errors import UndecodableMedia
from app.media import formats
from app.media.decoder_client import Decoder
from app.media.limits import DecodeLimits
from app.media.refusals import undecodable
from tests.fixtures import pictures


def refusal(limits: DecodeLimits, data: bytes, row: formats.Format) -> UndecodableMedia:
    with Decoder(limits, workers=1) as decoder, pytest.raises(UndecodableMedia) as caught:
        decoder.render(io.BytesIO(data), len(data), row.file_type)
    return caught.value


def test_pixels_are_counted_from_the_header() -> None:
    started = time.monotonic()
    error = refusal(DecodeLimits(), pictures.png_of_claimed_size(65536, 65536), formats.PNG)
    assert error.message == "The picture has 4295 megapixels, the limit is 50."
    assert error.details == {"reason": "pixels"}
    assert time.monotonic() - started < 15


def test_the_limit_of_pixels_is_exact() -> None:
    data = pictures.png()  # 6144 pixels
    with Decoder(DecodeLimits(max_pixels=6144), workers=1) as decoder:
        assert decoder.render(io.BytesIO(data), len(data), formats.PNG.file_type).width == 96


@pytest.mark.parametrize("limit", [6143, 3071])
def test_pillows_warning_counts_as_much_as_its_error(limit: int) -> None:
    # Pillow warns above the limit, and raises above twice the limit only.
    error = refusal(DecodeLimits(max_pixels=limit), pictures.png(), formats.PNG)
    assert error.details["reason"] == "pixels"


def test_the_longest_side() -> None:
    error = refusal(DecodeLimits(max_side=95), pictures.jpeg(), formats.JPEG)
    assert error.message == "The longest side has 96 pixels, the limit is 95."


@pytest.mark.parametrize(("name", "row"), [("GIF", formats.GIF), ("WEBP", formats.WEBP)])
def test_frames(name: str, row: formats.Format) -> None:
    error = refusal(DecodeLimits(max_frames=4), pictures.animation(name, frames=5), row)
    assert error.message == "The file holds 5 frames or pages, the limit is 4."


def test_text_that_unpacks_to_more() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("Bomb", "a" * 3_000_000, zip=True)
    data = pictures.png(pnginfo=texts)
    assert len(data) < 10_000
    error = refusal(DecodeLimits(max_text_bytes=1_000_000), data, formats.PNG)
    assert error.details["reason"] == "text"
    assert "1000000 bytes" in error.message


def test_plain_text_and_profiles_count_too() -> None:
    data = pictures.save(pictures.scene(), "JPEG", icc_profile=b"x" * 200_000)
    error = refusal(DecodeLimits(max_text_bytes=100_000), data, formats.JPEG)
    assert error.details["reason"] == "text"


def test_a_file_too_large_for_the_memory_is_not_even_sent() -> None:
    limits = DecodeLimits(memory_bytes=512 * 1024 * 1024)
    decoder = Decoder(limits, workers=1)
    with pytest.raises(UndecodableMedia, match="too many to decode"):
        decoder.render(io.BytesIO(), limits.max_file_bytes + 1, formats.JPEG.file_type)


def test_limits_survive_the_way_to_the_child() -> None:
    limits = DecodeLimits(1, 2, 3, 4.5, 6, 7)
    assert DecodeLimits.from_json(limits.to_json()) == limits


@pytest.mark.parametrize(
    ("found", "limit", "words"),
    [
        (50_000_001, 50_000_000, "50.1 megapixels, the limit is 50."),
        (4_294_967_296, 50_000_000, "4295 megapixels, the limit is 50."),
        (1, 6000, "0.1 megapixels, the limit is 0.1."),
    ],
)
def test_megapixels_are_rounded_up(found: int, limit: int, words: str) -> None:
    message = undecodable("pixels", {"found": found, "limit": limit}).message
    assert message == f"The picture has {words}"


def test_a_reason_that_does_not_exist_says_nothing() -> None:
    error = undecodable("<script>", {"found": "<b>", "limit": -1})
    assert error.message == undecodable("crash").message
