"""What the pages of collections are given; see app/templates/README.md."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.domain.access import Action, Actor, CollectionFacts, Role, allows
from app.services.collections import CollectionView
from app.services.image_card import ImageCard
from app.services.label_set import LabelSet
from app.services.members import MemberView

ROLES = (
    (Role.VIEWER.word, "sees the pictures"),
    (Role.ANNOTATOR.word, "draws boxes and labels"),
    (Role.REVIEWER.word, "accepts or rejects labels"),
    (Role.EDITOR.word, "uploads, tags and deletes"),
    (Role.OWNER.word, "decides about members"),
)


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture on a collection's card."""

    id: UUID
    name: str
    width: int
    height: int
    placeholder: str | None


@dataclass(frozen=True, slots=True)
class CollectionCard:
    """A collection in the list of collections."""

    slug: str
    name: str
    description: str
    role: str
    pictures: int
    members: int
    is_private: bool
    covers: tuple[Cover, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A member, as the others see it."""

    id: UUID
    name: str
    email: str
    role: str
    is_you: bool


@dataclass(frozen=True, slots=True)
class Label:
    """A label class."""

    id: UUID
    name: str
    colour: str
    hotkey: str | None
    boxes: int | None
    can_remove: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Pictures by the state of their labels."""

    new: int
    in_progress: int
    done: int


@dataclass(frozen=True, slots=True)
class CollectionPage:
    """One collection with all that its page shows."""

    slug: str
    name: str
    description: str
    role: str
    pictures: int
    is_private: bool
    label_set_open: bool
    is_indexed: bool
    progress: Progress | None
    members: tuple[Member, ...]
    labels: tuple[Label, ...]
    covers: tuple[Cover, ...]
    can_edit: bool
    can_edit_labels: bool
    can_manage_members: bool
    can_remove: bool
    can_take_tasks: bool
    can_lead: bool
    can_exchange: bool = False


def cover(card: ImageCard) -> Cover:
    """Return a picture as a cover."""
    return Cover(card.id, card.name or "Picture", card.width, card.height, card.placeholder)


def card(view: CollectionView, members: int, covers: tuple[ImageCard, ...]) -> CollectionCard:
    """Return a collection as the list shows it."""
    return CollectionCard(
        slug=view.slug,
        name=view.name,
        description=view.description,
        role=view.role.word,
        pictures=view.pictures,
        members=members,
        is_private=view.is_personal,
        covers=tuple(cover(each) for each in covers),
    )


def page(
    view: CollectionView,
    actor: Actor,
    *,
    progress: Progress,
    members: tuple[MemberView, ...],
    labels: LabelSet,
    covers: tuple[ImageCard, ...],
) -> CollectionPage:
    """Return one collection for whoever asks."""
    facts = CollectionFacts(view.role)
    edits_labels = allows(actor, Action.MANAGE_LABELS, facts)
    owns = allows(actor, Action.MANAGE_COLLECTION, facts)
    return CollectionPage(
        slug=view.slug,
        name=view.name,
        description=view.description,
        role=view.role.word,
        pictures=view.pictures,
        is_private=view.is_personal,
        label_set_open=not view.labels_closed,
        is_indexed=labels.is_indexed,
        progress=progress,
        members=tuple(
            Member(each.id, each.name, each.email, each.role.word, each.is_you)
            for each in members
        ),
        labels=_labels(labels, edits_labels),
        covers=tuple(cover(each) for each in covers),
        can_edit=owns,
        can_edit_labels=edits_labels,
        can_manage_members=allows(actor, Action.MANAGE_MEMBERS, facts) and not view.is_personal,
        can_take_tasks=allows(actor, Action.TAKE_TASKS, facts),
        can_lead=allows(actor, Action.LEAD_WORK, facts),
        can_remove=owns and not view.is_personal and view.pictures == 0,
        can_exchange=allows(actor, Action.IMPORT, facts),
    )


def _labels(found: LabelSet, can_remove: bool) -> tuple[Label, ...]:
    return tuple(
        Label(
            each.id,
            each.name,
            each.colour,
            each.hotkey,
            found.tally(each.id).annotations,
            can_remove,
        )
        for each in found.offered
    )
