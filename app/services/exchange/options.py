"""What a person chose for an import or an export, read from JSON, a form or a command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

from app.domain.labels import MAX_CLASSES, clean_label
from app.domain.names import refuse
from app.domain.states import AnnotationState
from app.formats.dataset import Task
from app.media.stripping import POLICIES, Policy
from app.services.exchange.catalogue import format_named

E = TypeVar("E", bound=StrEnum)
Told = Mapping[str, Any]
GIVEN_STATES: Final = (AnnotationState.IN_PROGRESS, AnnotationState.DONE)
METADATA: Final = tuple(policy.value for policy in POLICIES)
_ARROW: Final = re.compile(r"\s*(?:=>|->|=|→)\s*")
MAX_SEED: Final = 2**31 - 1


class Mode(StrEnum):
    """What an import does where a picture has annotations already."""

    ADD = "add"  # keep them, add what is not there
    REPLACE = "replace"  # the file's instead
    EMPTY = "empty"  # only pictures that have none


class Names(StrEnum):
    ORIGINAL = "original"
    ID = "id"
    NUMBERED = "numbered"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """``format`` None: find out. ``classes``: a name in the file to a name here. ``state``:
    what every picture of the file gets; None: what the file says."""

    format: str | None = None
    mode: Mode = Mode.ADD
    images: bool = True
    state: AnnotationState | None = None
    classes: Mapping[str, str] = field(default_factory=dict)
    origin: int | None = None
    task: Task | None = None

    def told(self) -> dict[str, Any]:
        """JSON that `read_import` reads."""
        return {
            "format": self.format,
            "mode": self.mode.value,
            "images": self.images,
            "state": self.state.value if self.state else None,
            "classes": dict(self.classes),
            "origin": self.origin,
            "task": self.task.value if self.task else None,
        }


IMPORT_MEMBERS: Final = frozenset(ImportOptions().told())


def read_import(told: Told) -> ImportOptions:
    """``InvalidInput`` with the member that is wrong; unknown ones are not looked at."""
    origin = told.get("origin")
    if origin is not None and (isinstance(origin, bool) or origin not in (0, 1)):
        raise refuse("origin", "Pixels are counted from 0 or from 1.")
    if format_ := _text(told, "format"):
        format_named(format_)
    return ImportOptions(
        format=format_ or None,
        mode=_choice(Mode, told, "mode") or Mode.ADD,
        images=flag(told, "images", usual=True),
        state=_state(told),
        classes=_classes(told.get("classes")),
        origin=origin,
        task=_choice(Task, told, "task"),
    )


@dataclass(frozen=True, slots=True)
class Splits:
    """Shares of whole hundreds in order, and the seed by which pictures are dealt."""

    shares: Mapping[str, int]
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """``states`` and ``labels`` empty: all."""

    format: str = "coco"
    images: bool = True
    crops: bool = False
    metadata: Policy = Policy.KEEP
    names: Names = Names.ORIGINAL
    splits: Splits | None = None
    states: tuple[AnnotationState, ...] = ()
    labels: tuple[str, ...] = ()
    task: Task | None = None
    origin: int | None = None
    accept_losses: bool = False

    def told(self) -> dict[str, Any]:
        """JSON that `read_export` reads."""
        return {
            "format": self.format,
            "images": self.images,
            "crops": self.crops,
            "metadata": self.metadata.value,
            "filenames": self.names.value,
            "splits": dict(self.splits.shares) if self.splits else None,
            "seed": self.splits.seed if self.splits else 0,
            "states": [state.value for state in self.states],
            "labels": list(self.labels),
            "task": self.task.value if self.task else None,
            "origin": self.origin,
            "accept_losses": self.accept_losses,
        }


EXPORT_MEMBERS: Final = frozenset(ExportOptions().told())


def read_export(told: Told) -> ExportOptions:
    """``InvalidInput`` with the member that is wrong; unknown ones are not looked at."""
    states = _texts(told, "states")
    unknown = set(states) - set(AnnotationState)
    if unknown:
        raise refuse("states", "A state is one of " + ", ".join(AnnotationState) + ".")
    origin = told.get("origin")
    if origin is not None and (isinstance(origin, bool) or origin not in (0, 1)):
        raise refuse("origin", "Pixels are counted from 0 or from 1.")
    return ExportOptions(
        format=format_named(_text(told, "format")).NAME,
        images=flag(told, "images", usual=True),
        crops=flag(told, "crops", usual=False),
        metadata=_choice(Policy, told, "metadata") or Policy.KEEP,
        names=_choice(Names, told, "filenames") or Names.ORIGINAL,
        splits=_splits(told),
        states=tuple(map(AnnotationState, dict.fromkeys(states))),
        labels=tuple(clean_label(name, "labels") for name in _texts(told, "labels")),
        task=_choice(Task, told, "task"),
        origin=origin,
        accept_losses=flag(told, "accept_losses", usual=False),
    )


def flag(told: Told, name: str, *, usual: bool) -> bool:
    value = told.get(name)
    if value is None:
        return usual
    if not isinstance(value, bool):
        raise refuse(name, "This must be true or false.")
    return value


def _text(told: Told, name: str) -> str:
    value = told.get(name)
    if value is not None and not isinstance(value, str):
        raise refuse(name, "This must be text.")
    return value or ""


def _texts(told: Told, name: str) -> list[str]:
    value = told.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise refuse(name, "This must be a list of texts.")
    return value


def _choice(kind: type[E], told: Told, name: str) -> E | None:
    word = _text(told, name)
    if not word:
        return None
    found = next((each for each in kind if each == word), None)
    if found is None:
        raise refuse(name, "This must be one of " + ", ".join(kind) + ".")
    return found


def _state(told: Told) -> AnnotationState | None:
    word = _text(told, "state")
    if not word:
        return None
    found = next((state for state in GIVEN_STATES if state == word), None)
    if found is None:
        raise refuse("state", "An import gives in_progress or done.")
    return found


def classes_of(lines: Iterable[str]) -> dict[str, str]:
    """``theirs = ours`` each, empty ones left out; ``InvalidInput``."""
    found: dict[str, str] = {}
    for line in filter(str.strip, lines):
        parts = _ARROW.split(line.strip(), maxsplit=1)
        if len(parts) != 2 or not all(parts):
            raise refuse("classes", "A line for each class: name in the file = name here.")
        found[parts[0]] = parts[1]
    return found


def _classes(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MAX_CLASSES:
        raise refuse("classes", "This must be an object of names to names.")
    return {
        clean_label(theirs, "classes"): clean_label(ours, "classes")
        for theirs, ours in value.items()
    }


def _splits(told: Told) -> Splits | None:
    value, seed = told.get("splits"), told.get("seed") or 0
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= MAX_SEED:
        raise refuse("seed", "A seed is a whole number from 0 on.")
    if value is None:
        return None
    if not isinstance(value, dict) or not set(value) <= {"train", "val", "test"}:
        raise refuse("splits", "Splits are shares of train, val and test.")
    shares = {name: value.get(name, 0) for name in ("train", "val", "test")}
    sound = all(isinstance(n, int) and not isinstance(n, bool) for n in shares.values())
    if not sound or min(shares.values()) < 0 or sum(shares.values()) != 100:
        raise refuse("splits", "The shares are whole numbers that make 100 together.")
    return Splits({name: n for name, n in shares.items() if n}, seed)
