"""What every command shares: the services, plain output or JSON, errors as one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click
from flask import current_app
from flask.cli import with_appcontext

from app.domain.access import OPERATOR
from app.errors import (
    ConfigurationError,
    DarkroomError,
    EncryptionError,
    InvalidInput,
    KeyVaultUnavailable,
)
from app.logs import set_up_logging
from app.services.account_rows import AccountView
from app.services.bundle import Services
from app.web.context import services

P = ParamSpec("P")
R = TypeVar("R")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")


class Refusal(click.ClickException):
    """One sentence on standard error and where its cure stands; 2 where the installation is
    at fault, else 1."""

    def __init__(self, error: DarkroomError) -> None:
        end = "" if error.message.endswith((".", "?", "!")) else "."
        text = f"{error.message}{end} See docs/troubleshooting.md#{error.code}"
        if isinstance(error, InvalidInput) and error.mistakes:
            text += "".join(f"\n  {m.path}: {m.message}" for m in error.mistakes)
        super().__init__(text)
        wrong_setup = isinstance(error, ConfigurationError | EncryptionError)
        self._code = 2 if wrong_setup else 1

    @property
    def exit_code(self) -> int:  # type: ignore[override]
        return self._code


EMPTY = (
    "There is nothing in INSTANCE_PATH yet. If it is the right folder, start Darkroom once, or"
    " make the first account with users create"
)


def start_if_empty() -> None:
    """Do what the first start does where none ever was: for commands that begin something."""
    start = current_app.extensions.get("darkroom.start")
    if start is not None:
        start()


def refusal_of(error: DarkroomError) -> Refusal:
    """What is said of an error; a vault that nobody has made yet is none that is away."""
    if isinstance(error, KeyVaultUnavailable) and current_app.extensions["darkroom.empty"]():
        return Refusal(ConfigurationError(EMPTY, operation="command.empty"))
    return Refusal(error)


def command(function: Callable[P, R]) -> Callable[P, R]:
    """Run a command with the application; our errors become a sentence and an exit code."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        set_up_logging("console")
        try:
            return function(*args, **kwargs)
        except DarkroomError as error:
            raise refusal_of(error) from None
        finally:
            current_app.extensions["darkroom"].close()

    return with_appcontext(run)


def all_services() -> Services:
    """Return the services of this installation."""
    return services()


def account(email: str) -> AccountView:
    """Return the account with this address; NotFound."""
    return services().account_administration.find(OPERATOR, email)


def say_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON document in one line."""
    click.echo(json.dumps(value, default=str, ensure_ascii=False))


def counted(number: int, thing: str) -> str:
    """As people say it: ``1 picture``, ``2,000 pictures``."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def say_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print columns that are as wide as their widest cell."""
    cells = [list(heads), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[at]) for row in cells) for at in range(len(heads))]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo(line.rstrip())


def read_password(source: str) -> str:
    """Read a password file (``-``: standard input), without one trailing newline."""
    try:
        with click.open_file(source, encoding="utf-8") as file:
            text = str(file.read())
    except (OSError, UnicodeDecodeError):
        raise click.ClickException("The password file cannot be read.") from None
    return text.removesuffix("\n").removesuffix("\r")
