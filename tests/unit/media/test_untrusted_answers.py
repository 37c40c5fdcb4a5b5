"""A decoder that was taken over may answer anything: only a well-formed answer passes."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import UndecodableMedia
from app.media import decoder_process, formats, framing
from app.media.decoder_client import Decoder
from app.media.limits import DecodeLimits
from app.media.rendered import check_answer
from tests.fixtures import pictures

LIMITS = DecodeLimits()
JPEG = formats.JPEG.file_type
PARTS = {320: b"\xff\xd8\xff" + b"x" * 97, 0: b"RIFF\0\0\0\0WEBP" + b"y" * 28}
HONEST = {
    "width": 10,
    "height": 20,
    "frames": 1,
    "taken_at": "2020-01-02T03:04:05",
    "metadata": {"exif": {}},
    "parts": [[320, 100], [0, 40]],
}
LIES = [
    {"width": 0},
    {"width": "10"},
    {"width": True},
    {"width": 40_000},
    {"width": 30_000, "height": 30_000},
    {"frames": 100_000},
    {"taken_at": "<script>"},
    {"taken_at": 5},
    {"metadata": []},
    {"parts": None},
    {"parts": [[320, 100]]},
    {"parts": [[320, 100], [320, 100]]},
    {"parts": [[320, 100], [640, 40]]},
    {"parts": [[320, 1 << 40], [0, 40]]},
    {"parts": [[320, -1], [0, 40]]},
    {"parts": [[320, 100], [0, 100_000]]},
    {"parts": [320, 0]},
]


def check(header: dict) -> object:
    lengths = {100: PARTS[320], 40: PARTS[0]}
    return check_answer(header, lambda size: lengths[size], JPEG, (320,), LIMITS)


def test_an_honest_answer_passes() -> None:
    rendered = check(HONEST)
    assert rendered.derivatives == {320: PARTS[320]}
    assert rendered.placeholder == PARTS[0]


@pytest.mark.parametrize("lie", LIES, ids=str)
def test_a_lie_is_noticed(lie: dict) -> None:
    with pytest.raises((ValueError, TypeError)):
        check({**HONEST, **lie})


def test_a_part_must_be_a_picture() -> None:
    with pytest.raises(ValueError, match="neither"):
        check_answer(HONEST, lambda size: b"<html>" + b" " * (size - 6), JPEG, (320,), LIMITS)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0\0\0\x02{}",
        b"\0\0\0\x02[]",
        b"\0\0\0\x05nope!",
        b"\xff\xff\xff\xff" + b"x" * 100,
        framing.pack_header({**HONEST, "parts": [[320, 10], [0, 10]]}) + b"\xff\xd8\xff",
        framing.pack_header({"refused": "no such reason", "found": "x"}),
        b'\0\0\0\x12{"width": Infinity',
    ],
    ids=range(8),
)
def test_a_lying_child_costs_one_file_only(answer: bytes, monkeypatch) -> None:
    """A child that reads the request, says something else, and leaves."""
    lying = (
        "import sys, os, struct, json;"
        "ready = json.dumps({'ready': True}).encode();"
        "os.write(1, struct.pack('>I', len(ready)) + ready);"
        f"os.read(0, 100000); os.write(1, {answer!r})"
    )
    data = pictures.jpeg()
    with Decoder(workers=1) as decoder:
        with monkeypatch.context() as patch:
            patch.setattr(decoder_process, "_PROGRAM", lying)
            with pytest.raises(UndecodableMedia, match="gave up"):
                decoder.render(io.BytesIO(data), len(data), JPEG, (320,))
        assert decoder.render(io.BytesIO(data), len(data), JPEG, (320,)).width == 96


@given(st.dictionaries(st.text(max_size=8), st.integers() | st.text() | st.booleans()))
def test_headers_survive_the_pipe(header: dict) -> None:
    packed = framing.pack_header(header)
    assert framing.read_header(io.BytesIO(packed)) == header
    assert framing.read_header(io.BytesIO(packed[:3])) is None


def test_headers_are_strict_json() -> None:
    with pytest.raises(ValueError, match="NaN"):
        framing.parse_header(json.dumps({"width": float("nan")}).encode())
