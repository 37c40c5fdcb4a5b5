"""`create_app`: named steps in order. It touches neither disk, database nor vault."""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

from apiflask import APIFlask
from flask import Flask, Response, g, request

from app import metrics
from app.blueprints import (
    admin,
    annotate,
    auth,
    collections,
    exchange,
    gallery,
    health,
    jobs,
    reference,
    serving,
    upload,
    work,
)
from app.blueprints.api import v1 as api_v1
from app.cli import register_commands
from app.config import ENV_FILE, Settings, load_settings
from app.errors import DarkroomError
from app.extensions import Extensions, bind_the_rest, make_extensions
from app.startup import is_empty, start_if_empty
from app.web import cors, error_handlers, frame, guards, headers
from app.web.identity import resolve
from app.web.proxies import TrustedProxies
from app.web.request_class import DarkroomRequest
from app.web.short_way import ShortWay
from app.web.unsound import Unsound
from app.wiring import House

API_PREFIX = "/api/v1"
ROOMS = (
    health,
    serving,
    auth,
    gallery,
    annotate,
    upload,
    collections,
    exchange,
    work,
    jobs,
    reference,
    admin,
)


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application; never fails, whatever the settings are.

    Without ``settings`` they are read from the environment and ``.env``. If they are wrong,
    commands that need none still work, and everything else says what is wrong.
    """
    app = _flask()
    sound = _install_house(app, settings)
    if sound is not None:
        _configure(app, sound)
        app.extensions["darkroom.streams"] = threading.Semaphore(sound.web_threads // 2)
        short_way = ShortWay(app, headers.cache_of_media(sound.media_cache))
        app.wsgi_app = TrustedProxies(  # type: ignore[method-assign]
            short_way, sound.trusted_proxies
        )
        cors.install(app, sound.cors_origins)
    extensions = make_extensions()
    _install_guards(app, extensions, sound)
    bind_the_rest(app)
    _register_blueprints(app)
    api_v1.describe(app, API_PREFIX)
    error_handlers.register(app)
    frame.install(app)
    register_commands(app)
    return app


def _flask() -> APIFlask:
    app = APIFlask(
        "app",
        title="Darkroom",
        version="1",
        spec_path=f"{API_PREFIX}/openapi.json",
        docs_path=None,
        json_errors=False,
    )
    app.request_class = DarkroomRequest
    app.url_map.strict_slashes = False
    return app


def _install_house(app: Flask, settings: Settings | None) -> Settings | None:
    try:
        sound = settings or load_settings(os.environ, _env_file())[0]
    except DarkroomError as reason:
        app.extensions["darkroom"] = Unsound(reason)
        return None
    app.extensions["darkroom"] = House(sound)
    app.extensions["darkroom.start"] = partial(start_if_empty, sound)
    app.extensions["darkroom.empty"] = partial(is_empty, sound)
    return sound


def _env_file() -> Path:
    """Tests name another file, so that no setting of this machine reaches them."""
    return Path(os.environ.get("DARKROOM_ENV_FILE", ENV_FILE))


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        ALLOWED_HOSTS=tuple(host.lower() for host in settings.allowed_hosts),
        MAX_FORM_MEMORY_SIZE=500_000,
        SESSION_COOKIE_NAME="__Host-darkroom" if settings.https else "darkroom",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=settings.session_max_days),
        SESSION_REFRESH_EACH_REQUEST=False,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        BOOTSTRAP_SERVE_LOCAL=True,
        SQLALCHEMY_ENGINES={},
        SPOOL_FOLDER=settings.instance_path,
        FILE_BYTES=settings.upload_max_size,
        BODY_BYTES=settings.upload_max_size * settings.upload_max_files + guards.SLACK,
        SETTINGS=settings,
        RATES={
            "upload": settings.ratelimit_upload,
            "limits": settings.ratelimit_upload,  # of its own: a look costs no upload
            "api": settings.ratelimit_api,
            "session": settings.ratelimit_session,
            "login": settings.ratelimit_login,
        },
    )


def _install_guards(app: Flask, extensions: Extensions, settings: Settings | None) -> None:
    """In the order in which a request meets them; see web/guards.py."""
    https = bool(settings and settings.https)
    headers.install(app, extensions.talisman, https=https)
    app.before_request(guards.check_host)
    if https:
        app.before_request(guards.check_scheme)
    app.before_request(_start_clock)
    app.after_request(_observe)
    extensions.login.init_app(app)
    extensions.login.request_loader(resolve)
    app.before_request(guards.check_who)
    extensions.limiter.init_app(app)
    app.extensions["darkroom.limiter"] = extensions.limiter
    app.before_request(guards.check_length)
    extensions.csrf.init_app(app)
    app.before_request(lambda: guards.check_csrf(extensions.csrf))


def _register_blueprints(app: Flask) -> None:
    for room in ROOMS:
        app.register_blueprint(room.blueprint)
    app.register_blueprint(api_v1.blueprint, url_prefix=API_PREFIX)


def _start_clock() -> None:
    g.started = time.perf_counter()


def _observe(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    if "started" in g:
        metrics.observe_request(endpoint, request.method, response.status_code, g.started)
    else:
        metrics.count_request(endpoint, request.method, response.status_code)
    return response
