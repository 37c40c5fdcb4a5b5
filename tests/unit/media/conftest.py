"""A warm decoder for all tests of this room, and a short way to decode bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from app.media.decoder_client import STANDARD_SIZES, Decoder, Rendered
from app.media.probe import HEAD_BYTES, probe
from tests.fixtures import pictures

Decode = Callable[..., Rendered]


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    with Decoder() as decoder:
        yield decoder


@pytest.fixture(scope="session")
def decode(decoder: Decoder) -> Decode:
    def run(data: bytes, sizes: tuple[int, ...] = STANDARD_SIZES) -> Rendered:
        file_type = probe(data[:HEAD_BYTES], len(data))
        return decoder.render(io.BytesIO(data), len(data), file_type, sizes)

    return run


@pytest.fixture
def single() -> Iterator[Decoder]:
    with Decoder(workers=1) as decoder:
        yield decoder


@pytest.fixture(scope="session")
def slow_png() -> bytes:
    """Some 48 megapixels in a small file: more than half a second of work."""
    return pictures.png(Image.new("RGBA", (7000, 6900), (1, 2, 3, 4)), compress_level=1)
