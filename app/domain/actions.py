"""Roles and actions: the tables by which ``access`` decides."""

from __future__ import annotations

from enum import Enum, IntEnum, auto
from typing import Final

from app.domain.scopes import Scope


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


class Action(Enum):
    # on a picture
    SEE_IMAGE = auto()
    DOWNLOAD = auto()
    READ_ANNOTATIONS = auto()
    ANNOTATE = auto()
    COMMENT = auto()
    REVIEW = auto()
    ASSIGN = auto()
    EDIT_METADATA = auto()
    SHARE = auto()
    TRASH = auto()
    RESTORE = auto()
    SEE_PLACE = auto()  # the collection that it is in, and its address there
    SEE_ORIGIN = auto()  # the address that it was uploaded from
    SEE_VIEWS = auto()
    DESTROY = auto()
    # on a collection
    SEE_COLLECTION = auto()
    LEAVE_COLLECTION = auto()
    TAKE_TASKS = auto()  # be given the next picture, take part in a round
    SEE_PROGRESS = auto()  # counts by state, and one's own figures
    LEAD_WORK = auto()  # everybody's figures, the queue of reviews, bulk assignment, rounds
    UPLOAD = auto()
    EXPORT = auto()
    IMPORT = auto()  # annotations; pictures take UPLOAD
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
    OPEN_DRAFTS = auto()  # that a browser of the person sealed
    SEE_JOBS = auto()
    STOP_JOBS = auto()
    FETCH_RESULTS = auto()  # of jobs; they hold what an export holds
    # of an administrator
    SEE_SITE = auto()
    MANAGE_USERS = auto()
    MANAGE_KEYS = auto()
    SEE_AUDIT = auto()
    # of the command line alone: an administrator would see other people's pictures
    ACT_FOR_OTHERS = auto()


LEAST_ROLE: Final[dict[Action, Role]] = {
    Action.SEE_IMAGE: Role.VIEWER,
    Action.DOWNLOAD: Role.VIEWER,
    Action.READ_ANNOTATIONS: Role.VIEWER,
    Action.ANNOTATE: Role.ANNOTATOR,
    Action.COMMENT: Role.ANNOTATOR,
    Action.REVIEW: Role.REVIEWER,
    Action.ASSIGN: Role.REVIEWER,
    Action.EDIT_METADATA: Role.EDITOR,
    Action.SHARE: Role.EDITOR,
    Action.TRASH: Role.EDITOR,
    Action.RESTORE: Role.EDITOR,
    Action.SEE_PLACE: Role.VIEWER,
    Action.SEE_ORIGIN: Role.EDITOR,
    Action.SEE_VIEWS: Role.OWNER,
    Action.DESTROY: Role.OWNER,
    Action.SEE_COLLECTION: Role.VIEWER,
    Action.LEAVE_COLLECTION: Role.VIEWER,
    Action.TAKE_TASKS: Role.ANNOTATOR,
    Action.SEE_PROGRESS: Role.VIEWER,
    Action.LEAD_WORK: Role.REVIEWER,
    Action.UPLOAD: Role.EDITOR,
    Action.EXPORT: Role.EDITOR,
    Action.IMPORT: Role.REVIEWER,
    Action.MANAGE_LABELS: Role.EDITOR,
    Action.MANAGE_COLLECTION: Role.OWNER,
    Action.MANAGE_MEMBERS: Role.OWNER,
}

SCOPE_OF: Final[dict[Action, Scope]] = {
    Action.SEE_IMAGE: Scope.IMAGES_READ,
    Action.DOWNLOAD: Scope.IMAGES_READ,
    Action.READ_ANNOTATIONS: Scope.ANNOTATIONS_READ,
    Action.ANNOTATE: Scope.ANNOTATIONS_WRITE,
    Action.COMMENT: Scope.ANNOTATIONS_WRITE,
    Action.REVIEW: Scope.ANNOTATIONS_WRITE,
    Action.ASSIGN: Scope.ANNOTATIONS_WRITE,
    Action.EDIT_METADATA: Scope.IMAGES_WRITE,
    Action.SHARE: Scope.IMAGES_WRITE,
    Action.TRASH: Scope.IMAGES_WRITE,
    Action.RESTORE: Scope.IMAGES_WRITE,
    Action.SEE_PLACE: Scope.IMAGES_READ,
    Action.SEE_ORIGIN: Scope.IMAGES_READ,
    Action.SEE_VIEWS: Scope.IMAGES_READ,
    Action.DESTROY: Scope.IMAGES_WRITE,
    Action.SEE_COLLECTION: Scope.COLLECTIONS_READ,
    Action.LEAVE_COLLECTION: Scope.COLLECTIONS_WRITE,
    Action.TAKE_TASKS: Scope.ANNOTATIONS_WRITE,
    Action.SEE_PROGRESS: Scope.ANNOTATIONS_READ,
    Action.LEAD_WORK: Scope.ANNOTATIONS_WRITE,
    Action.UPLOAD: Scope.IMAGES_WRITE,
    Action.EXPORT: Scope.COLLECTIONS_READ,
    Action.IMPORT: Scope.ANNOTATIONS_WRITE,
    Action.MANAGE_LABELS: Scope.COLLECTIONS_WRITE,
    Action.MANAGE_COLLECTION: Scope.COLLECTIONS_WRITE,
    Action.MANAGE_MEMBERS: Scope.COLLECTIONS_WRITE,
    Action.LIST_IMAGES: Scope.IMAGES_READ,
    Action.LIST_COLLECTIONS: Scope.COLLECTIONS_READ,
    Action.CREATE_COLLECTION: Scope.COLLECTIONS_WRITE,
    Action.READ_ACCOUNT: Scope.ACCOUNT_READ,
    Action.WRITE_ACCOUNT: Scope.ACCOUNT_WRITE,
    Action.SEE_JOBS: Scope.ACCOUNT_READ,
    Action.STOP_JOBS: Scope.ACCOUNT_WRITE,
    Action.FETCH_RESULTS: Scope.COLLECTIONS_READ,
    Action.SEE_SITE: Scope.ADMIN,
    Action.MANAGE_USERS: Scope.ADMIN,
    Action.MANAGE_KEYS: Scope.ADMIN,
    Action.SEE_AUDIT: Scope.ADMIN,
}

#: A password, a second factor, a session, drafts in a browser: the person's, never a key's.
SESSION_ONLY: Final = frozenset({Action.CHANGE_CREDENTIALS, Action.OPEN_DRAFTS})
OPERATOR_ONLY: Final = frozenset({Action.ACT_FOR_OTHERS})
ADMIN_ACTIONS: Final = frozenset(a for a, scope in SCOPE_OF.items() if scope is Scope.ADMIN)
IMAGE_ACTIONS: Final = frozenset(a for a in Action if a.value <= Action.DESTROY.value)
COLLECTION_ACTIONS: Final = frozenset(LEAST_ROLE) - IMAGE_ACTIONS
ON_PUBLIC: Final = frozenset({Action.SEE_IMAGE, Action.DOWNLOAD})
#: What an editor may do with own uploads as the owner does with all.
ON_OWN: Final = frozenset({Action.SEE_VIEWS, Action.DESTROY})
IN_TRASH: Final = (
    ON_PUBLIC
    | ON_OWN
    | {Action.READ_ANNOTATIONS, Action.RESTORE, Action.SEE_PLACE, Action.SEE_ORIGIN}
)
