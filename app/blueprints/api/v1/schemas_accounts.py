"""Accounts, collections and refusals as the API tells and takes them."""

from __future__ import annotations

from app.blueprints.api.v1.shapes import (
    Schema,
    boolean,
    document,
    items,
    moment,
    nullable,
    one_of,
    record,
    ref,
    text,
    uuid,
    whole,
)
from app.domain.access import Role
from app.domain.keymap import MAX_TEXT
from app.domain.names import MAX_DESCRIPTION, MAX_NAME, MAX_SLUG, MIN_SLUG
from app.domain.scopes import ALL, Scope

ROLES = [role.word for role in Role]
LABEL_SETS = ("open", "closed")
TIMELINES = ("uploaded", "taken")

_NAME = text(minLength=1, maxLength=MAX_NAME)
_DESCRIPTION = nullable(text(maxLength=MAX_DESCRIPTION))
PROBLEM: dict[str, Schema] = {
    "type": text("`urn:darkroom:problem:` and a stable word", format="uri"),
    "title": text(),
    "status": whole(),
    "detail": text("a sentence for people"),
    "errors": items(ref("Mistake")),
    "request_id": text("the log names it too"),
}

SCHEMAS: dict[str, Schema] = {
    "Mistake": record(path=text("JSON path, or the name of a field"), message=text()),
    "Problem": record("RFC 9457", **PROBLEM),
    "StaleProblem": record("with the set of now", **PROBLEM, current=ref("AnnotationSet")),
    "LabelProblem": {
        "type": "object",
        "description": "`current` where the label set is of another version than the caller's",
        "properties": PROBLEM | {"current": record(version=whole())},
        "required": list(PROBLEM),
    },
    "UploadProblem": record(
        "with every refused file",
        **PROBLEM | {"errors": items({"anyOf": [ref("Mistake"), ref("RefusedFile")]})},
    ),
    "Account": record(
        id=uuid(),
        email=text(),
        name=text(),
        is_admin=boolean(),
        quota=record("bytes", used=whole(), limit=nullable(whole("null: no limit"))),
        created_at=moment(),
    ),
    "Keymap": record(
        keymap={
            "type": "object",
            "description": "keys by action, such as `Ctrl+Shift+z Ctrl+y`; empty: no key",
            "additionalProperties": text(maxLength=MAX_TEXT),
        }
    ),
    "ApiKey": record(
        id=uuid(),
        name=text(),
        prefix=text("how the key begins"),
        scopes=items(one_of(Scope)),
        created_at=moment(),
        last_used_at=nullable(moment()),
        expires_at=nullable(moment("null: never")),
        revoked_at=nullable(moment()),
    ),
    "ApiKeys": record(api_keys=items(ref("ApiKey"))),
    "MadeApiKey": record(
        id=uuid(),
        key=text("shown in this answer and in no other"),
        scopes=items(one_of(Scope)),
        expires_at=nullable(moment()),
    ),
    "NewApiKey": document(
        ("name", "scopes"),
        name=_NAME,
        scopes=items(one_of([*Scope, ALL]), minItems=1),
        expires_in=nullable(text("such as 90d, 12h or 30m", pattern="^[1-9][0-9]{0,5}[mhdw]$")),
        rate=nullable(text("such as 600 per minute; an administrator's to give")),
    ),
    "Session": record(
        id=uuid(),
        is_current=boolean(),
        address=text(),
        agent=text("what the browser says of itself"),
        created_at=moment(),
        last_seen_at=moment(),
        expires_at=moment(),
    ),
    "Sessions": record(sessions=items(ref("Session"))),
    "DraftKeys": record(
        user=uuid("whose they are"),
        keys=items(
            record(
                id=text("tells which key opens a draft", pattern="^[0-9a-f]{8}$"),
                key=text("32 bytes in base64"),
            ),
            minItems=1,
        ),
    ),
    "Collection": record(
        id=uuid(),
        slug=text(),
        name=text(),
        description=text(),
        role=one_of(ROLES, "yours"),
        is_private=boolean("the one that was made with the account"),
        label_set=one_of(LABEL_SETS),
        timeline=one_of(TIMELINES),
        images=whole("without those in the trash"),
        created_at=moment(),
    ),
    "Collections": record(collections=items(ref("Collection"))),
    "NewCollection": document(
        ("name",),
        name=_NAME,
        description=_DESCRIPTION,
        slug=nullable(
            text(
                "left out: a random one",
                minLength=MIN_SLUG,
                maxLength=MAX_SLUG,
                pattern="^[a-z0-9]+(-+[a-z0-9]+)*$",
            )
        ),
    ),
    "CollectionEdit": document(
        name=nullable(_NAME),
        description=_DESCRIPTION,
        label_set=nullable(one_of(LABEL_SETS)),
        timeline=nullable(one_of(TIMELINES)),
    ),
    "Member": record(
        id=uuid("the account's"), name=text(), email=text(), role=one_of(ROLES), since=moment()
    ),
    "Members": record(members=items(ref("Member"))),
    "NewMember": document(("email", "role"), email=text(), role=one_of(ROLES)),
    "MemberEdit": document(("role",), role=one_of(ROLES)),
}
