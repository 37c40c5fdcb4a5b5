"""A 12 MP JPEG to two thumbnails and a preview, against libvips for the same three."""

from __future__ import annotations

import pyvips

from app.media import photo, thumbnails
from app.media.decoder_client import STANDARD_SIZES
from app.media.limits import DecodeLimits
from tests.benchmarks._measure import Row, compare, report
from tests.fixtures import pictures

LIMITS = DecodeLimits()


def row(what: str, data: bytes, **options: str) -> Row:
    """``options`` make libvips convert the colours too, where we have to."""

    def ours() -> None:
        image = photo.open_photo(data, ("JPEG",), LIMITS)
        made = photo.decode(image, max(STANDARD_SIZES), LIMITS)
        thumbnails.derivatives(thumbnails.ladder(made.picture, STANDARD_SIZES))

    def vips() -> None:
        for size in STANDARD_SIZES:
            picture = pyvips.Image.thumbnail_buffer(data, size, height=size, **options)
            picture.jpegsave_buffer(Q=80)

    work = f"12 MP JPEG{what} -> 320, 640, 1600 from one decode"
    return compare(work, "pyvips thumbnail_buffer, three times", ours, vips, goal=0.9, rounds=9)


def main() -> None:
    picture = pictures.photograph(4000, 3000)
    report(
        [
            row("", pictures.jpeg(picture)),
            row(
                " in another colour space",
                pictures.camera_jpeg(picture),
                export_profile="srgb",
            ),
        ]
    )


if __name__ == "__main__":
    main()
