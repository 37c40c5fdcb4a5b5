"""``flask demo``: something to look at, right after the first start."""

from __future__ import annotations

import secrets
import sys

import click

from app.cli.terminal import account, all_services, command
from app.domain.access import OPERATOR
from app.services.account_rows import AccountView

EMAIL = "demo@example.org"


@click.command("demo")
@click.option("--user", help="E-mail address of the account that gets the pictures.")
@click.option("--count", default=36, show_default=True, type=click.IntRange(1, 500))
@command
def command_line(user: str | None, count: int) -> None:
    """Draw sample pictures with labels and store them in a collection of their own."""
    owner = account(user) if user is not None else _somebody()
    steps = all_services().demo.fill(owner.actor, count)
    with click.progressbar(steps, length=count, label="Sealing", file=sys.stderr) as bar:
        slug = [step.slug for step in bar][-1]
    click.echo(f"{count} sample pictures are in /collections/{slug}.")


def _somebody() -> AccountView:
    """The first account; on an empty site an administrator's, with a fresh password."""
    page = all_services().account_administration.list(OPERATOR, limit=1)
    if page.accounts:
        return page.accounts[0]
    password = secrets.token_urlsafe(12)
    made = all_services().accounts.create_first_admin(
        email=EMAIL, name="Demo", password=password
    )
    click.echo(f"Made the account {EMAIL} with the password {password}")
    return made
