"""Who may do what: the only place where authorisation is decided.

::

                                viewer annotator reviewer  editor   owner
    see, download, read, leave     x     x          x         x       x
    where it is                    x     x          x         x       x
    progress, own figures          x     x          x         x       x
    annotate, comment, take tasks        x          x         x       x
    review, assign, lead work, import               x         x       x
    upload, edit, tag, share                                  x       x
    trash, restore, export                                    x       x
    where it was uploaded from                                x       x
    label classes                                             x       x
    destroy, know who has seen it                  own uploads        x
    the collection, its members                                       x

Around the table: an administrator is nobody special to pictures and collections. A public
picture can be seen and downloaded by every signed-in account, and is listed to none. A
picture in the trash exists only for who may restore it. A disabled account sees nothing.
The command line's operator is an administrator without an account.
An API key does what its user may do, within its scopes; a missing scope is told before
anything is looked up, so that the refusal says nothing about what exists.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from uuid import UUID

from app.domain.actions import (
    ADMIN_ACTIONS,
    COLLECTION_ACTIONS,
    IMAGE_ACTIONS,
    IN_TRASH,
    LEAST_ROLE,
    ON_OWN,
    ON_PUBLIC,
    OPERATOR_ONLY,
    SCOPE_OF,
    SESSION_ONLY,
    Action,
    Role,
)
from app.domain.scopes import Scope
from app.domain.states import ImageStatus
from app.errors import AuthenticationFailed, NotFound, NotPermitted

__all__ = [
    "ADMIN_ACTIONS",
    "ANONYMOUS",
    "COLLECTION_ACTIONS",
    "IMAGE_ACTIONS",
    "OPERATOR",
    "OPERATOR_ONLY",
    "SESSION_ONLY",
    "Action",
    "Actor",
    "CollectionFacts",
    "Decision",
    "ImageFacts",
    "Role",
    "allows",
    "decide",
    "may_see_receipt",
    "require",
    "require_scope",
]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks. ``user_id`` None: nobody signed in. ``scopes`` None: a session, no key.

    ``operator``: whoever runs commands on the machine; has no account, hence no pictures.
    """

    user_id: UUID | None
    is_admin: bool = False
    scopes: frozenset[Scope] | None = None
    disabled: bool = False
    operator: bool = False

    @property
    def present(self) -> bool:
        return (self.user_id is not None or self.operator) and not self.disabled


ANONYMOUS: Final = Actor(user_id=None)
OPERATOR: Final = Actor(user_id=None, is_admin=True, operator=True)


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What a decision needs to know of a picture; ``role`` is the asker's in its collection."""

    role: Role | None
    owner_id: UUID | None
    status: ImageStatus
    is_public: bool = False


@dataclass(frozen=True, slots=True)
class CollectionFacts:
    role: Role | None


class Decision(Enum):
    ALLOW = auto()
    HIDDEN = auto()  # to the asker it does not exist
    FORBIDDEN = auto()  # may see it, may not do it; or the key lacks the scope


Facts = ImageFacts | CollectionFacts


def decide(actor: Actor, action: Action, facts: Facts | None = None) -> Decision:
    """Whether ``actor`` may do ``action`` on what the facts describe.

    ``facts`` None: nothing of that address exists (HIDDEN), or the action is on the
    actor's own account or on the site and needs none. Raises ``TypeError`` for facts
    that are not of the kind that the action is about.
    """
    if not actor.present:
        return Decision.HIDDEN
    if action in OPERATOR_ONLY:
        return Decision.ALLOW if actor.operator else Decision.FORBIDDEN
    if not _in_scope(actor, action):
        return Decision.FORBIDDEN
    if action in ADMIN_ACTIONS:
        return Decision.ALLOW if actor.is_admin else Decision.FORBIDDEN
    if action not in LEAST_ROLE:
        return Decision.FORBIDDEN if actor.user_id is None else Decision.ALLOW
    if facts is None:
        return Decision.HIDDEN
    if action in IMAGE_ACTIONS and isinstance(facts, ImageFacts):
        return _decide_image(actor, action, facts)
    if action in COLLECTION_ACTIONS and isinstance(facts, CollectionFacts):
        return _decide_collection(action, facts)
    raise TypeError(f"{action.name} is not about {type(facts).__name__}")


def allows(actor: Actor, action: Action, facts: Facts | None = None) -> bool:
    return decide(actor, action, facts) is Decision.ALLOW


def require(actor: Actor, action: Action, facts: Facts | None = None) -> None:
    """Raise unless ``decide`` allows: ``NotFound``, ``NotPermitted``, or, without an
    account, ``AuthenticationFailed``.
    """
    if not actor.present:
        raise AuthenticationFailed("Sign in first.", operation=_operation(action))
    verdict = decide(actor, action, facts)
    if verdict is Decision.HIDDEN:
        raise NotFound("There is nothing here.", operation=_operation(action))
    if verdict is Decision.FORBIDDEN:
        raise NotPermitted(_refusal(actor, action), operation=_operation(action))


def require_scope(actor: Actor, action: Action) -> None:
    """Raise ``NotPermitted`` where a key lacks the scope of an action, whatever it is about."""
    if not _in_scope(actor, action):
        raise NotPermitted(_refusal(actor, action), operation=_operation(action))


def may_see_receipt(actor: Actor, destroyed_by: UUID | None, uploaded_by: UUID | None) -> bool:
    """Whether the receipt of a destruction is shown: to who destroyed, to who had uploaded
    the picture, and to administrators, who see the audit log anyway."""
    if not allows(actor, Action.LIST_IMAGES):
        return False
    own = actor.user_id is not None and actor.user_id in {destroyed_by, uploaded_by}
    return own or allows(actor, Action.SEE_AUDIT)


def _operation(action: Action) -> str:
    return "access." + action.name.lower()


def _in_scope(actor: Actor, action: Action) -> bool:
    if actor.scopes is None:
        return True
    return action not in SESSION_ONLY and SCOPE_OF[action] in actor.scopes


def _decide_image(actor: Actor, action: Action, facts: ImageFacts) -> Decision:
    if not _sees(facts):
        return Decision.HIDDEN
    trashed = facts.status is ImageStatus.TRASHED
    if action is Action.RESTORE and not trashed:
        return Decision.FORBIDDEN
    if trashed and action not in IN_TRASH:
        return Decision.FORBIDDEN
    return Decision.ALLOW if _role_allows(actor, action, facts) else Decision.FORBIDDEN


def _sees(facts: ImageFacts) -> bool:
    if facts.status is ImageStatus.DESTROYED:
        return False
    if facts.status is ImageStatus.TRASHED:
        return _has(facts.role, Action.RESTORE)
    return facts.is_public or _has(facts.role, Action.SEE_IMAGE)


def _role_allows(actor: Actor, action: Action, facts: ImageFacts) -> bool:
    if facts.is_public and action in ON_PUBLIC:
        return True
    own = action in ON_OWN and facts.owner_id == actor.user_id
    return _has(facts.role, Action.TRASH if own else action)


def _decide_collection(action: Action, facts: CollectionFacts) -> Decision:
    if not _has(facts.role, Action.SEE_COLLECTION):
        return Decision.HIDDEN
    return Decision.ALLOW if _has(facts.role, action) else Decision.FORBIDDEN


def _has(role: Role | None, action: Action) -> bool:
    return role is not None and role >= LEAST_ROLE[action]


def _refusal(actor: Actor, action: Action) -> str:
    if action in OPERATOR_ONLY:
        return "Only the command line can do that."
    if not _in_scope(actor, action):
        needed = "a signed-in person" if action in SESSION_ONLY else SCOPE_OF[action].value
        return f"This API key may not do that: it takes {needed}."
    if action in ADMIN_ACTIONS:
        return "Only an administrator can do that."
    if actor.user_id is None:
        return "This takes an account."
    return "Your role does not allow that here."
