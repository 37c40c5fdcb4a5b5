from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import event

from app.domain.access import OPERATOR, Actor
from app.domain.limits import MAX_API_KEYS
from app.domain.scopes import EVERY_SCOPE, Scope
from app.errors import AuthenticationFailed, Conflict, InvalidInput, NotFound, NotPermitted
from tests.fixtures.rooms import Rooms


@pytest.fixture
def ada(rooms: Rooms) -> Actor:
    return rooms.person()


def test_a_key_is_shown_once_and_kept_as_a_hash(
    rooms: Rooms, ada: Actor, database_path: Path
) -> None:
    made = rooms.api_keys.create(ada, name="Marker name", scopes=["images:read"])
    assert re.fullmatch(r"dk_[0-9a-f]{8}[0-9a-f]{64}", made.key)
    assert made.key.startswith(made.prefix)
    assert made.key not in repr(made)
    rooms.uow.engine.dispose()
    raw = b"".join(p.read_bytes() for p in database_path.parent.iterdir() if p.is_file())
    assert made.key.encode() not in raw
    assert made.key[11:].encode() not in raw
    assert b"Marker name" not in raw


def test_resolves_with_one_select(rooms: Rooms, ada: Actor) -> None:
    key = rooms.api_keys.create(ada, name="k", scopes=["images:read", "admin"][:1]).key
    rooms.api_keys.resolve(key)
    seen: list[str] = []
    event.listen(
        rooms.uow.engine, "before_cursor_execute", lambda c, k, text, *_: seen.append(text)
    )
    user = rooms.api_keys.resolve(key)
    assert user is not None
    assert [text.split()[0] for text in seen if not text.startswith("PRAGMA")] in (
        ["SELECT"],
        ["BEGIN", "SELECT"],
    )
    assert user.actor == Actor(ada.user_id, scopes=frozenset({Scope.IMAGES_READ}))
    assert user.session_id is None
    assert user.name == "Ada"


@pytest.mark.parametrize("key", [None, "", "dk_", "dk_" + "0" * 72, "x" * 75, "dk_" + "é" * 72])
def test_any_other_text_is_nobody(rooms: Rooms, ada: Actor, key: str | None) -> None:
    rooms.api_keys.create(ada, name="k", scopes=["all"])
    assert rooms.api_keys.resolve(key) is None


def test_one_changed_digit_is_nobody(rooms: Rooms, ada: Actor) -> None:
    key = rooms.api_keys.create(ada, name="k", scopes=["all"]).key
    for place in (3, 11, 40, len(key) - 1):
        other = "0" if key[place] != "0" else "1"
        assert rooms.api_keys.resolve(key[:place] + other + key[place + 1 :]) is None
    assert rooms.api_keys.resolve(key.upper()) is None


class TestScopes:
    def test_all_is_what_the_user_may_have(self, rooms: Rooms, ada: Actor) -> None:
        root = rooms.person("root", is_admin=True)
        plain = rooms.api_keys.create(ada, name="k", scopes=["all"])
        wide = rooms.api_keys.create(root, name="k", scopes=["all"])
        assert "admin" not in plain.scopes
        assert set(wide.scopes) == {scope.value for scope in EVERY_SCOPE}

    def test_refused(self, rooms: Rooms, ada: Actor) -> None:
        for scopes in ([], ["admin"], ["images:fly"], ["images:read", ""]):
            with pytest.raises(InvalidInput):
                rooms.api_keys.create(ada, name="k", scopes=scopes)
        assert rooms.api_keys.list(ada) == ()

    def test_a_key_makes_no_wider_one(self, rooms: Rooms, ada: Actor) -> None:
        narrow = Actor(ada.user_id, scopes=frozenset({Scope.ACCOUNT_WRITE, Scope.IMAGES_READ}))
        made = rooms.api_keys.create(narrow, name="k", scopes=["all"])
        assert set(made.scopes) == {"account:write", "images:read"}
        with pytest.raises(InvalidInput):
            rooms.api_keys.create(narrow, name="k", scopes=["images:write"])
        with pytest.raises(NotPermitted):
            rooms.api_keys.create(
                Actor(ada.user_id, scopes=frozenset({Scope.IMAGES_READ})),
                name="k",
                scopes=["images:read"],
            )

    def test_admin_ends_with_the_office(self, rooms: Rooms) -> None:
        rooms.person("other", is_admin=True)
        root = rooms.person("root", is_admin=True)
        key = rooms.api_keys.create(root, name="k", scopes=["admin", "images:read"]).key
        before = rooms.api_keys.resolve(key)
        assert before is not None
        assert before.scopes == {Scope.ADMIN, Scope.IMAGES_READ}
        rooms.administration.set_admin(OPERATOR, root.user_id or uuid4(), False)
        after = rooms.api_keys.resolve(key)
        assert after is not None
        assert after.scopes == {Scope.IMAGES_READ}


class TestLife:
    def test_expiry(self, rooms: Rooms, ada: Actor) -> None:
        made = rooms.api_keys.create(ada, name="k", scopes=["all"], expires=timedelta(days=90))
        assert made.expires_at == rooms.clock.now + timedelta(days=90)
        rooms.clock.advance(days=90, seconds=-1)
        assert rooms.api_keys.resolve(made.key) is not None
        rooms.clock.advance(seconds=1)
        assert rooms.api_keys.resolve(made.key) is None

    @pytest.mark.parametrize("bad", [timedelta(0), timedelta(-1), timedelta(days=3651)])
    def test_a_senseless_expiry(self, rooms: Rooms, ada: Actor, bad: timedelta) -> None:
        with pytest.raises(InvalidInput):
            rooms.api_keys.create(ada, name="k", scopes=["all"], expires=bad)

    def test_last_use_is_written_every_five_minutes(self, rooms: Rooms, ada: Actor) -> None:
        key = rooms.api_keys.create(ada, name="k", scopes=["all"]).key
        assert rooms.api_keys.list(ada)[0].last_used_at is None
        rooms.api_keys.resolve(key)
        first = rooms.clock.now
        rooms.clock.advance(minutes=4)
        rooms.api_keys.resolve(key)
        assert rooms.api_keys.list(ada)[0].last_used_at == first
        rooms.clock.advance(minutes=1)
        rooms.api_keys.resolve(key)
        assert rooms.api_keys.list(ada)[0].last_used_at == rooms.clock.now

    def test_revoke(self, rooms: Rooms, ada: Actor) -> None:
        made = rooms.api_keys.create(ada, name="k", scopes=["all"])
        with pytest.raises(NotFound):
            rooms.api_keys.revoke(rooms.person("bob"), made.id)
        with pytest.raises(NotFound):
            rooms.api_keys.revoke(ada, uuid4())
        assert rooms.api_keys.resolve(made.key) is not None
        rooms.api_keys.revoke(ada, made.id)
        revoked_at = rooms.clock.now
        rooms.clock.advance(hours=1)
        rooms.api_keys.revoke(ada, made.id)
        assert rooms.api_keys.resolve(made.key) is None
        assert rooms.api_keys.list(ada)[0].revoked_at == revoked_at
        assert rooms.actions().count("api_key.revoke") == 1

    def test_an_administrator_sees_and_revokes_anybodys(self, rooms: Rooms, ada: Actor) -> None:
        root = rooms.person("root", is_admin=True)
        keys = [rooms.api_keys.create(ada, name=str(n), scopes=["all"]) for n in range(3)]
        assert len(rooms.api_keys.list_of(root, ada.user_id or uuid4())) == 3
        rooms.api_keys.revoke(OPERATOR, keys[0].id)
        with pytest.raises(NotPermitted):
            rooms.api_keys.revoke_everyone(ada)
        with pytest.raises(NotPermitted):
            rooms.api_keys.list_of(ada, root.user_id or uuid4())
        assert rooms.api_keys.revoke_everyone(root) == 2
        assert [rooms.api_keys.resolve(made.key) for made in keys] == [None] * 3

    def test_list(self, rooms: Rooms, ada: Actor) -> None:
        rooms.api_keys.create(rooms.person("bob"), name="his", scopes=["all"])
        for name in ("first", "second"):
            rooms.api_keys.create(ada, name=name, scopes=["images:write", "images:read"])
            rooms.clock.advance(seconds=1)
        views = rooms.api_keys.list(ada)
        assert [view.name for view in views] == ["second", "first"]
        assert views[0].scopes == ("images:read", "images:write")
        assert all(re.fullmatch(r"dk_[0-9a-f]{8}", view.prefix) for view in views)

    def test_not_without_end(self, rooms: Rooms, ada: Actor) -> None:
        made = [
            rooms.api_keys.create(ada, name="k", scopes=["all"]) for _ in range(MAX_API_KEYS)
        ]
        with pytest.raises(Conflict):
            rooms.api_keys.create(ada, name="k", scopes=["all"])
        rooms.api_keys.revoke(ada, made[0].id)
        rooms.api_keys.create(ada, name="k", scopes=["all"])

    def test_only_the_command_line_makes_one_for_another(
        self, rooms: Rooms, ada: Actor
    ) -> None:
        root = rooms.person("root", is_admin=True)
        for maker in (root, rooms.person("bob")):
            with pytest.raises(NotPermitted):
                rooms.api_keys.create_for(maker, ada, name="k", scopes=["all"])
        made = rooms.api_keys.create_for(OPERATOR, ada, name="k", scopes=["all"])
        assert "admin" not in made.scopes
        found = rooms.api_keys.resolve(made.key)
        assert found is not None
        assert found.id == ada.user_id

    def test_a_disabled_person_makes_none(self, rooms: Rooms, ada: Actor) -> None:
        with pytest.raises(AuthenticationFailed):
            rooms.api_keys.create(Actor(ada.user_id, disabled=True), name="k", scopes=["all"])
