"""What all formats read alike: text, numbers, JSON, corners and names, with places."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shapes import Box, RotatedBox
from app.errors import InvalidInput
from app.formats import corners, json_text, picture_names, texts
from app.formats.losses import Ledger, LossCode

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)


def place_of(refused: pytest.ExceptionInfo[InvalidInput]) -> str:
    return refused.value.mistakes[0].path


@pytest.mark.parametrize(
    ("data", "place"),
    [(b"a\nb\n\xff", "f:3"), ("ä".encode("utf-16"), "f"), (b"a\n\0", "f:2")],
)
def test_what_is_no_text(data: bytes, place: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        texts.read_text(data, "f")
    assert place_of(refused) == place


def test_a_byte_order_mark_and_windows_lines_are_taken() -> None:
    text = texts.read_text(b"\xef\xbb\xbfa\r\nb", "f")
    assert list(texts.lines(text)) == [(1, "a"), (2, "b")]
    with pytest.raises(InvalidInput):
        texts.read_text(b"abc", "f", longest=2)


@pytest.mark.parametrize(
    "text", ["nan", "inf", "1e999", "1_0", "٣", "", "1,5", "0x1", "1" * 900, "1e99999999"]
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(InvalidInput):
        texts.number(text, "f:1")


@given(x=NUMBERS, w=NUMBERS)
def test_sums_lead_back_exactly(x: float, w: float) -> None:
    left, right = texts.total(x, 1), texts.total(x, w)
    assert texts.less(Decimal(left), Decimal(1)) == x
    assert texts.less(Decimal(right), Decimal(repr(x))) == w


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"a": [1, {"b": NaN}]}', "f:$.a[1].b"),
        ('{"a": -Infinity}', "f:$.a"),
        ('{"a": 1e999}', "f:$.a"),
        ('{"a": {"b": 1, "b": 2}}', "f:$.a"),
        ('{"a b": [1e999]}', "f:$.*[0]"),
        ('{"a": "\\ud800"}', "f:$.a"),
        ('{"\\ud800": 1}', "f:$"),
        ('{"a":\n 1,}', "f:2"),
        ("[" * 43 + "]" * 43, "f:$" + "[0]" * 41),
        ("[" * 100_000, "f"),
        ("1" * 5000, "f"),
        ("", "f:1"),
    ],
)
def test_json_that_is_refused(text: str, place: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        json_text.read_json(text.encode(), "f")
    assert place_of(refused) == place


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
RECORD = st.dictionaries(st.sampled_from("abcdef"), JSON)


@given(found=RECORD, rendered=RECORD, known=st.sets(st.sampled_from("abcdef")))
def test_a_record_is_written_as_it_was(
    found: json_text.Record, rendered: json_text.Record, known: set[str]
) -> None:
    ours = {name: value for name, value in rendered.items() if name in known}
    was = json.loads(json.dumps(json_text.kept(found, ours, known)))
    assert json_text.exactly(json_text.restored(ours, was), found)


def test_what_no_longer_holds_is_written_anew() -> None:
    was = json_text.kept({"z": 1, "x": 2, "more": 3}, {"x": 2.0, "y": 5}, ("x", "y", "z"))
    told = json_text.restored({"x": 7.0, "y": 5}, was, [(("x", "z"), lambda r: r["x"] == 7)])
    assert told == {"x": 7.0, "more": 3}


@given(
    w=st.floats(1, 1e4), h=st.floats(1, 1e4), angle=st.floats(-180, 179.99),
    x=st.floats(-1e4, 1e4), y=st.floats(-1e4, 1e4), other_way=st.booleans(),
)  # fmt: skip
def test_corners_are_the_box(
    x: float, y: float, w: float, h: float, angle: float, other_way: bool
) -> None:
    box, ledger = RotatedBox(x, y, w, h, angle), Ledger()
    first, *others = box.corners
    told = [first, *(reversed(others) if other_way else others)]
    found = corners.box_of_corners(told, "f:1", ledger)
    assert found is not None
    assert ledger.losses == ()
    near = found.corners if isinstance(found, RotatedBox) else None
    if near and not other_way:
        assert all(abs(a - b) < 1e-6 for p, q in zip(near, box.corners, strict=True)
                   for a, b in zip(p, q, strict=True))  # fmt: skip


def test_four_corners_that_are_no_box() -> None:
    ledger = Ledger()
    assert corners.box_of_corners([(0, 0), (4, 0), (4, 3), (0, 3)], "f", ledger) == Box(
        0, 0, 4, 3
    )
    assert corners.box_of_corners([(0, 0), (4, 0), (5, 3), (0, 3)], "f", ledger) is None
    assert corners.box_of_corners([(0, 0)] * 4, "f", ledger) is None
    assert ledger.losses == ()
    near = [(0.0, 0.0), (4.0, 0.0), (4.05, 3.0), (0.0, 3.0)]
    assert corners.box_of_corners(near, "f", ledger) is not None
    assert [loss.code for loss in ledger.losses] == [LossCode.FITTED]


@pytest.mark.parametrize(
    ("told", "path"),
    [("a.jpg", "a.jpg"), ("C:\\data\\a.jpg", "data/a.jpg"), ("/srv//x/./a.jpg", "srv/x/a.jpg")],
)
def test_paths(told: str, path: str) -> None:
    ledger = Ledger()
    assert picture_names.clean_path(told, "f", ledger) == path
    assert [loss.code for loss in ledger.losses] == [LossCode.BACKSLASHES] * ("\\" in told)


@pytest.mark.parametrize(
    "told", ["../a.jpg", "a/..\\b.jpg", "", "/", "a\0.jpg", "a\nb", None, 7]
)
def test_paths_that_lead_elsewhere(told: object) -> None:
    with pytest.raises(InvalidInput):
        picture_names.clean_path(told, "f", Ledger())


def test_pictures_are_found_by_name_and_folder_and_never_by_order() -> None:
    known, ledger = picture_names.Known(
        {"train/a.jpg": (1, 1), "val/a.jpg": (2, 2), "b.jpg": (3, 3)}
    ), Ledger()  # fmt: skip
    assert known.find("elsewhere/b.jpg", "f", ledger) == "b.jpg"
    assert known.find("c.jpg", "f", ledger) is None
    assert ledger.losses == ()
    assert known.size("x/val/a.jpg", "f", ledger) == (2, 2)
    assert known.find("a.jpg", "f", ledger) is None
    codes = [loss.code for loss in ledger.losses]
    assert codes == [LossCode.AMBIGUOUS_NAME, LossCode.DUPLICATE_NAMES]


def test_distinct_names() -> None:
    ledger = Ledger()
    paths = ["a.jpg", "A.jpg", "a.png", "a_2.jpg", "x/a.jpg"]
    assert picture_names.distinct(paths, ledger) == [
        "a.jpg", "A_2.jpg", "a.png", "a_2_2.jpg", "x/a.jpg",
    ]  # fmt: skip
    stems = picture_names.distinct(paths[:3], Ledger(), without_suffix=True)
    assert stems == ["a.jpg", "A_2.jpg", "a_3.png"]
    assert ledger.losses[0].count == 2
