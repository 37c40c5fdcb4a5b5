"""``flask audit``: a chain that holds, one that does not, a tail that was cut off."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from tests.fixtures.installation import Installation
from tests.fixtures.uploads import PictureRoom, picture


def run(installation: Installation, *words: str):
    return installation.app.test_cli_runner().invoke(args=["audit", *words])


def change(installation: Installation, statement: str) -> None:
    with closing(sqlite3.connect(installation.instance / "darkroom.db")) as direct, direct:
        direct.execute(statement)


def filled(installation: Installation) -> str:
    """Some events; the checkpoint of them."""
    room = PictureRoom(installation)
    room.services.trash.trash(room.actor, room.upload(picture()).id)
    answer = run(installation, "verify", "--json")
    assert answer.exit_code == 0
    return json.loads(answer.stdout)["checkpoint"]


def test_a_whole_log_is_exported_and_verified(installation: Installation) -> None:
    known = filled(installation)
    assert run(installation, "verify", "--checkpoint", known).exit_code == 0
    lines = [json.loads(line) for line in run(installation, "export").stdout.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert {"image.upload", "image.trash"} <= {line["action"] for line in lines}
    actor = str(installation.person().id)
    assert {line["actor"] for line in lines if line["action"] == "image.trash"} == {actor}
    assert all(line["intact"] and line["at"].endswith("+00:00") for line in lines)


def test_the_first_bad_event_is_named(installation: Installation) -> None:
    filled(installation)
    change(installation, "UPDATE audit_events SET action = 'image.other' WHERE seq = 2")
    answer = run(installation, "verify")
    assert (answer.exit_code, "Event 2 is the first" in answer.stdout) == (1, True)


def test_a_tail_that_was_cut_off_is_told_by_a_checkpoint(installation: Installation) -> None:
    known = filled(installation)
    change(
        installation, "DELETE FROM audit_events WHERE seq = (SELECT max(seq) FROM audit_events)"
    )
    assert run(installation, "verify").exit_code == 0
    answer = run(installation, "verify", "--checkpoint", known)
    assert (answer.exit_code, "cut or replaced" in answer.stdout) == (1, True)
    assert run(installation, "verify", "--checkpoint", "7").exit_code == 2


def test_details_that_do_not_open_are_told(installation: Installation) -> None:
    filled(installation)
    swap = "(SELECT details FROM audit_events WHERE details IS NOT NULL LIMIT 1)"
    change(
        installation,
        f"UPDATE audit_events SET details = {swap} WHERE action = 'image.upload'",
    )
    last = "UPDATE audit_events SET details = {} WHERE action = 'image.trash'"
    change(installation, last.format(swap))
    answer = run(installation, "export")
    assert answer.exit_code == 1
    assert any(not json.loads(line)["intact"] for line in answer.stdout.splitlines())
