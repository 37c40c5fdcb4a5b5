"""Between a column's value and its token: codec, row binding, one AEAD call.

The cipher belongs to an engine (``make_engine`` attaches it to the dialect), never to a
type: models are imported without any key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Dialect

from app.db.codecs import DAMAGE, ROW_BOUND, Codec
from app.errors import DecryptionFailed, EncryptionError

ROW_ID_BYTES = 16


class TokenCipher(Protocol):
    """What is needed of :class:`app.crypto.aead.ColumnCipher`."""

    def seal(self, codec: int, context: str, payload: bytes) -> bytes: ...
    def open(self, context: str, token: bytes) -> tuple[int, bytes]: ...


class Bound:
    """A value on its way into a row-bound column, with the id of the row it is for."""

    __slots__ = ("row", "value")

    def __init__(self, row_id: UUID, value: Any) -> None:
        self.row = row_id.bytes
        self.value = value

    def __repr__(self) -> str:
        return "<Bound>"


class Sealed:
    """A token of a row-bound column as a Core SELECT gives it, opened when asked.

    ``of(row_id)`` opens it and raises :class:`DecryptionFailed` where the token is damaged
    or was made for another row or column; one bad row spares the others of a list.
    """

    __slots__ = ("_open", "_token")

    def __init__(self, token: bytes, opener: Callable[[bytes, bytes], Any]) -> None:
        self._token = token
        self._open = opener

    def of(self, row_id: UUID) -> Any:
        return self._open(self._token, row_id.bytes)

    def of_row(self, row: bytes) -> Any:
        """As :meth:`of`, for the 16 bytes of an id."""
        return self._open(self._token, row)

    def __repr__(self) -> str:
        return "<Sealed>"


class FieldCipher:
    """Seals and opens the values of encrypted columns; ``use`` changes the keys in place."""

    def __init__(self, tokens: TokenCipher) -> None:
        self._tokens = tokens

    def use(self, tokens: TokenCipher) -> None:
        """Takes other keys (a rotated root key), for all columns and threads at once."""
        self._tokens = tokens

    def __repr__(self) -> str:
        return "<FieldCipher>"

    def sealer(self, context: str, codec: Codec) -> Callable[[Any], bytes]:
        """Value -> token, for a column that is not bound to its row."""

        def seal(value: Any) -> bytes:
            return self._tokens.seal(codec.number, context, codec.encode(value))

        return seal

    def row_sealer(self, context: str, codec: Codec) -> Callable[[Any], bytes]:
        """:class:`Bound` -> token; a bare value raises :class:`EncryptionError`."""
        number, encode = codec.number | ROW_BOUND, codec.encode

        def seal(bound: Any) -> bytes:
            if type(bound) is not Bound:
                raise EncryptionError(
                    f"{context} is bound to its row: give parameters or Bound(id, value)",
                    operation="column.seal",
                )
            return self._tokens.seal(number, context, bound.row + encode(bound.value))

        return seal

    def opener(self, context: str, codec: Codec) -> Callable[[bytes], Any]:
        """Token -> value; raises :class:`DecryptionFailed`."""
        number, decode = codec.number, codec.decode

        def open_token(token: bytes) -> Any:
            found, payload = self._tokens.open(context, token)
            if found != number:
                raise DecryptionFailed(operation="column.open", details={"column": context})
            return _decoded(decode, payload, context)

        return open_token

    def row_opener(self, context: str, codec: Codec) -> Callable[[bytes, bytes], Any]:
        """(Token, 16-byte row id) -> value; raises :class:`DecryptionFailed`."""
        number, decode = codec.number | ROW_BOUND, codec.decode

        def open_token(token: bytes, row: bytes) -> Any:
            found, payload = self._tokens.open(context, token)
            if found != number or payload[:ROW_ID_BYTES] != row:
                raise DecryptionFailed(operation="column.open", details={"column": context})
            return _decoded(decode, payload[ROW_ID_BYTES:], context)

        return open_token


def _decoded(decode: Callable[[bytes], Any], payload: bytes, context: str) -> Any:
    try:
        return decode(payload)
    except DAMAGE:  # the text of these errors may quote the plaintext
        raise DecryptionFailed(operation="column.open", details={"column": context}) from None


_ciphers: WeakKeyDictionary[Dialect, FieldCipher] = WeakKeyDictionary()


def attach_cipher(dialect: Dialect, cipher: FieldCipher) -> None:
    """Gives an engine's dialect the cipher that its encrypted columns use."""
    _ciphers[dialect] = cipher


def cipher_of(dialect: Dialect) -> FieldCipher:
    """The dialect's cipher; raises :class:`EncryptionError` where none was attached."""
    try:
        return _ciphers[dialect]
    except KeyError:
        raise EncryptionError(
            "This engine was made without a column cipher", operation="column.cipher"
        ) from None
