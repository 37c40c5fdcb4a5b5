"""The settings of backups and of buckets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from app import config_values as v
from app.domain.schedule import Schedule, parse_schedule
from app.errors import ConfigurationError

# The rules of Amazon S3 for names of buckets.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """``target`` None: no backup is made by itself."""

    target: str | None
    schedule: Schedule
    keep: int
    passphrase_file: Path | None


@dataclass(frozen=True, slots=True)
class S3Settings:
    """How buckets are reached; ``endpoint`` empty: Amazon's own."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    endpoint: str
    region: str
    path_style: bool


def backup_settings(values: v.Values, instance: Path) -> dict[str, Any]:
    """Return the fields of Settings; a target that could never be written is refused here."""
    one, s3 = values.one, s3_settings(values)
    place = one("BACKUP_TARGET", "", target)
    passphrase = values.text("BACKUP_PASSPHRASE_FILE")
    if place.startswith("s3://") and not (s3.access_key_id and s3.secret_access_key):
        raise ConfigurationError(
            "BACKUP_TARGET is a bucket and takes S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY",
            operation="settings.backup",
        )
    if place and lies_inside(place, instance):
        raise ConfigurationError(
            "BACKUP_TARGET lies inside INSTANCE_PATH and would be lost with it: name another"
            " place",
            operation="settings.backup",
        )
    backup = BackupSettings(
        target=place or None,
        schedule=one("BACKUP_SCHEDULE", "daily 02:00", parse_schedule),
        keep=one("BACKUP_KEEP", "14", v.whole(1, 1000)),
        passphrase_file=Path(passphrase) if passphrase else None,
    )
    return {"backup": backup, "s3": s3}


def s3_settings(values: v.Values) -> S3Settings:
    """What a bucket needs; whoever names one checks that it is there."""
    one = values.one
    return S3Settings(
        access_key_id=values.text("S3_ACCESS_KEY_ID"),
        secret_access_key=values.text("S3_SECRET_ACCESS_KEY"),
        endpoint=one("S3_ENDPOINT", "", endpoint),
        region=values.text("S3_REGION", "us-east-1"),
        path_style=one("S3_PATH_STYLE", "true", v.boolean),
    )


def target(text: str) -> str:
    """Parse an absolute folder or ``s3://bucket/prefix``; empty: none."""
    if not text or text.startswith("/"):
        return text
    split_bucket(text)
    return text


def split_bucket(text: str) -> tuple[str, str]:
    """The bucket and the prefix of ``s3://bucket/prefix``; ValueError for anything else."""
    place = urlsplit(text)
    if place.scheme != "s3" or not _BUCKET.fullmatch(place.netloc) or place.query:
        raise ValueError("must be a folder with its whole path, or s3://bucket/prefix")
    return place.netloc, place.path.strip("/")


def lies_inside(text: str, instance: Path) -> bool:
    """Whether a target is a folder below the instance, whatever links lead there."""
    if text.startswith("s3://"):
        return False
    return Path(text).resolve().is_relative_to(instance.resolve())


def endpoint(text: str) -> str:
    """Parse the address of an S3 service: https, or http on this machine; empty: Amazon's."""
    place = urlsplit(text)
    sound = place.scheme == "https" or (place.scheme == "http" and place.hostname in _LOOPBACK)
    if text and not (sound and place.hostname):
        raise ValueError("must be an https address, or http on this machine")
    return text.rstrip("/")
