"""``flask api-keys``: keys for programs, as the machine's operator."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from app.cli.terminal import account, all_services, as_json, command, say_json, say_table
from app.domain.access import OPERATOR
from app.services.api_keys import ApiKeyView
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
    if as_json:
        say_json(
            {
                "id": str(made.id),
                "key": made.key,
                "scopes": list(made.scopes),
                "expires_at": made.expires_at.isoformat() if made.expires_at else None,
            }
        )
    else:
        click.echo(f"{made.key}\nKeep it now: it is not shown again. Id: {made.id}")


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
