"""The label set of a collection: listed, added to, changed, put in order, taken from."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.domain.attributes import check_attributes
from app.domain.labels import (
    LabelClass,
    clean_colour,
    clean_hotkey,
    clean_label,
    unknown_names,
)
from app.domain.names import refuse
from app.errors import Conflict, NotFound
from app.services.audit import AuditLog, Subject
from app.services.collection_access import CollectionAccess, require_collection
from app.services.label_rows import all_classes, living, make_classes, update_class


@dataclass(frozen=True, slots=True)
class LabelEdit:
    """What to change; None leaves a field as it is, a ``hotkey`` of "" takes the key away."""

    name: str | None = None
    colour: str | None = None
    hotkey: str | None = None
    attributes: Mapping[str, object] | None = None


class Labels:
    """Whoever sees a collection sees its classes; an editor changes them."""

    def __init__(
        self, uow: UnitOfWork, audit: AuditLog, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._uow = uow
        self._audit = audit
        self._clock = clock

    def list(self, actor: Actor, slug: str) -> tuple[LabelClass, ...]:
        """The classes that a new box may have, in order."""
        with self._uow.read_rows() as connection:
            found = require_collection(connection, actor, Action.SEE_COLLECTION, slug)
            return living(all_classes(connection, found.id))

    def create(self, actor: Actor, slug: str, edit: LabelEdit) -> LabelClass:
        """Add a class; colour and key are chosen unless told. A removed one comes back.

        Raises ``InvalidInput``, and ``Conflict`` when the name or the key is taken.
        """
        name = clean_label(edit.name)
        with self._uow.write() as session:
            found, classes = self._open(session, actor, slug)
            if not unknown_names({name: "name"}, living(classes), is_open=True):
                raise _taken("There is already a label of this name.")
            classes = make_classes(session, found.id, [name], classes, self._clock())
            made = next(label for label in living(classes) if label.name == name)
            label = _edited(made, edit)
            _check_free(label, classes)
            update_class(session, label, None)
            self._note(session, actor, found, "label.create", label.id)
            return label

    def edit(self, actor: Actor, slug: str, label_id: UUID, edit: LabelEdit) -> LabelClass:
        """Rename, recolour, give another key; boxes keep their class.

        Raises ``NotFound``, ``InvalidInput``, ``Conflict``.
        """
        with self._uow.write() as session:
            found, classes = self._open(session, actor, slug)
            label = _edited(_living(classes, label_id), edit)
            _check_free(label, classes)
            update_class(session, label, None)
            self._note(session, actor, found, "label.edit", label_id)
            return label

    def reorder(self, actor: Actor, slug: str, ids: Sequence[UUID]) -> tuple[LabelClass, ...]:
        """Put the classes into this order; the ids must be those of all living classes."""
        with self._uow.write() as session:
            found, classes = self._open(session, actor, slug)
            if sorted(ids) != sorted(label.id for label in living(classes)):
                raise refuse("labels", "Name every label of the collection, each once.")
            ordered = tuple(replace(classes[id_], position=n) for n, id_ in enumerate(ids))
            for label in ordered:
                if label.position != classes[label.id].position:
                    update_class(session, label, None)
            self._note(session, actor, found, "label.reorder", None)
            return ordered

    def remove(self, actor: Actor, slug: str, label_id: UUID) -> None:
        """Take a class off the list. Boxes that have it keep it: their labels are sealed,
        so nobody can ask the database whether there are any.
        """
        with self._uow.write() as session:
            found, classes = self._open(session, actor, slug)
            label = replace(_living(classes, label_id), hotkey=None)
            update_class(session, label, self._clock())
            self._note(session, actor, found, "label.remove", label_id)

    def _open(
        self, session: Session, actor: Actor, slug: str
    ) -> tuple[CollectionAccess, dict[UUID, LabelClass]]:
        found = require_collection(session, actor, Action.MANAGE_LABELS, slug)
        return found, all_classes(session, found.id)

    def _note(
        self,
        session: Session,
        actor: Actor,
        found: CollectionAccess,
        action: str,
        label_id: UUID | None,
    ) -> None:
        self._audit.append(
            session,
            action,
            actor=actor,
            subject=Subject("collection", found.id),
            details={"label": str(label_id)} if label_id else None,
        )


def _living(classes: Mapping[UUID, LabelClass], label_id: UUID) -> LabelClass:
    label = classes.get(label_id)
    if label is None or label.removed:
        raise NotFound("There is no such label here.", operation="label.find")
    return label


def _edited(label: LabelClass, edit: LabelEdit) -> LabelClass:
    return replace(
        label,
        name=label.name if edit.name is None else clean_label(edit.name),
        colour=label.colour if edit.colour is None else clean_colour(edit.colour),
        hotkey=label.hotkey if edit.hotkey is None else clean_hotkey(edit.hotkey),
        attributes=label.attributes
        if edit.attributes is None
        else check_attributes(edit.attributes, "attributes") or {},
    )


def _check_free(label: LabelClass, classes: Mapping[UUID, LabelClass]) -> None:
    others: builtins.list[LabelClass] = [c for c in living(classes) if c.id != label.id]
    if any(other.name == label.name for other in others):
        raise _taken("There is already a label of this name.")
    if label.hotkey is not None and any(other.hotkey == label.hotkey for other in others):
        raise _taken("Another label has this key.")


def _taken(message: str) -> Conflict:
    return Conflict(message, operation="label.write")
