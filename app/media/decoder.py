"""The decoder: a program of its own that turns one file after another into derivatives.

It is started as ``python -I`` with an empty environment and speaks only through its two
pipes (see ``framing``). It holds no key, knows no path, and can open nothing.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pillow_heif
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    ExifTags,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from app.media import confinement, cropping, framing, metadata, photo, thumbnails
from app.media.limits import DecodeLimits
from app.media.refusals import Refusal

PLUGINS = (
    AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin, MpoImagePlugin,
    PngImagePlugin, TiffImagePlugin, WebPImagePlugin,
)  # fmt: skip
FILES_PER_CHILD = 100

Answer = tuple[dict[str, Any], list[bytes]]


def main() -> None:
    """``sys.argv[1]`` holds the limits as JSON. Ends when the request pipe is closed."""
    limits = DecodeLimits.from_json(sys.argv[1])
    confinement.confine(limits, FILES_PER_CHILD)
    answers = _claim_standard_output()
    load_codecs(limits)
    confinement.close_the_door()
    send(answers, ({"ready": True}, []))
    serve(sys.stdin.buffer, answers, limits)


def serve(requests: BinaryIO, answers: BinaryIO, limits: DecodeLimits) -> None:
    while (request := framing.read_header(requests)) is not None:
        confinement.allow_processor_time(limits.timeout_seconds)
        for each in answers_to(request, requests, limits):
            send(answers, each)
            confinement.allow_processor_time(limits.timeout_seconds)


def answers_to(
    request: Mapping[str, Any], body: BinaryIO, limits: DecodeLimits
) -> Iterator[Answer]:
    """Decode what follows in ``body``; every failure becomes a reason and two numbers."""
    try:
        data, formats = body.read(request["size"]), tuple(request["formats"])
        if "crops" in request:
            yield from crop(data, formats, request["crops"], limits)
        else:
            yield render(data, formats, request["sizes"], limits)
    except Refusal as refusal:
        yield _refused(refusal.reason, refusal.found, refusal.limit)
    except MemoryError:
        yield _refused("memory")
    except UnidentifiedImageError:
        yield _refused("damaged")
    except Exception as failure:  # noqa: BLE001 - codecs raise anything on hostile files
        yield _refused(_reason_of(failure), 0, limits.max_text_bytes)


def crop(
    data: bytes, formats: tuple[str, ...], rectangles: list[list[int]], limits: DecodeLimits
) -> Iterator[Answer]:
    """What the picture is, then a PNG of each rectangle. Raises as `render`."""
    whole = cropping.open_whole(data, formats, limits, load=bool(rectangles))
    yield {"width": whole.width, "height": whole.height, "keeps": whole.keeps}, []
    for part in cropping.crops(whole, [(x, y, r, b) for x, y, r, b in rectangles]):
        yield {"bytes": len(part)}, [part]


def render(
    data: bytes, formats: tuple[str, ...], sizes: list[int], limits: DecodeLimits
) -> Answer:
    """Derivatives of ``sizes`` pixels from one decode. Raises Refusal, or what codecs raise."""
    image = photo.open_photo(data, formats, limits)
    stated = metadata.recorded_orientation(image)
    made = photo.decode(image, max(sizes), limits)
    steps = thumbnails.ladder(made.picture, sizes)
    parts = thumbnails.derivatives(steps)
    parts[framing.PLACEHOLDER] = thumbnails.placeholder(steps[-1][1])
    header = {
        "width": made.width,
        "height": made.height,
        "frames": photo.frames_of(image),
        "taken_at": metadata.taken_at(image),
        "metadata": {"orientation": stated, **metadata.metadata_of(image)},
        "parts": [[size, len(part)] for size, part in parts.items()],
    }
    return header, list(parts.values())


def load_codecs(limits: DecodeLimits) -> None:
    """Load everything that decoding may need, because nothing can be opened later."""
    Image.preinit()
    # One thread a decoder: there is one decoder a core.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
    photo.obey(limits)
    for encoding in ("ascii", "latin-1", "utf-8", "utf-16", "utf-16-le", "utf-16-be"):
        b"".decode(encoding)
    for name in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"):
        rehearse(name, limits)


def rehearse(name: str, limits: DecodeLimits) -> None:
    """Decode a small picture of this format, so that every module is loaded and a broken
    installation shows now, not as a damaged picture of somebody."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2000:01:01 00:00:00"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (1.0, 2.0, 3.0)
    out = io.BytesIO()
    saved = {"exif": exif} if name in {"JPEG", "PNG", "WEBP", "TIFF"} else {}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    Image.new("RGB", (48, 32)).save(out, name, icc_profile=profile, **saved)
    render(out.getvalue(), (name,), [32], limits)
    for _ in crop(out.getvalue(), (name,), [[0, 0, 8, 8]], limits):
        pass


def send(pipe: BinaryIO, answer_: Answer) -> None:
    header, parts = answer_
    pipe.write(framing.pack_header(header))
    pipe.writelines(parts)
    pipe.flush()


def _refused(reason: str, found: int = 0, limit: int = 0) -> Answer:
    return {"refused": reason, "found": found, "limit": limit}, []


def _reason_of(failure: Exception) -> str:
    """Pillow has few exception types: its own fixed texts tell the cause."""
    text = str(failure).lower()
    if "text chunks" in text or "decompressed data too large" in text:
        return "text"
    if "memory" in text:
        return "memory"
    return "cut" if "truncated" in text else "damaged"


def _claim_standard_output() -> BinaryIO:
    """Keep the answer pipe to ourselves: what a C library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers
