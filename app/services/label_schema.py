"""The label set as a versioned whole: its history, and changes of more than one class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.domain.attribute_types import MAX_OPTIONS
from app.domain.label_schema import merged
from app.domain.labels import LabelClass, clean_label
from app.domain.names import refuse
from app.errors import Conflict, NotFound
from app.models import LabelSchemaVersion, User
from app.services.audit import AuditLog, Subject
from app.services.collection_access import require_collection
from app.services.label_rows import (
    all_classes,
    class_json,
    living,
    make_classes,
    update_class,
)
from app.services.picture_detail import name_in
from app.services.relabelling import Preview, Relabelling, Rule
from app.services.schema_rows import Change, schema_changed, version_of

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.jobs import Queueing
    from app.services.labels import Labels

JOB: Final = "labels.relabel"
MOST_VERSIONS: Final = 50


@dataclass(frozen=True, slots=True)
class VersionView:
    """One line of the history; ``who`` None: it does not open, or the account is gone."""

    version: int
    at: datetime
    who: str | None
    kind: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class History:
    """Newest first; ``before`` asks for the next page, None: that was all."""

    versions: tuple[VersionView, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """``changed`` annotations have another class; None: ``job_id`` is at it."""

    version: int
    changed: int | None = None
    job_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SplitWish:
    """Either ``attribute`` with ``names`` by its values, or ``images`` and one ``name``."""

    attribute: str | None = None
    names: Mapping[str, str] | None = None
    images: Sequence[UUID] | None = None
    name: str | None = None


class LabelSchemas:
    """Whoever sees a collection sees its history; editors merge and split."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        labels: Labels,
        relabelling: Relabelling,
        jobs: Queueing,
        audit: AuditLog,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._labels = labels
        self._relabelling = relabelling
        self._jobs = jobs
        self._audit = audit
        self._clock = clock

    def history(self, actor: Actor, slug: str, before: int | None = None) -> History:
        """What changed, by whom and when, a page of 50."""
        with self._uow.read_rows() as connection:
            found = require_collection(connection, actor, Action.SEE_COLLECTION, slug)
            wanted = (
                select(
                    LabelSchemaVersion.id.label("row_id"),
                    LabelSchemaVersion.version,
                    LabelSchemaVersion.at,
                    LabelSchemaVersion.body,
                    User.id,
                    User.name,
                )
                .outerjoin(User, User.id == LabelSchemaVersion.actor_id)
                .where(LabelSchemaVersion.collection_id == found.id)
                .order_by(LabelSchemaVersion.version.desc())
                .limit(MOST_VERSIONS + 1)
            )
            if before is not None:
                wanted = wanted.where(LabelSchemaVersion.version < before)
            rows = connection.execute(wanted).all()
        shown = tuple(_version(row) for row in rows[:MOST_VERSIONS])
        return History(shown, shown[-1].version if len(rows) > MOST_VERSIONS else None)

    def preview(
        self, actor: Actor, slug: str, label_id: UUID, attribute: str | None = None
    ) -> Preview:
        """What a merge, split, deprecation or deletion of this class would be about."""
        with self._uow.read_rows() as connection:
            found = require_collection(connection, actor, Action.MANAGE_LABELS, slug)
            label = _known(all_classes(connection, found.id), label_id)
        return self._relabelling.preview(Rule(found.id, label.id, attribute=attribute))

    def merge(
        self, actor: Actor, slug: str, source: UUID, target: UUID, version: int | None
    ) -> Outcome:
        """From now on what is of class ``source`` is of ``target``, which answers to its name.

        Raises ``NotFound``, ``SchemaChanged``, and ``Conflict`` for a class into itself.
        """
        with self._uow.write() as session:
            found, classes = self._labels.open(session, actor, slug, version)
            if source == target:
                raise Conflict("A label cannot be merged into itself.", operation="label.merge")
            old, into = _known(classes, source), _offered(classes, target)
            if old.merged_into is not None:
                raise Conflict("This label was merged already.", operation="label.merge")
            gone, kept = merged(old, into)
            update_class(session, gone, self._clock())
            update_class(session, kept, None)
            change = Change("merge", actor.user_id, {"from": old.name, "into": into.name})
            touched = map(class_json, (gone, kept))
            now = schema_changed(session, found.id, change, touched, self._clock())
            self._note(session, actor, found.id, "label.merge", source)
            return self._carry_out(session, actor, Rule(found.id, source, target), now)

    def split(
        self, actor: Actor, slug: str, source: UUID, wish: SplitWish, version: int | None
    ) -> Outcome:
        """Give some annotations of a class another one, which is made if there is none such.

        What no value and no picture of the wish names keeps its class. Raises ``NotFound``,
        ``InvalidInput``, ``SchemaChanged``.
        """
        with self._uow.write() as session:
            found, classes = self._labels.open(session, actor, slug, version)
            names = _names_of(wish)
            label = _known(classes, source)
            known = {each.name: each for each in living(classes)}
            fresh = [name for name in dict.fromkeys(names.values()) if name not in known]
            classes = make_classes(
                session, found.id, fresh, classes, self._clock(), actor.user_id
            )
            known = {each.name: each for each in living(classes)}
            for name in fresh:
                update_class(session, replace(known[name], attributes=label.attributes), None)
            into = sorted(set(names.values()))
            change = Change("split", actor.user_id, {"from": label.name, "into": into})
            touched = [class_json(known[name]) for name in into]
            now = schema_changed(session, found.id, change, touched, self._clock())
            self._note(session, actor, found.id, "label.split", source)
            rule = _rule_of(wish, found.id, source, {w: known[n].id for w, n in names.items()})
            return self._carry_out(session, actor, rule, now)

    def run(self, actor_id: UUID | None, rule: Rule, watch: Any) -> int:
        """The job's part."""
        return self._relabelling.run(Actor(actor_id), rule, watch)

    def _carry_out(self, session: Session, actor: Actor, rule: Rule, version: int) -> Outcome:
        """Here, or by a job, in the transaction of the change itself: a crash leaves no
        annotation behind."""
        changed = self._relabelling.run_within(session, actor, rule)
        if changed is not None:
            return Outcome(version, changed=changed)
        job = self._jobs.enqueue(session, JOB, rule.json(), owner=actor.user_id)
        return Outcome(version, job_id=job)

    def _note(
        self,
        session: Session,
        actor: Actor,
        collection_id: UUID,
        action: str,
        label_id: UUID,
    ) -> None:
        self._audit.append(
            session,
            action,
            actor=actor,
            subject=Subject("collection", collection_id),
            details={"label": str(label_id)},
        )


def _version(row: Any) -> VersionView:
    change = dict(row.body.of(row.row_id)["change"])
    kind = change.pop("kind")
    who = None if row.id is None else name_in(row)
    return VersionView(row.version, row.at, who, kind, change)


def _known(classes: Mapping[UUID, LabelClass], label_id: UUID) -> LabelClass:
    label = classes.get(label_id)
    if label is None:
        raise NotFound("There is no such label here.", operation="label.find")
    return label


def _offered(classes: Mapping[UUID, LabelClass], label_id: UUID) -> LabelClass:
    label = _known(classes, label_id)
    if label.removed:
        raise Conflict("The other label is not offered any more.", operation="label.merge")
    return label


def _names_of(wish: SplitWish) -> dict[str, str]:
    """The names by the values of the attribute; of a split by pictures by ''."""
    if (wish.attribute is None) == (wish.images is None):
        raise refuse("attribute", "Say either an attribute or pictures.")
    if wish.images is not None:
        return {"": clean_label(wish.name)}
    names = wish.names or {}
    if not 1 <= len(names) <= MAX_OPTIONS:
        raise refuse("values", "Say for at least one value which label it becomes.")
    return {value: clean_label(name, f"values.{value}") for value, name in names.items()}


def _rule_of(
    wish: SplitWish, collection_id: UUID, source: UUID, targets: Mapping[str, UUID]
) -> Rule:
    if wish.images is not None:
        return Rule(collection_id, source, targets[""], images=tuple(wish.images))
    return Rule(collection_id, source, attribute=wish.attribute, values=targets)


__all__ = [
    "JOB",
    "History",
    "LabelSchemas",
    "Outcome",
    "Preview",
    "Rule",
    "SplitWish",
    "VersionView",
    "version_of",
]
