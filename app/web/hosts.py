"""Which hosts are ours, for Flask's guard and the short way alike."""

from __future__ import annotations

from collections.abc import Collection

from werkzeug.sansio.utils import host_is_trusted


def is_ours(host: str, known: Collection[str]) -> bool:
    """Tell whether a Host header (``name`` or ``name:port``) names one of ALLOWED_HOSTS.

    ``known`` is in lower case; a name that begins with a dot stands for all below it. An
    empty list knows nobody. Werkzeug checks the characters and the port; its own list of
    trusted hosts knows no IPv6 address.
    """
    if not host_is_trusted(host):
        return False
    name = host.lower()
    name = name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]
    return any(name == one or (one.startswith(".") and name.endswith(one)) for one in known)
