"""Which picture a task of Label Studio is of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from app.domain.names import refuse
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import clean_path

_USUAL: Final = ("image", "img", "ocr", "picture", "photo", "image_url", "url")
_UPLOADED: Final = re.compile(r"(?:^|/)data/upload/(?:\d+/)?(?:[0-9a-f]{8}-)?([^/]+)$")
_SUFFIXES: Final = frozenset(
    ".jpg .jpeg .png .gif .webp .avif .heic .tif .tiff .bmp".split()  # noqa: SIM905
)


def image_key(data: Mapping[str, Any]) -> str | None:
    """The member that tells the picture: by its usual name, else by what it looks like."""
    texts = {name: value for name, value in data.items() if isinstance(value, str)}
    usual = next((name for name in _USUAL if name in texts), None)
    return usual or next((name for name, value in texts.items() if _is_image(value)), None)


def picture_path(told: str, place: str, ledger: Ledger) -> str:
    """The path in an address or a path. The eight digits that Label Studio puts before the
    name of an upload are taken off. Raises ``InvalidInput``."""
    if told.startswith("data:"):
        ledger.add(LossCode.EMBEDDED_PICTURE, place)
        raise refuse(place, "This task holds its picture itself; it needs a name of a file.")
    path = _path(told, place)
    uploaded = _UPLOADED.search(path)
    return clean_path(uploaded[1] if uploaded else path, place, ledger)


def _path(told: str, place: str) -> str:
    if not told.startswith("/data/local-files") and "://" not in told:
        return unquote(told) if told.startswith("/data/") else told
    try:
        parts = urlsplit(told)
    except ValueError:
        raise refuse(place, "This is no address of a picture.") from None
    local = parse_qs(parts.query).get("d")
    return local[0] if local else unquote(parts.path)


def _is_image(told: str) -> bool:
    path = told.split("?")[0]
    return PurePosixPath(path).suffix.lower() in _SUFFIXES
