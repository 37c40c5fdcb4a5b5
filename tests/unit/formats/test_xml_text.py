"""XML of label files: lines, limits, and elements that come back as they were."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.formats import xml_text
from app.formats.losses import Ledger, LossCode
from app.formats.xml_text import Element

LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]><l>&j;</l>"
)


def read(data: bytes) -> Element:
    return xml_text.read_xml(data, "f.xml", Ledger())


def test_elements_have_their_lines_and_text() -> None:
    root = read(b'<a x="1">\n <b>t&amp;\n</b>\n <b/></a>')
    assert (root.tag, root.attributes, root.line, root.text) == ("a", {"x": "1"}, 1, "")
    first, second = root.children
    assert (first.text, first.line, second.line) == ("t&\n", 2, 4)
    assert root.text_of("b") == "t&\n"
    assert root.text_of("c") == ""
    assert root.child("c") is None


def test_comments_and_instructions_are_told() -> None:
    ledger = Ledger()
    xml_text.read_xml(b"<a>\n<!-- b --><?c d?></a>", "f.xml", ledger)
    (loss,) = ledger.losses
    assert (loss.code, loss.place, loss.count) == (LossCode.COMMENTS, "f.xml:2", 2)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"a", b"<a>", b"<a></b>", b"<a/><b/>", b"<a x='1' x='2'/>", b"<a>&b;</a>",
        b"<a>\xff</a>", b"<a>\0</a>", b"<a>&#1;</a>", b"<a x=1/>",
        b"<?xml version='1.0' encoding='none'?><a/>",
        b"<?xml version='1.0' encoding='utf-7'?><a>\xff</a>",
        b"<?xml version='1.0' encoding='zlib_codec'?><a/>",
        b"<!DOCTYPE a><a/>", b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        b"<!DOCTYPE a [<!ENTITY b SYSTEM 'http://localhost/'>]><a>&b;</a>",
        b"<!DOCTYPE a [<!ENTITY % b SYSTEM 'file:///etc/passwd'> %b;]><a/>",
        LAUGHS, b"<a>" * 41, b"<a>" * 200_000,
    ],
)  # fmt: skip
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(data)
    assert refused.value.mistakes[0].path == "f.xml:1"


def test_the_line_of_a_mistake() -> None:
    with pytest.raises(InvalidInput) as refused:
        read(b"<a>\n<b>\n</c></a>")
    assert refused.value.mistakes[0].path == "f.xml:3"


def test_other_encodings_that_a_file_declares() -> None:
    assert (
        read("<?xml version='1.0' encoding='iso-8859-1'?><a>ü</a>".encode("latin-1")).text
        == "ü"
    )
    assert read("<a>ü</a>".encode("utf-16")).text == "ü"
    assert read("\ufeff<a>ü</a>".encode()).text == "ü"


def test_the_number_of_elements_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml_text, "MAX_ELEMENTS", 10)
    read(b"<a>" + b"<b/>" * 9 + b"</a>")
    with pytest.raises(InvalidInput):
        read(b"<a>" + b"<b/>" * 10 + b"</a>")


def test_a_long_document_is_read_in_bounded_memory() -> None:
    data = b"<a>" + b"<b c='1'/>" * 20_000 + b"</a>"
    tracemalloc.start()
    read(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000 * 700


LEGAL = st.characters(
    codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"
)
TEXT = st.text(LEGAL | st.sampled_from("\t\n\r<>&\"'"), max_size=5)
NAMES = st.sampled_from(("a", "b-c", "d.e", "f:g"))
LEAVES = st.builds(Element, NAMES, st.dictionaries(NAMES, TEXT, max_size=2), st.just(0), TEXT)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        Element,
        NAMES,
        st.dictionaries(NAMES, TEXT, max_size=2),
        st.just(0),
        st.just(""),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@given(TREES)
def test_what_was_written_is_read(tree: Element) -> None:
    ledger = Ledger()
    text = "\n".join(xml_text.lines_of(tree, 0, ledger))
    found = read((xml_text.DECLARATION + text).encode())
    assert xml_text.node(found) == xml_text.node(tree)
    assert xml_text.element(xml_text.node(tree)) == _without_lines(tree)
    assert ledger.losses == ()


@given(st.text(max_size=5))
def test_characters_that_xml_cannot_hold_are_replaced_and_told(text: str) -> None:
    ledger = Ledger()
    told = xml_text.content(text, ledger)
    found = read(f"<a>{told}</a>".encode()).text
    assert (found == text) is (ledger.losses == ())


@pytest.mark.parametrize(
    "found", [None, [], ["a", {}, ""], ["a", {}, "", [1]], [1, {}, "", []]]
)
def test_what_is_no_element(found: object) -> None:
    with pytest.raises(ValueError, match="no element"):
        xml_text.element(found)


def _without_lines(tree: Element) -> Element:
    children = [_without_lines(child) for child in tree.children]
    return Element(tree.tag, tree.attributes, 0, tree.text, children)


def test_text_beside_elements_is_told() -> None:
    ledger = Ledger()
    xml_text.read_xml(b"<a>\n<b>1<c/></b> <d>2</d></a>", "f.xml", ledger)
    (loss,) = ledger.losses
    assert (loss.code, loss.place, loss.count) == (LossCode.TEXT_BESIDE, "f.xml:2", 1)
