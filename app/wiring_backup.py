"""Backups from settings: where they go, what locks them, where they are put back."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select

from app.config import Settings
from app.config_backup import lies_inside, split_bucket
from app.config_values import refuse_if_readable_by_others
from app.db.times import utc_now
from app.domain.access import OPERATOR
from app.errors import ConfigurationError
from app.models import Installation
from app.services.backup import (
    Backups,
    Creation,
    Destination,
    Locks,
    Plan,
    Recovery,
    RestoreReport,
)
from app.services.recount import Recount
from app.services.recovery_kit import RecoveryKits
from app.storage.archive import Archive
from app.storage.local_disk import LocalDisk
from app.storage.s3_archive import Bucket, S3Archive

if TYPE_CHECKING:
    from app.jobs.watch import Watch
    from app.services.audit import AuditLog
    from app.services.records.writer import RecordsReport
    from app.services.runs import Runs
    from app.wiring import House

SQLITE = "sqlite:///"


def backup_services(house: House, audit: AuditLog) -> dict[str, Any]:
    """Return the fields of the services that are built here."""
    return {
        "backups": build_backups(house, audit),
        "recovery_kits": build_recovery_kits(house, audit),
    }


def build_backups(house: House, audit: AuditLog) -> Backups:
    """Return the service; before each backup the sealed records are brought up to date."""
    settings = house.settings
    told = settings.backup
    return Backups(
        creation=Creation(
            uow=house.uow,
            blobs=house.blobs,
            vaulting=house.vaulting,
            keying=house.keying,
            clock=utc_now,
        ),
        runs=house.runs,
        audit=audit,
        instance=settings.instance_path,
        plan=Plan(told.target, told.schedule, told.keep, told.passphrase_file),
        archive_at=lambda target: archive_at(target, settings),
        locks_with=lambda file: locks_with(house, file),
        before=lambda watch: _write_records(house, watch),
        clock=utc_now,
    )


def _write_records(house: House, watch: Watch) -> RecordsReport:
    """Asked for when a backup begins: the services know each other by then."""
    return house.services.records.run(watch)


def build_recovery(house: House) -> Recovery:
    """Return what needs neither a database nor a vault."""
    settings = house.settings
    return Recovery(
        archive_at=lambda target: archive_at(target, settings, make=False),
        locks_with=lambda file: locks_with(house, file or settings.backup.passphrase_file),
        runs=lambda: _runs_of(house),
        destination=lambda to: _destination(house, to),
        told=lambda to, report: _write_down(house, to, report),
        clock=utc_now,
    )


def build_recovery_kits(house: House, audit: AuditLog) -> RecoveryKits:
    """Return what puts the master key on paper."""

    def store_id() -> UUID:
        with house.uow.read_rows() as connection:
            return connection.scalars(select(Installation.store_id)).one()

    return RecoveryKits(house.settings.encryption_key, audit, store_id, utc_now)


def archive_at(target: str, settings: Settings, *, make: bool = True) -> Archive:
    """The place that a target names; ConfigurationError for one that cannot be.

    ``make``: a folder that is not there will be made.
    """
    if not target.startswith("s3://"):
        folder = Path(target).absolute()
        if lies_inside(str(folder), settings.instance_path):
            raise ConfigurationError(
                "This folder lies inside INSTANCE_PATH and would be lost with it: name"
                " another place.",
                operation="backup.target",
            )
        if not make and not folder.is_dir():
            raise ConfigurationError(
                "There is no such folder: is its disk mounted?", operation="backup.target"
            )
        return LocalDisk(folder)
    return S3Archive(_bucket(target, settings))


def _bucket(target: str, settings: Settings) -> Bucket:
    s3 = settings.s3
    try:
        name, prefix = split_bucket(target)
    except ValueError as wrong:
        raise ConfigurationError(f"The target {wrong}.", operation="backup.target") from None
    if not (s3.access_key_id and s3.secret_access_key):
        raise ConfigurationError(
            "A bucket takes S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.",
            operation="backup.target",
        )
    return Bucket(
        name=name,
        prefix=prefix,
        region=s3.region,
        endpoint=s3.endpoint,
        access_key_id=s3.access_key_id,
        secret_access_key=s3.secret_access_key,
        path_style=s3.path_style,
    )


def locks_with(house: House, file: Path | None) -> Locks:
    """The master keys, and the passphrase in a file that nobody else can read."""
    return Locks(house.masters, read_passphrase(file) if file is not None else None)


def read_passphrase(file: Path) -> str:
    """The first and only line of a file, without the newline at its end."""
    try:
        refuse_if_readable_by_others(file)
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(
            "The file of the passphrase cannot be read.", operation="backup.passphrase"
        ) from None
    return text.removesuffix("\n").removesuffix("\r")


def _runs_of(house: House) -> Runs | None:
    """None on a machine without an installation."""
    database = Path(house.settings.database_url.removeprefix(SQLITE))
    marked = (house.settings.store_path / ".darkroom-store").exists()
    return house.runs if database.exists() and marked else None


def settings_at(settings: Settings, instance: Path) -> Settings:
    """The same settings for another instance; ConfigurationError for places outside it."""
    former = settings.instance_path
    database = Path(settings.database_url.removeprefix(SQLITE))
    places = (database, settings.store_path, settings.vault_path)
    if not all(place.is_relative_to(former) for place in places):
        raise ConfigurationError(
            "DATABASE_URL, STORE_URL or KEY_VAULT_LOCAL_PATH names a place outside"
            " INSTANCE_PATH: restore without --to, under the settings of the new instance.",
            operation="restore.target",
        )
    moved = [instance / place.relative_to(former) for place in places]
    return replace(
        settings,
        instance_path=instance,
        database_url=f"{SQLITE}{moved[0]}",
        store_path=moved[1],
        vault_path=moved[2],
    )


def _house_at(house: House, instance: Path) -> House:
    if instance == house.settings.instance_path:
        return house
    return type(house)(settings_at(house.settings, instance))


def _refuse_inside(instance: Path, own: Path) -> None:
    """An instance does not lie among the files of another."""
    if instance.resolve() != own.resolve() and lies_inside(str(instance), own):
        raise ConfigurationError(
            "This folder lies inside INSTANCE_PATH: name another one to restore into.",
            operation="restore.target",
        )


def _destination(house: House, to: Path | None) -> Destination:
    instance = to.absolute() if to is not None else house.settings.instance_path
    _refuse_inside(instance, house.settings.instance_path)
    there = _house_at(house, instance)
    settings = there.settings
    return Destination(
        instance=instance,
        database=Path(settings.database_url.removeprefix(SQLITE)),
        store_path=settings.store_path,
        vault_path=settings.vault_path if settings.vault.mode == "local" else None,
        blobs=there.blobs,
        vaulting=there.vaulting,
        master=there.masters[0],
    )


def _write_down(house: House, to: Destination, report: RestoreReport) -> None:
    """In the book and in the audit log of what was restored."""
    facts = {
        "pictures": report.pictures,
        "files": report.files,
        "keys": report.keys,
        "left_out": len(report.left_out),
    }
    with closing(type(house)(_house_at(house, to.instance).settings)) as there:
        with there.runs.started("restore") as run:
            run.count(done=report.files, failed=len(report.left_out))
            run.figures.update(facts)
        told = {**facts, "backup": report.backup, "made_at": report.made_at}
        there.services.audit.record("backup.restore", actor=OPERATOR, details=told)
        if report.destroyed:
            # Their labels were counted in sealed rows, which take the keys of the instance.
            Recount(there.uow).repair()
