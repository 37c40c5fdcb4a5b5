"""Pages of the gallery at a million images, against the same pages at a thousand.

The rows are made in bulk, every card sealed for its own row. ``--rows N`` for another number.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert

from app.db.times import utc_now
from app.models import Image, ImageTag, Tag
from app.services.cursor import Cursor, microseconds
from app.services.listing import ListQuery
from tests.benchmarks._measure import Row, compare, report
from tests.benchmarks._site import folder, installed
from tests.fixtures.installation import Installation

FEW, MANY, BATCH, PAGE = 1_000, 1_000_000, 20_000, 50
PAGES_A_ROUND = 5
PLACEHOLDER = "data:image/webp;base64," + "UklGR" * 28
NOW = utc_now()

Turn = Callable[[], object]


def image_rows(collection: UUID, uploader: UUID, count: int) -> Iterator[dict[str, Any]]:
    """The oldest first, a minute apart; every tenth is done."""
    for number in range(count):
        at = NOW - timedelta(minutes=count - number)
        yield {
            "id": uuid4(),
            "collection_id": collection,
            "uploader_id": uploader,
            "store_slug": "c-benchmark2",
            "stored_name": f"image_{number}.jpg",
            "mime_type": "image/jpeg",
            "size": 3_000_000 + number,
            "enc_size": 3_000_200 + number,
            "status": "ready",
            "annotation_state": "new" if number % 10 else "done",
            "sort_at": at,
            "created_at": at,
            "updated_at": at,
            "card": {
                "name": f"DSC_{number:07}.JPG",
                "width": 4000,
                "height": 3000,
                "placeholder": PLACEHOLDER,
            },
        }


def fill(installation: Installation, count: int) -> None:
    """``count`` images in Ann's collection; every twentieth has the tag "seldom"."""
    ann, engine = installation.person(), installation.house.engine
    collection, tag = installation.services.library.places(ann.actor)[0].id, uuid4()
    rows = image_rows(collection, ann.id, count)
    with installation.house.uow.write() as session:
        named = {"id": tag, "collection_id": collection, "name": "seldom"}
        session.execute(insert(Tag), [named])
    while batch := list(itertools.islice(rows, BATCH)):
        tagged = [
            {"image_id": row["id"], "tag_id": tag, "sort_at": row["sort_at"]}
            for row in batch[::20]
        ]
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA cache_size = -400000")
            connection.execute(insert(Image), batch)
            connection.execute(insert(ImageTag), tagged)


def pages(installation: Installation) -> dict[str, Turn]:
    """What is asked for, by name: each turn lists ``PAGE`` images some times in a row."""
    library, actor = installation.services.library, installation.person().actor

    def turn(tag: str | None = None, **wanted: Any) -> Turn:
        query = ListQuery(limit=PAGE, **wanted)

        def many() -> None:
            for _ in range(PAGES_A_ROUND):
                assert len(library.page(actor, query, tag=tag).cards) == PAGE

        return many

    later = Cursor(microseconds(NOW - timedelta(minutes=400)), uuid4())
    return {
        "first page": turn(),
        "next page": turn(cursor=later),
        "page of those that are done": turn(state="done"),
        "page of a tag": turn(tag="seldom"),
        "page before a date": turn(until=NOW - timedelta(minutes=100)),
    }


def measure(place: Path, many: int) -> list[Row]:
    with ExitStack() as stack:
        sides = []
        for count in (many, FEW):
            where = place / str(count)
            where.mkdir()
            installation = stack.enter_context(installed(where))
            fill(installation, count)
            sides.append(pages(installation))
        mine, other = sides
        return [
            compare(
                f"{name} of {PAGE} at {many:,} images", f"at {FEW:,}", mine[name], other[name],
                goal=1.2, rounds=15, clock=time.process_time,
            )
            for name in mine
        ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=MANY)
    chosen, _ = parser.parse_known_args()
    with folder() as place:
        report(measure(place, chosen.rows))


if __name__ == "__main__":
    main()
