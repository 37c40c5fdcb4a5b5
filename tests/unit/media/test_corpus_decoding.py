"""Every file of the corpus through the real decoder, with the manifest's verdict."""

from __future__ import annotations

import io
import time

import pytest
from PIL import Image

from app.errors import RefusedError, UndecodableMedia, UnsupportedType
from app.media.decoder_client import Rendered
from tests.fixtures.corpus import CorpusFile, corpus_files
from tests.unit.media.stripped import foreign_parts

PICTURES = [file for file in corpus_files() if not file.is_clip]
CLIPS = [file for file in corpus_files() if file.is_clip]
SECONDS = 10


@pytest.mark.parametrize("file", PICTURES, ids=str)
def test_the_verdict_of_the_manifest(file: CorpusFile, decode) -> None:
    started = time.monotonic()
    outcome = decoded_or_refused(file, decode)
    if isinstance(outcome, Rendered):
        assert file.expected != "reject"
        check_rendered(outcome)
    else:
        assert file.expected != "accept", outcome.message
        assert outcome.message.endswith(".")
        assert outcome.details.get("reason") not in {"crash", "time", "memory"}
    assert time.monotonic() - started < SECONDS


def decoded_or_refused(file: CorpusFile, decode) -> Rendered | RefusedError:
    try:
        return decode(file.read())
    except (UnsupportedType, UndecodableMedia) as refusal:
        return refusal


@pytest.mark.parametrize("file", CLIPS, ids=str)
def test_a_clip_is_refused_politely(file: CorpusFile, decode) -> None:
    with pytest.raises(UnsupportedType, match="Accepted are"):
        decode(file.read())


def check_rendered(rendered: Rendered) -> None:
    """What must hold for the derivatives of any picture."""
    longest = max(rendered.width, rendered.height)
    for size, data in rendered.derivatives.items():
        assert foreign_parts(data) == []
        with Image.open(io.BytesIO(data), formats=["JPEG", "WEBP"]) as derivative:
            derivative.load()
            assert max(derivative.size) == min(size, longest)
            assert min(derivative.size) >= 1
            scale = max(derivative.size) / longest
            assert abs(derivative.width - rendered.width * scale) <= 1
            assert abs(derivative.height - rendered.height * scale) <= 1
            assert derivative.format == ("WEBP" if derivative.mode == "RGBA" else "JPEG")
    assert set(rendered.derivatives) == {320, 640, 1600}
    assert foreign_parts(rendered.placeholder) == []
    with Image.open(io.BytesIO(rendered.placeholder), formats=["WEBP"]) as placeholder:
        assert max(placeholder.size) == min(16, longest)
    assert len(rendered.placeholder) < 1000


def test_the_pool_is_alive_after_the_worst_files(decode) -> None:
    good = next(file for file in PICTURES if file.expected == "accept")
    for file in [file for file in PICTURES if file.expected != "accept"][:6]:
        decoded_or_refused(file, decode)
        assert decode(good.read()).width > 0
