"""The label set of a collection: classes with stable ids, names, colours and keys.

A collection begins with an open set, in which an unknown name makes a class; its owner can
close it. Names are compared exactly (NFC): data sets tell ``car`` from ``Car``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.domain.attribute_types import AttributeType
from app.domain.names import clean_name, refuse
from app.errors import InvalidInput, Mistake

MAX_LABEL: Final = 64
#: A sealed label is padded to 256 bytes at most, its row's id and a length among them.
MAX_LABEL_BYTES: Final = 200
MAX_CLASSES: Final = 1000

#: Twenty colours with names. The first eight are Okabe and Ito's set for colour-blind eyes,
#: white for its black; each of the others is the one of a coarse grid that is farthest from
#: all before it, to usual, protanopic and deuteranopic eyes alike (CIE76 distance 17 and more).
PALETTE: Final[tuple[tuple[str, str], ...]] = (
    ("#e69f00", "amber"),
    ("#56b4e9", "sky"),
    ("#009e73", "green"),
    ("#f0e442", "yellow"),
    ("#0072b2", "blue"),
    ("#d55e00", "vermilion"),
    ("#cc79a7", "orchid"),
    ("#ffffff", "white"),
    ("#0000ee", "ultramarine"),
    ("#0066ee", "azure"),
    ("#aa0022", "crimson"),
    ("#cceeaa", "pistachio"),
    ("#444466", "slate"),
    ("#6600aa", "violet"),
    ("#cccc66", "straw"),
    ("#2288ee", "cornflower"),
    ("#cc00aa", "magenta"),
    ("#0044ee", "cobalt"),
    ("#aaccaa", "sage"),
    ("#ee4466", "raspberry"),
)
COLOURS: Final = tuple(colour for colour, _ in PALETTE)
HOTKEYS: Final = "1234567890"

_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClassDetails:
    """What is said of a class that is to be made; ``colour`` None: the next of the palette."""

    colour: str | None = None
    attributes: tuple[AttributeType, ...] = ()


PLAIN: Final = ClassDetails()


@dataclass(frozen=True, slots=True)
class LabelClass:
    """A class of a collection; ``position`` starts at 0, ``hotkey`` is a digit or None.

    ``number`` is the class's for ever, from 0 on in the order in which the classes came: what
    an export writes as an index never shifts. ``aliases`` are names by which an import finds
    it. ``removed`` (deprecated): kept for the boxes that have it, offered to no new one.
    ``merged_into``: what was drawn as this one is that one. ``deleted``: nobody had it when
    it was taken away; its number stays taken, and a late change that names it is in order.
    """

    id: UUID
    name: str
    colour: str
    hotkey: str | None
    position: int
    attributes: tuple[AttributeType, ...] = ()
    removed: bool = False
    number: int = 0
    aliases: tuple[str, ...] = ()
    merged_into: UUID | None = None
    deleted: bool = False


def clean_label(text: object, path: str = "name") -> str:
    """A label's name: one line, 1 to 64 characters, at most 200 bytes of UTF-8."""
    name = clean_name(text, path, longest=MAX_LABEL)
    if len(name.encode()) > MAX_LABEL_BYTES:
        raise refuse(path, f"At most {MAX_LABEL_BYTES} bytes fit here.")
    return name


def clean_colour(text: object, path: str = "colour") -> str:
    """A colour as ``#rrggbb``, in small letters."""
    colour = text.strip().lower() if isinstance(text, str) else ""
    if not _COLOUR.fullmatch(colour):
        raise refuse(path, "A colour is written #rrggbb.")
    return colour


def clean_hotkey(text: object, path: str = "hotkey") -> str | None:
    """A digit, or None for no key."""
    if text is None or text == "":
        return None
    if not isinstance(text, str) or len(text) != 1 or text not in HOTKEYS:
        raise refuse(path, "A key is one digit.")
    return text


def next_colour(used: Sequence[str]) -> str:
    """The colour of the palette that is used least, the first of them."""
    return min(COLOURS, key=used.count)


def next_hotkey(used: Collection[str | None]) -> str | None:
    """The first digit that is free, in the order of the keyboard; None after ten."""
    return next((key for key in HOTKEYS if key not in used), None)


def new_class(
    id_: UUID, name: str, existing: Sequence[LabelClass], details: ClassDetails = PLAIN
) -> LabelClass:
    """A class behind the existing ones, with the next number, colour and key.

    ``existing`` are all that there ever were: a number is never given twice.
    """
    offered = [label for label in existing if not label.removed]
    return LabelClass(
        id=id_,
        name=name,
        colour=details.colour or next_colour([label.colour for label in offered]),
        hotkey=next_hotkey([label.hotkey for label in offered]),
        position=1 + max((label.position for label in offered), default=-1),
        attributes=details.attributes,
        number=1 + max((label.number for label in existing), default=-1),
    )


def unknown_names(
    wanted: Mapping[str, str], existing: Sequence[LabelClass], *, is_open: bool
) -> tuple[str, ...]:
    """The names that must become classes, in the order in which they came; an alias is known.

    ``wanted`` maps each name to the place where it stands first. Raises ``InvalidInput``
    with these places when the set is closed, or when it would grow beyond 1,000 classes.
    """
    known = {name for label in existing for name in (label.name, *label.aliases)}
    missing = tuple(name for name in wanted if name not in known)
    if missing and not is_open:
        raise InvalidInput(
            "The label set of this collection is closed.",
            mistakes=[
                Mistake(wanted[name], "There is no such label here.") for name in missing
            ],
        )
    if len(existing) + len(missing) > MAX_CLASSES:
        raise InvalidInput(f"A collection has at most {MAX_CLASSES} label classes.")
    return missing
