"""One picture: opened within limits, decoded, made smaller, upright, in sRGB, and bare.

Runs in the decoder child only. The order matters: shrink while loading where the format can
(JPEG), make smaller, and only then convert colours and turn, because both cost by the pixel.
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass

from PIL import Image, ImageFile, PngImagePlugin

from app.media.colour import eight_bit, to_srgb
from app.media.limits import DecodeLimits
from app.media.refusals import Refusal

_ORIENTATION_TAG = 0x0112
# What undoes each EXIF orientation (EXIF 2.32, tag 0x0112).
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


SIDEWAYS = frozenset((5, 6, 7, 8))


@dataclass(frozen=True, slots=True)
class Photo:
    """``picture`` is bare (no metadata), L, RGB or RGBA, and fits into the wanted box;
    ``width`` and ``height`` are of the whole picture when upright, in pixels."""

    picture: Image.Image
    width: int
    height: int


def obey(limits: DecodeLimits) -> None:
    """Set Pillow's own, process-wide guards, and make its bomb warning an error."""
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    PngImagePlugin.MAX_TEXT_CHUNK = limits.max_text_bytes
    PngImagePlugin.MAX_TEXT_MEMORY = limits.max_text_bytes
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def open_photo(data: bytes, formats: tuple[str, ...], limits: DecodeLimits) -> Image.Image:
    """Read the header with the allowed plugins alone. Raises Refusal when over a limit."""
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as bomb:
        raise _too_many_pixels(str(bomb), limits) from None
    _check_size(image.size, limits)
    _check_text(image, limits)
    if frames_of(image) > limits.max_frames:
        raise Refusal("frames", found=frames_of(image), limit=limits.max_frames)
    return image


def frames_of(image: Image.Image) -> int:
    """Frames of an animation, pages, or alternative pictures in one file."""
    return int(getattr(image, "n_frames", 1))


def decode(image: Image.Image, longest_side: int, limits: DecodeLimits) -> Photo:
    """Decode the first frame of an opened picture to at most ``longest_side`` pixels."""
    whole = image.size
    shrunk = _shrink_on_load(image, longest_side)
    image.load()
    if not shrunk:
        # HEIF tells its true size, and PNG the rest of its text, only now.
        whole = image.size
        _check_size(whole, limits)
    _check_text(image, limits)
    profile = image.info.get("icc_profile")
    # HAMMING is half as dear as LANCZOS and, from a picture that the JPEG decoder has already
    # brought near, as good to within 0.004 SSIM.
    small = resize(
        eight_bit(image), fit(image.size, longest_side), Image.Resampling.HAMMING, gap=2.0
    )
    picture = to_srgb(small, profile if isinstance(profile, bytes) else None)
    turn = orientation(image)
    picture = upright(picture, turn)
    width, height = reversed(whole) if turn in SIDEWAYS else whole
    return Photo(bare(picture), width, height)


def load_whole(image: Image.Image, limits: DecodeLimits) -> None:
    """Decode the first frame of an opened picture at its full size."""
    image.load()
    _check_size(image.size, limits)
    _check_text(image, limits)


def upright(picture: Image.Image, turn: int) -> Image.Image:
    """``picture`` as it is shown, where ``turn`` is its orientation."""
    return picture.transpose(_UPRIGHT[turn]) if turn in _UPRIGHT else picture


def _shrink_on_load(image: Image.Image, longest_side: int) -> bool:
    """Let the JPEG decoder scale by 1/2, 1/4 or 1/8, never below what is wanted.

    HEIF offers an embedded thumbnail for this, which may show something else: not taken.
    """
    if image.format not in {"JPEG", "MPO"}:
        return False
    return image.draft(None, fit(image.size, longest_side)) is not None


def orientation(image: Image.Image) -> int:
    """1 to 8; 1 where it is missing, broken, or already applied by the decoder.

    ``getexif`` also reads an orientation that stands in the XMP packet only, and the AVIF
    plugin puts irot and imir there.
    """
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001 - broken EXIF raises anything; the picture is kept
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def fit(size: tuple[int, int], longest_side: int) -> tuple[int, int]:
    """``size`` scaled down into a square, never up, and never 0 pixels on a side."""
    longest = max(size)
    if longest <= longest_side:
        return size
    scale = longest_side / longest
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resize(
    image: Image.Image, size: tuple[int, int], filter_: Image.Resampling, gap: float
) -> Image.Image:
    """Whole-number reduction down to ``gap`` times the wanted size, then the filter."""
    if image.size == size:
        return image
    return image.resize(size, filter_, reducing_gap=gap)


def bare(image: Image.Image) -> Image.Image:
    """The pixels in a fresh image: comments, EXIF, XMP and profile stay behind.

    Saving a converted image would carry them along (JPEG and GIF keep the comment).
    Transparency that hides nothing is dropped.
    """
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    fresh = Image.new(image.mode, image.size)
    fresh.paste(image)
    return fresh


def _check_size(size: tuple[int, int], limits: DecodeLimits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise Refusal("pixels", found=width * height, limit=limits.max_pixels)
    if max(size) > limits.max_side:
        raise Refusal("side", found=max(size), limit=limits.max_side)
    if min(size) < 1:
        raise Refusal("damaged")


def _check_text(image: Image.Image, limits: DecodeLimits) -> None:
    held = sum(len(value) for value in image.info.values() if isinstance(value, (str, bytes)))
    if held > limits.max_text_bytes:
        raise Refusal("text", found=held, limit=limits.max_text_bytes)


def _too_many_pixels(message: str, limits: DecodeLimits) -> Refusal:
    number = re.search(r"\((\d+) pixels\)", message)
    found = int(number[1]) if number else limits.max_pixels + 1
    return Refusal("pixels", found=found, limit=limits.max_pixels)
