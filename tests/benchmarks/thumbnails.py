"""A 12 MP JPEG to two thumbnails and a preview, against libvips for the same three."""

from __future__ import annotations

import pyvips

from app.media import photo, thumbnails
from app.media.decoder_client import STANDARD_SIZES
from app.media.limits import DecodeLimits
from tests.benchmarks._measure import compare, report
from tests.fixtures import pictures

LIMITS = DecodeLimits()


def main() -> None:
    data = pictures.camera_jpeg(pictures.photograph(4000, 3000))

    def ours() -> None:
        image = photo.open_photo(data, ("JPEG",), LIMITS)
        made = photo.decode(image, max(STANDARD_SIZES), LIMITS)
        thumbnails.derivatives(thumbnails.ladder(made.picture, STANDARD_SIZES))

    def vips() -> None:
        for size in STANDARD_SIZES:
            picture = pyvips.Image.thumbnail_buffer(data, size, height=size)
            picture.jpegsave_buffer(Q=80)

    report(
        [
            compare(
                "12 MP JPEG -> 320, 640, 1600 from one decode",
                "pyvips thumbnail_buffer, three times",
                ours,
                vips,
                goal=0.9,
                rounds=9,
            )
        ]
    )


if __name__ == "__main__":
    main()
