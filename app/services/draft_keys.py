"""The keys under which a browser seals what it could not send yet: edits of annotations.

``id || key`` = HKDF(root ``transient``, salt empty, info ``darkroom/drafts/v1`` followed by
the user's 16 bytes, 36 bytes): the id is 4 bytes, the key 32. The browser derives its own
keys from it (static/js/editor/queue_seal.js) and keeps none: whoever holds the browser's
profile but no session of that person reads nothing. Of one person they are the same in every
session, so that drafts open after signing in again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.crypto.kdf import hkdf
from app.crypto.keys import KEY_BYTES, SecretKey
from app.domain.access import Action, Actor, require
from app.errors import AuthenticationFailed

if TYPE_CHECKING:
    from app.services.keys import RootKeys

ROOT: Final = "transient"
INFO: Final = b"darkroom/drafts/v1"
ID_BYTES: Final = 4
#: The browser drops older drafts; as long an older version of the root key has to open them.
KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class DraftKey:
    """``id`` tells which key opens a draft; 8 hex characters, and nothing follows from it."""

    id: str
    key: SecretKey


@dataclass(frozen=True, slots=True)
class PersonalDraftKeys:
    """Whose they are, and the keys: the one that seals first, then those that only open."""

    user_id: UUID
    keys: tuple[DraftKey, ...]


class DraftKeys:
    """Derives; keeps nothing."""

    def __init__(self, roots: RootKeys) -> None:
        self._roots = roots

    def of(self, actor: Actor) -> PersonalDraftKeys:
        """The actor's own; NotPermitted for an API key."""
        require(actor, Action.OPEN_DRAFTS)
        if actor.user_id is None:  # for the type alone: OPEN_DRAFTS takes an account
            raise AuthenticationFailed("Sign in first.", operation="drafts.key")
        active = self._roots.active(ROOT)
        older = [
            key for version, key in self._roots.all(ROOT).items() if version != active.version
        ]
        keys = tuple(_derived(root, actor.user_id) for root in (active.key, *older))
        return PersonalDraftKeys(actor.user_id, keys)


def _derived(root: SecretKey, user_id: UUID) -> DraftKey:
    made = hkdf(root.reveal(), info=INFO + user_id.bytes, length=ID_BYTES + KEY_BYTES)
    return DraftKey(made[:ID_BYTES].hex(), SecretKey(made[ID_BYTES:]))
