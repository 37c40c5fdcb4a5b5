"""Lists by key: every row once, in order, whatever the ties, the page size and the source."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from app.errors import InvalidInput
from app.models import Collection, CollectionMember, Image, ImageTag, MonthCount, Tag
from app.services.counters import count_image, month_of
from app.services.cursor import Cursor, decode_cursor
from app.services.library import Library
from app.services.listing import ListQuery, Sort, count_images, list_images
from tests.fixtures.rooms import Rooms

START = datetime(2026, 1, 31, 23, 59, 59, 999_998, tzinfo=UTC)
SORTS = list(Sort)

# Few moments and sizes, so that there are many ties; some rows lie in the trash, and of some
# (10 and 11) the time ran out and nobody has moved them there yet.
ROWS = st.lists(
    st.tuples(
        st.integers(0, 2),  # collection
        st.integers(0, 3),  # moment, in microseconds after START
        st.integers(1, 3),  # size
        st.sampled_from([None, 0, 1, 10, 11]),  # moment of the trash
        st.booleans(),  # tagged
    ),
    max_size=24,
)


class Shelf:
    """Three collections of one person, filled with rows without blobs."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.actor = rooms.person(f"p{uuid4().hex[:8]}")
        make = rooms.collections.create
        self.slugs = [make(self.actor, name=f"C{n}").slug for n in range(3)]
        self.ids = [rooms.collections.access(self.actor, slug).id for slug in self.slugs]
        self.tags = [uuid4() for _ in self.ids]
        with rooms.uow.write() as session:
            pairs = zip(self.tags, self.ids, strict=True)
            session.execute(
                insert(Tag),
                [{"id": t, "collection_id": c, "name": "tagged"} for t, c in pairs],
            )

    def fill(self, rows: list[tuple[int, int, int, int | None, bool]]) -> list[dict]:
        made = [self._row(*row[:4]) for row in rows]
        tagged = [
            {"image_id": row["id"], "tag_id": self.tags[wanted[0]], "sort_at": row["sort_at"]}
            for row, wanted in zip(made, rows, strict=True)
            if wanted[4]
        ]
        with self.rooms.uow.write() as session:
            if made:
                session.execute(insert(Image), made)
            if tagged:
                session.execute(insert(ImageTag), tagged)
        marked = {row["image_id"] for row in tagged}
        return [
            row
            | {
                "tagged": row["id"] in marked,
                "trashed_at": row["trashed_at"] or row["expires_at"],
            }
            for row in made
        ]

    def _row(self, collection: int, moment: int, size: int, trashed: int | None) -> dict:
        image_id = uuid4()
        gone = None if trashed is None else START + timedelta(seconds=trashed % 10)
        moved = trashed is not None and trashed < 10
        return {
            "id": image_id,
            "collection_id": self.ids[collection],
            "uploader_id": self.actor.user_id,
            "store_slug": "c-shelf",
            "stored_name": f"image_1_{image_id.hex}.jpg",
            "mime_type": "image/jpeg",
            "size": size,
            "enc_size": 200,
            "status": "ready",
            "sort_at": START + timedelta(microseconds=moment),
            "trashed_at": gone if moved else None,
            "expires_at": None if moved else gone,
            "dedupe": hashlib.sha256(image_id.bytes).digest(),
        }

    def walk(self, query: ListQuery) -> list[UUID]:
        """Follow the cursors to the end."""
        found: list[UUID] = []
        cursor = None
        for _ in range(100):
            asked = ListQuery(
                collections=query.collections,
                tag_ids=query.tag_ids,
                sort=query.sort,
                limit=query.limit,
                trashed=query.trashed,
                since=query.since,
                until=query.until,
                cursor=decode_cursor(cursor),
            )
            with self.rooms.uow.read() as session:
                page = list_images(session, asked)
            assert len(page.cards) <= query.limit
            found += [card.id for card in page.cards]
            cursor = page.next_cursor
            if cursor is None:
                with self.rooms.uow.read() as session:
                    assert count_images(session, query) == len(found)
                return found
            assert len(page.cards) == query.limit, "only the last page is short"
        raise AssertionError("the cursors go in circles")


@pytest.fixture
def shelf(rooms: Rooms) -> Shelf:
    return Shelf(rooms)


SHARED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def _ordered(rows: list[dict], sort: Sort) -> list[UUID]:
    name = "size" if sort in {Sort.SIZE, Sort.SIZE_DESC} else "sort_at"
    rows = sorted(rows, key=lambda row: (row[name], row["id"]), reverse=sort.descending)
    return [row["id"] for row in rows]


@SHARED
@given(
    rows=ROWS,
    sort=st.sampled_from(SORTS),
    limit=st.integers(1, 7),
    chosen=st.sets(st.integers(0, 2), min_size=1),
    tagged=st.booleans(),
)
def test_every_live_row_once_and_in_order(
    rooms: Rooms, rows: list, sort: Sort, limit: int, chosen: set[int], tagged: bool
) -> None:
    shelf = Shelf(rooms)
    made = shelf.fill(rows)
    places = tuple(shelf.ids[n] for n in sorted(chosen))
    wanted = [
        row
        for row in made
        if row["collection_id"] in places
        and row["trashed_at"] is None
        and (row["tagged"] or not tagged)
    ]
    query = ListQuery(
        collections=places,
        tag_ids=tuple(shelf.tags[n] for n in sorted(chosen)) if tagged else (),
        sort=sort,
        limit=limit,
    )
    assert shelf.walk(query) == _ordered(wanted, sort)


@SHARED
@given(rows=ROWS, limit=st.integers(1, 7), many=st.booleans())
def test_the_trash_shows_what_came_last_first(
    rooms: Rooms, rows: list, limit: int, many: bool
) -> None:
    shelf = Shelf(rooms)
    places = tuple(shelf.ids if many else shelf.ids[:1])
    wanted = [
        row
        for row in shelf.fill(rows)
        if row["trashed_at"] is not None and row["collection_id"] in places
    ]
    wanted.sort(key=lambda row: (row["trashed_at"], row["id"]), reverse=True)
    query = ListQuery(collections=places, trashed=True, limit=limit)
    assert shelf.walk(query) == [row["id"] for row in wanted]


@SHARED
@given(rows=ROWS, since=st.integers(0, 3), until=st.integers(0, 4))
def test_since_is_inclusive_and_until_is_not(
    rooms: Rooms, rows: list, since: int, until: int
) -> None:
    shelf = Shelf(rooms)
    low, high = (START + timedelta(microseconds=n) for n in (since, until))
    wanted = [
        row
        for row in shelf.fill(rows)
        if row["trashed_at"] is None and low <= row["sort_at"] < high
    ]
    query = ListQuery(collections=tuple(shelf.ids), limit=3, since=low, until=high)
    assert shelf.walk(query) == _ordered(wanted, Sort.UPLOADED_DESC)


@SHARED
@given(rows=ROWS)
def test_neighbours_are_the_rows_beside(rooms: Rooms, rows: list) -> None:
    shelf = Shelf(rooms)
    shelf.fill([(0, *row[1:]) for row in rows])
    library = Library(rooms.uow, rooms.tags)
    query = ListQuery(collections=(shelf.ids[0],), limit=50)
    with rooms.uow.read() as session:
        line = list_images(session, query).cards
    for at, card in enumerate(line):
        beside = library.neighbours(shelf.actor, card)
        assert beside.newer == (line[at - 1].id if at else None)
        assert beside.older == (line[at + 1].id if at + 1 < len(line) else None)


def test_a_row_that_comes_or_goes_shifts_no_page(shelf: Shelf) -> None:
    """A cursor is a place, not a number: what is new before it does not repeat a row."""
    made = shelf.fill([(0, n, 1, None, False) for n in range(4)])
    query = ListQuery(collections=(shelf.ids[0],), limit=2)
    with shelf.rooms.uow.read() as session:
        first = list_images(session, query)
    shelf.fill([(0, 9, 1, None, False)])
    with shelf.rooms.uow.write() as session:
        session.delete(session.get_one(Image, first.cards[-1].id))
    rest = ListQuery(
        collections=(shelf.ids[0],), limit=2, cursor=decode_cursor(first.next_cursor)
    )
    with shelf.rooms.uow.read() as session:
        second = list_images(session, rest)
    assert [card.id for card in second.cards] == _ordered(made[:2], Sort.UPLOADED_DESC)


def test_more_collections_than_a_compound_select_holds(shelf: Shelf) -> None:
    """SQLite takes 500 terms in one SELECT; somebody may be in more collections."""
    rooms, actor = shelf.rooms, shelf.actor
    ids = [uuid4() for _ in range(520)]
    with rooms.uow.write() as session:
        session.execute(
            insert(Collection),
            [
                {"id": one, "slug": f"c-{one.hex[:12]}", "name": "n", "owner_id": actor.user_id}
                for one in ids
            ],
        )
        session.execute(
            insert(CollectionMember),
            [{"collection_id": one, "user_id": actor.user_id, "role": "owner"} for one in ids],
        )
    shelf.ids = ids
    made = shelf.fill([(n, n % 4, 1, None, False) for n in range(0, 520, 40)])
    assert shelf.walk(ListQuery(collections=tuple(ids), limit=5)) == _ordered(
        made, Sort.UPLOADED_DESC
    )
    page = Library(rooms.uow, rooms.tags).page(actor, ListQuery(limit=5))
    assert [card.id for card in page.cards] == _ordered(made, Sort.UPLOADED_DESC)[:5]


@SHARED
@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from(
                ["2026-01-31T23:59:59", "2026-02-01T00:00:00", "0099-05-01T00:00:00"]
            ),
            st.sampled_from([1, 1, -1]),
        ),
        max_size=12,
    )
)
def test_counters_are_a_sum_of_their_steps(rooms: Rooms, steps: list) -> None:
    shelf = Shelf(rooms)
    expected: dict[tuple[UUID, str], int] = {}
    with rooms.uow.write() as session:
        for place, moment, step in steps:
            at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
            count_image(session, shelf.ids[place], at, step)
            key = shelf.ids[place], moment[:7]
            expected[key] = expected.get(key, 0) + step
    with rooms.uow.read_rows() as rows:
        found = {
            (row.collection_id, row.month): row.count
            for row in rows.execute(
                select(MonthCount.collection_id, MonthCount.month, MonthCount.count).where(
                    MonthCount.collection_id.in_(shelf.ids)
                )
            )
        }
        total = rows.execute(
            select(func.sum(Collection.image_count)).where(Collection.id.in_(shelf.ids))
        ).scalar_one()
    assert found == expected
    assert total == sum(expected.values())
    assert month_of(datetime(99, 5, 1, tzinfo=UTC)) == "0099-05"


@pytest.mark.parametrize("text", ["x", "é", "A" * 34, "A" * 500, "=", "_" * 34, "AQ=="])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        decode_cursor(text)


@given(key=st.integers(-(10**16), 10**16), row=st.uuids())
def test_a_cursor_comes_back(key: int, row: UUID) -> None:
    cursor = Cursor(key, row)
    assert decode_cursor(cursor.encode()) == cursor
