"""Set-up, register, login, logout, password."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, request, url_for

from app import metrics
from app.blueprints.auth.base import blueprint
from app.domain.credentials import MIN_PASSWORD
from app.errors import AuthenticationFailed, DarkroomError, InvalidInput, Mistake, NotFound
from app.services.setup_code import is_setup_code
from app.web import pages, rates
from app.web.context import services
from app.web.front_door import needs_code, setup_context
from app.web.guards import OPEN_PAGE, PAGE, gate
from app.web.identity import actor, caller, session_token, sign_in, sign_out
from app.web.safe_next import safe_next

SIGNED_OUT = "You are signed out."
ONLY_HERE = (
    "You are signed out in this browser. The session could not be ended on the server yet:"
    " sign in later and end it under your account."
)


@blueprint.post("/auth/setup")
@gate(OPEN_PAGE)
def setup() -> Response:
    """Make the first account, once; from elsewhere only with the code of the log."""
    _spend_by_address()
    if not services().accounts.is_empty():
        raise NotFound("There is nothing here.", operation="setup.done")
    try:
        _check_code()
        made = services().accounts.create_first_admin(
            email=request.form.get("email", ""),
            name=request.form.get("name", ""),
            password=request.form.get("password", ""),
        )
    except DarkroomError as error:
        return pages.again("auth/setup.html", error, **setup_context())
    _begin(made.id, remember=False)
    return pages.done(url_for("gallery.page"), "Welcome. Your account is ready.")


@blueprint.get("/auth/login")
@gate(OPEN_PAGE)
def login() -> Response:
    """The login page; who is signed in goes on at once."""
    wanted = safe_next(request.args.get("next"))
    if caller() is not None:
        return pages.done(wanted or url_for("gallery.page"))
    return pages.render("auth/login.html", next=wanted)


@blueprint.post("/auth/login", endpoint="login_post")
@gate(OPEN_PAGE)
def login_post() -> Response:
    """One refusal for every wrong pair; counted by account and by address."""
    wanted = safe_next(request.form.get("next"))
    email = request.form.get("email", "")
    try:
        _spend_by_address()
        rates.spend("login", f"account:{services().accounts.counted_as(email)}")
        found = services().accounts.authenticate(
            email, request.form.get("password", ""), address=request.remote_addr or ""
        )
    except DarkroomError as error:
        metrics.logins.labels(error.code).inc()
        return pages.again("auth/login.html", error, next=wanted)
    metrics.logins.labels("ok").inc()
    _begin(found.id, remember=request.form.get("remember") == "1")
    return pages.done(wanted or url_for("gallery.page"))


@blueprint.post("/auth/logout")
@gate(OPEN_PAGE)
def logout() -> Response:
    """End the session on the server; the browser forgets what it kept of the site.

    The latter in any case, also where the server cannot write.
    """
    said, category = (SIGNED_OUT, "success") if sign_out() else (ONLY_HERE, "warning")
    answer = pages.done(url_for("auth.login"), said, category)
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@blueprint.route("/auth/register", methods=["GET", "POST"])
@gate(OPEN_PAGE)
def register() -> Response:
    """Make one's own account, where REGISTRATION_OPEN says so."""
    if not current_app.config["SETTINGS"].registration_open:
        raise NotFound("There is nothing here.", operation="register.closed")
    if request.method == "GET":
        return pages.render("auth/register.html", min_password=MIN_PASSWORD)
    _spend_by_address()
    try:
        made = services().accounts.register(
            email=request.form.get("email", ""),
            name=request.form.get("name", ""),
            password=request.form.get("password", ""),
        )
    except DarkroomError as error:
        return pages.again("auth/register.html", error, min_password=MIN_PASSWORD)
    _begin(made.id, remember=False)
    return pages.done(url_for("gallery.page"), "Welcome. Your account is ready.")


@blueprint.route("/auth/password", methods=["GET", "POST"])
@gate(PAGE)
def password() -> Response:
    """Change the password; every other session ends."""
    if request.method == "GET":
        return pages.render("auth/password.html", **_password_context())
    try:
        _spend_by_address()
        services().accounts.change_password(
            actor(),
            current=request.form.get("current_password", ""),
            new=request.form.get("new_password", ""),
            keep_session=session_token(),
        )
    except AuthenticationFailed:
        raise
    except DarkroomError as error:
        return pages.again("auth/password.html", error, **_password_context())
    return pages.done(
        url_for("auth.account"), "The password is changed. Other sessions have ended."
    )


def _password_context() -> dict[str, Any]:
    who = caller()
    given = who is not None and who.user.must_change_password
    return {"min_password": MIN_PASSWORD, "was_given": given}


def _begin(user_id: object, *, remember: bool) -> None:
    sign_in(
        user_id,  # type: ignore[arg-type]
        remember=remember,
        address=request.remote_addr or "",
        agent=request.headers.get("User-Agent", ""),
    )


def _spend_by_address() -> None:
    rates.spend("login", f"address:{request.remote_addr or 'unknown'}")


def _check_code() -> None:
    if needs_code() and not is_setup_code(services().roots, request.form.get("code", "")):
        message = "This is not the set-up code. The server printed it when it started."
        raise InvalidInput(message, mistakes=[Mistake("code", message)], operation="setup.code")
