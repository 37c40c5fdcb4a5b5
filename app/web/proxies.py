"""Believe X-Forwarded-* only from the proxies that TRUSTED_PROXIES names."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Network = IPv4Network | IPv6Network
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
"""How the names of headers begin that a proxy adds."""


class TrustedProxies:
    """WSGI middleware: the client's address and scheme as a trusted proxy reports them.

    The headers themselves go no further: libraries that would believe them from anybody do
    not see them. ``darkroom.forwarded`` in the environ tells that there were any.

    The chain in X-Forwarded-For is read from the right, and the first address that is not a
    trusted proxy is the client. What an untrusted peer sends is left unread.
    """

    def __init__(self, app: WSGIApplication, networks: tuple[Network, ...]) -> None:
        self._app = app
        self._networks = networks

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        added = [name for name in environ if name.startswith(_FORWARDED)]
        environ["darkroom.forwarded"] = bool(added)
        if self._networks and self._trusted(environ.get("REMOTE_ADDR", "")):
            self._take_over(environ)
        for name in added:
            del environ[name]
        return self._app(environ, start_response)

    def _take_over(self, environ: WSGIEnvironment) -> None:
        chain = [part.strip() for part in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        client = next((hop for hop in reversed(chain) if hop and not self._trusted(hop)), None)
        if client is not None and _is_address(client):
            environ["REMOTE_ADDR"] = client
        scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").split(",")[-1].strip()
        if scheme in {"http", "https"}:
            environ["wsgi.url_scheme"] = scheme

    def _trusted(self, address: str) -> bool:
        if not _is_address(address):
            return False
        parsed = ip_address(address)
        return any(parsed in network for network in self._networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
