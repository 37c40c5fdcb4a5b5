"""What somebody set for themselves: the keys of the editor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.domain.keymap import ROWS, full_keymap, read_keymap
from app.errors import AuthenticationFailed
from app.models import Preference


class Preferences:
    """One row a person, made with the first choice; who chose nothing has none."""

    def __init__(self, uow: UnitOfWork, clock: Callable[[], datetime] = utc_now) -> None:
        self._uow = uow
        self._clock = clock

    def keymap(self, actor: Actor) -> dict[str, str]:
        """What differs from the keys given out, {action: keys}."""
        require(actor, Action.READ_ACCOUNT)
        with self._uow.read_rows() as connection:
            return _keymap(connection, _owner(actor))

    def keys(self, actor: Actor) -> dict[str, str]:
        """The keys of every action that one may choose."""
        return full_keymap(self.keymap(actor))

    def set_keymap(self, actor: Actor, document: object, place: str = "") -> dict[str, str]:
        """Take these keys, and those given out for what is not named; see `read_keymap`.

        Returns the keys of every action. Raises ``InvalidInput``.
        """
        require(actor, Action.WRITE_ACCOUNT)
        changed = read_keymap(document, place)
        with self._uow.write() as session:
            row = self._row(session, _owner(actor))
            row.body = {**row.body, "keymap": changed}
            row.updated_at = self._clock()
        return full_keymap(changed)

    def _row(self, session: Session, user_id: UUID) -> Preference:
        row = session.scalar(select(Preference).where(Preference.user_id == user_id))
        if row is None:
            row = Preference(user_id=user_id, updated_at=self._clock(), body={})
            session.add(row)
        return row


def _keymap(connection: Connection, user_id: UUID) -> dict[str, str]:
    """Only actions that there are: an older row may name one that is no more."""
    query = select(Preference.id, Preference.body).where(Preference.user_id == user_id)
    row: Any = connection.execute(query).one_or_none()
    body: Mapping[str, Any] = row.body.told(row.id, {}) if row else {}
    return {action: keys for action, keys in body.get("keymap", {}).items() if action in ROWS}


def _owner(actor: Actor) -> UUID:
    if actor.user_id is None:  # for the type alone: READ_ACCOUNT takes an account
        raise AuthenticationFailed("Sign in first.", operation="preferences.find")
    return actor.user_id
