from __future__ import annotations

from typing import Any

import pytest

from app.domain.search_terms import (
    SearchTerms,
    read_attribute_terms,
    read_label,
    read_words,
)
from app.errors import InvalidInput


@pytest.mark.parametrize(
    ("term", "good", "bad"),
    [
        ("pose", [{"pose": "x"}, {"pose": False}, {"pose": 0}], [{}, {"pose": None}]),
        ("pose:Lying", [{"pose": "lying"}, {"pose": ["a", "LYING"]}], [{"pose": "a"}, {}]),
        ("lamp:true", [{"lamp": True}, {"lamp": "true"}], [{"lamp": False}, {"lamp": 1}]),
        ("age:>3", [{"age": 3.1}], [{"age": 3}, {"age": "4"}, {"age": True}, {}]),
        ("age:>= 3", [{"age": 3}, {"age": [1, 5]}], [{"age": 2}]),
        ("age:<-1.5", [{"age": -2}], [{"age": -1.5}]),
        ("age:<=1e2", [{"age": 100}], [{"age": 101}]),
        ("age:1..5", [{"age": 1}, {"age": 5}], [{"age": 0}, {"age": 6}, {"age": "3"}]),
        ("age:7", [{"age": 7}, {"age": 7.0}, {"age": "7"}], [{"age": 7.5}, {"age": 70}]),
        ("age:3.0", [{"age": 3}, {"age": "3.0"}], [{"age": "3"}, {"age": 3.5}]),
        ("age:1e0", [{"age": 1}, {"age": 1.0}], [{"age": True}, {"age": "1"}]),
        ("age:-.5", [{"age": -0.5}], [{"age": 0.5}]),
        ("age:9007199254740993", [{"age": 9007199254740993}], [{"age": 9007199254740995}]),
        ("time:12:30", [{"time": "12:30"}], [{"time": "12"}]),
    ],
)
def test_attribute_terms(term: str, good: list[Any], bad: list[Any]) -> None:
    (read,) = read_attribute_terms([term, " "])
    assert [read.fits(each) for each in good] == [True] * len(good)
    assert [read.fits(each) for each in bad] == [False] * len(bad)


@pytest.mark.parametrize("bad", ["a:", ":3", "x" * 65, "a\x00b", "age:5..1"])
def test_terms_that_say_nothing(bad: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_attribute_terms([bad])
    assert caught.value.mistakes[0].path == "attribute"


def test_not_too_much_at_once() -> None:
    for attempt in (
        lambda: read_attribute_terms(["a"] * 9),
        lambda: read_words("x" * 201),
        lambda: read_words(" ".join(map(str, range(11)))),
        lambda: read_label("x" * 65),
    ):
        with pytest.raises(InvalidInput):
            attempt()


def test_words_stand_anywhere_in_a_name() -> None:
    terms = SearchTerms(words=read_words(" Harbour  DSC harbour"))
    assert terms.words == ("harbour", "dsc")
    assert terms.name_fits("DSC_0042 old harbour.jpg")
    assert not terms.name_fits("harbour.jpg")
    assert not terms.name_fits(None)
    assert read_words("STRASSE") == read_words("straße")
    assert SearchTerms(words=read_words("E\u0301te")).name_fits("\u00e9t\u00e9 \u00e9te.jpg")


def test_what_is_asked_for() -> None:
    assert not SearchTerms().any
    assert SearchTerms(words=("a",)).any
    assert not SearchTerms(words=("a",)).about_annotations
    assert SearchTerms(label="car").only_label
    assert not SearchTerms(label="car", words=("a",)).only_label
    assert (read_label("  "), read_label(None), read_label(" car ")) == (None, None, "car")
