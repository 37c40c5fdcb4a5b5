"""Annotations of one class get another one: what merging and splitting classes comes to.

Every picture is a save of its own, with operations in its log, so that open editors hear of
it and its history tells it. A run that was stopped is begun again and finds what is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self
from uuid import UUID

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from app.domain.access import Actor
from app.domain.annotation import Annotation, Change, Changes
from app.domain.attribute_types import value_word
from app.domain.ids import new_id
from app.domain.labels import LabelClass
from app.domain.operations import SaveKind
from app.jobs.watch import UNWATCHED, Watch
from app.models import Annotation as AnnotationRow
from app.models import Image, LabelToken
from app.models.image import NOT_DESTROYED
from app.services.annotation_rows import read_rows
from app.services.label_rows import all_classes
from app.services.label_tallies import opened_label
from app.services.picture_access import find_picture
from app.services.schema_rows import is_indexed

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.annotation_writing import AnnotationWriting
    from app.services.label_index import LabelIndex

#: Pictures that are looked at in one transaction.
AT_ONCE: Final = 50
#: So many pictures, with so many annotations, change while the caller waits; more are a job's.
FEW: Final = 100
FEW_ANNOTATIONS: Final = 5000
#: Annotations that a preview opens before it says "at least".
MOST_LOOKED_AT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Which annotations of ``source`` get which class.

    ``target``: the class of all that no value decides. ``attribute`` and ``values``: by what
    an attribute says, as `value_word` writes it. ``images``: on these pictures only.
    """

    collection_id: UUID
    source: UUID
    target: UUID | None = None
    attribute: str | None = None
    values: Mapping[str, UUID] | None = None
    images: tuple[UUID, ...] | None = None

    def target_of(self, annotation: Annotation) -> UUID | None:
        """The class that it gets; None: it stays as it is."""
        if annotation.label_id != self.source:
            return None
        if self.attribute is None:
            return self.target
        word = value_word(annotation.attributes.get(self.attribute))
        return (self.values or {}).get(word, self.target)

    def json(self) -> dict[str, Any]:
        """For the parameters of a job."""
        return {
            "collection": str(self.collection_id),
            "source": str(self.source),
            "target": str(self.target) if self.target else None,
            "attribute": self.attribute,
            "values": {word: str(id_) for word, id_ in (self.values or {}).items()},
            "images": None if self.images is None else [str(id_) for id_ in self.images],
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        images = told["images"]
        return cls(
            collection_id=UUID(told["collection"]),
            source=UUID(told["source"]),
            target=UUID(told["target"]) if told["target"] else None,
            attribute=told["attribute"],
            values={word: UUID(id_) for word, id_ in told["values"].items()},
            images=None if images is None else tuple(map(UUID, images)),
        )


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change of a class is about: pictures by state, those in the trash too.

    ``values``: annotations by what the asked-for attribute says. ``complete`` false: there
    are more, and what is told is the least.
    """

    annotations: int
    pictures: int
    states: Mapping[str, int]
    values: Mapping[str, int]
    complete: bool


class Relabelling:
    """Finds the annotations that a rule is about, counts or changes them."""

    def __init__(self, uow: UnitOfWork, writing: AnnotationWriting, index: LabelIndex) -> None:
        self._uow = uow
        self._writing = writing
        self._index = index

    def candidates(self, source: Session | Connection, rule: Rule) -> list[UUID]:
        """The pictures that may have annotations of the class, in the order of their ids."""
        wanted = select(Image.id).where(
            Image.collection_id == rule.collection_id,
            Image.annotation_count > 0,
            NOT_DESTROYED,
        )
        found = (
            source.scalars(wanted)
            if isinstance(source, Session)
            else (row.id for row in source.execute(wanted))
        )
        ids = set(found)
        if rule.images is not None:
            ids &= set(rule.images)
        if is_indexed(source, rule.collection_id):
            ids &= self._indexed(source, rule)
        return sorted(ids)

    def _indexed(self, source: Session | Connection, rule: Rule) -> set[UUID]:
        tokens = self._index.candidates(rule.collection_id, [rule.source])
        rows = source.execute(
            select(LabelToken.image_id).where(
                LabelToken.collection_id == rule.collection_id, LabelToken.token.in_(tokens)
            )
        )
        return {row.image_id for row in rows}

    def preview(self, rule: Rule) -> Preview:
        """Count; opens at most 20,000 annotations."""
        states: Counter[str] = Counter()
        values: Counter[str] = Counter()
        looked = 0
        with self._uow.read_rows() as connection:
            batches = _batches(self.candidates(connection, rule))
            for ids in batches:
                rows = _annotations(connection, ids, with_attributes=bool(rule.attribute))
                looked += len(rows)
                found = [row for row in rows if opened_label(row) == rule.source]
                states.update({row.image_id: row.annotation_state for row in found}.values())
                values.update(_value(row, rule.attribute) for row in found)
                if looked >= MOST_LOOKED_AT:
                    break
            rest = next(batches, None)
        return Preview(
            annotations=values.total(),
            pictures=states.total(),
            states=states,
            values=values if rule.attribute else {},
            complete=rest is None,
        )

    def run(self, actor: Actor, rule: Rule, watch: Watch = UNWATCHED) -> int:
        """Change them, picture by picture; how many annotations have another class now."""
        with self._uow.read_rows() as connection:
            ids = self.candidates(connection, rule)
        changed = 0
        for done, batch in enumerate(_batches(ids)):
            watch.advance(done * AT_ONCE, len(ids))
            with self._uow.read_rows() as connection:
                having = _having(connection, rule, batch)
            if having:
                with self._uow.write() as session:
                    changed += self._relabel_all(session, actor, rule, having)
        return changed

    def run_within(self, session: Session, actor: Actor, rule: Rule) -> int | None:
        """The same in the caller's transaction; None, and nothing done, where they are many."""
        ids = self.candidates(session, rule)
        wanted = select(func.sum(Image.annotation_count)).where(Image.id.in_(ids[:FEW]))
        if len(ids) > FEW or (session.scalar(wanted) or 0) > FEW_ANNOTATIONS:
            return None
        having = _having(session.connection(), rule, ids)
        return self._relabel_all(session, actor, rule, having)

    def _relabel_all(
        self, session: Session, actor: Actor, rule: Rule, ids: Iterable[UUID]
    ) -> int:
        classes = all_classes(session, rule.collection_id)
        return sum(self._relabel(session, actor, rule, id_, classes) for id_ in ids)

    def _relabel(
        self,
        session: Session,
        actor: Actor,
        rule: Rule,
        image_id: UUID,
        classes: Mapping[UUID, LabelClass],
    ) -> int:
        picture = find_picture(session, actor, image_id)
        if picture is None or picture.collection_id != rule.collection_id:
            return 0  # it was moved or destroyed meanwhile
        steps = []
        for one in read_rows(session, image_id, classes):
            target = rule.target_of(one)
            label = classes.get(target) if target else None
            if label is not None:
                after = replace(one, label_id=label.id, label=label.name)
                steps.append(Change(new_id(), one, after))
        if steps:
            changes = Changes(tuple(steps), ())
            self._writing.write_set(session, actor, picture, changes, kind=SaveKind.RELABEL)
        return len(steps)


def _batches(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


def _annotations(
    connection: Connection, ids: Iterable[UUID], *, with_attributes: bool = False
) -> Sequence[Any]:
    more = [AnnotationRow.attributes] if with_attributes else []
    return connection.execute(
        select(
            AnnotationRow.id,
            AnnotationRow.label,
            AnnotationRow.image_id,
            Image.annotation_state,
            *more,
        )
        .join(Image, Image.id == AnnotationRow.image_id)
        .where(AnnotationRow.image_id.in_(list(ids)))
    ).all()


def _having(connection: Connection, rule: Rule, ids: Iterable[UUID]) -> list[UUID]:
    """Those of these pictures that have annotations of the class, in order."""
    rows = _annotations(connection, ids)
    return sorted({row.image_id for row in rows if opened_label(row) == rule.source})


def _value(row: Any, attribute: str | None) -> str:
    if attribute is None or row.attributes is None:
        return ""
    return value_word(row.attributes.of(row.id).get(attribute))
