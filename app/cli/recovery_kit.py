"""``keys export-kit`` and ``keys restore-kit``: the master key to paper and back."""

from __future__ import annotations

import hmac
import os
import secrets
import sys
from pathlib import Path

import click

from app.cli.kit_pages import as_html, as_text
from app.cli.terminal import all_services, command, read_password
from app.config import ENV_FILE, load_settings
from app.crypto.kdf import MasterKey
from app.crypto.keys import SecretKey
from app.errors import DarkroomError, EncryptionError
from app.services.recovery_kit import read_kit
from app.storage.local_disk import LocalDisk
from app.storage.marker import StoreMarker, read_marker

passphrase_option = click.option(
    "--passphrase-file", help="A file with the passphrase of the kit; - is standard input."
)
out_option = click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A new file, mode 0600; else standard output.",
)


@click.command("export-kit")
@click.option("--shares", type=int, default=1, show_default=True, help="How many sheets.")
@click.option("--threshold", type=int, default=1, help="How many of them make the key.")
@passphrase_option
@click.option("--html", is_flag=True, help="A page to print from a browser, instead of text.")
@out_option
@command
def export_kit(
    shares: int, threshold: int, passphrase_file: str | None, html: bool, out: Path | None
) -> None:
    """Print the master key for paper, whole or in shares (SLIP-39). It is written into the
    audit log. Print it, delete the file, keep the paper apart from the backups."""
    passphrase = read_password(passphrase_file) if passphrase_file is not None else None
    kit = all_services().recovery_kits.export(
        shares=shares, threshold=threshold, passphrase=passphrase
    )
    _give(as_html(kit) if html else as_text(kit), out)
    if out is not None:
        click.echo(
            "Print it, delete the file, keep the paper apart from the backups.", err=True
        )


@click.command("restore-kit")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@passphrase_option
@click.option("--no-check", is_flag=True, help="Do not compare with the store that is here.")
@out_option
@command
def restore_kit(
    files: tuple[Path, ...], passphrase_file: str | None, no_check: bool, out: Path | None
) -> None:
    """Make ENCRYPTION_KEY from a kit again: from FILES, or from standard input. Needs no
    setting. It is compared with the kit's own checks, its key id, and the store's marker."""
    passphrase = read_password(passphrase_file) if passphrase_file is not None else None
    key = read_kit(_typed(files), passphrase)
    click.echo(f"This is the master key {MasterKey(key).id}.", err=True)
    if not no_check:
        _compare(key)
    _give(f"ENCRYPTION_KEY={key.reveal().hex()}\n", out)


def _typed(files: tuple[Path, ...]) -> str:
    if not files:
        if sys.stdin.isatty():
            click.echo("Type the lines of the kit, then Ctrl-D:", err=True)
        return sys.stdin.read()
    try:
        return "\n".join(file.read_text(encoding="utf-8") for file in files)
    except (OSError, UnicodeDecodeError):
        raise click.ClickException("The kit's file cannot be read.") from None


def _give(text: str, out: Path | None) -> None:
    """To standard output, or into a file that nobody else can read and that was not there."""
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError:
        raise click.ClickException(
            "The file cannot be made, or is there already: name a new one."
        ) from None
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    click.echo("Written. Only you can read it.", err=True)


def _compare(key: SecretKey) -> None:
    """With the store of this machine, if there is one; EncryptionError if it is another's."""
    marker = _marker_here(key)
    if marker is None:
        click.echo("There is no store here to compare it with.", err=True)
    elif not hmac.compare_digest(marker.check, MasterKey(key).check.reveal()):
        raise EncryptionError(
            "This kit is of another key than the store here was made with. With --no-check it"
            " is printed all the same.",
            operation="kit.compare",
        )
    else:
        click.echo("It is the key of the store on this machine.", err=True)


def _marker_here(key: SecretKey) -> StoreMarker | None:
    """The settings are read as if the key were set: that it is not is why we are here."""
    environ = {
        "SECRET_KEY": secrets.token_hex(32),
        **os.environ,
        "ENCRYPTION_KEY": key.reveal().hex(),
        "ENCRYPTION_KEY_FILE": "",
    }
    file = Path(os.environ.get("DARKROOM_ENV_FILE", ENV_FILE))
    try:
        settings, _ = load_settings(environ, file)
        return read_marker(LocalDisk(settings.store_path))
    except DarkroomError:
        return None
