"""Parsers of single settings: text in, value out, one sentence when it is wrong."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TypeVar

from app.errors import ConfigurationError

T = TypeVar("T")
Network = IPv4Network | IPv6Network

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_UNITS = {"": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}


def refuse_if_readable_by_others(path: Path) -> None:
    """Raise ConfigurationError when group or world can read a file with secrets."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigurationError(
            f"{path.name} can be read by others: run chmod 600 on it, then start again",
            operation="settings.permissions",
        )


class Values:
    """The environment over the .env file, with NAME_FILE for mounted secrets.

    Every name that is asked for is remembered in ``asked``, so that a test can compare the
    settings that exist with the documentation.
    """

    def __init__(self, environ: Mapping[str, str], file: Mapping[str, str | None]) -> None:
        self._sources: tuple[Mapping[str, str | None], ...] = (environ, file)
        self.asked: dict[str, str] = {}

    def text(self, name: str, default: str = "") -> str:
        """Return the setting, stripped; an empty value counts as not set."""
        self.asked[name] = default
        for source in self._sources:
            mounted = source.get(f"{name}_FILE")
            value = self._read(name, mounted) if mounted else source.get(name)
            if value is not None and value.strip():
                return value.strip()
        return default

    def has(self, name: str) -> bool:
        """Tell whether the setting has a value, without counting it as asked for."""
        return any(source.get(name) or source.get(f"{name}_FILE") for source in self._sources)

    def one(self, name: str, default: str, parse: Callable[[str], T]) -> T:
        """Parse the setting; a ValueError becomes one sentence with its name."""
        text = self.text(name, default)
        try:
            return parse(text)
        except ValueError as wrong:
            raise ConfigurationError(f"{name} {wrong}", operation="settings.parse") from None

    def _read(self, name: str, mounted: str) -> str:
        path = Path(mounted)
        try:
            refuse_if_readable_by_others(path)
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(
                f"{name}_FILE names a file that cannot be read", operation="settings.read"
            ) from None


def boolean(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("must be true or false")


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser of whole numbers within [low, high]."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?\d{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return parse


def byte_count(text: str) -> int:
    """Parse ``104857600`` or ``10 GiB`` (KiB, MiB, GiB, TiB)."""
    match = re.fullmatch(r"(\d{1,15})\s*([A-Za-z]*)", text)
    if match is None or match[2].lower() not in _UNITS:
        raise ValueError("must be a number of bytes, such as 104857600 or 10 GiB")
    return int(match[1]) * _UNITS[match[2].lower()]


def one_of(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError("must be one of: " + ", ".join(allowed))
        return text

    return parse


def only(value: str, why: str) -> Callable[[str], str]:
    """Accept one value alone, and say why there is no other."""

    def parse(text: str) -> str:
        if text.lower() != value.lower():
            raise ValueError(f"accepts no other value than {value}: {why}")
        return value

    return parse


def names(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def web_origin(text: str) -> str:
    """Parse ``scheme://host[:port]`` without path."""
    stripped = text.rstrip("/")
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+", stripped):
        raise ValueError("must be an address such as https://pictures.example.org")
    return stripped


def origins(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of origins; there is no wildcard."""
    return tuple(web_origin(part) for part in names(text))


def networks(text: str) -> tuple[Network, ...]:
    """Parse a comma-separated list of addresses and networks, such as 10.0.0.0/8."""
    try:
        return tuple(ip_network(part) for part in names(text))
    except ValueError:
        raise ValueError("must be a list of addresses or networks, such as 10.0.0.1") from None


def address(text: str) -> str:
    """Parse ``host:port``."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.\-]+):(\d{1,5})", text)
    if match is None or not 0 < int(match[2]) < 65536:
        raise ValueError("must be an address and a port, such as 127.0.0.1:8000")
    return text


def rate(text: str) -> str:
    """Parse ``10 per minute`` or ``10 per 15 minutes``."""
    if not re.fullmatch(r"\d+ per (\d+ )?(second|minute|hour|day)s?", text):
        raise ValueError("must be a rate such as 10 per minute or 10 per 15 minutes")
    return text
