"""The rules of a versioned label set: numbers that never shift, aliases, merged classes.

A class is never forgotten: renamed it keeps its id and number, and its former name becomes
an alias; merged it points to the class that took its annotations; deleted it is only taken
off the list. So an operation of a session that was open meanwhile, an import under an old
name and the index in an old export all still mean what they meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from app.domain.labels import LabelClass, clean_label
from app.domain.names import refuse

MAX_ALIASES: Final = 32
Classes = Mapping[UUID, LabelClass]


def numbered(told: Sequence[int | None]) -> tuple[int, ...]:
    """The numbers of classes in the order in which they were made; None: not told.

    Those made before there were numbers get the least that are free, in that order: the same
    ones at every reading, whichever of them have been written down meanwhile.
    """
    taken = {number for number in told if number is not None}
    free = (number for number in range(len(told)) if number not in taken)
    return tuple(next(free) if number is None else number for number in told)


def present(classes: Classes, label_id: UUID) -> LabelClass | None:
    """The class that an id means now: where it was merged, the one that it went into.

    None for an id that was never one of these.
    """
    seen: set[UUID] = set()
    label = classes.get(label_id)
    while label is not None and label.merged_into is not None and label.id not in seen:
        seen.add(label.id)
        label = classes.get(label.merged_into, label)
    return label


def names_of(classes: Iterable[LabelClass]) -> dict[str, LabelClass]:
    """What each name means: a name before any alias, offered classes before removed ones."""
    order = sorted(classes, key=lambda label: (label.removed, label.position, label.number))
    found: dict[str, LabelClass] = {}
    for label in order:
        if label.merged_into is None:
            found.setdefault(label.name, label)
    for label in order:
        for alias in label.aliases:
            found.setdefault(alias, label)
    return found


def renamed(label: LabelClass, name: str) -> LabelClass:
    """Of another name; the former one becomes an alias, the oldest of too many is dropped."""
    if name == label.name:
        return label
    aliases = tuple(alias for alias in label.aliases if alias != name)
    return replace(label, name=name, aliases=(*aliases, label.name)[-MAX_ALIASES:])


def merged(source: LabelClass, target: LabelClass) -> tuple[LabelClass, LabelClass]:
    """The source, from now on the target, and the target, which answers to its names."""
    names = dict.fromkeys((*target.aliases, source.name, *source.aliases))
    names.pop(target.name, None)
    kept = tuple(names)[-MAX_ALIASES:]
    gone = replace(source, removed=True, hotkey=None, aliases=(), merged_into=target.id)
    return gone, replace(target, aliases=kept)


def clean_aliases(document: object, path: str = "aliases") -> tuple[str, ...]:
    """A list of names, each once; ``InvalidInput``."""
    if not isinstance(document, list | tuple) or len(document) > MAX_ALIASES:
        raise refuse(path, f"This must be a list of at most {MAX_ALIASES} names.")
    return tuple(
        dict.fromkeys(clean_label(name, f"{path}[{n}]") for n, name in enumerate(document))
    )


def taken_by(label: LabelClass, others: Iterable[LabelClass]) -> LabelClass | None:
    """The offered class whose name or alias is one of this class's; None if all are free."""
    own = {label.name, *label.aliases}
    return next(
        (other for other in others if not own.isdisjoint((other.name, *other.aliases))), None
    )
