"""The workbench at 100,000 pictures of one collection, against the same at 2,500.

Seven pictures of ten are submitted by ten people, of the others every tenth is somebody's;
each has two annotations, of the second class only on every fiftieth. ``--rows N`` for
another number.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from app.db.times import utc_now
from app.domain.access import Actor
from app.domain.search_terms import SearchTerms, read_attribute_terms
from app.models import Annotation, Image, ImageTask
from app.services.label_tallies import write_tallies
from app.services.labels import LabelEdit
from app.services.listing import ListQuery
from app.services.schema_rows import made_row
from tests.benchmarks._measure import Row, compare, report
from tests.benchmarks._site import folder, installed
from tests.benchmarks.gallery import image_rows
from tests.fixtures.installation import Installation

FEW, MANY, BATCH, PAGE, PEOPLE = 2_500, 100_000, 10_000, 50, 10
Turn = Callable[[], object]


@dataclass(frozen=True)
class Side:
    """One installation, filled."""

    installation: Installation
    actor: Actor
    slug: str
    people: tuple[UUID, ...]


def fill(installation: Installation, count: int) -> Side:
    owner = installation.person()
    services = installation.services
    place = services.library.places(owner.actor)[0]
    people = [owner.id, *(installation.person(f"p{n}").id for n in range(1, PEOPLE))]
    labels = [
        services.labels.create(owner.actor, place.slug, LabelEdit(name=name)).id
        for name in ("often", "seldom")
    ]
    rows = image_rows(place.id, owner.id, count)
    for start in itertools.count(0, BATCH):
        batch = list(itertools.islice(rows, BATCH))
        if not batch:
            break
        _insert(installation, batch, start, count, people, labels)
    with installation.house.uow.write() as session:
        seldom = count // 50
        told = {labels[0].hex: [2 * count - seldom, count], labels[1].hex: [seldom, seldom]}
        write_tallies(session, made_row(session, place.id).id, told)
    services.label_indexing.run(place.id, on=True)
    return Side(installation, owner.actor, place.slug, tuple(people))


def _insert(
    installation: Installation,
    batch: list[dict[str, Any]],
    start: int,
    count: int,
    people: list[UUID],
    labels: list[UUID],
) -> None:
    tasks: list[dict[str, Any]] = []
    drawn: list[dict[str, Any]] = []
    for number, row in enumerate(batch, start):
        done, who = number < count * 0.7, people[number % PEOPLE]
        row |= {"annotation_state": "done" if done else "new", "annotation_count": 2}
        if done or number % 10 == 1:
            tasks.append(_task(row, who, done=done))
        for place in range(2):
            label = labels[place if number % 50 == 0 else 0]
            drawn.append(_box(row, who, label, place, number))
    with installation.house.engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA cache_size = -400000")
        connection.execute(insert(Image), batch)
        if tasks:
            connection.execute(insert(ImageTask), tasks)
        connection.execute(insert(Annotation), drawn)


def _task(row: dict[str, Any], who: UUID, *, done: bool) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "image_id": row["id"],
        "worked_seconds": 30,
        "submitted_by": who if done else None,
        "submitted_at": row["sort_at"] if done else None,
        "assignee_id": None if done else who,
    }


def _box(
    row: dict[str, Any], who: UUID, label: UUID, place: int, number: int
) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "image_id": row["id"],
        "author_id": who,
        "position": place,
        "rev": 1,
        "label": label.hex,
        "box": (1.0, 2.0, 30.0, 40.0),
        "attributes": {"age": number},
        "created_at": row["sort_at"],
        "updated_at": row["sort_at"],
    }


def bounded(side: Side) -> dict[str, Turn]:
    """What must not cost more where there are more pictures."""
    rooms, actor, slug = side.installation.services, side.actor, side.slug

    def search(terms: SearchTerms, **wanted: Any) -> Turn:
        query = ListQuery(limit=PAGE, **wanted)
        return lambda: rooms.search.page(actor, query, terms, slug=slug)

    def attribute(text: str) -> Turn:
        return search(SearchTerms(attributes=read_attribute_terms([text])))

    def following() -> None:
        given = rooms.tasks.next(actor, slug)
        assert given is not None
        rooms.tasks.release(actor, given.image_id)

    return {
        "`next`, and given back": following,
        "counts by label": lambda: rooms.labels.whole(actor, slug),
        "page of a label on every picture": search(SearchTerms(label="often")),
        "page of a state": search(SearchTerms(), state="done"),
        "page by an annotator": search(SearchTerms(annotator=side.people[3])),
        "page before a date": search(SearchTerms(), until=utc_now() - timedelta(minutes=300)),
        "page of an attribute in a range": attribute("age:10..60"),
        "page of words of names": search(SearchTerms(words=("dsc_0000050",))),
    }


def growing(side: Side) -> dict[str, Turn]:
    """What goes through one index entry a picture, or a picture of a label."""
    rooms, actor, slug = side.installation.services, side.actor, side.slug
    query, seldom = ListQuery(limit=PAGE), SearchTerms(label="seldom")
    return {
        "progress page": lambda: rooms.progress.of(actor, slug),
        "review queue, with its counts": lambda: rooms.review_queue.page(actor, slug),
        "page of a label on every 50th picture": lambda: rooms.search.page(
            actor, query, seldom, slug=slug
        ),
    }


def measure(many: Side, few: Side, rows: tuple[int, int]) -> Iterator[Row]:
    """A page of search opens 2,000 pictures at most: the baseline has more than that."""
    for turns, goal in ((bounded, 1.2), (growing, rows[0] / rows[1])):
        other = turns(few)
        for name, turn in turns(many).items():
            yield compare(
                f"{name}, {rows[0]:,} pictures", f"{rows[1]:,}", turn, other[name],
                goal=goal, rounds=9,
            )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=MANY)
    chosen, _ = parser.parse_known_args()
    with folder() as place, ExitStack() as stack:
        sides = []
        for count in (chosen.rows, FEW):
            where = place / str(count)
            where.mkdir()
            sides.append(fill(stack.enter_context(installed(where)), count))
        report(list(measure(sides[0], sides[1], (chosen.rows, FEW))))


if __name__ == "__main__":
    main()
