"""The settings that limit: sizes, times and rates."""

from __future__ import annotations

from typing import Any

from app import config_values as v


def limit_settings(values: v.Values) -> dict[str, Any]:
    """Return the fields of Settings."""
    one = values.one
    return {
        "upload_max_size": one("UPLOAD_MAX_SIZE", "104857600", v.byte_count),
        "upload_max_files": one("UPLOAD_MAX_FILES", "10", v.whole(1, 1000)),
        "image_max_pixels": one("IMAGE_MAX_PIXELS", "50000000", v.whole(1, 10**10)),
        "image_max_side": one("IMAGE_MAX_SIDE", "32767", v.whole(1, 65535)),
        "image_max_frames": one("IMAGE_MAX_FRAMES", "2000", v.whole(1, 10**6)),
        "decode_timeout_seconds": one("DECODE_TIMEOUT_SECONDS", "20", v.whole(1, 3600)),
        "decode_memory": one("DECODE_MEMORY_MB", "1024", v.whole(256, 65536)) << 20,
        "quota_default": one("QUOTA_DEFAULT", "10 GiB", v.byte_count),
        "derivatives_size": one("DERIVATIVES_CACHE_SIZE", "5 GiB", v.byte_count),
        "trash_days": one("TRASH_DAYS", "30", v.whole(0, 3650)),
        "task_lease_minutes": one("TASK_LEASE_MINUTES", "30", v.whole(5, 1440)),
        "scrub_days": one("SCRUB_DAYS", "30", v.whole(0, 3650)),
        "scrub_budget_minutes": one("SCRUB_BUDGET_MINUTES", "10", v.whole(1, 50)),
        "signed_url_expiry": one("SIGNED_URL_EXPIRY", "3600", v.whole(1, 31536000)),
        "media_cache": one("MEDIA_CACHE", "revalidate", v.one_of("revalidate", "off")),
        "ratelimit_upload": one("RATELIMIT_UPLOAD", "10 per minute", v.rate),
        "ratelimit_api": one("RATELIMIT_API", "100 per hour", v.rate),
        "ratelimit_session": one("RATELIMIT_SESSION", "6000 per minute", v.rate),
        "ratelimit_login": one("RATELIMIT_LOGIN", "10 per 15 minutes", v.rate),
    }
