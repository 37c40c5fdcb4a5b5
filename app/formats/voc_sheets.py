"""One file of Pascal VOC: its elements, and the way it is laid out.

labelImg indents by tabs and closes empty elements at once, others by two or four spaces or
not at all, some begin with a declaration: a file is written as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from app.formats.dataset import Picture
from app.formats.losses import Ledger
from app.formats.xml_text import Element, content, element, node, opening

STYLE: Final = {"head": "", "indent": "\t", "newline": "\n", "empty": "/>", "tail": "\n"}
"""That of labelImg: what is written for files that were none before."""


def style_of(text: str) -> dict[str, str]:
    """What differs from `STYLE`; a document in one line has no ``newline`` and ``indent``."""
    head, _, rest = text.partition("<annotation")
    tail = rest.rpartition("</annotation>")[2]
    found = re.match(r"[^<>]*>(\r?\n|)([ \t]*)<", rest)
    newline, indent = found.groups() if found else ("", "")
    empty = re.search(r"( ?/>)", rest)
    closed = re.search(r"<(\w+)(?: [^<>]*)?></\1>", rest)
    told = {
        "head": head if head.isspace() or head.strip().startswith("<?xml") else "",
        "indent": indent,
        "newline": newline,
        "empty": empty.group(1) if empty else "></" if closed else "/>",
        "tail": tail if not tail.strip() else "\n",
    }
    return {name: value for name, value in told.items() if value != STYLE[name]}


def sheet_tree(root: Element) -> list[object]:
    """The document as JSON, None where an object stands."""
    tag, attributes, text, _ = node(Element(root.tag, root.attributes, text=root.text))
    children = [None if child.tag == "object" else node(child) for child in root.children]
    return [tag, attributes, text, children]


def new_sheet(picture: Picture, name: str, origin: int) -> Element:
    """A document without objects for a picture that had none."""
    source = [_leaf("database", "Darkroom"), _leaf("annotation", f"pixels from {origin}")]
    return Element(
        "annotation",
        {},
        children=[
            _leaf("folder", picture.split or ""),
            _leaf("filename", name),
            Element("source", {}, children=source),
            *_size(picture),
            _leaf("segmented", "0"),
        ],
    )


def old_sheet(tree: object, picture: Picture, name: str) -> tuple[Element, list[int]]:
    """The document as it was, with the name and size that the picture has by now, and the
    places of its objects. ``ValueError`` where the tree is none."""
    match tree:
        case [str(tag), dict(attributes), str(text), list(children)]:
            pass
        case _:
            raise ValueError("this is no document")
    places = [n for n, child in enumerate(children) if child is None]
    found = [element(child) for child in children if child is not None]
    shown = [_renewed(child, picture, name) for child in found]
    made = {str(key): str(value) for key, value in attributes.items()}
    return Element(tag, made, text=text, children=shown), places


def filled(sheet: Element, places: Sequence[int], objects: Iterable[Element]) -> Element:
    """The document with its objects where they stood, further ones behind the last."""
    waiting, rest = iter(objects), iter(sheet.children)
    stood, children, last = set(places), list[Element](), 0
    for n in range(len(places) + len(sheet.children)):
        found = next(waiting, None) if n in stood else next(rest)
        if found is not None:
            children.append(found)
            last = len(children) if n in stood else last
    behind = last or len(children)
    children[behind:behind] = list(waiting)
    return Element(sheet.tag, sheet.attributes, text=sheet.text, children=children)


def sheet_text(sheet: Element, told: object, ledger: Ledger) -> str:
    """The file; ``told`` is what its style differs in."""
    differs = told if isinstance(told, dict) else {}
    style: dict[str, str] = {name: str(differs.get(name, STYLE[name])) for name in STYLE}
    body = "".join(_lines(sheet, 0, style, ledger))
    return style["head"] + body.removesuffix(style["newline"]) + style["tail"]


def _lines(found: Element, depth: int, style: dict[str, str], ledger: Ledger) -> Iterable[str]:
    indent, newline = style["indent"] * depth, style["newline"]
    start = indent + opening(found.tag, found.attributes, ledger)
    if found.children:
        yield start + newline
        for child in found.children:
            yield from _lines(child, depth + 1, style, ledger)
        yield f"{indent}</{found.tag}>{newline}"
    elif found.text or style["empty"] == "></":
        yield f"{start}{content(found.text, ledger)}</{found.tag}>{newline}"
    else:
        yield start.removesuffix(">") + style["empty"] + newline


def _renewed(child: Element, picture: Picture, name: str) -> Element:
    told = child.text.strip()
    if child.tag == "filename" and told and told != name:  # none: it is called as the file is
        return Element(child.tag, child.attributes, text=name)
    if child.tag != "size" or picture.width is None or picture.height is None:
        return child
    sides = {"width": str(picture.width), "height": str(picture.height)}
    return Element(
        child.tag,
        child.attributes,
        children=[
            Element(each.tag, each.attributes, text=_side(each, sides.get(each.tag)))
            for each in child.children
        ],
    )


def _side(found: Element, now: str | None) -> str:
    """As it was while it is the same number, such as "640.0", or none."""
    if now is None:
        return found.text
    try:
        return found.text if int(float(found.text)) in {int(now), 0} else now
    except (OverflowError, ValueError):
        return now


def _size(picture: Picture) -> list[Element]:
    if picture.width is None or picture.height is None:
        return []
    sides = (("width", picture.width), ("height", picture.height), ("depth", 3))
    return [Element("size", {}, children=[_leaf(tag, str(side)) for tag, side in sides])]


def _leaf(tag: str, text: str) -> Element:
    return Element(tag, {}, text=text)
