"""Column types whose values are sealed on the way in and opened on the way out.

The context (``"annotations.label"``) is part of what the tag covers: a token moved to
another column does not open. See ``field_cipher`` for the row binding and ``codecs`` for
the payloads. NULL stays NULL, an empty text is a value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn

from sqlalchemy import ColumnElement, LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.db import codecs
from app.db.field_cipher import cipher_of

MARK = "DC01"  # in hex: the two bytes that every token begins with
_NULL_TESTS = (operators.is_, operators.is_not)


def _is_same_column(column: Any, other: tuple[Any, ...]) -> bool:
    """SQLAlchemy's dictionaries of columns compare a column with its annotated self."""
    return isinstance(other[0], ColumnElement) and hash(other[0]) == hash(column)


def refuse_comparison(context: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{context} is encrypted: it cannot be compared, searched or sorted in SQL"
    )


class EncryptedType(TypeDecorator[Any]):
    """What the four types share: token in, token out, and no operator but IS NULL.

    ``row_bound``: the payload begins with the id of its row, which is compared on load.
    In a Core SELECT such a column is a ``Sealed`` (field_cipher): ``row.name.of(row.id)``.
    """

    impl = LargeBinary
    cache_ok = True
    codec: ClassVar[codecs.Codec]

    class Comparator(TypeDecorator.Comparator[Any]):
        def operate(self, op: OperatorType, *other: Any, **kwargs: Any) -> ColumnElement[Any]:
            equality = op in (operators.eq, operators.ne)
            if op in _NULL_TESTS or (equality and other[0] is None):
                return super().operate(op, *other, **kwargs)
            if op is operators.eq and _is_same_column(self.expr, other):
                return super().operate(op, *other, **kwargs)
            kind = self.expr.type
            raise refuse_comparison(getattr(kind, "context", "This column"))

        def reverse_operate(
            self, op: OperatorType, other: Any, **kwargs: Any
        ) -> ColumnElement[Any]:
            return self.operate(op, other, **kwargs)

    comparator_factory = Comparator

    def __init__(self, context: str, row_bound: bool = True) -> None:
        super().__init__()
        self.context = context
        self.row_bound = row_bound

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        del op, value
        return self

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], bytes | None]:
        cipher = cipher_of(dialect)
        make = cipher.row_sealer if self.row_bound else cipher.sealer
        return make(self.context, self.codec)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        del coltype
        cipher = cipher_of(dialect)
        make = cipher.row_opener if self.row_bound else cipher.opener
        return make(self.context, self.codec)

    def literal_processor(self, dialect: Dialect) -> NoReturn:
        """A literal would stand in the statement's text (and in errors about it): refused."""
        del dialect
        raise refuse_comparison(self.context)

    def __repr__(self) -> str:
        bound = "" if self.row_bound else ", row_bound=False"
        return f"{type(self).__name__}({self.context!r}{bound})"


class EncryptedString(EncryptedType):
    """Text, padded so that its length tells little (see :mod:`app.db.codecs`)."""

    cache_ok = True
    codec = codecs.TEXT


class EncryptedJSON(EncryptedType):
    """An object or a list; changes in place are noticed (see :mod:`app.db.tracked_json`)."""

    cache_ok = True
    codec = codecs.JSON


class EncryptedBox(EncryptedType):
    """Four float64 (x, y, width, height); every token has the same size."""

    cache_ok = True
    codec = codecs.BOX


class EncryptedFloat(EncryptedType):
    """One float64."""

    cache_ok = True
    codec = codecs.FLOAT


class StartsSealed(ColumnElement[bool]):
    """``CHECK``: the value begins with DC 01, whoever wrote it."""

    inherit_cache = False

    def __init__(self, column_name: str) -> None:
        self.column_name = column_name


@compiles(StartsSealed, "sqlite")
def _sqlite_starts_sealed(element: StartsSealed, compiler: SQLCompiler, **_: Any) -> str:
    name = compiler.preparer.quote(element.column_name)
    return f"substr({name}, 1, 2) = x'{MARK}'"


@compiles(StartsSealed, "postgresql")
def _postgresql_starts_sealed(element: StartsSealed, compiler: SQLCompiler, **_: Any) -> str:
    name = compiler.preparer.quote(element.column_name)
    return f"substr({name}, 1, 2) = '\\x{MARK}'::bytea"
