"""What an import makes of each picture, and what it keeps of the file beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.domain.access import Action, Actor, allows
from app.domain.annotation import Annotation
from app.domain.labels import LabelClass
from app.domain.states import REVIEWED, AnnotationState
from app.formats.dataset import ClassDef, Picture
from app.services.annotation_rows import read_rows
from app.services.exchange.matching import Match
from app.services.exchange.notes import (
    NO_NOTE,
    VERSION,
    ItemNote,
    PictureNote,
)
from app.services.exchange.options import ImportOptions, Mode
from app.services.exchange.planning import NewItem, Plan, plan
from app.services.exchange.reading import Reading
from app.services.label_rows import all_classes
from app.services.picture_access import PictureAccess, find_picture

if TYPE_CHECKING:
    pass

Classes = Mapping[str, LabelClass]


@dataclass
class Outcome:
    """Counts of an import: ``pictures`` that changed, ``kept`` annotations that say something
    else here and stay, ``left_alone`` pictures that had annotations, ``read_only`` ones that
    were accepted, ``missing`` ones that went in the meantime."""

    pictures: int = 0
    added: int = 0
    updated: int = 0
    deleted: int = 0
    kept: int = 0
    left_alone: int = 0
    read_only: int = 0
    missing: int = 0

    def add(self, other: Outcome) -> None:
        for name, count in other.told().items():
            setattr(self, name, getattr(self, name) + count)

    def count(self, made: Plan) -> None:
        self.added += made.added
        self.updated += made.updated
        self.deleted += made.deleted
        self.kept += made.kept
        self.left_alone += made.left_alone
        self.pictures += bool(made.added or made.updated or made.deleted)

    def told(self) -> dict[str, Any]:
        """JSON; the same words in reports and results."""
        return {
            name: getattr(self, name)
            for name in (
                "pictures", "added", "updated", "deleted",
                "kept", "left_alone", "read_only", "missing",
            )
        }  # fmt: skip


def preview(
    session: Any, actor: Actor, reading: Reading, matches: Sequence[Match], mode: Mode,
    classes: Classes,
) -> Outcome:  # fmt: skip
    """What `apply` would do now; nothing is written."""
    outcome = Outcome()
    known = all_classes(session, reading.access.id)
    for match in matches:
        if match.meant.id is None:
            made = plan(UUID(int=0), reading.format.NAME, (), _items(match, classes), {}, mode)
            outcome.count(made)
            continue
        picture = find_picture(session, actor, match.meant.id)
        if picture is not None:
            current = read_rows(session, picture.id, known)
            plan_picture(reading, match, picture, current, classes, mode, outcome)
    return outcome


def plan_picture(
    reading: Reading,
    match: Match,
    picture: PictureAccess,
    current: Sequence[Annotation],
    classes: Classes,
    mode: Mode,
    outcome: Outcome,
) -> Plan | None:
    """None where the picture is not to be changed; counted either way."""
    note = reading.notes.pictures.get(picture.id, NO_NOTE)
    items = _items(match, classes)
    made = plan(picture.id, reading.format.NAME, current, items, note.by_foreign_id, mode)
    changes = made.added or made.updated or made.deleted
    if picture.annotation_state is AnnotationState.ACCEPTED and changes:
        outcome.read_only += 1
        return None
    outcome.count(made)
    return made


def _items(match: Match, classes: Classes) -> list[NewItem]:
    return [
        NewItem(
            item.foreign_id,
            classes[item.label].id,
            classes[item.label].name,
            item.shape,
            item.attributes,
        )
        for item in match.picture.items
    ]


def state_of(
    options: ImportOptions, actor: Actor, picture: PictureAccess, told: Picture
) -> AnnotationState | None:
    """A verdict of the file is one only from a person who may give it."""
    wanted = options.state or told.state
    if wanted in REVIEWED and not allows(actor, Action.REVIEW, picture.facts):
        return AnnotationState.DONE
    return None if wanted is AnnotationState.NEW else wanted


def note_of(match: Match, made: Plan, place: int, state: AnnotationState) -> PictureNote:
    picture = match.picture
    body: dict[str, Any] = {
        "place": place,
        "file_name": picture.file_name,
        "width": picture.width,
        "height": picture.height,
        "split": picture.split,
        "state": picture.state.value if picture.state else None,
        "given": state.value,
        "foreign_id": picture.foreign_id,
        "extra": dict(picture.extra),
    }
    items = {id_: ItemNote.of(item) for id_, item in zip(made.ids, picture.items, strict=True)}
    return PictureNote(body, items)


def document_of(reading: Reading, classes: Classes) -> dict[str, Any]:
    """Classes of earlier imports stay, behind those of this one."""
    named = [_class(each, classes[each.name]) for each in reading.dataset.classes]
    there = {each["id"] for each in named}
    earlier = reading.notes.document.get("classes", [])
    named += [each for each in earlier if each["id"] not in there]
    return {"v": VERSION, "extra": dict(reading.dataset.extra), "classes": named}


def _class(told: ClassDef, label: LabelClass) -> dict[str, Any]:
    return {
        "id": label.id.hex,
        "name": told.name,
        "foreign_id": told.foreign_id,
        "colour": told.colour,
        "shown": label.colour,
        "number": told.number,
        "attributes": [dict(each) for each in told.attributes],
        "extra": dict(told.extra),
    }
