"""Flask extensions, made anew for each application.

Limiter and Talisman keep the application's state on themselves: two applications in one
process (tests, a command beside a server) must not share them.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from flask import Flask
from flask.sansio.app import App
from flask_bootstrap import Bootstrap5
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy_lite import SQLAlchemy
from flask_talisman import Talisman
from flask_wtf import CSRFProtect

from app.db.base import Base
from app.web.rates import is_exempt, limit_of_request, limiter_key


class Database(SQLAlchemy):
    """What Flask-Migrate asks for: the metadata. The engine is wiring's own.

    So are the sessions. The extension's own would be closed after every request, the
    asynchronous ones by an event loop in a new thread: half of what a thumbnail costs.
    """

    metadata = Base.metadata

    def init_app(self, app: App) -> None:
        """Register the extension without engines, sessions and teardown."""
        app.extensions["sqlalchemy"] = self


@dataclass(frozen=True, slots=True)
class Extensions:
    """What the factory binds, in its order."""

    login: LoginManager
    csrf: CSRFProtect
    limiter: Limiter
    talisman: Talisman


def make_extensions() -> Extensions:
    """Return the extensions that guards and headers are made of, unbound."""
    login = LoginManager()
    # It would compare what browsers say of themselves, and set a cookie with each answer.
    login.session_protection = None
    return Extensions(
        login=login,
        csrf=CSRFProtect(),
        limiter=Limiter(
            limiter_key,
            application_limits=[limit_of_request],
            application_limits_exempt_when=is_exempt,
            storage_uri="memory://",
            strategy="moving-window",
        ),
        talisman=Talisman(),
    )


def bind_the_rest(app: Flask) -> None:
    """Bind what has no say in who may do what: migrations and Bootstrap's files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        Bootstrap5(app)
    Database(app, require_default_engine=False)
    Migrate(app, app.extensions["sqlalchemy"], directory="migrations")
