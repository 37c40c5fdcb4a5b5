"""What an API key may be limited to.

======================  ==================================================================
``images:read``         list and see pictures, their metadata, download them
``images:write``        upload, tag, move, trash, restore, destroy, make links
``annotations:read``    read boxes, labels and states
``annotations:write``   write them, import data sets
``collections:read``    list and see collections, members, label classes; export, and what
                        jobs made
``collections:write``   make, rename and delete collections; members and label classes
``account:read``        own account, sessions, API keys, jobs
``account:write``       own preferences; make and revoke API keys of no wider scope; stop jobs
``admin``               what an administrator does; only an administrator's key has it
======================  ==================================================================

No scope contains another. ``all`` is no scope but a word for every one that the user may
have on the day when the key is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from app.errors import InvalidInput, Mistake


class Scope(StrEnum):
    IMAGES_READ = "images:read"
    IMAGES_WRITE = "images:write"
    ANNOTATIONS_READ = "annotations:read"
    ANNOTATIONS_WRITE = "annotations:write"
    COLLECTIONS_READ = "collections:read"
    COLLECTIONS_WRITE = "collections:write"
    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"
    ADMIN = "admin"


EVERY_SCOPE: Final = frozenset(Scope)
ALL: Final = "all"

#: What a page writes beside the box to tick.
SCOPE_TITLES: Final[dict[Scope, str]] = {
    Scope.IMAGES_READ: "See and download pictures",
    Scope.IMAGES_WRITE: "Upload, tag, move and delete pictures",
    Scope.ANNOTATIONS_READ: "Read boxes and labels",
    Scope.ANNOTATIONS_WRITE: "Draw and change boxes and labels",
    Scope.COLLECTIONS_READ: "See and export collections",
    Scope.COLLECTIONS_WRITE: "Make and change collections, their members and labels",
    Scope.ACCOUNT_READ: "Read your account",
    Scope.ACCOUNT_WRITE: "Change your preferences, make and revoke API keys",
    Scope.ADMIN: "Administer this site",
}


def grantable(is_admin: bool, own: frozenset[Scope] | None = None) -> frozenset[Scope]:
    """The scopes that a user may give to a new key.

    ``own`` are the scopes of the key that asks, None for a session: no key makes a wider
    one than itself.
    """
    ceiling = EVERY_SCOPE if is_admin else EVERY_SCOPE - {Scope.ADMIN}
    return ceiling if own is None else ceiling & own


def parse_scopes(names: Iterable[str], allowed: frozenset[Scope]) -> frozenset[Scope]:
    """The scopes that the names spell, ``all`` meaning every one that is allowed.

    Raises ``InvalidInput`` for no name at all, an unknown one and one that is not allowed.
    """
    found: set[Scope] = set()
    mistakes: list[Mistake] = []
    for place, name in enumerate(names):
        chosen = allowed if name == ALL else frozenset(s for s in allowed if s == name)
        if not chosen:
            mistakes.append(Mistake(f"scopes[{place}]", _why_not(name)))
        found |= chosen
    if not found and not mistakes:
        mistakes.append(Mistake("scopes", "Choose at least one scope."))
    if mistakes:
        raise InvalidInput("These scopes cannot be given.", mistakes=mistakes)
    return frozenset(found)


def _why_not(name: str) -> str:
    if name in EVERY_SCOPE:
        return f"You cannot give the scope {Scope(name).value}."
    return "There is no such scope. Known: " + ", ".join(Scope) + " and all."
