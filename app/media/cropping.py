"""Parts of one picture as PNG, every pixel as the file has it.

Runs in the decoder child only. Nothing is shrunk, no colour is converted, a profile goes along;
16-bit grey stays 16-bit. What PNG (or Pillow) cannot hold is told by a word before:

======= =====================================================================================
kept    every pixel is what the file has
colours CMYK, Lab, floats, 32-bit and signed numbers: as shown, in 8-bit sRGB
depth   colours of more than 8 bits a channel: decoded to 8 bits
======= =====================================================================================
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from app.media import photo
from app.media.colour import MAX_PROFILE_BYTES, eight_bit, to_srgb
from app.media.framing import COLOURS, DEPTH, KEPT
from app.media.limits import DecodeLimits
from app.media.refusals import Refusal

Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom: half open, in pixels."""

COMPRESSION: Final = 1
"""A third of the time of zlib's usual level, for a tenth more bytes."""
_HELD: Final = frozenset(("1", "L", "LA", "I;16", "I;16B", "P", "RGB", "RGBA"))
_SAME_AS: Final = {"PA": "RGBA", "RGBX": "RGB"}
_BITS_TAG: Final = 258
_AV1_HIGH_DEPTH: Final = 0x40  # AV1 Codec ISO Media File Format Binding, 2.3.3: high_bitdepth


@dataclass(frozen=True, slots=True)
class Whole:
    """``image`` as it is stored, ``turn`` its EXIF orientation; ``width`` and ``height``
    (pixels) when upright."""

    image: Image.Image
    turn: int
    keeps: str
    profile: bytes | None

    @property
    def width(self) -> int:
        return self.image.size[self.turn in photo.SIDEWAYS]

    @property
    def height(self) -> int:
        return self.image.size[self.turn not in photo.SIDEWAYS]


def open_whole(
    data: bytes, formats: tuple[str, ...], limits: DecodeLimits, *, load: bool
) -> Whole:
    """With ``load`` the pixels too, else only what the head of the file tells."""
    image = photo.open_photo(data, formats, limits)
    keeps = _keeps(image, data)
    if load:
        photo.load_whole(image, limits)
    turn = photo.orientation(image)
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or len(profile) > MAX_PROFILE_BYTES:
        profile = None
    if load and image.mode not in _HELD and image.mode not in _SAME_AS:
        return Whole(to_srgb(eight_bit(image), profile), turn, COLOURS, None)
    return Whole(image, turn, keeps, profile)


def crops(whole: Whole, rectangles: Sequence[Rectangle]) -> Iterator[bytes]:
    """A PNG of each, one at a time. ``Refusal`` for one that is not within the picture."""
    for left, top, right, bottom in rectangles:
        if not (0 <= left < right <= whole.width and 0 <= top < bottom <= whole.height):
            raise Refusal("damaged")
        rectangle = (left, top, right, bottom)
        part = whole.image.crop(stored(rectangle, whole.turn, whole.width, whole.height))
        yield _png(photo.upright(part, whole.turn), whole.profile)


def stored(rectangle: Rectangle, turn: int, width: int, height: int) -> Rectangle:
    """Where a rectangle of the upright picture of this size lies in the stored one."""
    left, top, right, bottom = rectangle
    if turn in photo.SIDEWAYS:
        left, top, right, bottom = top, left, bottom, right
        width, height = height, width
    if turn in {2, 3, 7, 8}:
        left, right = width - right, width - left
    if turn in {3, 4, 6, 7}:
        top, bottom = height - bottom, height - top
    return left, top, right, bottom


def _keeps(image: Image.Image, data: bytes) -> str:
    if image.mode in {"I;16", "I;16B"}:
        return KEPT
    if image.mode not in _HELD and image.mode not in _SAME_AS:
        return COLOURS
    return DEPTH if _is_deep(image, data) else KEPT


def _is_deep(image: Image.Image, data: bytes) -> bool:
    """Whether the file has more bits a channel than Pillow's modes of colour hold."""
    if image.format == "AVIF":
        _, _, settings = data.partition(b"av1C")
        return len(settings) > 2 and bool(settings[2] & _AV1_HIGH_DEPTH)
    if image.format == "HEIF":
        return int(image.info.get("bit_depth") or 8) > 8
    tags = getattr(image, "tag_v2", None)
    bits = tags.get(_BITS_TAG, ()) if tags is not None else ()
    wide = any(
        isinstance(n, int) and n > 8 for n in (bits if isinstance(bits, tuple) else (bits,))
    )
    return wide or any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def _png(part: Image.Image, profile: bytes | None) -> bytes:
    part = _bare(part)
    out = io.BytesIO()
    part.save(out, "PNG", compress_level=COMPRESSION, icc_profile=profile)
    return out.getvalue()


def _bare(part: Image.Image) -> Image.Image:
    """The pixels, with the colour that is transparent and nothing else that a file said."""
    if part.mode in _SAME_AS:
        part = part.convert(_SAME_AS[part.mode])
    if part.mode == "P" and _leaves_palette(part):
        part = part.convert("RGBA" if part.has_transparency_data else "RGB")
    part.info = {k: v for k, v in part.info.items() if k == "transparency"}
    return part


def _leaves_palette(part: Image.Image) -> bool:
    """Whether a pixel names a colour that the palette does not have: PNG would change it."""
    extrema = part.getextrema()
    return extrema[1] >= len(part.getpalette() or ()) // 3  # type: ignore[operator]
