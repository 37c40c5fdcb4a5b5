"""Payloads of encrypted columns: sizes, round trips, refusals."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.db.codecs import BOX, DAMAGE, FLOAT, JSON, TEXT, Codec, padded_size
from app.errors import DarkroomError, DecryptionFailed, InvalidInput

finite = st.floats(allow_nan=False, allow_infinity=False)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=700)
trees = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=10,
)


@given(text)
def test_text_comes_back(value: str) -> None:
    assert TEXT.decode(TEXT.encode(value), 0) == value


@given(trees)
def test_json_comes_back(value: Any) -> None:
    assert JSON.decode(JSON.encode(value), 0) == value


@given(st.tuples(finite, finite, finite, finite))
def test_boxes_come_back_in_32_bytes(value: tuple[float, float, float, float]) -> None:
    payload = BOX.encode(value)
    assert len(payload) == 32
    assert BOX.decode(payload, 0) == value


@given(finite)
def test_numbers_come_back_in_8_bytes(value: float) -> None:
    payload = FLOAT.encode(value)
    assert len(payload) == 8
    assert FLOAT.decode(payload, 0) == value


@pytest.mark.parametrize(
    ("length", "size"),
    [(0, 32), (1, 32), (32, 32), (33, 64), (64, 64), (65, 128), (129, 256), (257, 512)],
)
def test_the_length_hides_in_few_sizes(length: int, size: int) -> None:
    assert padded_size(length) == size
    assert len(TEXT.encode("x" * length)) == 2 + size
    if length >= 2:
        assert len(JSON.encode("x" * (length - 2))) == size


def test_text_keeps_its_zeros_and_spaces() -> None:
    for value in ("", "\0", "a\0\0", "  ", "\n"):
        assert TEXT.decode(TEXT.encode(value), 0) == value


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(number: float) -> None:
    attempts: list[tuple[Codec, Any]] = [
        (BOX, (0.0, number, 1.0, 1.0)),
        (FLOAT, number),
        (JSON, {"a": [number]}),
    ]
    for codec, value in attempts:
        with pytest.raises(InvalidInput):
            codec.encode(value)


def test_large_finite_boxes_are_taken() -> None:
    huge = (1e308, 1e308, 1e308, 1e308)
    assert BOX.decode(BOX.encode(huge), 0) == huge


@pytest.mark.parametrize(
    ("codec", "value"),
    [
        (TEXT, 5),
        (TEXT, b"bytes"),
        (TEXT, "x" * 65536),
        (TEXT, "secret \ud800"),
        (JSON, {"secret": object()}),
        (JSON, {"secret": "\ud800"}),
        (BOX, (1.0, 2.0, 3.0)),
        (BOX, ("secret", 2.0, 3.0, 4.0)),
        (BOX, "secret"),
        (BOX, (1, 2, 3, 10**400)),
        (FLOAT, "secret"),
        (FLOAT, 10**400),
    ],
)
def test_other_values_are_refused_without_being_quoted(codec: Codec, value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        codec.encode(value)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_text_that_claims_more_than_it_has_is_damage() -> None:
    with pytest.raises(DecryptionFailed):
        TEXT.decode(b"\xff\xff" + bytes(32), 0)


@given(
    st.binary(max_size=80), st.sampled_from([TEXT, JSON, BOX, FLOAT]), st.sampled_from([0, 16])
)
def test_no_payload_raises_anything_unknown(payload: bytes, codec: Codec, start: int) -> None:
    try:
        codec.decode(payload, start)
    except (DarkroomError, *DAMAGE):
        pass
