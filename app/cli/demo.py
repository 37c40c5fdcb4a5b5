"""``flask demo``: something to look at, right after the first start."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import click

from app.cli.progress import STOPPED, progress, until_stopped
from app.cli.terminal import account, all_services, command, start_if_empty
from app.domain.access import OPERATOR
from app.services.account_rows import AccountView
from app.services.demo import Step

EMAIL = "demo@example.org"


@click.command("demo")
@click.option("--user", help="E-mail address of the account that gets the pictures.")
@click.option("--count", default=36, show_default=True, type=click.IntRange(1, 500))
@command
def command_line(user: str | None, count: int) -> None:
    """Draw sample pictures with labels and store them in a collection of their own. 130 if
    it was stopped (Ctrl-C); what was stored until then stays."""
    start_if_empty()
    owner = account(user) if user is not None else _somebody()
    steps = _Steps(all_services().demo.fill(owner.actor, count), count)
    done, slug = 0, ""
    with until_stopped() as stop, progress(steps, "Sealing") as bar:
        for step in bar:
            done, slug = step.done, step.slug
    where = f" in /collections/{slug}" if slug else ""
    if stop.requested:
        click.echo(f"Stopped: {done} of {count} sample pictures are stored{where}.")
        raise SystemExit(STOPPED)
    click.echo(f"{count} sample pictures are{where}.")


class _Steps:
    """The steps of the demo with their number, which the progress tells."""

    def __init__(self, steps: Iterator[Step], count: int) -> None:
        self._steps = steps
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Step]:
        return self._steps


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
