"""From any of Pillow's modes to 8-bit sRGB, with the profile of the picture respected.

Two steps, because the first is cheap or unavoidable at full size, and the second is costly
and is done after the picture was made smaller.
"""

from __future__ import annotations

import io
import math

from PIL import Image, ImageCms

MAX_PROFILE_BYTES = 4 * 1024 * 1024

# The colour space that a profile must be for, by the mode of the pixels (ICC.1, 7.2.6).
_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK"}
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_LAB = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))


def eight_bit(image: Image.Image) -> Image.Image:
    """The same pixels in one of the modes L, RGB, RGBA, CMYK or LAB."""
    if image.mode.startswith("I;16"):
        return _from_16_bit(image)
    if image.mode in {"I", "F"}:
        return _from_wide(image)
    if image.has_transparency_data:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in {"L", "RGB", "CMYK", "LAB"}:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _from_16_bit(image: Image.Image) -> Image.Image:
    """Scale by the number of bits that the file declares; a plain conversion would clip."""
    bits = _declared_bits(image)
    shift = max(0, bits - 8)
    table = [min(255, value >> shift) for value in range(65536)]
    return image.convert("I").point(table, "L")


def _declared_bits(image: Image.Image) -> int:
    tags = getattr(image, "tag_v2", None)
    declared = tags.get(258) if tags is not None else None
    bits = declared[0] if isinstance(declared, tuple) and declared else 16
    return bits if isinstance(bits, int) and 8 <= bits <= 16 else 16


def _from_wide(image: Image.Image) -> Image.Image:
    """32-bit integers and floats: the usual ranges as they are, others stretched to fit."""
    extrema = image.getextrema()
    low, high = (float(value) for value in extrema if isinstance(value, (int, float)))
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    elif low >= 0:
        unit = 1.0 if image.mode == "F" else 255.0
        low, high = 0.0, next((top for top in (unit, 255.0, 65535.0) if high <= top), high)
    scale = 255.0 / (high - low) if high > low else 0.0
    floats = image if image.mode == "F" else image.convert("F")
    return floats.point(lambda value: value * scale + (-low * scale)).convert("L")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """``image`` (a mode of ``eight_bit``) as L, RGB or RGBA in sRGB.

    A profile that is broken, too large or for another colour space is left out of account.
    """
    if image.mode == "RGBA":
        opaque = to_srgb(image.convert("RGB"), profile)
        opaque.putalpha(image.getchannel("A"))
        return opaque
    converted = _through_profile(image, profile)
    if converted is not None:
        return converted
    return image if image.mode in {"L", "RGB"} else image.convert("RGB")


def _through_profile(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    try:
        source = _source_profile(image.mode, profile)
        if source is None:
            return None
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _source_profile(mode: str, profile: bytes | None) -> ImageCms.ImageCmsProfile | None:
    if mode == "LAB":
        return _LAB
    if not profile or len(profile) > MAX_PROFILE_BYTES:
        return None
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if source.profile.xcolor_space != _SPACES.get(mode):
        return None
    # Most cameras say sRGB: nothing to do, and a fifth of the work saved.
    if (source.profile.profile_description or "").startswith("sRGB"):
        return None
    return source
