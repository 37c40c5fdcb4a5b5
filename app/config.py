"""Settings, frozen and typed, from the environment and then ``.env``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values

from app import config_values as v
from app.config_alerts import alert_settings
from app.config_backup import BackupSettings, S3Settings, backup_settings
from app.config_limits import limit_settings
from app.config_values import Network
from app.config_vault import VaultSettings, vault_settings, vault_warnings
from app.crypto.keys import SecretKey, parse_master_key
from app.errors import ConfigurationError

TOP = Path(__file__).resolve().parent.parent
ENV_FILE = TOP / ".env"
DEFAULT_SECRETS = frozenset({"change-me", "changeme", "secret", "dev", "your-secret-key"})

RENAMED = {
    "MONGODB_URI": "DATABASE_URL",
    "MONGODB_DB_NAME": "DATABASE_URL",
    "R2_ACCESS_KEY_ID": "STORE_URL and S3_ACCESS_KEY_ID",
    "R2_SECRET_ACCESS_KEY": "STORE_URL and S3_SECRET_ACCESS_KEY",
    "R2_BUCKET": "STORE_URL",
    "R2_ENDPOINT": "STORE_URL and S3_ENDPOINT",
    "R2_REGION": "STORE_URL and S3_REGION",
    "NEXTAUTH_URL": "PUBLIC_URL",
    "NEXTAUTH_SECRET": "SECRET_KEY",
    "API_KEY": "the command api-keys create",
    "ADMIN_API_KEY": "the command api-keys create",
    "FAL_API_KEY": "nothing: no model is run here",
}
"""Names of the documents that Darkroom came from, and what serves instead."""

NOT_YET = ("REDIS_URL", "CLAMAV_URL")
"""Asked for, they would promise something that this version does not do: refused."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings; sizes in bytes, times in the unit that the name says."""

    instance_path: Path
    bind: str
    web_concurrency: int
    web_threads: int
    public_url: str
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[Network, ...]
    cors_origins: tuple[str, ...]
    secret_key: str = field(repr=False)
    session_idle_minutes: int
    session_max_days: int
    encryption_key: SecretKey = field(repr=False)
    encryption_key_previous: tuple[SecretKey, ...] = field(repr=False)
    image_encryption_key: str = field(repr=False)
    rotation_days: int
    rotation_budget_minutes: int
    chunk_size: int
    stream_chunk: int
    key_grace_hours: int
    keying: Literal["direct", "envelope"]
    vault: VaultSettings
    vault_path: Path
    vault_cache_minutes: int
    database_url: str = field(repr=False)
    store_path: Path
    upload_max_size: int
    upload_max_files: int
    image_max_pixels: int
    image_max_side: int
    image_max_frames: int
    decode_timeout_seconds: int
    decode_memory: int
    quota_default: int
    derivatives_size: int
    trash_days: int
    task_lease_minutes: int
    scrub_days: int
    scrub_budget_minutes: int
    signed_url_expiry: int
    media_cache: str
    ratelimit_upload: str
    ratelimit_api: str
    ratelimit_session: str
    ratelimit_login: str
    jobs_embedded: bool
    jobs_threads: int
    jobs_keep_days: int
    registration_open: bool
    log_format: str
    metrics_token: str = field(repr=False)
    alert_webhook_url: str = field(repr=False)
    alert_webhook_secret: str = field(repr=False)
    alert_email: str = field(repr=False)
    alert_crypto_p95_ms: int
    backup: BackupSettings
    s3: S3Settings
    smtp_url: str = field(repr=False)

    @property
    def https(self) -> bool:
        """Whether people come by https, as PUBLIC_URL says."""
        return self.public_url.startswith("https://")


def load_settings(
    environ: Mapping[str, str], env_file: Path | None = None
) -> tuple[Settings, list[str]]:
    """Return the settings and warnings in words.

    ``env_file`` is read below the environment if it exists. Raises ConfigurationError
    (one sentence) for a wrong value and EncryptionError for a wrong master key.
    """
    values = _sources(environ, env_file)
    _refuse_what_is_not_there_yet(values)
    _refuse_switches(values)
    return _settings(values), warnings_of(values) + vault_warnings(values)


def setting_names() -> dict[str, str]:
    """Return every setting that is read, with its default as text."""
    values = v.Values(
        {"ENCRYPTION_KEY": "0" * 62 + "01", "SECRET_KEY": "0123456789abcdef" * 4}, {}
    )
    _refuse_switches(values)
    _settings(values)
    return values.asked


def warnings_of(values: v.Values) -> list[str]:
    """Name what replaced each setting of the founding documents that is still set."""
    return [f"{old} is not used: set {new}" for old, new in RENAMED.items() if values.has(old)]


def _sources(environ: Mapping[str, str], env_file: Path | None) -> v.Values:
    file: dict[str, str | None] = {}
    if env_file is not None and env_file.is_file():
        v.refuse_if_readable_by_others(env_file)
        file = dotenv_values(env_file, interpolate=False)
    return v.Values(environ, file)


def _refuse_what_is_not_there_yet(values: v.Values) -> None:
    for name in NOT_YET:
        if values.has(name):
            raise ConfigurationError(
                f"{name} is set, but this version cannot honour it yet: remove it",
                operation="settings.unsupported",
            )


def _refuse_switches(values: v.Values) -> None:
    """The settings of the founding documents that could have turned encryption off."""
    off = "nothing is ever stored unencrypted"
    values.one("ENCRYPTION_ENABLED", "true", v.only("true", off))
    values.one("KEY_VAULT_ENABLED", "true", v.only("true", "keys live in a key vault"))
    values.one(
        "ENCRYPTION_ALGORITHM", "AES-256-GCM", v.only("AES-256-GCM", "see docs/adr/0001")
    )


def _secret_key(text: str) -> str:
    if not text:
        raise ValueError("is not set: run python3 dev.py run once, or set 64 random characters")
    if text.lower() in DEFAULT_SECRETS or len(text) < 32 or len(set(text)) < 8:
        raise ValueError("is a default or too short: use at least 32 random characters")
    return text


def _previous(text: str) -> tuple[SecretKey, ...]:
    return tuple(parse_master_key(part) for part in v.names(text))


def _sqlite(instance: Path) -> Callable[[str], str]:
    """Accept ``sqlite:///file``; a relative file lies below INSTANCE_PATH."""

    def parse(text: str) -> str:
        if not text.startswith("sqlite:///"):
            raise ValueError("must be sqlite:///file in this version")
        return f"sqlite:///{instance / text.removeprefix('sqlite:///')}"

    return parse


def _folder(instance: Path) -> Callable[[str], Path]:
    """Accept ``file:folder``; a relative folder lies below INSTANCE_PATH."""

    def parse(text: str) -> Path:
        if not text.startswith("file:"):
            raise ValueError("must be file:folder in this version")
        return instance / text.removeprefix("file:").removeprefix("//")

    return parse


def _hosts(values: v.Values, public_url: str) -> tuple[str, ...]:
    host = urlsplit(public_url).hostname or "localhost"
    own = ("localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host)
    return tuple(dict.fromkeys(values.one("ALLOWED_HOSTS", "", v.names) or own))


def _one_worker(text: str) -> int:
    if v.whole(1, 64)(text) != 1:
        raise ValueError("must be 1: more workers need REDIS_URL, which comes later")
    return 1


def _settings(values: v.Values) -> Settings:
    instance = (TOP / values.text("INSTANCE_PATH", "instance")).absolute()
    return Settings(
        instance_path=instance,
        **_web(values),
        **_keys(values, instance),
        **_places(values, instance),
        **limit_settings(values),
        **alert_settings(values),
        **backup_settings(values, instance),
    )


def _web(values: v.Values) -> dict[str, Any]:
    one = values.one
    bind = one("BIND", "127.0.0.1:8000", v.address)
    public_url = one("PUBLIC_URL", f"http://{bind}", v.web_origin)
    return {
        "bind": bind,
        "web_concurrency": one("WEB_CONCURRENCY", "1", _one_worker),
        "web_threads": one("WEB_THREADS", "24", v.whole(2, 512)),
        "public_url": public_url,
        "allowed_hosts": _hosts(values, public_url),
        "trusted_proxies": one("TRUSTED_PROXIES", "", v.networks),
        "cors_origins": one("BACKEND_CORS_ORIGINS", "", v.origins),
        "secret_key": one("SECRET_KEY", "", _secret_key),
        "session_idle_minutes": one("SESSION_IDLE_MINUTES", "120", v.whole(1, 43200)),
        "session_max_days": one("SESSION_MAX_DAYS", "14", v.whole(1, 365)),
        "jobs_embedded": one("JOBS_EMBEDDED", "true", v.boolean),
        "jobs_threads": one("JOBS_THREADS", "4", v.whole(1, 64)),
        "jobs_keep_days": one("JOBS_KEEP_DAYS", "7", v.whole(1, 365)),
        "registration_open": one("REGISTRATION_OPEN", "false", v.boolean),
        "log_format": one("LOG_FORMAT", "console", v.one_of("console", "json")),
        "metrics_token": values.text("METRICS_TOKEN"),
    }


def _keys(values: v.Values, instance: Path) -> dict[str, Any]:
    one = values.one
    cached = one("KEY_VAULT_CACHE_ENABLED", "true", v.boolean)
    minutes = one("KEY_VAULT_CACHE_DURATION_MINUTES", "60", v.whole(1, 1440))
    return {
        "encryption_key": parse_master_key(values.text("ENCRYPTION_KEY") or None),
        "encryption_key_previous": _previous(values.text("ENCRYPTION_KEY_PREVIOUS")),
        "image_encryption_key": values.text("IMAGE_ENCRYPTION_KEY"),
        "rotation_days": one("ENCRYPTION_KEY_ROTATION_DAYS", "30", v.whole(0, 3650)),
        "rotation_budget_minutes": one("ROTATION_BUDGET_MINUTES", "10", v.whole(1, 60)),
        "chunk_size": one("ENCRYPTION_CHUNK_SIZE_MB", "5", v.whole(1, 64)) << 20,
        "stream_chunk": one("ENCRYPTION_STREAM_CHUNK_KIB", "256", v.whole(4, 65536)) << 10,
        "key_grace_hours": one("KEY_GRACE_HOURS", "24", v.whole(0, 8760)),
        "keying": one("KEY_VAULT_KEYING", "direct", v.one_of("direct", "envelope")),
        "vault": vault_settings(values),
        "vault_path": instance / values.text("KEY_VAULT_LOCAL_PATH", "secrets"),
        "vault_cache_minutes": minutes if cached else 0,
    }


def _places(values: v.Values, instance: Path) -> dict[str, Any]:
    one = values.one
    return {
        "database_url": one("DATABASE_URL", "sqlite:///darkroom.db", _sqlite(instance)),
        "store_path": one("STORE_URL", "file:store", _folder(instance)),
    }
