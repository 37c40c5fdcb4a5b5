"""The one form of JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage import canonical

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(values)
def test_what_is_encoded_is_decoded(value: canonical.Json) -> None:
    raw = canonical.encode(value)
    assert canonical.decode(raw) == value
    assert json.loads(raw) == value
    assert raw.isascii()


@given(values)
def test_every_other_spelling_is_refused(value: canonical.Json) -> None:
    raw = canonical.encode(value)
    for spelling in (
        json.dumps(value, indent=1).encode(),
        json.dumps(value, sort_keys=True).encode(),
        json.dumps(value, separators=(",", ":")).encode(),
        json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        ),
        raw + b"\n",
        b" " + raw,
    ):
        if spelling != raw:
            with pytest.raises(ValueError, match=r".+"):
                canonical.decode(spelling)


def test_the_form_is_fixed() -> None:
    value: canonical.Json = {
        "b": [1, True, None, "é\n\x7f"],
        "a": {"z": -5, "aa": "\U0001f600"},
    }
    assert canonical.encode(value) == (
        b'{"a":{"aa":"\\ud83d\\ude00","z":-5},"b":[1,true,null,"\\u00e9\\n\\u007f"]}'
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"NaN",
        b"Infinity",
        b'{"a":1,"a":1}',
        b'{"a":1,}',
        b'{"b":1,"a":2}',
        b"'a'",
        b'"\\u00E9"',
        b'"\\/"',
        b'"\xc3\xa9"',
        b"\xff",
        b"9" * 5000,
        b"[" * 8000,
        b"[" * 900 + b"]" * 899,
    ],
)
def test_what_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        canonical.decode(raw)


@pytest.mark.parametrize("value", [1.5, float("nan"), b"x", {1: 2}, [1.0], {"a": object()}])
def test_what_cannot_be_encoded(value: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical.encode(value)  # type: ignore[arg-type]
