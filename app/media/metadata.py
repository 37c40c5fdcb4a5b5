"""What a picture says about itself: EXIF with GPS, IPTC, comments; bounded and plain.

The result is sealed with the picture's row and never put into a derivative. Broken metadata
is dropped part by part, the picture is kept: every reader here may fail on its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image, IptcImagePlugin

from app.media.photo import orientation
from app.media.plain_values import Budget, Plain, clean, number, plain

Facts = dict[str, Any]

# Offsets, strips and binary blocks: of use to a decoder, not to a person.
_SKIPPED = frozenset(
    (
        *(0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0111, 0x0115, 0x0116, 0x0117, 0x011C),
        *(0x0140, 0x0142, 0x0143, 0x0144, 0x0145, 0x014A, 0x0153, 0x015B, 0x0201, 0x0202),
        *(0x02BC, 0x83BB, 0x8649, 0x8769, 0x8773, 0x8825, 0x927C, 0xA005, 0xC4A5, 0xEA1C),
    )
)
# IPTC-IIM 4.2, record 2.
_IPTC = {
    5: "title", 25: "keywords", 55: "date_created", 80: "byline", 90: "city",
    95: "state", 101: "country", 105: "headline", 110: "credit", 116: "copyright",
    120: "caption",
}  # fmt: skip
# EXIF 2.32, 4.6.5: "YYYY:MM:DD HH:MM:SS", spaces or zeros where unknown.
_MOMENT = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)", re.ASCII)
_TAKEN_AT_TAGS = (0x9003, 0x9004)  # DateTimeOriginal, DateTimeDigitized
_LIMITS = {"latitude": 90.0, "longitude": 180.0}


def metadata_of(image: Image.Image) -> Facts:
    """A dict of plain JSON values, at most some 32 KB; call it after the pixels are loaded.

    Keys, each only where there is something: ``format``, ``mode``, ``gps`` (``latitude`` and
    ``longitude`` in degrees, ``altitude`` in metres, the tags by name), ``exif`` (by tag
    name), ``iptc``, ``text`` (chunks and comments), ``xmp_bytes``, ``profile_bytes``,
    ``shortened`` (something was left out for its size).
    """
    budget = Budget()
    facts: Facts = {"format": str(image.format), "mode": image.mode}
    for name, read in _READERS:
        found = {key: value for key, value in _attempt(read, image) if budget.take(key, value)}
        if found:
            facts[name] = found
    for name, key in _SIZES:
        if image.info.get(key):
            facts[name] = len(image.info[key])
    if budget.spent:
        facts["shortened"] = True
    return facts


def recorded_orientation(image: Image.Image) -> int:
    """The orientation that the file states, 1 to 8; call it before the pixels are loaded,
    because the TIFF plugin forgets it then (and HEIF has put it aside already)."""
    aside = image.info.get("original_orientation")
    return aside if isinstance(aside, int) and 1 <= aside <= 8 else orientation(image)


def taken_at(image: Image.Image) -> str | None:
    """When the picture was taken, ``YYYY-MM-DDTHH:MM:SS`` by the camera's clock: no zone."""
    for _, value in _attempt(_capture_times, image):
        numbers = _MOMENT.match(value)
        if numbers is None:
            continue
        try:
            return datetime(*map(int, numbers.groups())).isoformat()  # type: ignore[arg-type]  # noqa: DTZ001
        except ValueError:
            continue
    return None


def _attempt(
    read: Callable[[Image.Image], Iterator[tuple[str, Any]]], image: Image.Image
) -> list[tuple[str, Any]]:
    """What ``read`` yields up to its first failure."""
    found: list[tuple[str, Any]] = []
    try:
        found.extend(read(image))
    except Exception:  # noqa: BLE001 - Pillow's readers raise anything on broken metadata
        return found
    return found


def _capture_times(image: Image.Image) -> Iterator[tuple[str, str]]:
    details = image.getexif().get_ifd(ExifTags.IFD.Exif)
    for tag in _TAKEN_AT_TAGS:
        value = plain(details.get(tag))
        if isinstance(value, str):
            yield "taken_at", value


def _exif(image: Image.Image) -> Iterator[tuple[str, Plain]]:
    exif = image.getexif()
    yield from _named(exif, ExifTags.TAGS)
    yield from _named(exif.get_ifd(ExifTags.IFD.Exif), ExifTags.TAGS)


def _named(tags: Mapping[int, Any], names: Mapping[int, str]) -> Iterator[tuple[str, Plain]]:
    for tag in list(tags):
        if tag in _SKIPPED or tag not in names:
            continue
        try:
            value = _tag_value(names[tag], tags[tag])
        except Exception:  # noqa: BLE001, S112 - one broken tag does not hide the others
            continue
        if value is not None:
            yield names[tag], value


def _tag_value(name: str, value: Any) -> Plain | None:
    if name.startswith("XP") and isinstance(value, (bytes, tuple)):
        return clean(bytes(value[:4000]).decode("utf-16-le", errors="replace"))
    return plain(value)


def _gps(image: Image.Image) -> Iterator[tuple[str, Plain]]:
    tags = image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    for name, tag in (
        ("latitude", ExifTags.GPS.GPSLatitude),
        ("longitude", ExifTags.GPS.GPSLongitude),
    ):
        degrees = _degrees(tags.get(tag), tags.get(tag - 1), _LIMITS[name])
        if degrees is not None:
            yield name, degrees
    altitude = number(tags.get(ExifTags.GPS.GPSAltitude))
    if altitude is not None:
        below = tags.get(ExifTags.GPS.GPSAltitudeRef) in {1, b"\x01"}
        yield "altitude", -altitude if below else altitude
    yield from _named(tags, ExifTags.GPSTAGS)


def _degrees(value: Any, reference: Any, limit: float) -> float | None:
    """Degrees, minutes, seconds and N, S, E or W (EXIF 2.32, 4.6.6) as one signed number."""
    if not isinstance(value, (tuple, list)) or not 1 <= len(value) <= 3:
        return None
    parts = [number(part) for part in value]
    if None in parts:
        return None
    total = sum(part / 60**place for place, part in enumerate(parts) if part is not None)
    sign = -1 if str(reference).strip("\0 ").upper() in {"S", "W"} else 1
    return round(sign * total, 7) if abs(total) <= limit else None


def _iptc(image: Image.Image) -> Iterator[tuple[str, Plain]]:
    found: Mapping[tuple[int, int], Any] = IptcImagePlugin.getiptcinfo(image) or {}  # type: ignore[arg-type]
    for number_, name in _IPTC.items():
        value = plain(found.get((2, number_)))
        if value is not None:
            yield name, value


def _text(image: Image.Image) -> Iterator[tuple[str, Plain]]:
    chunks = dict(getattr(image, "text", {}))  # PNG
    comment = image.info.get("comment")  # JPEG, GIF
    for key, value in (*chunks.items(), ("comment", comment)):
        if key == "XML:com.adobe.xmp" or key.startswith("Raw profile type"):
            continue
        name, text = clean(key[:80]), plain(value)
        if name and isinstance(text, str):
            yield name, text


_SIZES = (
    ("xmp_bytes", "xmp"),
    ("xmp_bytes", "XML:com.adobe.xmp"),
    ("profile_bytes", "icc_profile"),
)
_READERS: tuple[tuple[str, Callable[[Image.Image], Iterator[tuple[str, Plain]]]], ...] = (
    ("gps", _gps),
    ("exif", _exif),
    ("iptc", _iptc),
    ("text", _text),
)
