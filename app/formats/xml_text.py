"""XML documents with limits and lines, and elements as text again.

Document types, entities and external references are refused: a label file has none. A place
is ``file:line``. Space between elements is not kept, text inside of them is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.sax import SAXException
from xml.sax.handler import (
    ContentHandler,
    LexicalHandler,
    property_lexical_handler,
)
from xml.sax.saxutils import escape, quoteattr
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml import DefusedXmlException
from defusedxml.expatreader import DefusedExpatParser

from app.domain.names import refuse
from app.formats.losses import Ledger, LossCode
from app.formats.texts import MAX_FILE

MAX_DEPTH: Final = 40
MAX_ELEMENTS: Final = 1_000_000
"""Of one document; an element takes about half a kilobyte while it is read."""

DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
_ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even as a number: https://www.w3.org/TR/xml/#charsets"""


@dataclass(slots=True)
class Element:
    """``text`` is all text directly in it; only space where it has children counts as none."""

    tag: str
    attributes: dict[str, str]
    line: int = 0
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def child(self, tag: str) -> Element | None:
        """The first of this name."""
        return next((child for child in self.children if child.tag == tag), None)

    def text_of(self, tag: str) -> str:
        """The text of the first child of this name, '' without one."""
        found = self.child(tag)
        return "" if found is None else found.text


def read_xml(data: bytes, name: str, ledger: Ledger) -> Element:
    """The root element; comments are told. Raises ``InvalidInput`` with the line."""
    if len(data) > MAX_FILE:
        raise refuse(name, f"This file is longer than {MAX_FILE >> 20} MiB.")
    parser = DefusedExpatParser(forbid_dtd=True)
    builder = _Builder(name, parser, ledger)
    parser.setContentHandler(builder)
    parser.setProperty(property_lexical_handler, builder)
    try:
        parser.feed(data)
        parser.close()
    except DefusedXmlException:
        raise refuse(
            builder.place, "A label file has no document type, entities or references."
        ) from None
    except SAXException:
        raise refuse(builder.place, "This is no well-formed XML.") from None
    except (ValueError, LookupError):  # an encoding that Python does not know
        raise refuse(builder.place, "Save this file as UTF-8.") from None
    return builder.root


def node(element: Element) -> list[object]:
    """As JSON: ``[tag, attributes, text, children]``."""
    children = [node(child) for child in element.children]
    return [element.tag, element.attributes, element.text, children]


def element(found: object) -> Element:
    """The element of what `node` gave; ``ValueError`` for something else."""
    match found:
        case [str(tag), dict(attributes), str(text), list(children)]:
            made = {str(name): str(value) for name, value in attributes.items()}
            return Element(tag, made, 0, text, [element(child) for child in children])
    raise ValueError("this is no element")


def opening(tag: str, attributes: Mapping[str, str], ledger: Ledger) -> str:
    """``<tag name="value">``."""
    told = (f" {name}={quoteattr(legal(text, ledger))}" for name, text in attributes.items())
    return f"<{tag}{''.join(told)}>"


def content(text: str, ledger: Ledger) -> str:
    """Text between tags; a carriage return is told by its number, else it would be lost."""
    return escape(legal(text, ledger), {"\r": "&#13;"})


def legal(text: str, ledger: Ledger) -> str:
    """Characters that XML cannot hold are replaced by U+FFFD, and told."""
    found, count = _ILLEGAL.subn("\ufffd", text)
    if count:
        ledger.add(LossCode.CHARACTERS, count=count)
    return found


def lines_of(found: Element, depth: int, ledger: Ledger) -> Sequence[str]:
    """An element and what is in it, a line each, indented by two spaces a level."""
    indent, tag = "  " * depth, found.tag
    start = indent + opening(tag, found.attributes, ledger)
    if not found.children:
        return [f"{start}{content(found.text, ledger)}</{tag}>"]
    inner = [line for child in found.children for line in lines_of(child, depth + 1, ledger)]
    return [start, *inner, f"{indent}</{tag}>"]


def note_beside(found: Element, name: str, ledger: Ledger) -> None:
    """Tell text in an element of which nothing but its children is written again."""
    if found.text.strip():
        ledger.add(LossCode.TEXT_BESIDE, f"{name}:{found.line}")


class _Builder(ContentHandler, LexicalHandler):
    def __init__(self, name: str, locator: Locator, ledger: Ledger) -> None:
        super().__init__()
        self.root = Element("", {})
        self._name, self._where, self._ledger = name, locator, ledger
        self._open: list[tuple[Element, list[str]]] = []
        self._count = 0

    @property
    def place(self) -> str:
        return f"{self._name}:{self._line()}"

    def _line(self) -> int:
        return self._where.getLineNumber() or 1

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        self._count += 1
        if len(self._open) >= MAX_DEPTH:
            raise refuse(self.place, f"XML is nested at most {MAX_DEPTH} deep here.")
        if self._count > MAX_ELEMENTS:
            raise refuse(self.place, f"A file has at most {MAX_ELEMENTS:,} elements.")
        found = Element(name, dict(attrs.items()), self._line())
        if self._open:
            self._open[-1][0].children.append(found)
        else:
            self.root = found
        self._open.append((found, []))

    def endElement(self, name: str) -> None:  # noqa: ARG002, N802
        found, parts = self._open.pop()
        text = "".join(parts)
        found.text = text if not found.children or text.strip() else ""
        if found.children:
            note_beside(found, self._name, self._ledger)

    def characters(self, content: str) -> None:
        self._open[-1][1].append(content)

    def comment(self, content: str) -> None:  # noqa: ARG002
        self._ledger.add(LossCode.COMMENTS, self.place)

    def processingInstruction(self, target: str, data: str) -> None:  # noqa: ARG002, N802
        self._ledger.add(LossCode.COMMENTS, self.place)
