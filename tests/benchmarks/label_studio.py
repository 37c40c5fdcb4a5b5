"""Saving, opening and listing labelled pictures over HTTP, against Label Studio.

    pip install label-studio    # in an environment of its own
    label-studio start --no-browser --port 8290 --username a@b.example --password … \\
        --user-token TOKEN --enable-legacy-api-token
    python3 dev.py bench label_studio --label-studio http://127.0.0.1:8290 --token TOKEN

Both have 30 pictures with ten boxes each, on SQLite, and one client with a key on one
connection. A project of the name "Darkroom's benchmark" stays in the other one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection
from io import BytesIO
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from app.services.examination import Offer
from app.services.labels import LabelEdit
from app.services.new_image import Wishes
from tests.benchmarks._measure import Row, compare, report
from tests.benchmarks._site import folder, installed, served
from tests.fixtures import pictures
from tests.fixtures.installation import Installation

PICTURES, BOXES, CALLS_A_ROUND, ROUNDS = 30, 10, 10, 9
NO_LIMIT = "1000000 per minute"
LABELS = """<View><Image name="image" value="$image"/>
<RectangleLabels name="label" toName="image"><Label value="car"/></RectangleLabels></View>"""
Ask = Callable[..., Any]


def asking(origin: str, authorization: str) -> Ask:
    """JSON in and out on one connection; anything but success ends the benchmark."""
    client = HTTPConnection(urlsplit(origin).netloc, timeout=60)
    headers = {"Authorization": authorization, "Content-Type": "application/json"}

    def ask(method: str, path: str, document: object = None, **more: str) -> Any:
        body = None if document is None else json.dumps(document)
        client.request(method, path, body, headers | more)
        answer = client.getresponse()
        told = answer.read()
        if answer.status not in (200, 201):
            raise SystemExit(f"{method} {path} was answered with {answer.status}")
        return json.loads(told)

    return ask


class Ours:
    """The pictures in an installation, and what is asked of them."""

    def __init__(self, installation: Installation) -> None:
        ann, services = installation.person().actor, installation.services
        self.slug = services.collections.create(ann, name="Cars").slug
        services.labels.create(ann, self.slug, LabelEdit(name="car"))
        self._turn = count()
        self.ask: Ask
        self._boxes: list[tuple[UUID, dict[str, Any]]] = []
        for n in range(PICTURES):
            content = pictures.jpeg(pictures.scene(640, 480 + n))
            offer = Offer(f"{n}.jpg", BytesIO(content), len(content))
            image = services.ingest.accept(ann, offer, Wishes(collection=self.slug)).id
            drawn = [{"label": "car", "box": box(at)} for at in range(BOXES)]
            found = services.annotations.put(ann, image, {"annotations": drawn}, "*")
            first = found.annotations[0]
            self._boxes.append((image, {"id": str(first.id), "rev": first.rev}))

    def save(self) -> None:
        turn = next(self._turn)
        image, known = self._boxes[turn % PICTURES]
        op = {"op": "update", **known, "box": box(turn % 100)}
        told = self.ask("PATCH", f"/api/v1/images/{image}/annotations", {"ops": [op]})
        known["rev"] = told["applied"][0]["rev"]

    def open(self) -> None:
        image, _ = self._boxes[next(self._turn) % PICTURES]
        self.ask("GET", f"/api/v1/images/{image}")
        self.ask("GET", f"/api/v1/images/{image}/annotations")

    def list(self) -> None:
        self.ask("GET", f"/api/v1/images?collection={self.slug}&limit={PICTURES}")


class Theirs:
    """The same as tasks of a project."""

    def __init__(self, ask: Ask) -> None:
        self.ask, self._turn = ask, count()
        told = {"title": "Darkroom's benchmark", "label_config": LABELS}
        self.project = ask("POST", "/api/projects", told)["id"]
        tasks = [{"image": f"/data/upload/{n}.jpg"} for n in range(PICTURES)]
        ask("POST", f"/api/projects/{self.project}/import", tasks)
        found = ask("GET", f"/api/tasks?project={self.project}&page_size={PICTURES}")["tasks"]
        self.tasks = [task["id"] for task in found]
        self.annotations = [
            ask("POST", f"/api/tasks/{task}/annotations/", {"result": regions(0)})["id"]
            for task in self.tasks
        ]

    def save(self) -> None:
        turn = next(self._turn)
        which = self.annotations[turn % PICTURES]
        self.ask("PATCH", f"/api/annotations/{which}/", {"result": regions(turn % 80)})

    def open(self) -> None:
        self.ask("GET", f"/api/tasks/{self.tasks[next(self._turn) % PICTURES]}")

    def list(self) -> None:
        self.ask("GET", f"/api/tasks?project={self.project}&page=1&page_size={PICTURES}")


def box(x: int) -> dict[str, float]:
    return {"x": float(x), "y": 7.5, "w": 60.5, "h": 30.25}


def regions(x: int) -> list[dict[str, Any]]:
    """Ten boxes as Label Studio has them, in percent; the first one at ``x``."""
    value = {"y": 5, "width": 10.5, "height": 7.25, "rotation": 0, "rectanglelabels": ["car"]}
    common = {"type": "rectanglelabels", "from_name": "label", "to_name": "image"}
    size = {"original_width": 640, "original_height": 480}
    return [
        {"id": f"r{n}", "value": {"x": n or x} | value} | common | size for n in range(BOXES)
    ]


def run(origin: str, token: str) -> list[Row]:
    with folder() as place, installed(place) as installation:
        ours = Ours(installation)
        key = installation.key("ann")
        with served(installation, RATELIMIT_API=NO_LIMIT) as server:
            ours.ask = asking(server.origin, f"Bearer {key}")
            theirs = Theirs(asking(origin, f"Token {token}"))
            words = {
                "save": "save of a box",
                "open": "open one with its labels",
                "list": "list of 30",
            }
            return [
                compare(
                    f"{CALLS_A_ROUND} times over HTTP: {text}",
                    "Label Studio",
                    partial(_often, getattr(ours, name)),
                    partial(_often, getattr(theirs, name)),
                    goal=0.1,
                    rounds=ROUNDS,
                )
                for name, text in words.items()
            ]


def _often(call: Callable[[], None]) -> None:
    for _ in range(CALLS_A_ROUND):
        call()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--label-studio", default="", help="where it listens")
    parser.add_argument("--token", default="", help="a legacy token of one of its users")
    chosen, _ = parser.parse_known_args()
    if not (chosen.label_studio and chosen.token):
        raise SystemExit("Start Label Studio, and name it with --label-studio and --token.")
    report(run(chosen.label_studio, chosen.token))


if __name__ == "__main__":
    main()
