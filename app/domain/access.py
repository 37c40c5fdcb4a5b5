"""Who may do what: the only place where authorisation is decided.

::

                                viewer annotator reviewer  editor   owner
    see, download, read, leave     x     x          x         x       x
    annotate                             x          x         x       x
    review                                          x         x       x
    upload, edit, tag, share                                  x       x
    trash, restore, export                                    x       x
    label classes                                             x       x
    destroy                                        own uploads        x
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
from enum import Enum, IntEnum, auto
from typing import Final
from uuid import UUID

from app.domain.scopes import Scope
from app.domain.states import ImageStatus
from app.errors import AuthenticationFailed, NotFound, NotPermitted


class Role(IntEnum):
    """Roles in a collection, in rising order; ``name.lower()`` is the word for people."""

    VIEWER = 1
    ANNOTATOR = 2
    REVIEWER = 3
    EDITOR = 4
    OWNER = 5

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str | None) -> Role | None:
        """The role that a word names; None for no word and for one that is no role."""
        return next((role for role in cls if role.word == word), None)


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


class Action(Enum):
    # on a picture
    SEE_IMAGE = auto()
    DOWNLOAD = auto()
    READ_ANNOTATIONS = auto()
    ANNOTATE = auto()
    REVIEW = auto()
    EDIT_METADATA = auto()
    SHARE = auto()
    TRASH = auto()
    RESTORE = auto()
    DESTROY = auto()
    # on a collection
    SEE_COLLECTION = auto()
    LEAVE_COLLECTION = auto()
    UPLOAD = auto()
    EXPORT = auto()
    MANAGE_LABELS = auto()
    MANAGE_COLLECTION = auto()
    MANAGE_MEMBERS = auto()
    # of an account, on its own things
    LIST_IMAGES = auto()
    LIST_COLLECTIONS = auto()
    CREATE_COLLECTION = auto()
    READ_ACCOUNT = auto()
    WRITE_ACCOUNT = auto()
    CHANGE_CREDENTIALS = auto()
    # of an administrator
    SEE_SITE = auto()
    MANAGE_USERS = auto()
    MANAGE_KEYS = auto()
    SEE_AUDIT = auto()
    # of the command line alone: an administrator would see other people's pictures
    ACT_FOR_OTHERS = auto()


class Decision(Enum):
    ALLOW = auto()
    HIDDEN = auto()  # to the asker it does not exist
    FORBIDDEN = auto()  # may see it, may not do it; or the key lacks the scope


_LEAST_ROLE: Final[dict[Action, Role]] = {
    Action.SEE_IMAGE: Role.VIEWER,
    Action.DOWNLOAD: Role.VIEWER,
    Action.READ_ANNOTATIONS: Role.VIEWER,
    Action.ANNOTATE: Role.ANNOTATOR,
    Action.REVIEW: Role.REVIEWER,
    Action.EDIT_METADATA: Role.EDITOR,
    Action.SHARE: Role.EDITOR,
    Action.TRASH: Role.EDITOR,
    Action.RESTORE: Role.EDITOR,
    Action.DESTROY: Role.OWNER,
    Action.SEE_COLLECTION: Role.VIEWER,
    Action.LEAVE_COLLECTION: Role.VIEWER,
    Action.UPLOAD: Role.EDITOR,
    Action.EXPORT: Role.EDITOR,
    Action.MANAGE_LABELS: Role.EDITOR,
    Action.MANAGE_COLLECTION: Role.OWNER,
    Action.MANAGE_MEMBERS: Role.OWNER,
}

_SCOPE: Final[dict[Action, Scope]] = {
    Action.SEE_IMAGE: Scope.IMAGES_READ,
    Action.DOWNLOAD: Scope.IMAGES_READ,
    Action.READ_ANNOTATIONS: Scope.ANNOTATIONS_READ,
    Action.ANNOTATE: Scope.ANNOTATIONS_WRITE,
    Action.REVIEW: Scope.ANNOTATIONS_WRITE,
    Action.EDIT_METADATA: Scope.IMAGES_WRITE,
    Action.SHARE: Scope.IMAGES_WRITE,
    Action.TRASH: Scope.IMAGES_WRITE,
    Action.RESTORE: Scope.IMAGES_WRITE,
    Action.DESTROY: Scope.IMAGES_WRITE,
    Action.SEE_COLLECTION: Scope.COLLECTIONS_READ,
    Action.LEAVE_COLLECTION: Scope.COLLECTIONS_WRITE,
    Action.UPLOAD: Scope.IMAGES_WRITE,
    Action.EXPORT: Scope.COLLECTIONS_READ,
    Action.MANAGE_LABELS: Scope.COLLECTIONS_WRITE,
    Action.MANAGE_COLLECTION: Scope.COLLECTIONS_WRITE,
    Action.MANAGE_MEMBERS: Scope.COLLECTIONS_WRITE,
    Action.LIST_IMAGES: Scope.IMAGES_READ,
    Action.LIST_COLLECTIONS: Scope.COLLECTIONS_READ,
    Action.CREATE_COLLECTION: Scope.COLLECTIONS_WRITE,
    Action.READ_ACCOUNT: Scope.ACCOUNT_READ,
    Action.WRITE_ACCOUNT: Scope.ACCOUNT_WRITE,
    Action.SEE_SITE: Scope.ADMIN,
    Action.MANAGE_USERS: Scope.ADMIN,
    Action.MANAGE_KEYS: Scope.ADMIN,
    Action.SEE_AUDIT: Scope.ADMIN,
}

#: A password, a second factor, a session: changed by the person, never by a key.
SESSION_ONLY: Final = frozenset({Action.CHANGE_CREDENTIALS})
OPERATOR_ONLY: Final = frozenset({Action.ACT_FOR_OTHERS})
ADMIN_ACTIONS: Final = frozenset(a for a, scope in _SCOPE.items() if scope is Scope.ADMIN)
IMAGE_ACTIONS: Final = frozenset(a for a in Action if a.value <= Action.DESTROY.value)
COLLECTION_ACTIONS: Final = frozenset(_LEAST_ROLE) - IMAGE_ACTIONS
_PUBLIC: Final = frozenset({Action.SEE_IMAGE, Action.DOWNLOAD})
_IN_TRASH: Final = _PUBLIC | {Action.READ_ANNOTATIONS, Action.RESTORE, Action.DESTROY}

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
    if action not in _LEAST_ROLE:
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


def _operation(action: Action) -> str:
    return "access." + action.name.lower()


def _in_scope(actor: Actor, action: Action) -> bool:
    if actor.scopes is None:
        return True
    return action not in SESSION_ONLY and _SCOPE[action] in actor.scopes


def _decide_image(actor: Actor, action: Action, facts: ImageFacts) -> Decision:
    if not _sees(facts):
        return Decision.HIDDEN
    trashed = facts.status is ImageStatus.TRASHED
    if action is Action.RESTORE and not trashed:
        return Decision.FORBIDDEN
    if trashed and action not in _IN_TRASH:
        return Decision.FORBIDDEN
    return Decision.ALLOW if _role_allows(actor, action, facts) else Decision.FORBIDDEN


def _sees(facts: ImageFacts) -> bool:
    if facts.status is ImageStatus.DESTROYED:
        return False
    if facts.status is ImageStatus.TRASHED:
        return _has(facts.role, Action.RESTORE)
    return facts.is_public or _has(facts.role, Action.SEE_IMAGE)


def _role_allows(actor: Actor, action: Action, facts: ImageFacts) -> bool:
    if facts.is_public and action in _PUBLIC:
        return True
    own = action is Action.DESTROY and facts.owner_id == actor.user_id
    return _has(facts.role, Action.TRASH if own else action)


def _decide_collection(action: Action, facts: CollectionFacts) -> Decision:
    if not _has(facts.role, Action.SEE_COLLECTION):
        return Decision.HIDDEN
    return Decision.ALLOW if _has(facts.role, action) else Decision.FORBIDDEN


def _has(role: Role | None, action: Action) -> bool:
    return role is not None and role >= _LEAST_ROLE[action]


def _refusal(actor: Actor, action: Action) -> str:
    if action in OPERATOR_ONLY:
        return "Only the command line can do that."
    if not _in_scope(actor, action):
        needed = "a signed-in person" if action in SESSION_ONLY else _SCOPE[action].value
        return f"This API key may not do that: it takes {needed}."
    if action in ADMIN_ACTIONS:
        return "Only an administrator can do that."
    if actor.user_id is None:
        return "This takes an account."
    return "Your role does not allow that here."
