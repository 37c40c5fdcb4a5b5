"""The access matrix, exhaustively, against a table that was written by hand."""

from __future__ import annotations

from itertools import product
from uuid import uuid4

import pytest

from app.domain.access import (
    ADMIN_ACTIONS,
    ANONYMOUS,
    COLLECTION_ACTIONS,
    IMAGE_ACTIONS,
    OPERATOR,
    OPERATOR_ONLY,
    SESSION_ONLY,
    Action,
    Actor,
    CollectionFacts,
    Decision,
    ImageFacts,
    Role,
    allows,
    decide,
    require,
)
from app.domain.scopes import EVERY_SCOPE, Scope
from app.domain.states import ImageStatus
from app.errors import AuthenticationFailed, NotFound, NotPermitted

ME, OTHER = uuid4(), uuid4()
LETTERS = {"+": Decision.ALLOW, "h": Decision.HIDDEN, "-": Decision.FORBIDDEN}

# Columns: no role, viewer, annotator, reviewer, editor, owner.
ON_READY = """
SEE_IMAGE         h+++++
DOWNLOAD          h+++++
READ_ANNOTATIONS  h+++++
ANNOTATE          h-++++
COMMENT           h-++++
REVIEW            h--+++
ASSIGN            h--+++
EDIT_METADATA     h---++
SHARE             h---++
TRASH             h---++
RESTORE           h-----
SEE_PLACE         h+++++
SEE_ORIGIN        h---++
SEE_VIEWS         h----+
DESTROY           h----+
"""
ON_OWN_UPLOAD = ON_READY.replace("h----+", "h---++")
ON_PUBLIC = """
SEE_IMAGE         ++++++
DOWNLOAD          ++++++
READ_ANNOTATIONS  -+++++
ANNOTATE          --++++
COMMENT           --++++
REVIEW            ---+++
ASSIGN            ---+++
EDIT_METADATA     ----++
SHARE             ----++
TRASH             ----++
RESTORE           ------
SEE_PLACE         -+++++
SEE_ORIGIN        ----++
SEE_VIEWS         -----+
DESTROY           -----+
"""
IN_TRASH = """
SEE_IMAGE         hhhh++
DOWNLOAD          hhhh++
READ_ANNOTATIONS  hhhh++
ANNOTATE          hhhh--
COMMENT           hhhh--
REVIEW            hhhh--
ASSIGN            hhhh--
EDIT_METADATA     hhhh--
SHARE             hhhh--
TRASH             hhhh--
RESTORE           hhhh++
SEE_PLACE         hhhh++
SEE_ORIGIN        hhhh++
SEE_VIEWS         hhhh-+
DESTROY           hhhh-+
"""
OWN_IN_TRASH = IN_TRASH.replace("hhhh-+", "hhhh++")
NOWHERE = "\n".join(f"{line.split()[0]} hhhhhh" for line in ON_READY.strip().splitlines())
ON_COLLECTION = """
SEE_COLLECTION    h+++++
LEAVE_COLLECTION  h+++++
TAKE_TASKS        h-++++
SEE_PROGRESS      h+++++
LEAD_WORK         h--+++
UPLOAD            h---++
EXPORT            h---++
IMPORT            h--+++
MANAGE_LABELS     h---++
MANAGE_COLLECTION h----+
MANAGE_MEMBERS    h----+
"""
ROLES = (None, *Role)
ALIVE = [
    ImageStatus.UPLOADING,
    ImageStatus.PROCESSING,
    ImageStatus.READY,
    ImageStatus.ERROR,
    ImageStatus.QUARANTINED,
]


def _table(text: str) -> dict[tuple[Action, Role | None], Decision]:
    lines = (line.split() for line in text.strip().splitlines())
    return {
        (Action[name], role): LETTERS[letter]
        for name, row in lines
        for role, letter in zip(ROLES, row, strict=True)
    }


def _image_cases() -> list[tuple[ImageStatus, bool, bool, str]]:
    """Status, public, own upload, expected table: every combination that there is."""
    cases = []
    for status, public, own in product(ImageStatus, (False, True), (False, True)):
        if status is ImageStatus.DESTROYED:
            table = NOWHERE
        elif status is ImageStatus.TRASHED:
            table = OWN_IN_TRASH if own else IN_TRASH
        elif public:
            table = ON_PUBLIC.replace("-----+", "----++") if own else ON_PUBLIC
        else:
            table = ON_OWN_UPLOAD if own else ON_READY
        cases.append((status, public, own, table))
    return cases


@pytest.mark.parametrize("is_admin", [False, True], ids=["member", "administrator"])
@pytest.mark.parametrize(("status", "public", "own", "text"), _image_cases())
def test_pictures(
    status: ImageStatus, public: bool, own: bool, text: str, is_admin: bool
) -> None:
    table = _table(text)
    assert {action for action, _ in table} == IMAGE_ACTIONS
    for (action, role), expected in table.items():
        facts = ImageFacts(role, ME if own else OTHER, status, public)
        assert decide(Actor(ME, is_admin=is_admin), action, facts) is expected, (action, role)


@pytest.mark.parametrize("is_admin", [False, True])
def test_collections(is_admin: bool) -> None:
    table = _table(ON_COLLECTION)
    assert {action for action, _ in table} == COLLECTION_ACTIONS
    for (action, role), expected in table.items():
        actor = Actor(ME, is_admin=is_admin)
        assert decide(actor, action, CollectionFacts(role)) is expected, (action, role)


def _any_facts(action: Action) -> ImageFacts | CollectionFacts | None:
    """Facts under which an owner may do whatever can be done."""
    if action in IMAGE_ACTIONS:
        status = ImageStatus.TRASHED if action is Action.RESTORE else ImageStatus.READY
        return ImageFacts(Role.OWNER, ME, status)
    return CollectionFacts(Role.OWNER) if action in COLLECTION_ACTIONS else None


@pytest.mark.parametrize("action", Action)
def test_nobody_and_the_disabled_see_nothing(action: Action) -> None:
    for actor in (ANONYMOUS, Actor(ME, is_admin=True, disabled=True)):
        assert decide(actor, action, _any_facts(action)) is Decision.HIDDEN
        with pytest.raises(AuthenticationFailed):
            require(actor, action, _any_facts(action))


@pytest.mark.parametrize("action", ADMIN_ACTIONS, ids=lambda a: a.name)
def test_administration(action: Action) -> None:
    assert decide(Actor(ME), action) is Decision.FORBIDDEN
    assert decide(Actor(ME, is_admin=True), action) is Decision.ALLOW
    assert decide(OPERATOR, action) is Decision.ALLOW


def test_operator_has_no_pictures_and_no_account() -> None:
    for action in IMAGE_ACTIONS:
        facts = ImageFacts(None, OTHER, ImageStatus.READY)
        assert decide(OPERATOR, action, facts) is Decision.HIDDEN
    own = set(Action) - IMAGE_ACTIONS - COLLECTION_ACTIONS - ADMIN_ACTIONS - OPERATOR_ONLY
    for action in own:
        assert decide(OPERATOR, action) is Decision.FORBIDDEN


@pytest.mark.parametrize("action", OPERATOR_ONLY, ids=lambda a: a.name)
def test_only_the_command_line_acts_for_others(action: Action) -> None:
    assert decide(OPERATOR, action) is Decision.ALLOW
    for actor in (Actor(ME), Actor(ME, is_admin=True), Actor(ME, True, EVERY_SCOPE)):
        assert decide(actor, action) is Decision.FORBIDDEN
        with pytest.raises(NotPermitted, match="command line"):
            require(actor, action)


SCOPES = {
    "images:read": "SEE_IMAGE DOWNLOAD LIST_IMAGES SEE_PLACE SEE_ORIGIN SEE_VIEWS",
    "images:write": "EDIT_METADATA SHARE TRASH RESTORE DESTROY UPLOAD",
    "annotations:read": "READ_ANNOTATIONS SEE_PROGRESS",
    "annotations:write": "ANNOTATE COMMENT REVIEW IMPORT ASSIGN TAKE_TASKS LEAD_WORK",
    "collections:read": "SEE_COLLECTION LIST_COLLECTIONS EXPORT FETCH_RESULTS",
    "collections:write": "CREATE_COLLECTION LEAVE_COLLECTION MANAGE_LABELS MANAGE_COLLECTION"
    " MANAGE_MEMBERS",
    "account:read": "READ_ACCOUNT SEE_JOBS",
    "account:write": "WRITE_ACCOUNT STOP_JOBS",
    "admin": "SEE_SITE MANAGE_USERS MANAGE_KEYS SEE_AUDIT",
}


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_opens_exactly_its_actions(scope: Scope) -> None:
    actor = Actor(ME, is_admin=True, scopes=frozenset({scope}))
    allowed = {action.name for action in Action if allows(actor, action, _any_facts(action))}
    assert allowed == set(SCOPES[scope].split())


def test_what_only_a_person_does_takes_no_key() -> None:
    key = Actor(ME, is_admin=True, scopes=EVERY_SCOPE)
    refused = {a for a in Action if not allows(key, a, _any_facts(a))}
    assert refused == SESSION_ONLY | OPERATOR_ONLY
    assert all(allows(Actor(ME), action) for action in SESSION_ONLY)


@pytest.mark.parametrize("action", sorted(IMAGE_ACTIONS | COLLECTION_ACTIONS, key=str))
def test_a_missing_scope_is_told_before_anything_is_looked_up(action: Action) -> None:
    """Whether a thing exists must not show in which of 403 and 404 a weak key gets."""
    weak = Actor(ME, scopes=frozenset())
    assert decide(weak, action, None) is Decision.FORBIDDEN
    assert decide(weak, action, _any_facts(action)) is Decision.FORBIDDEN
    assert decide(Actor(ME), action, None) is Decision.HIDDEN


def test_facts_of_the_wrong_kind_are_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError):
        decide(Actor(ME), Action.SEE_IMAGE, CollectionFacts(Role.OWNER))
    with pytest.raises(TypeError):
        decide(Actor(ME), Action.UPLOAD, ImageFacts(Role.OWNER, ME, ImageStatus.READY))


def test_require_raises_what_was_decided() -> None:
    facts = ImageFacts(Role.VIEWER, OTHER, ImageStatus.READY)
    require(Actor(ME), Action.SEE_IMAGE, facts)
    with pytest.raises(NotPermitted):
        require(Actor(ME), Action.TRASH, facts)
    with pytest.raises(NotFound):
        require(Actor(ME), Action.TRASH, ImageFacts(None, OTHER, ImageStatus.READY))
    with pytest.raises(NotPermitted, match="images:write"):
        require(Actor(ME, scopes=frozenset({Scope.IMAGES_READ})), Action.TRASH, None)
    with pytest.raises(NotPermitted, match="signed-in person"):
        require(Actor(ME, scopes=EVERY_SCOPE), Action.CHANGE_CREDENTIALS)


def test_roles_have_words() -> None:
    assert [role.word for role in Role] == [
        "viewer",
        "annotator",
        "reviewer",
        "editor",
        "owner",
    ]
    assert Role.of("editor") is Role.EDITOR
    assert Role.of("emperor") is None
    assert Role.of(None) is None
