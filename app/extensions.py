"""Flask extensions, unbound; the factory binds them."""

from __future__ import annotations

from flask_bootstrap import Bootstrap5
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy_lite import SQLAlchemy
from flask_talisman import Talisman
from flask_wtf import CSRFProtect

from app.db.base import Base
from app.web.rates import limiter_key


class Database(SQLAlchemy):
    """What Flask-Migrate asks for: the metadata of the models."""

    metadata = Base.metadata


database = Database(require_default_engine=False)
migrate = Migrate()
login = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(key_func=limiter_key, headers_enabled=True, strategy="moving-window")
talisman = Talisman()
bootstrap = Bootstrap5()
