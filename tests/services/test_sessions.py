from __future__ import annotations

import hashlib
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select, update

from app.db.session import UnitOfWork
from app.domain.access import Actor
from app.domain.scopes import EVERY_SCOPE
from app.errors import DatabaseUnavailable, NotFound, NotPermitted
from app.models import Session, User
from tests.fixtures.rooms import Rooms


@pytest.fixture
def ada(rooms: Rooms) -> Actor:
    return rooms.person()


@pytest.fixture
def statements(rooms: Rooms) -> list[str]:
    """Every statement that goes to the database from here on."""
    seen: list[str] = []

    def note(connection, cursor, statement, *rest):  # type: ignore[no-untyped-def]
        if not statement.startswith(("PRAGMA", "BEGIN", "ROLLBACK", "COMMIT")):
            seen.append(statement)

    event.listen(rooms.uow.engine, "before_cursor_execute", note)
    return seen


def begin(rooms: Rooms, actor: Actor, **facts: object) -> str:
    assert actor.user_id is not None
    return rooms.sessions.create(actor.user_id, **facts).token  # type: ignore[arg-type]


def test_resolves_with_one_select_and_no_write(
    rooms: Rooms, ada: Actor, statements: list[str]
) -> None:
    token = begin(rooms, ada)
    statements.clear()
    user = rooms.sessions.resolve(token)
    assert user is not None
    assert len(statements) == 1
    assert statements[0].startswith("SELECT")
    assert (user.id, user.name, user.email) == (ada.user_id, "Ada", "ada@example.org")
    assert user.actor == ada
    assert user.api_key_id is None
    assert "Ada" not in repr(user)


def test_only_the_hash_is_kept(rooms: Rooms, ada: Actor, database_path: Path) -> None:
    begun = rooms.sessions.create(
        ada.user_id or uuid4(), address="198.51.100.77", agent="Marker/1.0"
    )
    with rooms.uow.read() as session:
        assert session.scalars(select(Session.id_hash)).all() == [
            hashlib.sha256(begun.token.encode()).digest()
        ]
    rooms.uow.engine.dispose()
    raw = b"".join(p.read_bytes() for p in database_path.parent.iterdir() if p.is_file())
    for word in (begun.token.encode(), b"198.51.100.77", b"Marker/1.0"):
        assert word not in raw
    assert begun.token not in repr(begun)


@pytest.mark.parametrize("token", [None, "", "x", "a" * 43, "\ud800", "a" * 10_000])
def test_any_other_text_is_nobody(rooms: Rooms, ada: Actor, token: str | None) -> None:
    begin(rooms, ada)
    assert rooms.sessions.resolve(token) is None


def test_tokens_are_long_and_never_the_same(rooms: Rooms, ada: Actor) -> None:
    tokens = {begin(rooms, ada) for _ in range(20)}
    assert len(tokens) == 20
    assert {len(token) for token in tokens} == {43}


def test_a_disabled_account_is_nobody_even_with_a_session_left(
    rooms: Rooms, ada: Actor
) -> None:
    token = begin(rooms, ada)
    with rooms.uow.write() as session:
        session.execute(update(User).values(state="disabled"))
    assert rooms.sessions.resolve(token) is None


class TestTime:
    def test_idle(self, rooms: Rooms, ada: Actor) -> None:
        token = begin(rooms, ada)
        rooms.clock.advance(minutes=119, seconds=59)
        assert rooms.sessions.resolve(token) is not None
        rooms.clock.advance(minutes=119, seconds=59)
        assert rooms.sessions.resolve(token) is not None
        rooms.clock.advance(minutes=120)
        assert rooms.sessions.resolve(token) is None

    def test_a_remembered_one_may_rest(self, rooms: Rooms, ada: Actor) -> None:
        token = begin(rooms, ada, remember=True)
        rooms.clock.advance(days=13, hours=23)
        assert rooms.sessions.resolve(token) is not None
        rooms.clock.advance(hours=1)
        assert rooms.sessions.resolve(token) is None

    def test_the_longest_life_however_busy(self, rooms: Rooms, ada: Actor) -> None:
        token = begin(rooms, ada)
        for _ in range(14 * 24 - 1):
            rooms.clock.advance(hours=1)
            assert rooms.sessions.resolve(token) is not None
        rooms.clock.advance(hours=1)
        assert rooms.sessions.resolve(token) is None

    def test_last_seen_is_written_every_five_minutes(
        self, rooms: Rooms, ada: Actor, statements: list[str]
    ) -> None:
        token = begin(rooms, ada)
        statements.clear()
        for _ in range(20):
            rooms.clock.advance(minutes=1)
            rooms.sessions.resolve(token)
        assert sum(text.startswith("UPDATE") for text in statements) == 4
        assert rooms.sessions.list(ada, token)[0].last_seen_at == rooms.clock.now

    def test_a_database_that_cannot_be_written_ends_no_session(
        self, rooms: Rooms, ada: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = begin(rooms, ada)
        rooms.clock.advance(minutes=10)

        def busy(self: UnitOfWork) -> None:
            raise DatabaseUnavailable("busy")

        monkeypatch.setattr(UnitOfWork, "write", busy)
        assert rooms.sessions.resolve(token) is not None

    def test_what_has_ended_is_taken_out(self, rooms: Rooms, ada: Actor) -> None:
        bob = rooms.person("bob")
        for actor in (ada, bob):
            begin(rooms, actor)
            begin(rooms, actor, remember=True)
        rooms.clock.advance(hours=3)
        kept = begin(rooms, ada)
        assert _rows(rooms) == 4  # Ada's idle one is gone
        assert rooms.sessions.purge() == 1
        rooms.clock.advance(days=14)
        assert rooms.sessions.purge() == 3
        assert rooms.sessions.resolve(kept) is None


class TestRevoking:
    def test_log_out(self, rooms: Rooms, ada: Actor) -> None:
        token, other = begin(rooms, ada), begin(rooms, ada)
        rooms.sessions.revoke(token)
        rooms.sessions.revoke(token)
        rooms.sessions.revoke(None)
        assert rooms.sessions.resolve(token) is None
        assert rooms.sessions.resolve(other) is not None
        assert rooms.actions().count("session.end") == 1

    def test_list_and_revoke_one(self, rooms: Rooms, ada: Actor) -> None:
        here = begin(rooms, ada, agent="Here", address="192.0.2.1")
        rooms.clock.advance(minutes=1)
        there = begin(rooms, ada, agent="There" * 200, remember=True)
        views = rooms.sessions.list(ada, here)
        assert [view.is_current for view in views] == [True, False]
        assert (views[0].agent, views[0].address) == ("Here", "192.0.2.1")
        assert len(views[1].agent) == 400
        user = rooms.sessions.resolve(here)
        assert user is not None
        assert user.session_id == views[0].id
        rooms.sessions.revoke_one(ada, views[1].id)
        assert rooms.sessions.resolve(there) is None
        assert rooms.sessions.resolve(here) is not None

    def test_nobody_elses(self, rooms: Rooms, ada: Actor) -> None:
        token = begin(rooms, ada)
        (view,) = rooms.sessions.list(ada, None)
        assert not view.is_current
        for id_ in (view.id, UUID(int=0)):
            with pytest.raises(NotFound):
                rooms.sessions.revoke_one(rooms.person(f"bob{id_.hex[:4]}"), id_)
        with pytest.raises(NotPermitted):
            rooms.sessions.revoke_one(Actor(ada.user_id, scopes=EVERY_SCOPE), view.id)
        assert rooms.sessions.resolve(token) is not None

    def test_all_others(self, rooms: Rooms, ada: Actor) -> None:
        bob = begin(rooms, rooms.person("bob"))
        here, *others = (begin(rooms, ada) for _ in range(4))
        assert rooms.sessions.revoke_others(ada, here) == 3
        assert rooms.sessions.resolve(here) is not None
        assert all(rooms.sessions.resolve(token) is None for token in others)
        assert rooms.sessions.resolve(bob) is not None

    def test_everyones_by_an_administrator(self, rooms: Rooms, ada: Actor) -> None:
        tokens = [begin(rooms, ada), begin(rooms, rooms.person("bob"))]
        with pytest.raises(NotPermitted):
            rooms.sessions.revoke_everyone(ada)
        assert rooms.sessions.revoke_everyone(rooms.person("root", is_admin=True)) == 2
        assert all(rooms.sessions.resolve(token) is None for token in tokens)


def _rows(rooms: Rooms) -> int:
    with rooms.uow.read() as session:
        return len(session.scalars(select(Session.id_hash)).all())
