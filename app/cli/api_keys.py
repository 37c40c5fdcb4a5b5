"""``flask api-keys``: keys for programs, as the machine's operator."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from app.cli.terminal import account, all_services, as_json, command, say_json, say_table
from app.domain.access import OPERATOR
from app.errors import NotFound
from app.services.api_keys import ApiKeyView, NewApiKey
from app.web.durations import duration


@click.group("api-keys")
def group() -> None:
    """Make, list and revoke API keys."""


@group.command("create")
@click.option("--user", required=True, help="E-mail address of the account.")
@click.option("--scope", "scopes", multiple=True, required=True, help="A scope, or all.")
@click.option("--name", default="command line", show_default=True, help="What it is for.")
@click.option("--expires", help="How long it lives, such as 90d. Left out: for ever.")
@click.option("--rate", help="Its own limit, such as '600 per minute'.")
@as_json
@command
def create(
    user: str, scopes: tuple[str, ...], name: str, expires: str | None, rate: str | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Make a key. It is shown this once."""
    made = all_services().api_keys.create_for(
        OPERATOR,
        account(user).actor,
        name=name,
        scopes=scopes,
        expires=duration(expires, "--expires") if expires else None,
        rate=rate,
    )
    _say_made(made, as_json=as_json)


@group.command("rotate")
@click.argument("key_id", type=click.UUID)
@click.option("--user", required=True, help="E-mail address of the account that has it.")
@as_json
@command
def rotate(key_id: UUID, user: str, as_json: bool) -> None:
    """Make a key like another, with as long to live, and end that one."""
    owner, keys = account(user), all_services().api_keys
    former = next((key for key in keys.list_of(OPERATOR, owner.id) if key.id == key_id), None)
    if former is None or former.revoked_at is not None:
        raise NotFound("This account has no such key.", operation="api_key.rotate")
    lifetime = former.expires_at - former.created_at if former.expires_at else None
    made = keys.create_for(
        OPERATOR, owner.actor, name=former.name, scopes=former.scopes, expires=lifetime
    )
    _say_made(made, as_json=as_json)
    keys.revoke(OPERATOR, key_id)


@group.command("revoke-all")
@command
def revoke_all() -> None:
    """End every key of every account, at once."""
    ended = all_services().api_keys.revoke_everyone(OPERATOR)
    click.echo(f"{ended} keys are revoked.")


@group.command("list")
@click.option("--user", required=True, help="E-mail address of the account.")
@as_json
@command
def index(user: str, as_json: bool) -> None:
    """Show the keys of an account, without the keys themselves."""
    found = all_services().api_keys.list_of(OPERATOR, account(user).id)
    if as_json:
        say_json([_told(key) for key in found])
    else:
        rows = [tuple(_told(key).values()) for key in found]
        say_table(("id", "name", "prefix", "scopes", "created", "expires", "revoked"), rows)


@group.command("revoke")
@click.argument("key_id", type=click.UUID)
@command
def revoke(key_id: UUID) -> None:
    """End a key, at once and everywhere."""
    all_services().api_keys.revoke(OPERATOR, key_id)
    click.echo("The key is revoked.")


def _told(key: ApiKeyView) -> dict[str, Any]:
    return {
        "id": str(key.id),
        "name": key.name,
        "prefix": key.prefix,
        "scopes": " ".join(key.scopes),
        "created_at": key.created_at.isoformat(timespec="seconds"),
        "expires_at": key.expires_at.isoformat(timespec="seconds")
        if key.expires_at
        else "never",
        "revoked_at": key.revoked_at.isoformat(timespec="seconds") if key.revoked_at else "",
    }


def _say_made(made: NewApiKey, *, as_json: bool) -> None:
    if not as_json:
        click.echo(f"{made.key}\nKeep it now: it is not shown again. Id: {made.id}")
        return
    say_json(
        {
            "id": str(made.id),
            "key": made.key,
            "scopes": list(made.scopes),
            "expires_at": made.expires_at.isoformat() if made.expires_at else None,
        }
    )
