"""The deployment checklist: a box opens when what it is about is not in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.domain.access import OPERATOR
from app.models import FileKey, Image
from app.services.doctor import Doctor, Verdict
from tests.fixtures.installation import Installation
from tests.fixtures.place import unique_png


def boxes(installation: Installation) -> dict[str, Verdict]:
    services = installation.services
    report = services.posture.report(OPERATOR)
    return {box.title: box.verdict for box in services.doctor.look(report)}


def test_a_fresh_installation_has_tasks_and_no_fault(installation: Installation) -> None:
    installation.person("chief", admin=True)
    found = boxes(installation)
    assert Verdict.WRONG not in found.values()
    assert found["A recovery kit was printed"] is Verdict.OPEN
    assert found["What is sealed opens again"] is Verdict.GOOD
    assert found["There is a second administrator"] is Verdict.OPEN
    deputy = installation.person("deputy")
    installation.services.account_administration.set_admin(OPERATOR, deputy.id, True)
    assert boxes(installation)["There is a second administrator"] is Verdict.GOOD


def test_every_open_box_says_what_to_do(installation: Installation) -> None:
    services = installation.services
    for box in services.doctor.look(services.posture.report(OPERATOR)):
        assert box.verdict is Verdict.GOOD or box.advice


def test_runs_close_their_boxes(installation: Installation) -> None:
    titles = {
        "backup": "A backup of the last two days",
        "drill": "A restore drill of the last quarter",
        "verify": "A verification of the last month",
    }
    for kind, title in titles.items():
        assert boxes(installation)[title] is Verdict.OPEN
        with installation.house.runs.started(kind):
            pass
        assert boxes(installation)[title] is Verdict.GOOD
    installation.services.audit.record("keys.export_kit")
    assert boxes(installation)["A recovery kit was printed"] is Verdict.GOOD


def test_what_is_damaged_open_or_late_is_told(installation: Installation) -> None:
    installation.person()
    installation.api("ann", "images:write").upload((unique_png(), "a.png"))
    with installation.house.uow.write() as session:
        session.execute(update(Image).values(status="quarantined"))
        key = session.query(FileKey).one()
        key.expires_at = key.created_at
    installation.instance.chmod(0o755)
    found = boxes(installation)
    assert found["Nothing is set aside as damaged"] is Verdict.WRONG
    assert found["No key is past its cryptoperiod"] is Verdict.OPEN
    assert found["The instance is closed to others"] is Verdict.WRONG
    (installation.instance / "store" / ".darkroom-store").unlink()
    assert boxes(installation)["The store works"] is Verdict.WRONG


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [
        ({"PUBLIC_URL": "https://pictures.example.org"}, Verdict.GOOD),
        ({"BIND": "0.0.0.0:8000", "PUBLIC_URL": "http://pictures.example.org"}, Verdict.WRONG),
        ({"BIND": "0.0.0.0:8000", "PUBLIC_URL": "https://pictures.example.org"}, Verdict.GOOD),
    ],
)
def test_people_come_by_https(install: Any, settings: dict[str, str], verdict: Verdict) -> None:
    assert boxes(install(**settings))["People come by https"] is verdict


def test_open_boxes_name_the_command_and_none_tells_of_https_that_is_not_there(
    installation: Installation,
) -> None:
    services = installation.services
    found = {
        box.title: box.advice for box in services.doctor.look(services.posture.report(OPERATOR))
    }
    assert "People come by https" not in found
    commands = {title: told.partition("; ")[2] for title, told in found.items() if "; " in told}
    assert commands == {
        "A backup of the last two days": "backup create",
        "A restore drill of the last quarter": "backup verify TARGET",
        "A verification of the last month": "store verify",
    }


def test_an_env_file_that_others_can_read_is_a_fault(
    installation: Installation, tmp_path: Path
) -> None:
    house = installation.house
    env = tmp_path / "env"
    env.write_text("")
    env.chmod(0o644)
    doctor = Doctor(
        settings=house.settings, env_file=env, uow=house.uow, health=house.services.health
    )
    report = house.services.posture.report(OPERATOR)
    found = {box.title: box.verdict for box in doctor.look(report)}
    assert found[".env is closed to others"] is Verdict.WRONG
