"""The tables say the same as the rules of the domain, and are one a file."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

from sqlalchemy import Engine, select

from app.db.session import UnitOfWork
from app.domain import states
from app.models import Base, User
from app.models.collection_member import MEMBER_ROLES
from app.models.image import ANNOTATION_STATES, IMAGE_STATUSES
from tests.unit.db.conftest import new_user

MODELS = Path(__file__).resolve().parents[3] / "app" / "models"


def test_states_are_those_of_the_domain() -> None:
    shown = {status.value for status in states.ImageStatus}
    assert set(IMAGE_STATUSES) == shown - {"trashed"}  # the trash is a time, not a status
    assert set(ANNOTATION_STATES) == {state.value for state in states.AnnotationState}


def test_roles_are_those_of_the_domain() -> None:
    from app.domain.access import Role

    assert {str(role) for role in MEMBER_ROLES} == {role.name.lower() for role in Role}


def test_an_id_is_made_with_the_object() -> None:
    first, second = new_user(), new_user()
    assert first.id.version == 4
    assert first.id != second.id
    assert User(id=first.id).id == first.id


def test_times_come_back_in_utc(any_engine: Engine) -> None:
    work = UnitOfWork(any_engine)
    local = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5)))
    user = new_user()
    user.created_at = local
    with work.write() as session:
        session.add(user)
    with work.read() as session:
        found = session.get_one(User, user.id).created_at
        assert found == local
        assert found.tzinfo is UTC
        earlier = select(User.id).where(User.created_at < local + timedelta(microseconds=1))
        assert session.scalar(earlier) == user.id


def test_importing_the_models_needs_no_flask_and_no_key() -> None:
    program = (
        "import sys, app.models; from sqlalchemy.orm import configure_mappers;"
        "configure_mappers(); sys.exit('flask' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=MODELS.parents[1], check=False)
    assert done.returncode == 0


def test_every_constraint_and_index_has_a_name() -> None:
    for table in Base.metadata.sorted_tables:
        for rule in (*table.constraints, *table.indexes):
            assert rule.name, (table.name, rule)
            assert len(str(rule.name)) <= 63  # PostgreSQL cuts longer ones
