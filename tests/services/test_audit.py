from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from app.crypto.keys import generate_key
from app.domain.access import OPERATOR, Actor
from app.errors import DarkroomError, NotPermitted
from app.services.audit import AuditLog, Subject
from app.services.keys import ROOT_NAMES, RootKey, RootKeys
from tests.fixtures.rooms import Rooms


@pytest.fixture
def written(rooms: Rooms) -> Rooms:
    """Ten events of several forms."""
    for number in range(10):
        rooms.audit.record(
            f"image.act{number % 2}",
            actor=Actor(uuid4()) if number % 3 else OPERATOR,
            subject=Subject("image", str(number)) if number % 2 else None,
            outcome="ok" if number else "refused",
            details={"n": number, "words": ["a", "b"], "marker": "Geheimnis"},
        )
        rooms.clock.advance(seconds=1)
    return rooms


@pytest.fixture
def sql(written: Rooms, database_path: Path) -> Callable[[str], None]:
    def run(statement: str) -> None:
        connection = sqlite3.connect(database_path)
        with connection:
            assert connection.execute(statement).rowcount > 0
        connection.close()

    return run


def test_the_chain_holds(written: Rooms) -> None:
    verdict = written.audit.verify()
    assert (verdict.checked, verdict.last, verdict.broken_at) == (10, 10, None)


def test_an_empty_log_holds(rooms: Rooms) -> None:
    verdict = rooms.audit.verify()
    assert (verdict.checked, verdict.last, verdict.broken_at) == (0, 0, None)


@pytest.mark.parametrize(
    "change",
    [
        "action = 'image.other'",
        "outcome = 'ok '",
        "actor_id = NULL",
        "actor_id = '00000000000000000000000000000001'",
        "subject_kind = 'user'",
        "subject_id = '6'",
        "at = '2020-01-01 00:00:00.000000'",
        "details = NULL",
        "details = (SELECT details FROM audit_events WHERE seq = 4)",
        "details = x'DC01FFFF'",
        "mac = NULL",
        "mac = zeroblob(32)",
        "mac = (SELECT mac FROM audit_events WHERE seq = 4)",
        "id = '00000000000000000000000000000001'",
    ],
)
def test_any_changed_field_is_found(
    written: Rooms, sql: Callable[[str], None], change: str
) -> None:
    sql(f"UPDATE audit_events SET {change} WHERE seq = 6")
    verdict = written.audit.verify()
    assert (verdict.checked, verdict.broken_at) == (5, 6)


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("DELETE FROM audit_events WHERE seq = 6", 7),
        ("UPDATE audit_events SET seq = seq + 1000 WHERE seq = 10", 1010),
        ("UPDATE audit_events SET seq = -seq WHERE seq = 1", 3),
    ],
)
def test_a_missing_or_moved_event_is_found(
    written: Rooms, sql: Callable[[str], None], statement: str, broken_at: int
) -> None:
    sql(statement)
    verdict = written.audit.verify()
    if "-seq" in statement:  # the beginning is gone, as after retention: the rest holds
        assert (verdict.checked, verdict.broken_at) == (9, None)
    else:
        assert verdict.broken_at == broken_at


def test_two_events_that_changed_places_are_found(
    written: Rooms, sql: Callable[[str], None]
) -> None:
    sql("UPDATE audit_events SET seq = 99 WHERE seq = 5")
    sql("UPDATE audit_events SET seq = 5 WHERE seq = 6")
    sql("UPDATE audit_events SET seq = 6 WHERE seq = 99")
    assert written.audit.verify().broken_at == 5


def test_what_retention_leaves_holds(written: Rooms, sql: Callable[[str], None]) -> None:
    sql("DELETE FROM audit_events WHERE seq <= 4")
    verdict = written.audit.verify()
    assert (verdict.checked, verdict.last, verdict.broken_at) == (6, 10, None)
    written.audit.record("image.later")
    assert written.audit.verify().checked == 7


def test_a_foreign_key_does_not_verify(written: Rooms) -> None:
    others = RootKeys({name: (RootKey(b"\1" * 16, generate_key()),) for name in ROOT_NAMES})
    assert AuditLog(written.uow, others).verify().broken_at == 1


def test_a_rotated_key_does(written: Rooms) -> None:
    fresh = RootKey(b"\1" * 16, generate_key())
    keys = {name: (fresh, written.roots.active(name)) for name in ROOT_NAMES}
    rotated = AuditLog(written.uow, RootKeys(keys), written.clock)
    rotated.record("root.rotate")
    verdict = rotated.verify()
    assert (verdict.checked, verdict.broken_at) == (11, None)
    assert written.audit.verify().broken_at == 11


def test_an_event_lives_and_dies_with_its_transaction(rooms: Rooms) -> None:
    def stopped() -> None:
        with rooms.uow.write() as session:
            rooms.audit.append(session, "image.destroy")
            raise DarkroomError("stopped")

    with pytest.raises(DarkroomError, match="stopped"):
        stopped()
    assert rooms.audit.verify().checked == 0
    with rooms.uow.write() as session:
        for _ in range(3):
            rooms.audit.append(session, "image.destroy")
    assert rooms.audit.verify() == rooms.audit.verify()
    assert rooms.audit.verify().checked == 3


def test_eight_writers_make_one_chain(rooms: Rooms) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: rooms.audit.record("load.test", details={"n": n}), range(80)))
    verdict = rooms.audit.verify()
    assert (verdict.checked, verdict.last, verdict.broken_at) == (80, 80, None)


def test_a_long_chain_is_read_in_pieces(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.audit._CHUNK", 3)
    for count in range(1, 8):
        rooms.audit.record("load.test")
        assert rooms.audit.verify().checked == count


class TestPage:
    def test_newest_first_in_pages(self, written: Rooms) -> None:
        seen: list[int] = []
        before = None
        while True:
            page = written.audit.page(OPERATOR, before=before, limit=4)
            seen += [entry.seq for entry in page.entries]
            before = page.before
            if before is None:
                break
        assert seen == list(range(10, 0, -1))

    def test_tells_everything(self, written: Rooms) -> None:
        first = written.audit.page(OPERATOR).entries[-1]
        assert (first.seq, first.action, first.outcome) == (1, "image.act0", "refused")
        assert first.details == {
            "n": 0,
            "words": ["a", "b"],
            "marker": "Geheimnis",
            "by": "command line",
        }
        assert first.intact

    def test_filters(self, written: Rooms) -> None:
        acts = written.audit.page(OPERATOR, action="image.act1")
        assert len(acts.entries) == 5
        one = written.audit.page(OPERATOR, subject=Subject("image", "7"))
        assert [entry.seq for entry in one.entries] == [8]

    def test_a_damaged_event_spares_the_others(
        self, written: Rooms, sql: Callable[[str], None]
    ) -> None:
        sql("UPDATE audit_events SET details = x'DC01FFFF' WHERE seq = 6")
        entries = written.audit.page(OPERATOR).entries
        assert [entry.seq for entry in entries if not entry.intact] == [6]
        assert len(entries) == 10

    def test_is_for_administrators(self, written: Rooms) -> None:
        with pytest.raises(NotPermitted):
            written.audit.page(Actor(uuid4()))

    def test_details_are_sealed(self, written: Rooms, database_path: Path) -> None:
        written.uow.engine.dispose()
        raw = b"".join(p.read_bytes() for p in database_path.parent.iterdir() if p.is_file())
        assert b"Geheimnis" not in raw
