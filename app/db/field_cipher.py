"""Between a column's value and its token: codec, row binding, one AEAD call.

The cipher belongs to an engine (``make_engine`` attaches it to the dialect), never to a
type: models are imported without any key.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, Self
from uuid import UUID
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Dialect

from app.db.codecs import DAMAGE, ROW_BOUND, Codec
from app.errors import DecryptionFailed, EncryptionError

log = logging.getLogger("darkroom.columns")
ROW_ID_BYTES = 16


class TokenCipher(Protocol):
    """What is needed of :class:`app.crypto.aead.ColumnCipher`."""

    def sealer(self, codec: int, context: str) -> Callable[[bytes], bytes]: ...
    def opener(self, codec: int, context: str) -> Callable[[bytes], bytes]: ...


class Bound(tuple[bytes, Any]):
    """``Bound(row_id, value)``: a value on its way into a row-bound column of that row."""

    __slots__ = ()

    def __new__(cls, row_id: UUID, value: Any) -> Self:
        return tuple.__new__(cls, (row_id.bytes, value))

    def __repr__(self) -> str:
        return "<Bound>"


class Sealed(partial[Any]):
    """A token of a row-bound column as a Core SELECT gives it, opened when asked.

    ``of(row_id)`` opens it and raises :class:`DecryptionFailed` where the token is damaged
    or was made for another row or column; one bad row spares the others of a list.
    (A ``partial`` of a column's opener and the token: made by the ten thousand, in C.)
    """

    def of(self, row_id: UUID) -> Any:
        return self(row_id.bytes)

    def told(self, row_id: UUID, instead: Any) -> Any:
        """As ``of``, but ``instead`` where it does not open: a page is shown all the same."""
        try:
            return self(row_id.bytes)
        except DecryptionFailed as damage:
            log.warning("a sealed value does not open", exc_info=damage)
            return instead

    def __repr__(self) -> str:
        return "<Sealed>"

    __str__ = __repr__


class FieldCipher:
    """Seals and opens the values of encrypted columns; ``use`` changes the keys in place."""

    def __init__(self, tokens: TokenCipher) -> None:
        self._tokens = tokens
        self._columns: list[_Column] = []

    def use(self, tokens: TokenCipher) -> None:
        """Takes other keys (a rotated root key), for all columns and threads at once."""
        self._tokens = tokens
        for column in self._columns:
            column.use(tokens)

    @property
    def keys(self) -> object:
        """Another one after every change of keys."""
        return self._tokens

    def __repr__(self) -> str:
        return "<FieldCipher>"

    def sealer(self, context: str, codec: Codec) -> Callable[[Any], bytes | None]:
        """Value -> token, for a column that is not bound to its row; None stays None."""
        column, encode = self._column(context, codec.number), codec.encode

        def seal(value: Any) -> bytes | None:
            return None if value is None else column.seal(encode(value))

        return seal

    def row_sealer(self, context: str, codec: Codec) -> Callable[[Any], bytes | None]:
        """:class:`Bound` -> token; a bare value raises :class:`EncryptionError`."""
        column, encode = self._column(context, codec.number | ROW_BOUND), codec.encode

        def seal(bound: Any) -> bytes | None:
            if bound is None:
                return None
            if type(bound) is not Bound:
                raise EncryptionError(
                    f"{context} is bound to its row: give parameters or Bound(id, value)",
                    operation="column.seal",
                )
            row, value = bound
            return column.seal(row + encode(value))

        return seal

    def opener(self, context: str, codec: Codec) -> Callable[[bytes | None], Any]:
        """Token -> value; raises :class:`DecryptionFailed`; None stays None."""
        column, decode = self._column(context, codec.number), codec.decode

        def open_token(token: bytes | None) -> Any:
            if token is None:
                return None
            try:
                return decode(column.open(token), 0)
            except DAMAGE:  # the text of these errors may quote the plaintext
                raise _failed(context) from None

        return open_token

    def row_opener(self, context: str, codec: Codec) -> Callable[[bytes | None], Any]:
        """Token -> :class:`Sealed`; opening that raises :class:`DecryptionFailed`."""
        column, decode = self._column(context, codec.number | ROW_BOUND), codec.decode

        def open_token(token: bytes, row: bytes) -> Any:
            payload = column.open(token)
            if payload[:ROW_ID_BYTES] != row:
                raise _failed(context)
            try:
                return decode(payload, ROW_ID_BYTES)
            except DAMAGE:  # the text of these errors may quote the plaintext
                raise _failed(context) from None

        def wrap(token: bytes | None) -> Sealed | None:
            return None if token is None else Sealed(open_token, token)

        return wrap

    def _column(self, context: str, number: int) -> _Column:
        column = _Column(context, number, self._tokens)
        self._columns.append(column)
        return column


class _Column:
    """The AEAD calls of one column under the keys of now."""

    __slots__ = ("_context", "_number", "open", "seal")

    def __init__(self, context: str, number: int, tokens: TokenCipher) -> None:
        self._context = context
        self._number = number
        self.use(tokens)

    def use(self, tokens: TokenCipher) -> None:
        self.seal = tokens.sealer(self._number, self._context)
        self.open = tokens.opener(self._number, self._context)


def _failed(context: str) -> DecryptionFailed:
    return DecryptionFailed(operation="column.open", details={"column": context})


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
