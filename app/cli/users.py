"""``flask users``: accounts, as the machine's operator."""

from __future__ import annotations

from typing import Any

import click

from app.cli.terminal import (
    account,
    all_services,
    as_json,
    command,
    read_password,
    say_json,
    say_table,
    start_if_empty,
)
from app.domain.access import OPERATOR
from app.services.account_rows import AccountView


@click.group("users")
def group() -> None:
    """Accounts."""


@group.command("create")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--admin", is_flag=True, help="Make an administrator.")
@click.option("--password-file", required=True, help="A file with the password; - for stdin.")
@as_json
@command
def create(email: str, name: str, admin: bool, password_file: str, as_json: bool) -> None:
    """Make an account with its private collection; the first one also before a first start."""
    start_if_empty()
    made = all_services().accounts.create(
        OPERATOR, email=email, name=name, password=read_password(password_file), is_admin=admin
    )
    if as_json:
        say_json({"id": str(made.id), "email": made.email})
    else:
        click.echo(f"Made the account of {made.email}.")


@group.command("list")
@as_json
@command
def index(as_json: bool) -> None:
    """Show every account."""
    found: list[AccountView] = []
    cursor = None
    while True:
        page = all_services().account_administration.list(OPERATOR, cursor=cursor, limit=200)
        found.extend(page.accounts)
        cursor = page.next_cursor
        if cursor is None:
            break
    if as_json:
        say_json([_told(view) for view in found])
    else:
        rows = [tuple(_told(view).values()) for view in found]
        say_table(("id", "email", "name", "role", "state", "used bytes"), rows)


@group.command("disable")
@click.argument("email")
@click.option("--undo", is_flag=True, help="Let the account in again.")
@command
def disable(email: str, undo: bool) -> None:
    """Shut an account out; its sessions and keys stop working at once."""
    found = account(email)
    all_services().account_administration.set_disabled(OPERATOR, found.id, not undo)
    click.echo(f"The account of {found.email} is {'enabled' if undo else 'disabled'}.")


@group.command("reset-password")
@click.argument("email", required=False)
@click.option("--password-file", help="A file with the password; - for stdin.")
@click.option("--all", "everyone", is_flag=True, help="Every account, each its own password.")
@as_json
@command
def reset_password(
    email: str | None, password_file: str | None, everyone: bool, as_json: bool
) -> None:
    """Set a password; all sessions of the account end. With --all every account gets one that
    is shown this once and changed at the next sign-in."""
    if everyone and email is None and password_file is None:
        _reset_everyone(as_json=as_json)
    elif email is not None and password_file is not None and not everyone:
        found = account(email)
        all_services().account_administration.reset_password(
            OPERATOR, found.id, read_password(password_file)
        )
        click.echo(f"The password of {found.email} is set, and its sessions have ended.")
    else:
        raise click.UsageError("Give EMAIL with --password-file, or --all alone.")


def _reset_everyone(*, as_json: bool) -> None:
    """A line an account, as soon as it is done."""
    for view, password in all_services().account_administration.reset_everyone(OPERATOR):
        if as_json:
            say_json({"email": view.email, "password": password})
        else:
            click.echo(f"{view.email} {password}")


@group.command("make-admin")
@click.argument("email")
@click.option("--undo", is_flag=True, help="Make it a member's account again.")
@command
def make_admin(email: str, undo: bool) -> None:
    """Make an account an administrator's."""
    found = account(email)
    all_services().account_administration.set_admin(OPERATOR, found.id, not undo)
    role = "a member" if undo else "an administrator"
    click.echo(f"{found.email} is {role} now.")


def _told(view: AccountView) -> dict[str, Any]:
    return {
        "id": str(view.id),
        "email": view.email,
        "name": view.name,
        "role": "admin" if view.is_admin else "member",
        "state": "disabled" if view.disabled else "active",
        "used": view.usage.used,
    }
