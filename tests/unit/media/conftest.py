"""A warm decoder for all tests of this room, and a short way to decode bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest

from app.media.decoder_client import STANDARD_SIZES, Decoder, Rendered
from app.media.probe import HEAD_BYTES, probe

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
