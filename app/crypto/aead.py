"""Sealing of small values: database columns and the private part of a sidecar."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV

from app.crypto.context import KEY_VERSION_BYTES
from app.crypto.keys import SecretKey
from app.crypto.mac import length_prefixed
from app.errors import DecryptionFailed, EncryptionError

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16

TOKEN_MARK: Final = b"\xdc\x01"
KEY_ID_BYTES: Final = 4
_KEY_ID = slice(3, 7)
_NONCE = slice(7, 19)
_HEAD = slice(0, 7)
_SEALED = slice(19, None)
TOKEN_OVERHEAD: Final = 7 + NONCE_BYTES + TAG_BYTES
_TOKEN_DOMAIN: Final = b"darkroom/col/v1"

PRIVATE_BLOCK_BYTES: Final = 256


class ColumnCipher:
    """Seals the values of encrypted columns.

    A token::

        off len field
          0   2  mark    DC 01
          2   1  codec   what the payload is; the caller's choice
          3   4  key_id  first 4 bytes of the root key's version
          7  12  nonce   random
         19  ..  sealed  AES-256-GCM-SIV ciphertext || 16-byte tag

    AAD = length-prefixed [``darkroom/col/v1``, context, the token's first 7 bytes], lengths
    as u32: a token opens in no other column. AES-GCM-SIV (RFC 8452) keeps random nonces
    safe far beyond 2^32 values.

    ``unknown`` is asked for a cipher that has a key id which this one lacks, since another
    process may have made a new key; None: there is no such key.

    ``keys`` maps a 16-byte version id to its root key; ``active`` is the version that
    seals. There is one cipher object a key, made once: making it costs more than sealing a
    label. The object may be shared by threads.

    Raises `EncryptionError` when the keys cannot be told apart or the active one is missing.
    """

    __slots__ = ("_active", "_active_id", "_ciphers", "_unknown")

    def __init__(
        self,
        keys: Mapping[bytes, SecretKey],
        active: bytes,
        unknown: Callable[[bytes], ColumnCipher | None] = lambda _key_id: None,
    ) -> None:
        self._ciphers = {
            _key_id_of(version): AESGCMSIV(key.reveal()) for version, key in keys.items()
        }
        if len(self._ciphers) != len(keys) or active not in keys:
            raise EncryptionError("The column keys are ambiguous", operation="column.keys")
        self._unknown = unknown
        self._active_id = _key_id_of(active)
        self._active = self._ciphers[self._active_id]

    def __repr__(self) -> str:
        return f"<ColumnCipher of {len(self._ciphers)} keys>"

    def seal(self, codec: int, context: str, payload: bytes) -> bytes:
        """A fresh token of ``payload``, 35 bytes longer; ``codec`` is 0 to 255."""
        head = TOKEN_MARK + bytes((codec,)) + self._active_id
        nonce = os.urandom(NONCE_BYTES)
        return head + nonce + self._active.encrypt(nonce, payload, _aad(context) + head)

    def open(self, context: str, token: bytes) -> tuple[int, bytes]:
        """(codec, payload); raises `DecryptionFailed` for whatever is not a token of here.

        The key id selects one key: there is no trial decryption.
        """
        if len(token) < TOKEN_OVERHEAD or token[:2] != TOKEN_MARK:
            raise DecryptionFailed(operation="column.open")
        cipher = self._ciphers.get(token[_KEY_ID])
        if cipher is None:
            return self._other(token).open(context, token)
        try:
            aad = _aad(context) + token[_HEAD]
            return token[2], cipher.decrypt(token[_NONCE], token[_SEALED], aad)
        except InvalidTag:
            raise DecryptionFailed(operation="column.open") from None

    def sealer(self, codec: int, context: str) -> Callable[[bytes], bytes]:
        """:meth:`seal` for one column: head and AAD are made once."""
        head = TOKEN_MARK + bytes((codec,)) + self._active_id
        aad, encrypt, random = _aad(context) + head, self._active.encrypt, os.urandom

        def seal(payload: bytes) -> bytes:
            nonce = random(NONCE_BYTES)
            return head + nonce + encrypt(nonce, payload, aad)

        return seal

    def opener(self, codec: int, context: str) -> Callable[[bytes], bytes]:
        """:meth:`open` for one column and codec; any other token is `DecryptionFailed`."""
        known = {}
        for key_id, cipher in self._ciphers.items():
            head = TOKEN_MARK + bytes((codec,)) + key_id
            known[head] = (cipher.decrypt, _aad(context) + head)

        def open_token(token: bytes) -> bytes:
            try:
                decrypt, aad = known[token[_HEAD]]
                return decrypt(token[_NONCE], token[_SEALED], aad)
            except KeyError:
                return self._other(token).opener(codec, context)(token)
            except (ValueError, InvalidTag):  # cut short, damaged
                raise DecryptionFailed(operation="column.open") from None

        return open_token

    def _other(self, token: bytes) -> ColumnCipher:
        """Who has the key of a token that this one lacks; `DecryptionFailed` if nobody."""
        known = self.key_id(token) in self._ciphers
        other = None if known else self._unknown(self.key_id(token))
        if other is None or self.key_id(token) not in other._ciphers:  # noqa: SLF001 - its own kind
            raise DecryptionFailed(operation="column.open")
        return other

    @staticmethod
    def key_id(token: bytes) -> bytes:
        """The 4-byte id of the key that sealed the token; `DecryptionFailed` if it is none."""
        if len(token) < TOKEN_OVERHEAD or token[:2] != TOKEN_MARK:
            raise DecryptionFailed(operation="column.key_id")
        return token[_KEY_ID]

    @property
    def active_key_id(self) -> bytes:
        """The key id that new tokens carry."""
        return self._active_id


def _key_id_of(version: bytes) -> bytes:
    if len(version) != KEY_VERSION_BYTES:
        raise EncryptionError("A key's version id has 16 bytes", operation="column.keys")
    return version[:KEY_ID_BYTES]


@lru_cache(maxsize=256)
def _aad(context: str) -> bytes:
    """The AAD but for the token's own 7 bytes; contexts are constants of the program."""
    return length_prefixed(_TOKEN_DOMAIN, context.encode("utf-8")) + b"\x00\x00\x00\x07"


def seal_private(key: SecretKey, plain: bytes, aad: bytes) -> bytes:
    """``nonce 12 || AES-256-GCM ciphertext || tag 16`` of a sidecar's private JSON.

    ``key`` is k_sidecar. The text is padded with spaces to a multiple of 256 bytes, so that
    its length does not tell the length of a filename.
    """
    padded = plain.ljust(-(-len(plain) // PRIVATE_BLOCK_BYTES) * PRIVATE_BLOCK_BYTES)
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key.reveal()).encrypt(nonce, padded, aad)


def open_private(key: SecretKey, sealed: bytes, aad: bytes) -> bytes:
    """The text with its padding, which JSON ignores; raises `DecryptionFailed`."""
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise DecryptionFailed(operation="sidecar.open")
    try:
        nonce, body = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return AESGCM(key.reveal()).decrypt(nonce, body, aad)
    except InvalidTag:
        raise DecryptionFailed(operation="sidecar.open") from None
