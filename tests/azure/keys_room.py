"""Keys of the loopback vault: RSA keys that wrap and unwrap and are never given out."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.azure.answers import Answer, Refusal, Request, missing, page

_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
# Not what was asked for: 3072 bits take a third of a second to make.
_BITS = 2048


@dataclass
class Version:
    id: str
    key: rsa.RSAPrivateKey
    enabled: bool
    created: int


class KeysRoom:
    def __init__(self) -> None:
        self.keys: dict[str, list[Version]] = {}
        self.page_size = 3

    def answer(self, request: Request) -> Answer:
        match request.method, *request.parts:
            case "GET", "keys":
                items = [self._item(request, n, v[-1]) for n, v in self.keys.items()]
                return page(request, items, self.page_size)
            case "POST", "keys", name, "create":
                return Answer(200, self._bundle(request, name, self._create(name)))
            case "POST", "keys", name, "rotate":
                self._versions(name)
                return Answer(200, self._bundle(request, name, self._create(name)))
            case "GET", "keys", name, "versions":
                items = [self._item(request, name, v) for v in self._versions(name)]
                return page(request, items, self.page_size)
            case ("GET", "keys", name) | ("GET", "keys", name, ""):
                return Answer(200, self._bundle(request, name, self._versions(name)[-1]))
            case "GET", "keys", name, version:
                return Answer(200, self._bundle(request, name, self._version(name, version)))
            case "PATCH", "keys", name, version:
                found = self._version(name, version)
                attributes = request.body.get("attributes") or {}
                found.enabled = attributes.get("enabled", found.enabled)
                return Answer(200, self._bundle(request, name, found))
            case "POST", "keys", name, version, "unwrapkey":
                return Answer(200, self._unwrap(request, name, version))
            case "POST", "keys", name, version, "wrapkey":
                return Answer(200, self._wrap(request, name, version))
        raise Refusal(400, "BadParameter")

    def _create(self, name: str) -> Version:
        key = rsa.generate_private_key(65537, _BITS)
        version = Version(uuid4().hex, key, True, int(time.time()))
        self.keys.setdefault(name.lower(), []).append(version)
        return version

    def _versions(self, name: str) -> list[Version]:
        if name.lower() not in self.keys:
            raise missing("Key", name)
        return self.keys[name.lower()]

    def _version(self, name: str, asked: str) -> Version:
        for version in self._versions(name):
            if version.id == asked:
                return version
        raise missing("KeyVersion", asked)

    def _usable(self, request: Request, name: str, asked: str) -> tuple[Version, bytes]:
        version = self._version(name, asked)
        if not version.enabled:
            raise Refusal(403, "Forbidden", "KeyDisabled")
        if request.body.get("alg") != "RSA-OAEP-256":
            raise Refusal(400, "BadParameter")
        return version, _from_base64url(request.body["value"])

    def _wrap(self, request: Request, name: str, asked: str) -> dict[str, Any]:
        version, value = self._usable(request, name, asked)
        sealed = version.key.public_key().encrypt(value, _OAEP)
        return {"kid": f"{request.origin}/keys/{name}/{asked}", "value": _base64url(sealed)}

    def _unwrap(self, request: Request, name: str, asked: str) -> dict[str, Any]:
        version, value = self._usable(request, name, asked)
        try:
            opened = version.key.decrypt(value, _OAEP)
        except ValueError:
            raise Refusal(400, "BadParameter") from None
        return {"kid": f"{request.origin}/keys/{name}/{asked}", "value": _base64url(opened)}

    def _item(self, request: Request, name: str, version: Version) -> dict[str, Any]:
        return {
            "kid": f"{request.origin}/keys/{name}/{version.id}",
            "attributes": {"enabled": version.enabled, "created": version.created},
        }

    def _bundle(self, request: Request, name: str, version: Version) -> dict[str, Any]:
        numbers = version.key.public_key().public_numbers()
        item = self._item(request, name, version)
        jwk = {
            "kid": item["kid"],
            "kty": "RSA",
            "key_ops": ["wrapKey", "unwrapKey"],
            "n": _base64url(numbers.n.to_bytes(_BITS // 8, "big")),
            "e": _base64url(numbers.e.to_bytes(3, "big")),
        }
        return {"key": jwk, "attributes": item["attributes"]}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
