"""The label set of a collection: listed, added to, changed, put in order."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.domain.attribute_types import read_attribute_types
from app.domain.label_schema import clean_aliases, renamed, taken_by
from app.domain.labels import (
    LabelClass,
    clean_colour,
    clean_hotkey,
    clean_label,
    unknown_names,
)
from app.domain.names import refuse
from app.errors import Conflict, NotFound, SchemaChanged
from app.services.audit import AuditLog, Subject
from app.services.collection_access import CollectionAccess, require_collection
from app.services.label_rows import (
    all_classes,
    class_json,
    living,
    make_classes,
    update_class,
)
from app.services.label_set import LabelSet, label_set, tallies_of
from app.services.schema_rows import Change, schema_changed, schema_row


@dataclass(frozen=True, slots=True)
class LabelEdit:
    """What to change; None leaves a field as it is, a ``hotkey`` of "" takes the key away.

    ``attributes`` is a document as `app.domain.attribute_types` reads it.
    """

    name: str | None = None
    colour: str | None = None
    hotkey: str | None = None
    attributes: object = None
    aliases: Sequence[str] | None = None


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

    def whole(self, actor: Actor, slug: str) -> LabelSet:
        """Every class with how often it is used, and the version of it all."""
        with self._uow.read_rows() as connection:
            found = require_collection(connection, actor, Action.SEE_COLLECTION, slug)
            row = schema_row(connection, found.id)
            classes = all_classes(connection, found.id)
        return label_set(row, classes)

    def create(
        self, actor: Actor, slug: str, edit: LabelEdit, version: int | None = None
    ) -> LabelClass:
        """Add a class; colour and key are chosen unless told. A removed one comes back.

        ``version``: what the caller saw; None for any. Raises ``InvalidInput``,
        ``SchemaChanged``, and ``Conflict`` when the name or the key is taken.
        """
        name = clean_label(edit.name)
        with self._uow.write() as session:
            found, classes = self.open(session, actor, slug, version)
            if not unknown_names({name: "name"}, living(classes), is_open=True):
                raise _taken("There is already a label of this name.")
            classes = make_classes(
                session, found.id, [name], classes, self._clock(), actor.user_id
            )
            made = next(label for label in living(classes) if label.name == name)
            label = _edited(made, edit)
            _check_free(label, classes)
            update_class(session, label, None)
            self._note(session, actor, found, "label.create", label.id)
            return label

    def edit(
        self,
        actor: Actor,
        slug: str,
        label_id: UUID,
        edit: LabelEdit,
        version: int | None = None,
    ) -> LabelClass:
        """Rename, recolour, give another key, aliases, attributes; boxes keep their class.

        The former name of a renamed class becomes an alias. Raises ``NotFound``,
        ``InvalidInput``, ``SchemaChanged``, ``Conflict``.
        """
        with self._uow.write() as session:
            found, classes = self.open(session, actor, slug, version)
            before = _living(classes, label_id)
            label = _edited(before, edit)
            _check_free(label, classes)
            if label != before:
                update_class(session, label, None)
                change = _change_of(before, label)
                self._changed(session, actor, found, change, [label])
                self._note(session, actor, found, "label.edit", label_id)
            return label

    def reorder(
        self, actor: Actor, slug: str, ids: Sequence[UUID], version: int | None = None
    ) -> tuple[LabelClass, ...]:
        """Put the classes into this order; the ids must be those of all living classes."""
        with self._uow.write() as session:
            found, classes = self.open(session, actor, slug, version)
            if sorted(ids) != sorted(label.id for label in living(classes)):
                raise refuse("labels", "Name every label of the collection, each once.")
            ordered = tuple(replace(classes[id_], position=n) for n, id_ in enumerate(ids))
            moved = [label for label in ordered if label != classes[label.id]]
            for label in moved:
                update_class(session, label, None)
            if moved:
                self._changed(session, actor, found, ("order", {}), moved)
                self._note(session, actor, found, "label.reorder", None)
            return ordered

    def remove(
        self, actor: Actor, slug: str, label_id: UUID, version: int | None = None
    ) -> LabelClass:
        """Take a class off the list. What has it keeps it, and it stays known to open sessions;
        one that nothing has is deleted, which means: not shown any more.
        """
        with self._uow.write() as session:
            found, classes = self.open(session, actor, slug, version)
            tallies = tallies_of(schema_row(session, found.id).tallies)
            label = replace(
                _living(classes, label_id),
                hotkey=None,
                removed=True,
                deleted=label_id not in tallies,
            )
            update_class(session, label, self._clock())
            kind = "delete" if label.deleted else "deprecate"
            self._changed(session, actor, found, (kind, {"name": label.name}), [label])
            self._note(session, actor, found, "label.remove", label_id)
            return label

    def restore(
        self, actor: Actor, slug: str, label_id: UUID, version: int | None = None
    ) -> LabelClass:
        """Offer a deprecated class again; ``Conflict`` where its name has been given away,
        or where it was merged: its annotations are the other class's now."""
        with self._uow.write() as session:
            found, classes = self.open(session, actor, slug, version)
            label = classes.get(label_id)
            if label is None or not label.removed:
                raise NotFound("There is no such label here.", operation="label.find")
            if label.merged_into is not None:
                raise _taken("This label was merged into another one. Make a new one.")
            back = replace(label, removed=False, deleted=False)
            _check_free(back, classes)
            update_class(session, back, None)
            self._changed(session, actor, found, ("restore", {"name": back.name}), [back])
            self._note(session, actor, found, "label.restore", label_id)
            return back

    def open(
        self, session: Session, actor: Actor, slug: str, version: int | None
    ) -> tuple[CollectionAccess, dict[UUID, LabelClass]]:
        """The collection and its classes, in the caller's write transaction, for a change.

        Raises as ``access.require``, and ``SchemaChanged`` for another version.
        """
        found = require_collection(session, actor, Action.MANAGE_LABELS, slug)
        row = schema_row(session, found.id, lock=True)
        if version is not None and version != row.version:
            raise SchemaChanged(row.version, operation="label.write")
        return found, all_classes(session, found.id)

    def _changed(
        self,
        session: Session,
        actor: Actor,
        found: CollectionAccess,
        change: tuple[str, Mapping[str, Any]],
        touched: Sequence[LabelClass],
    ) -> None:
        made = Change(change[0], actor.user_id, change[1])
        schema_changed(session, found.id, made, map(class_json, touched), self._clock())

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


def _change_of(before: LabelClass, after: LabelClass) -> tuple[str, dict[str, Any]]:
    """What the history says; a new name is what matters most."""
    if before.name != after.name:
        return "rename", {"from": before.name, "to": after.name}
    fields = ("colour", "hotkey", "aliases", "attributes")
    changed = [name for name in fields if getattr(before, name) != getattr(after, name)]
    return "edit", {"name": after.name, "fields": changed}


def _living(classes: Mapping[UUID, LabelClass], label_id: UUID) -> LabelClass:
    label = classes.get(label_id)
    if label is None or label.removed:
        raise NotFound("There is no such label here.", operation="label.find")
    return label


def _edited(label: LabelClass, edit: LabelEdit) -> LabelClass:
    if edit.aliases is not None:
        told = clean_aliases(edit.aliases)
        label = replace(label, aliases=tuple(name for name in told if name != label.name))
    if edit.name is not None:
        label = renamed(label, clean_label(edit.name))
    return replace(
        label,
        colour=label.colour if edit.colour is None else clean_colour(edit.colour),
        hotkey=label.hotkey if edit.hotkey is None else clean_hotkey(edit.hotkey),
        attributes=label.attributes
        if edit.attributes is None
        else read_attribute_types(edit.attributes),
    )


def _check_free(label: LabelClass, classes: Mapping[UUID, LabelClass]) -> None:
    others: builtins.list[LabelClass] = [c for c in living(classes) if c.id != label.id]
    other = taken_by(label, others)
    if other is not None:
        is_name = other.name == label.name
        raise _taken(
            "There is already a label of this name."
            if is_name
            else "Another label has this as its name, or as another name."
        )
    if label.hotkey is not None and any(other.hotkey == label.hotkey for other in others):
        raise _taken("Another label has this key.")


def _taken(message: str) -> Conflict:
    return Conflict(message, operation="label.write")
