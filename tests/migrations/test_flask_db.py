"""``flask db`` reaches the application's own engine through ``migrations/env.py``."""

from __future__ import annotations

from types import SimpleNamespace

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import Engine

from app.db.migrate import MIGRATIONS, current_revision, downgrade, is_current
from app.models import Base
from tests.migrations.schema import revisions


@pytest.fixture
def flask_app(empty_engine: Engine) -> Flask:
    """As the factory leaves it, as far as migrations can see."""
    app = Flask(__name__)
    flask_migrate.Migrate(
        app, SimpleNamespace(metadata=Base.metadata), directory=str(MIGRATIONS)
    )
    app.extensions["darkroom"] = SimpleNamespace(engine=empty_engine)
    return app


def test_flask_db_upgrade_and_downgrade(flask_app: Flask, empty_engine: Engine) -> None:
    runner = flask_app.test_cli_runner()
    assert runner.invoke(args=["db", "upgrade"]).exit_code == 0
    assert is_current(empty_engine)
    assert runner.invoke(args=["db", "downgrade"]).exit_code == 0
    assert current_revision(empty_engine) == revisions()[-2]
    downgrade(empty_engine, "base")


def test_flask_db_check_finds_no_difference(flask_app: Flask, empty_engine: Engine) -> None:
    runner = flask_app.test_cli_runner()
    assert runner.invoke(args=["db", "upgrade"]).exit_code == 0
    outcome = runner.invoke(args=["db", "check"])
    assert outcome.exit_code == 0, outcome.output
