"""A vault of Azure on loopback, over TLS: sign-in, challenge, secrets, keys, faults.

The real client libraries talk to it, with the connection verified against an authority of
its own. What it does is told in docs/adr/0012; where Azure's documentation is silent it does
what is harder for the client.
"""

from __future__ import annotations

import base64
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

from tests.azure.answers import Answer, Refusal, Request
from tests.azure.keys_room import KeysRoom
from tests.azure.secrets_room import SecretsRoom

TENANT = "11111111-2222-3333-4444-555555555555"
CLIENT = "66666666-7777-8888-9999-000000000000"
SCOPE = "https://vault.azure.net/.default"

Fault = Callable[[Request], Answer | None]


class AzureCloud:
    """The state behind the addresses; ``client_secret`` is what lets an application in.

    A fault sees every authorised request first and may answer in the vault's place.
    ``requests`` counts what was asked, as ``"GET secrets"``.
    """

    def __init__(self) -> None:
        self.client_secret = f"PLANTED-{uuid4().hex}"
        self.secrets = SecretsRoom()
        self.keys = KeysRoom()
        self.faults: list[Fault] = []
        self.requests: Counter[str] = Counter()
        self.token_seconds = 3600
        self.refuses_everybody = False
        self._tokens: dict[str, float] = {}
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer:
        try:
            if request.parts[0] == TENANT:
                return self._sign_in(request)
            if not self._is_authorised(request):
                return _challenge(request)
            self.requests[f"{request.method} {request.parts[0]}"] += 1
            for fault in list(self.faults):
                if (answer := fault(request)) is not None:
                    return answer
            with self._lock:
                if self.refuses_everybody:
                    raise Refusal(403, "Forbidden", "ForbiddenByPolicy")
                room = self.keys if request.parts[0] == "keys" else self.secrets
                return room.answer(request)
        except Refusal as refusal:
            return refusal.answer

    def forget_tokens(self) -> None:
        """What was given out is worth nothing any more."""
        self._tokens.clear()

    def fail_next(self, count: int, status: int, **headers: str) -> None:
        """Answer the next ``count`` requests with an error."""
        left = [count]

        def fault(_request: Request) -> Answer | None:
            if left[0] <= 0:
                return None
            left[0] -= 1
            return Refusal(status, "Planted", **headers).answer

        self.faults.append(fault)

    def hang(self, seconds: float) -> None:
        """Take every request and answer it much later."""
        self.faults.append(lambda _request: time.sleep(seconds))

    def _sign_in(self, request: Request) -> Answer:
        if request.parts[-1] == "openid-configuration":
            base = f"{request.origin}/{TENANT}"
            return Answer(
                200,
                {
                    "issuer": f"{base}/v2.0",
                    "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{base}/oauth2/v2.0/token",
                },
            )
        form = request.form
        sound = {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "client_secret": self.client_secret,
            "scope": SCOPE,
        }
        if request.parts[-1] != "token" or any(form.get(n) != v for n, v in sound.items()):
            text = "AADSTS7000215: Invalid client secret provided."
            return Answer(401, {"error": "invalid_client", "error_description": text})
        token = f"PLANTED-TOKEN-{uuid4().hex}"
        self._tokens[token] = time.monotonic() + self.token_seconds
        return Answer(
            200,
            {
                "token_type": "Bearer",
                "expires_in": self.token_seconds,
                "access_token": token,
            },
        )

    def _is_authorised(self, request: Request) -> bool:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return time.monotonic() < self._tokens.get(token, 0.0)


def _challenge(request: Request) -> Answer:
    tenant, resource = f"{request.origin}/{TENANT}", "https://vault.azure.net"
    said = f'Bearer authorization="{tenant}", resource="{resource}"'
    if "Authorization" in request.headers:  # it was taken back: the client must not reuse it
        claims = base64.b64encode(b'{"access_token":{"nbf":{"essential":true}}}').decode()
        said += f', error="insufficient_claims", claims="{claims}"'
    body = {"error": {"code": "Unauthorized", "message": "AKV10000: no token"}}
    return Answer(401, body, {"WWW-Authenticate": said})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = self.headers.get("Content-Type", "")
        target = urlsplit(self.path)
        server: Any = self.server
        answer = server.cloud.answer(
            Request(
                method=self.command,
                parts=tuple(target.path.strip("/").split("/")),
                query=dict(parse_qsl(target.query)),
                headers=self.headers,  # type: ignore[arg-type]
                body=json.loads(raw) if raw and "json" in kind else {},
                form=dict(parse_qsl(raw.decode())) if "form" in kind else {},
                origin=server.origin,
            )
        )
        data = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_args: object) -> None:
        """Tests look at the log of the client."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up is what some tests are about."""


class AzureServer:
    """The cloud behind a port of loopback; it can be stopped and started again there."""

    def __init__(self, certificate: Path) -> None:
        self.cloud = AzureCloud()
        self._certificate = certificate
        self._port = 0
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    def start(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate)
        server = _Server(("127.0.0.1", self._port), _Handler)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._port = server.server_address[1]
        server.cloud, server.origin = self.cloud, self.url  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        self._server = server

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
