from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from app.crypto import passwords
from app.crypto.passwords import PasswordCost
from app.domain.access import ANONYMOUS, OPERATOR, Actor, Role
from app.domain.limits import Usage
from app.domain.scopes import EVERY_SCOPE
from app.errors import (
    AuthenticationFailed,
    Conflict,
    DarkroomError,
    InvalidInput,
    NotFound,
    NotPermitted,
)
from app.services.accounts import Accounts
from app.services.password_check import PasswordCheck
from tests.fixtures.database import CHEAP
from tests.fixtures.rooms import PASSWORD, Rooms

NEW_PASSWORD = "a second long one"
ADA = {"email": "ada@example.org", "name": "Ada", "password": PASSWORD}


class Work:
    """Counts the Argon2id derivations that are really made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        work, real = self, passwords.Argon2id

        class Counted:
            def __init__(self, **cost: object) -> None:
                self._real = real(**cost)  # type: ignore[arg-type]

            def derive_phc_encoded(self, password: bytes) -> str:
                work.count += 1
                return self._real.derive_phc_encoded(password)

            @staticmethod
            def verify_phc_encoded(password: bytes, phc: str) -> None:
                work.count += 1
                real.verify_phc_encoded(password, phc)

        monkeypatch.setattr(passwords, "Argon2id", Counted)


@pytest.fixture
def work(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> Work:
    return Work(monkeypatch)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


class TestMaking:
    def test_an_account_has_its_private_collection(self, rooms: Rooms) -> None:
        actor = rooms.person()
        (own,) = rooms.collections.list(actor)
        assert own.is_personal
        assert own.role is Role.OWNER
        assert own.owner_id == actor.user_id
        assert own.slug.startswith("c-")
        assert len(own.slug) == 12
        assert rooms.actions() == ["account.create"]

    def test_nothing_readable_is_stored(self, rooms: Rooms, database_path: Path) -> None:
        rooms.accounts.register(
            email="marker.mail@example.org", name="Marker Name", password="marker password"
        )
        rooms.uow.engine.dispose()
        raw = b"".join(p.read_bytes() for p in database_path.parent.iterdir() if p.is_file())
        for word in (b"marker", b"Marker", b"example.org", b"My pictures"):
            assert word not in raw

    @pytest.mark.parametrize(
        ("field", "bad"), [("email", "nobody"), ("name", " "), ("password", "short")]
    )
    def test_bad_words_are_refused_and_leave_nothing(
        self, rooms: Rooms, field: str, bad: str
    ) -> None:
        with pytest.raises(InvalidInput) as caught:
            rooms.accounts.register(**{**ADA, field: bad})
        assert [mistake.path for mistake in caught.value.mistakes] == [field]
        assert rooms.accounts.is_empty()

    def test_one_account_an_address(self, rooms: Rooms) -> None:
        rooms.accounts.register(**ADA)
        for again in ("ada@example.org", "ADA@Example.org", " ada@example.org "):
            with pytest.raises(Conflict):
                rooms.accounts.register(**{**ADA, "email": again})
        assert len(rooms.administration.list(OPERATOR).accounts) == 1

    def test_a_known_address_costs_the_same_work(self, rooms: Rooms, work: Work) -> None:
        rooms.accounts.register(**ADA)
        first, work.count = work.count, 0
        with pytest.raises(Conflict):
            rooms.accounts.register(**ADA)
        assert work.count == first == 1

    def test_only_administrators_make_accounts_for_others(self, rooms: Rooms) -> None:
        plain, admin = rooms.person("plain"), rooms.person("root", is_admin=True)
        for actor in (plain, ANONYMOUS):
            with pytest.raises((NotPermitted, AuthenticationFailed)):
                rooms.accounts.create(actor, **ADA)
        made = rooms.accounts.create(admin, **ADA, is_admin=True)
        assert made.is_admin
        assert made.usage == Usage(0, 1000)

    def test_the_first_administrator_only_while_nobody_is_there(self, rooms: Rooms) -> None:
        assert rooms.accounts.is_empty()
        assert rooms.accounts.create_first_admin(**ADA).is_admin
        assert not rooms.accounts.is_empty()
        with pytest.raises(Conflict):
            rooms.accounts.create_first_admin(**{**ADA, "email": "eve@example.org"})

    def test_eight_at_once_make_one_first_administrator(
        self, rooms: Rooms, threads: ThreadPoolExecutor
    ) -> None:
        def attempt(number: int) -> bool:
            try:
                rooms.accounts.create_first_admin(**{**ADA, "email": f"a{number}@example.org"})
            except Conflict:
                return False
            return True

        assert sum(threads.map(attempt, range(8))) == 1
        (account,) = rooms.administration.list(OPERATOR).accounts
        assert account.is_admin
        assert rooms.audit.verify().checked == 1

    def test_an_account_without_its_collection_is_not_made(
        self, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*args: object, **kwargs: object) -> None:
            raise DarkroomError("the disk is on fire")

        monkeypatch.setattr("app.services.account_rows.add_collection", fails)
        with pytest.raises(DarkroomError, match="fire"):
            rooms.accounts.register(**ADA)
        assert rooms.accounts.is_empty()
        assert rooms.audit.verify().checked == 0


class TestSigningIn:
    def test_the_right_words_open(self, rooms: Rooms) -> None:
        actor = rooms.person()
        account = rooms.accounts.authenticate("Ada@EXAMPLE.org", PASSWORD, address="10.0.0.9")
        assert account.id == actor.user_id
        assert account.last_login_at == rooms.clock.now
        entry = rooms.audit.page(OPERATOR).entries[0]
        assert (entry.action, entry.outcome) == ("account.sign_in", "ok")
        assert (entry.actor_id, entry.details) == (actor.user_id, {"address": "10.0.0.9"})

    @pytest.mark.parametrize("case", ["unknown", "wrong", "disabled", "no password"])
    def test_every_refusal_is_the_same_with_the_same_work(
        self, rooms: Rooms, work: Work, database_path: Path, case: str
    ) -> None:
        actor = rooms.person()
        if case == "disabled":
            rooms.administration.set_disabled(OPERATOR, _id(actor), True)
        if case == "no password":
            _sql(database_path, "UPDATE users SET password_hash = NULL")
        email = "nobody@example.org" if case == "unknown" else "ada@example.org"
        password = "wrong but long enough" if case == "wrong" else PASSWORD
        before = len(rooms.actions())
        work.count = 0
        with pytest.raises(AuthenticationFailed) as caught:
            rooms.accounts.authenticate(email, password)
        assert work.count == 1
        assert str(caught.value) == "E-mail address or password is wrong."
        assert len(rooms.actions()) == before + 1
        assert rooms.audit.page(OPERATOR).entries[0].outcome == "refused"

    @pytest.mark.parametrize("email", ["", "x", "\ud800@\0", "a" * 5000, "' OR 1=1 --"])
    def test_any_text_is_just_wrong(self, rooms: Rooms, email: str) -> None:
        rooms.person()
        with pytest.raises(AuthenticationFailed):
            rooms.accounts.authenticate(email, PASSWORD)

    def test_a_hash_of_another_cost_is_renewed(self, rooms: Rooms, work: Work) -> None:
        rooms.person()
        dearer = PasswordCost(memory_kib=16, iterations=1, lanes=1)
        parts = (rooms.emails, PasswordCheck(dearer), rooms.audit, rooms.quota, rooms.clock)
        accounts = Accounts(rooms.uow, *parts)
        work.count = 0
        accounts.authenticate("ada@example.org", PASSWORD)
        assert work.count == 2
        accounts.authenticate("ada@example.org", PASSWORD)
        assert work.count == 3

    def test_a_password_that_changed_meanwhile_opens_nothing(
        self, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        actor = rooms.person()
        check = rooms.passwords.fits

        def slow(stored: str | None, password: str) -> bool:
            fits = check(stored, password)
            monkeypatch.undo()
            rooms.administration.reset_password(OPERATOR, _id(actor), NEW_PASSWORD)
            return fits

        monkeypatch.setattr(rooms.passwords, "fits", slow)
        with pytest.raises(AuthenticationFailed):
            rooms.accounts.authenticate("ada@example.org", PASSWORD)

    def test_a_blind_key_that_was_rotated_still_finds(self, rooms: Rooms) -> None:
        from app.crypto.keys import generate_key
        from app.services.keys import ROOT_NAMES, RootKey, RootKeys

        rooms.person()
        old = {name: rooms.roots.active(name) for name in ROOT_NAMES}
        fresh = RootKey(b"\x07" * 16, generate_key())
        both = {n: (fresh, key) if n == "blind" else (key,) for n, key in old.items()}
        later = Rooms(rooms.uow, RootKeys(both), rooms.clock)
        assert later.accounts.authenticate("ada@example.org", PASSWORD)
        with pytest.raises(Conflict):
            later.accounts.register(**ADA)


class TestOwnAccount:
    def test_changing_the_password_ends_all_other_sessions(self, rooms: Rooms) -> None:
        actor = rooms.person()
        here, there = (rooms.sessions.create(_id(actor)).token for _ in range(2))
        rooms.accounts.change_password(
            actor, current=PASSWORD, new=NEW_PASSWORD, keep_session=here
        )
        assert rooms.sessions.resolve(here) is not None
        assert rooms.sessions.resolve(there) is None
        assert rooms.accounts.authenticate("ada@example.org", NEW_PASSWORD)
        with pytest.raises(AuthenticationFailed):
            rooms.accounts.authenticate("ada@example.org", PASSWORD)

    @pytest.mark.parametrize(
        ("current", "new", "path"),
        [
            ("not the password", NEW_PASSWORD, "current_password"),
            (PASSWORD, "short", "new_password"),
            (PASSWORD, "ada@example.org", "new_password"),
        ],
    )
    def test_a_refused_change_changes_nothing(
        self, rooms: Rooms, current: str, new: str, path: str
    ) -> None:
        actor = rooms.person()
        token = rooms.sessions.create(_id(actor)).token
        with pytest.raises(InvalidInput) as caught:
            rooms.accounts.change_password(actor, current=current, new=new, keep_session=None)
        assert [mistake.path for mistake in caught.value.mistakes] == [path]
        assert rooms.sessions.resolve(token) is not None
        assert rooms.accounts.authenticate("ada@example.org", PASSWORD)

    def test_no_key_changes_a_password(self, rooms: Rooms) -> None:
        key = Actor(rooms.person().user_id, scopes=EVERY_SCOPE)
        with pytest.raises(NotPermitted):
            rooms.accounts.change_password(
                key, current=PASSWORD, new=NEW_PASSWORD, keep_session=None
            )

    def test_name_and_figures(self, rooms: Rooms) -> None:
        actor = rooms.person()
        assert rooms.accounts.rename(actor, " Countess ").name == "Countess"
        view = rooms.accounts.get(actor)
        assert (view.name, view.email, view.usage) == (
            "Countess",
            "ada@example.org",
            Usage(0, 1000),
        )
        assert rooms.accounts.pictures(actor) == 0
        assert view.actor == actor


class TestAdministration:
    def test_reset_ends_every_session_and_asks_for_another_password(self, rooms: Rooms) -> None:
        admin, ada = rooms.person("root", is_admin=True), rooms.person()
        token = rooms.sessions.create(_id(ada)).token
        view = rooms.administration.reset_password(admin, _id(ada), NEW_PASSWORD)
        assert view.must_change_password
        assert rooms.sessions.resolve(token) is None
        assert rooms.accounts.authenticate("ada@example.org", NEW_PASSWORD)
        rooms.accounts.change_password(
            ada, current=NEW_PASSWORD, new=PASSWORD, keep_session=None
        )
        assert not rooms.accounts.get(ada).must_change_password

    def test_a_disabled_account_is_out_at_once_and_may_come_back(self, rooms: Rooms) -> None:
        ada = rooms.person()
        token = rooms.sessions.create(_id(ada)).token
        key = rooms.api_keys.create(ada, name="k", scopes=["all"]).key
        assert rooms.administration.set_disabled(OPERATOR, _id(ada), True).disabled
        assert rooms.sessions.resolve(token) is None
        assert rooms.api_keys.resolve(key) is None
        assert not rooms.administration.set_disabled(OPERATOR, _id(ada), False).disabled
        assert rooms.sessions.resolve(token) is None
        assert rooms.api_keys.resolve(key) is not None
        assert rooms.accounts.authenticate("ada@example.org", PASSWORD)

    def test_the_last_administrator_stays(self, rooms: Rooms) -> None:
        first, second = (rooms.person(n, is_admin=True) for n in ("one", "two"))
        rooms.administration.set_disabled(first, _id(second), True)
        for change in (
            lambda: rooms.administration.set_disabled(first, _id(first), True),
            lambda: rooms.administration.set_admin(first, _id(first), False),
        ):
            with pytest.raises(Conflict):
                change()
        assert rooms.accounts.authenticate("one@example.org", PASSWORD).is_admin
        rooms.administration.set_admin(first, _id(second), False)
        rooms.administration.set_admin(first, _id(second), True)

    def test_a_site_without_administrators_can_still_disable(self, rooms: Rooms) -> None:
        ada = rooms.person()
        assert rooms.administration.set_disabled(OPERATOR, _id(ada), True).disabled

    def test_pages_and_search(self, rooms: Rooms) -> None:
        for name in ("a1", "b2", "c3", "d4", "e5"):
            rooms.person(name)
            rooms.clock.advance(seconds=1)
        names: list[str] = []
        cursor = None
        while True:
            page = rooms.administration.list(OPERATOR, cursor=cursor, limit=2)
            names += [account.name for account in page.accounts]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert names == ["A1", "B2", "C3", "D4", "E5"]
        assert rooms.administration.find(OPERATOR, "C3@example.org").name == "C3"
        with pytest.raises(NotFound):
            rooms.administration.find(OPERATOR, "x@example.org")

    def test_quota(self, rooms: Rooms) -> None:
        ada = rooms.person()
        assert rooms.administration.set_quota(OPERATOR, _id(ada), 5).usage.limit == 5
        assert rooms.administration.set_quota(OPERATOR, _id(ada), None).usage.limit == 1000
        for bad in (-1, 2**63):
            with pytest.raises(InvalidInput):
                rooms.administration.set_quota(OPERATOR, _id(ada), bad)

    def test_others_may_not(self, rooms: Rooms) -> None:
        ada, bob = rooms.person(), rooms.person("bob")
        some = rooms.administration
        for attempt in (
            lambda: some.list(ada),
            lambda: some.find(ada, "bob@example.org"),
            lambda: some.reset_password(ada, _id(bob), NEW_PASSWORD),
            lambda: some.set_disabled(ada, _id(bob), True),
            lambda: some.set_admin(ada, _id(ada), True),
            lambda: some.set_quota(ada, _id(ada), 10**9),
        ):
            with pytest.raises(NotPermitted):
                attempt()
        assert "account.make_admin" not in rooms.actions()

    def test_nobody_there(self, rooms: Rooms) -> None:
        with pytest.raises(NotFound):
            rooms.administration.set_disabled(OPERATOR, uuid4(), True)


def test_nobodys_password_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_urlsafe", lambda size: "known by chance")
    check = PasswordCheck(CHEAP)
    assert not check.fits(None, "known by chance")
    assert check.fits(check.hash("known by chance"), "known by chance")


def _id(actor: Actor):  # type: ignore[no-untyped-def]
    assert actor.user_id is not None
    return actor.user_id


def _sql(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()
