"""Commands by noun; a group's module is imported when the group is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click
from alembic.config import Config
from flask import Flask

from app.errors import DarkroomError

GROUPS = {
    "annotations": ("app.cli.annotations", "Import and export data sets."),
    "api-keys": ("app.cli.api_keys", "Make, list and revoke API keys."),
    "audit": ("app.cli.audit", "The audit log: is it whole, and what is in it."),
    "backup": ("app.cli.backup", "Make backups, look at them, put them back."),
    "encryption": (
        "app.cli.encryption",
        "Make a master key; verify that everything is sealed.",
    ),
    "images": ("app.cli.images", "Import a folder of pictures."),
    "jobs": ("app.cli.jobs", "Work jobs; see how they stand."),
    "keys": ("app.cli.keys", "The state of keys and of the vault."),
    "store": ("app.cli.store", "The sealed store: damage, its cure, a database made anew."),
    "users": ("app.cli.users", "Accounts."),
}


class LazyGroup(click.Group):
    """A group that knows its commands only once it is used; ``--help`` loads one module."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, help=summary, short_help=summary)
        self._module = module

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._loaded().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._loaded().get_command(ctx, cmd_name)

    def _loaded(self) -> click.Group:
        group: click.Group = import_module(self._module).group
        return group


class LazyCommand(click.Command):
    """A command whose module is imported when it is used."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, help=summary, short_help=summary)
        self._module = module

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        return self._loaded().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        return self._loaded().invoke(ctx)

    def _loaded(self) -> click.Command:
        command: click.Command = import_module(self._module).command_line
        return command


def register_commands(app: Flask) -> None:
    """Add the groups to ``flask --app wsgi``."""
    for name, (module, summary) in GROUPS.items():
        app.cli.add_command(LazyGroup(name, module, summary))
    app.cli.add_command(
        LazyCommand("demo", "app.cli.demo", "Store sample pictures to look at.")
    )
    app.cli.add_command(
        LazyCommand("doctor", "app.cli.doctor", "Go through the deployment checklist.")
    )
    app.extensions["migrate"].migrate.configure(_begun)


def _begun(config: Config) -> Config:
    """``flask db`` comes from Flask-Migrate; on an empty installation it is the first start."""
    from app.cli.terminal import Refusal, start_if_empty

    try:
        start_if_empty()
    except DarkroomError as error:
        raise Refusal(error) from None
    return config
