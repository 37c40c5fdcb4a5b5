from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select

from app.domain.access import OPERATOR, Actor, Role
from app.domain.scopes import Scope
from app.domain.states import AnnotationState
from app.errors import Conflict, InvalidInput, NotFound, NotPermitted
from app.models import Collection
from app.services.collections import CollectionEdit
from app.services.labels import LabelEdit
from app.services.members import MemberView
from tests.fixtures.rooms import Rooms


@pytest.fixture
def ada(rooms: Rooms) -> Actor:
    return rooms.person("ada")


@pytest.fixture
def bob(rooms: Rooms) -> Actor:
    return rooms.person("bob")


@pytest.fixture
def slug(rooms: Rooms, ada: Actor) -> str:
    return rooms.collections.create(ada, name="Birds", slug="birds").slug


def roles(rooms: Rooms, actor: Actor, slug: str) -> dict[str, str]:
    return {m.name: m.role.word for m in rooms.members.list(actor, slug)}


class TestMaking:
    def test_a_random_address_unless_typed(self, rooms: Rooms, ada: Actor) -> None:
        made = rooms.collections.create(ada, name=" Ünseen ", description="a\r\nb")
        assert made.slug.startswith("c-")
        assert (made.name, made.description, made.role) == ("Ünseen", "a\nb", Role.OWNER)
        assert not made.is_personal
        assert not made.labels_closed
        assert rooms.collections.create(ada, name="Typed", slug="my-birds").slug == "my-birds"

    def test_an_address_is_taken_once_also_by_what_is_gone(
        self, rooms: Rooms, ada: Actor, bob: Actor, slug: str
    ) -> None:
        with pytest.raises(Conflict):
            rooms.collections.create(bob, name="Mine", slug=slug)
        rooms.collections.remove(ada, slug)
        with pytest.raises(Conflict):
            rooms.collections.create(ada, name="Again", slug=slug)

    @pytest.mark.parametrize(
        "bad", [{"name": ""}, {"name": "a\0"}, {"description": "\0"}, {"slug": "No"}]
    )
    def test_refused(self, rooms: Rooms, ada: Actor, bad: dict[str, str]) -> None:
        with pytest.raises(InvalidInput) as caught:
            rooms.collections.create(ada, **{"name": "ok", **bad})  # type: ignore[arg-type]
        assert [mistake.path for mistake in caught.value.mistakes] == list(bad)
        assert len(rooms.collections.list(ada)) == 1

    def test_names_are_sealed(self, rooms: Rooms, ada: Actor, database_path: Path) -> None:
        rooms.collections.create(ada, name="Marker of a name", description="Marker of a text")
        rooms.uow.engine.dispose()
        raw = b"".join(p.read_bytes() for p in database_path.parent.iterdir() if p.is_file())
        assert b"Marker" not in raw


class TestListing:
    def test_own_private_one_first_then_by_name_in_one_query(
        self, rooms: Rooms, ada: Actor, bob: Actor
    ) -> None:
        for name in ("zebra", "Apple", "mango"):
            rooms.collections.create(ada, name=name)
        shared = rooms.collections.create(bob, name="Banana").slug
        rooms.members.add(bob, shared, email="ada@example.org", role="viewer")
        seen: list[str] = []
        event.listen(
            rooms.uow.engine, "before_cursor_execute", lambda c, k, text, *_: seen.append(text)
        )
        views = rooms.collections.list(ada)
        assert [view.name for view in views] == [
            "My pictures",
            "Apple",
            "Banana",
            "mango",
            "zebra",
        ]
        assert sum(text.startswith("SELECT") for text in seen) == 1
        assert [view.role for view in views][2] is Role.VIEWER

    def test_only_ones_own(self, rooms: Rooms, ada: Actor, bob: Actor, slug: str) -> None:
        assert [view.is_personal for view in rooms.collections.list(bob)] == [True]
        for attempt in (rooms.collections.get, rooms.collections.access, rooms.labels.list):
            with pytest.raises(NotFound):
                attempt(bob, slug)
        with pytest.raises(NotFound):
            rooms.collections.get(Actor(uuid4(), is_admin=True), slug)
        assert rooms.collections.get(ada, slug).name == "Birds"

    def test_a_key_without_the_scope_learns_nothing(self, rooms: Rooms, ada: Actor) -> None:
        key = Actor(ada.user_id, scopes=frozenset({Scope.IMAGES_READ}))
        for address in (rooms.private(ada), "never-was"):
            with pytest.raises(NotPermitted):
                rooms.collections.get(key, address)

    def test_progress(self, rooms: Rooms, ada: Actor, slug: str) -> None:
        for state in ("new", "new", "done"):
            rooms.picture(ada, slug, annotation_state=state)
        rooms.picture(ada, slug, annotation_state="done", trashed_at=rooms.clock())
        counts = rooms.collections.progress(ada, slug)
        assert counts[AnnotationState.NEW] == 2
        assert counts[AnnotationState.DONE] == 1
        assert sum(counts.values()) == 3


class TestChanging:
    def test_edit(self, rooms: Rooms, ada: Actor, slug: str) -> None:
        edit = CollectionEdit(
            name="Fish", description="d", labels_closed=True, timeline="taken"
        )
        view = rooms.collections.edit(ada, slug, edit)
        assert (view.name, view.description, view.labels_closed) == ("Fish", "d", True)
        assert view.timeline == "taken"
        same = rooms.collections.edit(ada, slug, CollectionEdit())
        assert same == view
        assert (
            rooms.collections.edit(ada, slug, CollectionEdit(description="")).description == ""
        )
        with pytest.raises(InvalidInput):
            rooms.collections.edit(ada, slug, CollectionEdit(timeline="never"))

    @pytest.mark.parametrize("role", ["viewer", "annotator", "reviewer", "editor"])
    def test_only_owners(
        self, rooms: Rooms, ada: Actor, bob: Actor, slug: str, role: str
    ) -> None:
        rooms.members.add(ada, slug, email="bob@example.org", role=role)
        for attempt in (
            lambda: rooms.collections.edit(bob, slug, CollectionEdit(name="Mine")),
            lambda: rooms.collections.remove(bob, slug),
            lambda: rooms.members.add(bob, slug, email="ada@example.org", role="viewer"),
            lambda: rooms.members.change(bob, slug, _id(bob), "owner"),
            lambda: rooms.members.remove(bob, slug, _id(ada)),
        ):
            with pytest.raises(NotPermitted):
                attempt()
        assert rooms.collections.get(bob, slug).name == "Birds"

    def test_remove_wipes_the_words(self, rooms: Rooms, ada: Actor, slug: str) -> None:
        rooms.labels.create(ada, slug, LabelEdit(name="wren"))
        rooms.collections.remove(ada, slug)
        with pytest.raises(NotFound):
            rooms.collections.get(ada, slug)
        assert len(rooms.collections.list(ada)) == 1
        with rooms.uow.read() as session:
            row = session.scalars(select(Collection).where(Collection.slug == slug)).one()
            assert (row.name, row.description) == ("", None)
            assert row.deleted_at == rooms.clock.now

    def test_what_holds_pictures_stays(self, rooms: Rooms, ada: Actor, slug: str) -> None:
        rooms.picture(ada, slug, trashed_at=rooms.clock())
        with pytest.raises(Conflict):
            rooms.collections.remove(ada, slug)
        with pytest.raises(Conflict):
            rooms.collections.remove(ada, rooms.private(ada))


class TestMembers:
    def test_add_change_and_remove(
        self, rooms: Rooms, ada: Actor, bob: Actor, slug: str
    ) -> None:
        added = rooms.members.add(ada, slug, email=" BOB@example.org ", role="annotator")
        assert added == MemberView(
            _id(bob), "Bob", "bob@example.org", Role.ANNOTATOR, False, rooms.clock.now
        )
        assert roles(rooms, bob, slug) == {"Ada": "owner", "Bob": "annotator"}
        assert [member.is_you for member in rooms.members.list(bob, slug)] == [False, True]
        assert rooms.members.change(ada, slug, _id(bob), "editor").role is Role.EDITOR
        rooms.members.remove(ada, slug, _id(bob))
        with pytest.raises(NotFound):
            rooms.members.list(bob, slug)

    def test_refused(self, rooms: Rooms, ada: Actor, bob: Actor, slug: str) -> None:
        add = rooms.members.add
        for email, role, path in (
            ("nobody@example.org", "viewer", "email"),
            ("bob@example.org", "emperor", "role"),
        ):
            with pytest.raises(InvalidInput) as caught:
                add(ada, slug, email=email, role=role)
            assert [mistake.path for mistake in caught.value.mistakes] == [path]
        add(ada, slug, email="bob@example.org", role="viewer")
        with pytest.raises(Conflict):
            add(ada, slug, email="bob@example.org", role="owner")
        assert roles(rooms, ada, slug)["Bob"] == "viewer"
        for attempt in (
            lambda: rooms.members.change(ada, slug, uuid4(), "viewer"),
            lambda: rooms.members.remove(ada, slug, uuid4()),
        ):
            with pytest.raises(NotFound):
                attempt()

    @pytest.mark.parametrize("role", ["viewer", "annotator", "reviewer", "editor"])
    def test_everybody_may_leave(
        self, rooms: Rooms, ada: Actor, bob: Actor, slug: str, role: str
    ) -> None:
        rooms.members.add(ada, slug, email="bob@example.org", role=role)
        reader = Actor(bob.user_id, scopes=frozenset({Scope.COLLECTIONS_READ}))
        with pytest.raises(NotPermitted):
            rooms.members.remove(reader, slug, _id(bob))
        rooms.members.remove(bob, slug, _id(bob))
        assert roles(rooms, ada, slug) == {"Ada": "owner"}

    def test_the_last_owner_stays(
        self, rooms: Rooms, ada: Actor, bob: Actor, slug: str
    ) -> None:
        rooms.members.add(ada, slug, email="bob@example.org", role="editor")
        for attempt in (
            lambda: rooms.members.remove(ada, slug, _id(ada)),
            lambda: rooms.members.change(ada, slug, _id(ada), "editor"),
        ):
            with pytest.raises(Conflict):
                attempt()
        assert roles(rooms, bob, slug) == {"Ada": "owner", "Bob": "editor"}

    def test_a_second_owner_inherits(
        self, rooms: Rooms, ada: Actor, bob: Actor, slug: str
    ) -> None:
        rooms.members.add(ada, slug, email="bob@example.org", role="owner")
        assert rooms.collections.get(bob, slug).owner_id == ada.user_id
        rooms.members.remove(ada, slug, _id(ada))
        assert rooms.collections.get(bob, slug).owner_id == bob.user_id

    def test_a_private_collection_stays_its_accounts(
        self, rooms: Rooms, ada: Actor, bob: Actor
    ) -> None:
        own = rooms.private(ada)
        rooms.members.add(ada, own, email="bob@example.org", role="owner")
        for actor in (ada, bob):
            with pytest.raises(Conflict):
                rooms.members.remove(actor, own, _id(ada))
            with pytest.raises(Conflict):
                rooms.members.change(actor, own, _id(ada), "viewer")
        assert rooms.private(ada) == own

    def test_a_disabled_account_cannot_be_added(
        self, rooms: Rooms, ada: Actor, bob: Actor, slug: str
    ) -> None:
        rooms.administration.set_disabled(OPERATOR, _id(bob), True)
        with pytest.raises(InvalidInput):
            rooms.members.add(ada, slug, email="bob@example.org", role="viewer")

    def test_every_change_is_in_the_log(
        self, rooms: Rooms, ada: Actor, bob: Actor, slug: str
    ) -> None:
        rooms.members.add(ada, slug, email="bob@example.org", role="viewer")
        rooms.members.change(ada, slug, _id(bob), "editor")
        rooms.members.remove(bob, slug, _id(bob))
        assert rooms.actions()[-3:] == ["member.add", "member.change", "member.remove"]
        assert rooms.audit.verify().broken_at is None


def _id(actor: Actor) -> UUID:
    assert actor.user_id is not None
    return actor.user_id
