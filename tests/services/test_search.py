"""Searches over sealed columns: complete, in order, bounded, with and without an index."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, update

from app.domain.access import Actor
from app.domain.scopes import Scope
from app.domain.search_terms import SearchTerms, read_attribute_terms, read_words
from app.errors import NotFound, NotPermitted
from app.jobs.watch import Unwatched
from app.models import Image, LabelSchema, LabelToken
from app.services import label_indexing
from app.services import search as search_module
from app.services.cursor import decode_cursor
from app.services.labels import LabelEdit
from app.services.listing import ListQuery, Sort
from tests.fixtures.rooms import Rooms


@dataclass
class Wall:
    """Pictures of one person in two collections, with names and annotations."""

    rooms: Rooms
    ada: Actor
    slugs: tuple[str, str]
    images: list[UUID]

    def find(self, terms: SearchTerms, limit: int = 50, **query: Any) -> list[UUID]:
        """All pages, one after the other."""
        slug, tag = query.pop("slug", None), query.pop("tag", None)
        asked, found, cursor = ListQuery(limit=limit, **query), [], None
        for _ in range(200):
            page = self.rooms.search.page(
                self.ada, replace(asked, cursor=cursor), terms, slug=slug, tag=tag
            )
            assert len(page.cards) <= limit
            found += [card.id for card in page.cards]
            if page.next_cursor is None:
                return found
            cursor = decode_cursor(page.next_cursor)
        raise AssertionError("there is no end")

    def index(self, n: int) -> None:
        id_ = self.rooms.collections.access(self.ada, self.slugs[n]).id
        self.rooms.indexing.run(id_, on=True)


PICTURES = st.lists(
    st.tuples(
        st.integers(0, 1),  # collection
        st.integers(0, 3),  # moment
        st.sampled_from(["Harbour at dawn.jpg", "harbour.png", "Meadow.jpg"]),
        st.lists(
            st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.integers(0, 4))),
            max_size=4,
        ),
    ),
    max_size=14,
)
Row = tuple[int, int, str, list[tuple[str, int | None]]]


def make_wall(rooms: Rooms, rows: list[Row]) -> Wall:
    ada = rooms.person(f"p{uuid4().hex[:8]}")
    slugs = tuple(rooms.collections.create(ada, name=f"C{n}").slug for n in range(2))
    wall = Wall(rooms, ada, (slugs[0], slugs[1]), [])
    for collection, moment, name, drawn in rows:
        at = rooms.clock() + timedelta(seconds=moment)
        image = rooms.picture(ada, slugs[collection], sort_at=at, size=moment + 1)
        with rooms.uow.write() as session:
            card = {"name": name, "width": 4, "height": 3}
            session.execute(update(Image), [{"id": image, "card": card}])
        if drawn:
            items = [item(label, n, age) for n, (label, age) in enumerate(drawn)]
            rooms.annotations.put(ada, image, {"annotations": items}, "*")
        wall.images.append(image)
    return wall


def item(label: str, n: int, age: int | None) -> dict[str, Any]:
    box = {"x": float(n), "y": 1.0, "w": 2.0, "h": 3.0}
    return {"label": label, "box": box, "attributes": {} if age is None else {"age": age}}


SEARCHES: list[tuple[SearchTerms, Any]] = [
    (SearchTerms(words=read_words("HARBOUR")), lambda row: "arbour" in row[2]),
    (SearchTerms(label="b"), lambda row: any(label == "b" for label, _ in row[3])),
    (
        SearchTerms(label="a", attributes=read_attribute_terms(["age:>1"])),
        lambda row: any(label == "a" and (age or 0) > 1 for label, age in row[3]),
    ),
    (
        SearchTerms(words=("dawn",), attributes=read_attribute_terms(["age"])),
        lambda row: "dawn" in row[2] and any(age is not None for _, age in row[3]),
    ),
]


@settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
@given(PICTURES, st.sampled_from([(), (0,), (0, 1)]), st.integers(1, 4), st.booleans())
def test_every_search_finds_what_fits_in_order(
    rooms: Rooms,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[Row],
    indexed: tuple[int, ...],
    limit: int,
    rare: bool,
) -> None:
    """However small the pages are, and however little of it is looked at on one."""
    for name, value in (("AT_ONCE", 2), ("MOST_LOOKED_AT", 3), ("FEW", 50 if rare else 0)):
        monkeypatch.setattr(search_module, name, value)
    wall = make_wall(rooms, rows)
    for n in indexed:
        wall.index(n)
    for terms, fits in SEARCHES:
        wanted = [(id_, row) for id_, row in zip(wall.images, rows, strict=True) if fits(row)]
        wanted.sort(key=lambda pair: (pair[1][1], pair[0]), reverse=True)
        assert wall.find(terms, limit) == [id_ for id_, _ in wanted]
        here = [id_ for id_, row in wanted if row[0] == 0]
        assert wall.find(terms, limit, slug=wall.slugs[0]) == here
        backwards = list(reversed(wanted))
        by_size = wall.find(terms, limit, sort=Sort.SIZE)
        assert by_size == [id_ for id_, _ in backwards]


@pytest.fixture
def wall(rooms: Rooms) -> Wall:
    rows: list[Row] = [(0, n, f"n{n}", [("a" if n % 5 == 0 else "b", n)]) for n in range(20)]
    return make_wall(rooms, rows)


def test_a_page_says_how_far_it_looked(wall: Wall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "AT_ONCE", 4)
    monkeypatch.setattr(search_module, "MOST_LOOKED_AT", 8)
    terms = SearchTerms(words=("n3",))
    first = wall.rooms.search.page(wall.ada, ListQuery(limit=5), terms)
    assert (first.cards, first.looked_at) == ((), 8)
    assert first.next_cursor is not None
    follow = ListQuery(limit=5, cursor=decode_cursor(first.next_cursor))
    assert wall.rooms.search.page(wall.ada, follow, terms).looked_at == 8
    assert [wall.images.index(id_) for id_ in wall.find(terms)] == [3]


def statements(wall: Wall, terms: SearchTerms, limit: int) -> int:
    seen = []
    engine = wall.rooms.uow.engine
    event.listen(engine, "before_cursor_execute", lambda *_: seen.append(1), named=False)
    wall.rooms.search.page(wall.ada, ListQuery(limit=limit), terms, slug=wall.slugs[0])
    return len(seen)


def test_the_number_of_statements_does_not_grow_with_the_pictures(wall: Wall) -> None:
    terms = SearchTerms(label="b", attributes=read_attribute_terms(["age:>0"]))
    few = statements(wall, terms, 1)
    assert statements(wall, terms, 20) == few <= 10


def test_with_an_index_only_candidates_are_opened(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall.index(0)
    asked: list[set[UUID]] = []
    real = search_module._drawn_so
    monkeypatch.setattr(
        search_module, "_drawn_so", lambda s, p, ids: asked.append(ids) or real(s, p, ids)
    )
    wanted = [wall.images[n] for n in (15, 10, 5, 0)]
    assert wall.find(SearchTerms(label="a"), slug=wall.slugs[0]) == wanted
    assert asked == [set(wanted)]
    monkeypatch.setattr(search_module, "FEW", 0)  # as if there were many
    assert wall.find(SearchTerms(label="a"), slug=wall.slugs[0]) == wanted
    assert asked[1:] == [set(wanted)]


def test_names_of_labels(wall: Wall) -> None:
    slug = wall.slugs[0]
    (a,) = [label for label in wall.rooms.labels.list(wall.ada, slug) if label.name == "a"]
    wall.rooms.labels.edit(wall.ada, slug, a.id, LabelEdit(name="apple"))
    for name in ("apple", "a", "APPLE"):
        assert len(wall.find(SearchTerms(label=name))) == 4
    assert wall.find(SearchTerms(label="pear")) == []


def test_who_drew(wall: Wall) -> None:
    bob = wall.rooms.person("bob")
    wall.rooms.members.add(wall.ada, wall.slugs[0], email="bob@example.org", role="annotator")
    changed = {"annotations": [item("b", 9, 1)]}
    wall.rooms.annotations.put(bob, wall.images[7], changed, "*")
    assert wall.find(SearchTerms(annotator=bob.user_id)) == [wall.images[7]]
    assert len(wall.find(SearchTerms(annotator=wall.ada.user_id))) == 19
    assert wall.find(SearchTerms(annotator=bob.user_id, label="a")) == []


@pytest.mark.parametrize(
    "terms",
    [
        SearchTerms(label="gull"),
        SearchTerms(attributes=read_attribute_terms(["age"])),
        SearchTerms(annotator=UUID(int=1)),
    ],
)
def test_a_key_that_may_not_read_annotations_does_not_search_them(
    rooms: Rooms, terms: SearchTerms
) -> None:
    ada = rooms.person("ada")
    narrow = replace(ada, scopes=frozenset({Scope.IMAGES_READ}))
    for ask in (rooms.search.page, rooms.search.count):
        with pytest.raises(NotPermitted, match="annotations:read"):
            ask(narrow, ListQuery(), terms)
    assert rooms.search.page(narrow, ListQuery(), SearchTerms(words=("a",))).cards == ()
    wide = replace(ada, scopes=frozenset({Scope.IMAGES_READ, Scope.ANNOTATIONS_READ}))
    assert rooms.search.page(wide, ListQuery(), terms).cards == ()


def test_clear_filters_and_tags_go_together_with_sealed_ones(wall: Wall) -> None:
    wall.index(0)
    for n in (0, 1, 5):
        wall.rooms.tags.replace(wall.ada, wall.images[n], ["sea"])
    terms = SearchTerms(label="a")
    assert wall.find(terms, tag="sea") == [wall.images[5], wall.images[0]]
    assert wall.find(terms, tag="none") == []
    since = wall.rooms.clock() + timedelta(seconds=6)
    assert wall.find(terms, since=since) == [wall.images[15], wall.images[10]]
    assert wall.find(terms, state="new") == []
    with pytest.raises(NotFound):
        wall.find(terms, slug="nowhere")


def test_counts_are_told_where_nothing_has_to_be_opened(wall: Wall) -> None:
    count = wall.rooms.search.count
    slug = wall.slugs[0]
    assert count(wall.ada, ListQuery(), SearchTerms(label="a"), slug=slug) == 4
    assert count(wall.ada, ListQuery(), SearchTerms(label="a")) == 4
    assert count(wall.ada, ListQuery(), SearchTerms(words=("n",))) is None
    assert count(wall.ada, ListQuery(state="done"), SearchTerms(label="a")) is None


def tokens(rooms: Rooms) -> list[Any]:
    with rooms.uow.read() as session:
        return list(session.execute(select(LabelToken.token, LabelToken.image_id)).all())


class TestIndex:
    def test_without_it_there_is_no_token_anywhere(self, wall: Wall) -> None:
        assert tokens(wall.rooms) == []

    def test_a_token_tells_no_name_and_differs_between_collections(self, rooms: Rooms) -> None:
        wall = make_wall(rooms, [(0, 0, "x", [("a", 1)]), (1, 0, "y", [("a", 1)])])
        for n in (0, 1):
            wall.index(n)
        kept = tokens(rooms)
        assert len(kept) == 2
        assert len({row.token for row in kept}) == 2
        names = [label for slug in wall.slugs for label in rooms.labels.list(wall.ada, slug)]
        for row in kept:
            assert len(row.token) == 8
            for label in names:
                assert row.token not in {label.id.bytes[:8], label.id.bytes[8:]}
                assert label.name.encode() not in row.token or len(label.name) < 3

    def test_saves_moves_and_merges_keep_it(self, wall: Wall) -> None:
        rooms, ada, slug = wall.rooms, wall.ada, wall.slugs[0]
        wall.index(0)
        rooms.annotations.put(ada, wall.images[0], {"annotations": [item("c", 0, 1)]}, "*")
        assert wall.find(SearchTerms(label="c")) == [wall.images[0]]
        ids = {label.name: label.id for label in rooms.labels.list(ada, slug)}
        rooms.schemas.merge(ada, slug, ids["a"], ids["c"], None)
        assert len(wall.find(SearchTerms(label="c"))) == 4
        rooms.annotations.put(ada, wall.images[0], {"annotations": []}, "*")
        assert len(tokens(rooms)) == 19

    def test_what_is_saved_while_it_is_built_is_caught_up_with(
        self, wall: Wall, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rooms, image = wall.rooms, min(wall.images)
        monkeypatch.setattr(label_indexing, "AT_ONCE", 5)

        class Busy(Unwatched):
            def advance(self, done: int, total: int | None = None) -> None:
                if done == 10:  # the picture has been put in by then
                    rooms.annotations.put(
                        wall.ada, image, {"annotations": [item("c", 0, 1)]}, "*"
                    )

        collection = rooms.collections.access(wall.ada, wall.slugs[0]).id
        assert rooms.indexing.run(collection, on=True, watch=Busy()) == 20
        assert wall.find(SearchTerms(label="c")) == [image]
        assert len(tokens(rooms)) == 20

    def test_switched_by_the_owner_alone(self, wall: Wall) -> None:
        rooms, slug = wall.rooms, wall.slugs[0]
        bob = rooms.person("bob")
        rooms.members.add(wall.ada, slug, email="bob@example.org", role="editor")
        with pytest.raises(NotPermitted):
            rooms.indexing.switch(bob, slug, on=True)
        rooms.indexing.switch(wall.ada, slug, on=True)
        collection = rooms.collections.access(wall.ada, slug).id
        assert rooms.queued == [("labels.index", {"collection": str(collection), "on": True})]
        assert not rooms.labels.whole(wall.ada, slug).is_indexed
        rooms.indexing.run(collection, on=True)
        assert rooms.labels.whole(wall.ada, slug).is_indexed
        rooms.indexing.switch(wall.ada, slug, on=False)
        assert not rooms.labels.whole(wall.ada, slug).is_indexed
        assert rooms.indexing.run(collection, on=False) == 20
        assert tokens(rooms) == []
        with rooms.uow.read() as session:
            assert session.scalar(select(func.count()).select_from(LabelSchema)) == 1
