"""Signed addresses: ``/m/<token>`` shows one variant of one image until it expires.

Token, base64url without padding, all integers big endian::

    off len field
      0   1  version      01
      1   1  purpose      01 view  02 download
      2   1  role         as in the header of the blob: 01 original, 02 thumbnail, 03 preview
      3   4  variant      size of a thumbnail, else 0
      7   4  link_epoch   of the image; raising it revokes every address of the image
     11   8  expires      Unix time in seconds
     19  16  image id
     35   4  key id       first 4 bytes of the version of the root key ``url``
     39  16  mac          HMAC-SHA-256 over bytes 0..38, cut to 16 bytes
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.crypto.context import Role
from app.crypto.mac import sign
from app.errors import NotFound

if TYPE_CHECKING:
    from app.services.keys import RootKeys

ROOT: Final = "url"
_BODY = struct.Struct(">BBBIIQ16s4s")
_MAC_BYTES = 16
_DOMAIN = b"darkroom/url/v1"
TOKEN_BYTES = _BODY.size + _MAC_BYTES


class Purpose(IntEnum):
    """What an address is for: shown in place, or saved under the file's real name."""

    VIEW = 1
    DOWNLOAD = 2


@dataclass(frozen=True, slots=True)
class SignedView:
    """What an address says; ``expires`` is Unix time in seconds."""

    image_id: UUID
    role: Role
    variant: int
    purpose: Purpose
    link_epoch: int
    expires: int


def sign_view(view: SignedView, roots: RootKeys) -> str:
    """Return the token of an address."""
    active = roots.active(ROOT)
    body = _BODY.pack(
        1,
        view.purpose,
        view.role,
        view.variant,
        view.link_epoch,
        view.expires,
        view.image_id.bytes,
        active.version[:4],
    )
    token = body + sign(active.key, _DOMAIN, body)[:_MAC_BYTES]
    return _encode(token)


def read_token(token: str, roots: RootKeys) -> SignedView:
    """Return what an authentic token says, expired or not; NotFound for anything else."""
    raw = _decode(token)
    body, mac = raw[: _BODY.size], raw[_BODY.size :]
    version, purpose, role, variant, epoch, expires, image_id, key_id = _BODY.unpack(body)
    root = roots.find(ROOT, key_id)
    if root is None or not hmac.compare_digest(sign(root.key, _DOMAIN, body)[:_MAC_BYTES], mac):
        raise _no_such_address()
    if version != 1:
        raise _no_such_address()
    return SignedView(
        UUID(bytes=image_id), Role(role), variant, Purpose(purpose), epoch, expires
    )


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decode(token: str) -> bytes:
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _no_such_address() from None
    if len(raw) != TOKEN_BYTES or _encode(raw) != token:  # one spelling for one address
        raise _no_such_address()
    return raw


def _no_such_address() -> NotFound:
    return NotFound("There is nothing at this address.", operation="url.read")
