"""What a page asks the database: as much for twenty of everything as for two, by indexes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event

from tests.fixtures.installation import Installation, environment, running_installation
from tests.fixtures.workbench import Bench, make_bench

FEW, MANY = 2, 20
#: Tables that grow with pictures, people or time: no page may go through one of them.
BIG = (
    "images", "annotations", "annotation_ops", "comments", "image_tasks", "image_tags",
    "label_tokens", "agreement_copies", "agreement_rounds", "exchange_notes", "file_keys",
    "audit_events", "jobs", "sessions", "presences", "saved_filters", "users",
    "collection_members", "label_classes", "label_schema_versions",
)  # fmt: skip
#: The last entry of the audit log, by its row number; who saw one picture last.
KNOWN = ("FROM audit_events ORDER BY audit_events.seq DESC", "max(audit_events.at) AS latest")
KINDS = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}
PAGES = (
    "/collections",
    "/collections/{slug}",
    "/collections/{slug}/labels",
    "/collections/{slug}/labels/{label}",
    "/collections/{slug}/labels/{label}?attribute=pose",
    "/collections/{slug}/exchange",
    "/collections/{slug}/progress",
    "/collections/{slug}/progress.csv",
    "/collections/{slug}/review",
    "/collections/{slug}/review?state=skipped&annotator={second}",
    "/collections/{slug}/agreement",
    "/collections/{slug}/agreement/{round}",
    "/collections/{slug}/agreement/{round}/{image}",
    "/collections/{slug}/agreement/{round}/{image}/adjudicate",
    "/gallery?collection={slug}",
    "/gallery?collection={slug}&view=list&sort=size",
    "/gallery?collection={slug}&state=done&from=2020-01-01",
    "/gallery?collection={slug}&label=class+1",
    "/gallery?collection={slug}&attribute=age:>3",
    "/gallery?collection={slug}&annotator=me",
    "/gallery?collection={slug}&q=jpg",
    "/images/{image}",
    "/images/{image}/annotate",
    "/upload?collection={slug}",
    "/api/v1/images?collection={slug}",
    "/api/v1/images/{image}/annotations",
    "/api/v1/images/{image}/annotations/changes?since=0",
    "/api/v1/images/{image}/annotations/changes?since=2",
    "/api/v1/images/{image}/annotations/history",
    "/api/v1/images/{image}/comments",
    "/api/v1/images/{image}/task",
    "/api/v1/collections",
    "/api/v1/collections/{slug}/next",
    "/api/v1/collections/{slug}/labels",
    "/api/v1/collections/{slug}/labels/versions",
    "/api/v1/copies/{copy}/annotations",
    "/api/v1/copies/{copy}/annotations/changes?since=0",
    "/api/v1/copies/{copy}/task",
    "/api/v1/filters",
)


class Listener:
    """The statements of one request, with what was bound."""

    def __init__(self, installation: Installation) -> None:
        self.engine = installation.house.engine
        self.seen: list[tuple[str, Any]] = []
        event.listen(self.engine, "before_cursor_execute", self._note)

    def _note(self, _c: Any, _k: Any, text: str, bound: Any, _x: Any, many: bool) -> None:
        self.seen.append((text, bound[0] if many else bound))

    def plans(self) -> Iterator[tuple[str, str]]:
        """Each statement with SQLite's words on how it goes about it, a line a step."""
        told = {text: bound for text, bound in self.seen if text.split()[0] in KINDS}
        with self.engine.connect() as connection:
            for text, bound in told.items():
                steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", bound)
                yield text, "\n".join(step[-1] for step in steps)

    def faults(self) -> dict[str, list[str]]:
        return {text: wrong for text, plan in self.plans() if (wrong := faults_of(plan, text))}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    from app import wiring
    from app.crypto.passwords import PasswordCost

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "PASSWORD_COST", PasswordCost(8, 1, 1))
        folder = tmp_path_factory.mktemp("statements")
        with running_installation(environment(folder)) as made:
            yield made


@pytest.fixture(scope="module")
def benches(installation: Installation) -> dict[int, Bench]:
    return {count: make_bench(installation, count) for count in (FEW, MANY)}


@pytest.fixture(scope="module")
def client(installation: Installation) -> FlaskClient:
    return installation.browser("owner").client


@pytest.fixture(scope="module")
def listener(installation: Installation, benches: dict[int, Bench]) -> Listener:
    return Listener(installation)


def faults_of(plan: str, text: str) -> list[str]:
    """Steps that go through a big table, or sort it to tell its first rows."""
    through = [f"SCAN {table}" for table in BIG]
    if any(known in text for known in KNOWN):
        return []
    limited = " LIMIT " in text.replace("\n", " ") and "UNION ALL" not in text
    return [
        step
        for step in plan.splitlines()
        if any(re.fullmatch(f"{scan}( .*)?", step) for scan in through)
        or "AUTOMATIC" in step
        or (limited and step == "USE TEMP B-TREE FOR ORDER BY")
    ]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_the_same_however_much_there_is(
    path: str, benches: dict[int, Bench], client: FlaskClient, listener: Listener
) -> None:
    asked = {}
    for count, bench in benches.items():
        client.get(path.format(**bench.names))  # what is remembered is remembered for both
        listener.seen.clear()
        answer = client.get(path.format(**bench.names))
        assert answer.status_code == 200, answer.text
        asked[count] = [text for text, _ in listener.seen]
    assert len(asked[MANY]) == len(asked[FEW]), "\n".join(asked[MANY])
    assert asked[MANY]
    assert not listener.faults()


def move(bench: Bench, x: float) -> dict[str, Any]:
    box = {"x": x, "y": 1, "w": 9, "h": 7}
    return {"op": "update", "id": str(bench.box), "rev": bench.rev, "box": box}


def test_a_save_asks_the_same_however_much_there_is(
    benches: dict[int, Bench], listener: Listener, installation: Installation
) -> None:
    asked = {}
    api = installation.api("owner")
    for count, bench in benches.items():
        path = f"/api/v1/images/{bench.names['image']}/annotations"
        api.get(path)  # an API key is marked as used once a while
        listener.seen.clear()
        answer = api.open("PATCH", path, json={"ops": [move(bench, 3.5)]})
        assert answer.status_code == 200, answer.text
        asked[count] = [text for text, _ in listener.seen]
        assert not listener.faults()
    assert len(asked[MANY]) == len(asked[FEW]), "\n".join(asked[MANY])


def test_an_index_of_labels_asks_the_same_however_much_there_is(
    benches: dict[int, Bench],
    client: FlaskClient,
    listener: Listener,
    installation: Installation,
) -> None:
    rooms, owner = installation.services, installation.person("owner").actor
    asked = {}
    for count, bench in benches.items():
        place = next(
            each for each in rooms.library.places(owner) if each.slug == bench.names["slug"]
        )
        rooms.label_indexing.run(place.id, on=True)
        listener.seen.clear()
        answer = client.get("/gallery?collection={slug}&label=class+1".format(**bench.names))
        assert answer.status_code == 200
        asked[count] = [text for text, _ in listener.seen]
        assert not listener.faults()
    assert "label_tokens" in " ".join(asked[MANY])
    assert len(asked[MANY]) == len(asked[FEW]), "\n".join(asked[MANY])


@pytest.mark.parametrize(
    ("text", "faulty"),
    [
        ("SELECT id FROM images WHERE mime_type = 'x'", True),
        ("SELECT id FROM comments ORDER BY updated_at LIMIT 2", True),
        ("SELECT id FROM comments WHERE image_id = 'x' ORDER BY updated_at LIMIT 2", True),
        ("SELECT id FROM comments WHERE image_id = 'x' ORDER BY created_at LIMIT 2", False),
    ],
)
def test_the_check_can_fail(listener: Listener, text: str, faulty: bool) -> None:
    listener.seen[:] = [(text, ())]
    ((_, plan),) = listener.plans()
    assert bool(faults_of(plan, text)) == faulty
