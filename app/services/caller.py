"""Who a request comes from, as both a session and an API key tell it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from app.db.field_cipher import Sealed
from app.domain.access import Actor
from app.domain.scopes import Scope

UNREADABLE: Final = "Unreadable"
"""Stands for a name whose token is damaged; who asks still gets in, and can change it."""


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The account behind a request. Exactly one of ``session_id`` and ``api_key_id`` is set.

    Name and address are opened only when asked for: a media request needs neither.
    ``scopes`` None: a session. ``rate``: a key's own limit. ``ends_at``: when a session ends
    if nothing more is asked in it. ``theme`` None: never chosen.
    """

    id: UUID
    is_admin: bool
    must_change_password: bool
    session_id: UUID | None
    api_key_id: UUID | None
    scopes: frozenset[Scope] | None
    rate: str | None
    sealed_name: Sealed = field(repr=False, compare=False)
    sealed_email: Sealed = field(repr=False, compare=False)
    ends_at: datetime | None = None
    theme: str | None = None

    @property
    def name(self) -> str:
        return str(self.sealed_name.told(self.id, UNREADABLE))

    @property
    def email(self) -> str:
        return str(self.sealed_email.told(self.id, UNREADABLE))

    @property
    def actor(self) -> Actor:
        return Actor(user_id=self.id, is_admin=self.is_admin, scopes=self.scopes)
