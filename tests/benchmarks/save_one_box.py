"""A save of one box in a picture of 500, over HTTP, against the same in a picture of 5.

Operations, not whole sets: what a save costs is what it changes. ``--boxes N`` for another
number.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

from app.services.examination import Offer
from app.services.new_image import Wishes
from tests.benchmarks._measure import Row, compare, report
from tests.benchmarks._site import folder, installed, served
from tests.fixtures import pictures
from tests.fixtures.installation import Installation

FEW, MANY, SAVES_A_ROUND, ROUNDS = 5, 500, 20, 15
LABELS = ("car", "bus", "bicycle")
NO_LIMIT = "1000000 per minute"


class Picture:
    """A picture with ``boxes`` boxes; a save moves the one in the middle."""

    def __init__(self, installation: Installation, boxes: int) -> None:
        ann, services = installation.person().actor, installation.services
        content = pictures.png(pictures.scene(64, 48 + boxes % 7))
        offer = Offer(f"{boxes}.png", BytesIO(content), len(content))
        self.id: UUID = services.ingest.accept(ann, offer, Wishes()).id
        drawn = [
            {"label": LABELS[n % 3], "box": {"x": n, "y": 1, "w": 9.5, "h": 7}}
            for n in range(boxes)
        ]
        found = services.annotations.put(ann, self.id, {"annotations": drawn}, "*")
        chosen = found.annotations[boxes // 2]
        self._box, self._rev, self._x = str(chosen.id), chosen.rev, 0.0

    def save(self, client: HTTPConnection, headers: dict[str, str]) -> None:
        """Move the box in the middle."""
        for _ in range(SAVES_A_ROUND):
            self._x += 0.5
            self._update(client, headers, box=self._box_at(self._x))

    def relabel(self, client: HTTPConnection, headers: dict[str, str]) -> None:
        """Give it a class that no other box of the picture has, and one that others have:
        the dearest change, since the counts by label ask what else is there."""
        for n in range(SAVES_A_ROUND):
            self._update(client, headers, label="tram" if n % 2 else LABELS[0])

    def draw(self, client: HTTPConnection, headers: dict[str, str]) -> None:
        """Draw a box and delete it again."""
        for _ in range(SAVES_A_ROUND // 2):
            id_ = str(uuid4())
            add = {"op": "add", "id": id_, "label": LABELS[0], "box": self._box_at(3)}
            told = self._ask(client, headers, {"ops": [add]})
            rev = told["applied"][0]["rev"]
            self._ask(client, headers, {"ops": [{"op": "delete", "id": id_, "rev": rev}]})

    def _box_at(self, x: float) -> dict[str, float]:
        return {"x": x, "y": 1, "w": 9.5, "h": 7}

    def _update(
        self, client: HTTPConnection, headers: dict[str, str], **change: object
    ) -> None:
        op = {"op": "update", "id": self._box, "rev": self._rev, **change}
        told = self._ask(client, headers, {"ops": [op]})
        self._rev = told["applied"][0]["rev"]

    def _ask(
        self, client: HTTPConnection, headers: dict[str, str], document: object
    ) -> dict[str, Any]:
        path = f"/api/v1/images/{self.id}/annotations"
        client.request("PATCH", path, json.dumps(document), headers)
        answer = client.getresponse()
        told: dict[str, Any] = json.loads(answer.read())
        if answer.status != 200:
            raise SystemExit(f"a save was answered with {answer.status}")
        return told


WAYS = {
    "one is moved": Picture.save,
    "one is drawn, or deleted": Picture.draw,
    "one gets another class": Picture.relabel,
}


@contextmanager
def connected(installation: Installation) -> Iterator[tuple[HTTPConnection, dict[str, str]]]:
    """A client with a key of Ann's, on one connection."""
    key = installation.key("ann")
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    with served(installation, RATELIMIT_API=NO_LIMIT) as server:
        client = HTTPConnection(server.origin.removeprefix("http://"))
        yield client, headers
        client.close()


def run(boxes: int) -> list[Row]:
    with folder() as place, installed(place) as installation:
        installation.person()
        few, many = Picture(installation, FEW), Picture(installation, boxes)
        with connected(installation) as (client, headers):
            return [
                compare(
                    f"{SAVES_A_ROUND} saves among {boxes} boxes, HTTP: {words}",
                    f"among {FEW}",
                    partial(way, many, client, headers),
                    partial(way, few, client, headers),
                    goal=1.2,
                    rounds=ROUNDS,
                )
                for words, way in WAYS.items()
            ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--boxes", type=int, default=MANY)
    chosen, _ = parser.parse_known_args()
    report(run(chosen.boxes))


if __name__ == "__main__":
    main()
