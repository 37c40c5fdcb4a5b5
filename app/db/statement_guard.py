"""Refuses SQL that would compare or sort by an encrypted column.

The column's own operators raise at once (:mod:`app.db.encrypted_types`); what reaches it
by another way (``literal("cat") == Tag.name``, ``order_by(func.lower(Tag.name))``) is
refused when the statement is compiled, which costs a cached statement nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BinaryExpression, Cast, ClauseElement, ColumnElement, Over
from sqlalchemy.sql.functions import FunctionElement

from app.db.encrypted_types import EncryptedType, refuse_comparison

_NULL_TESTS = (operators.is_, operators.is_not)


def _refuse_encrypted(clauses: Iterable[ClauseElement], select: Any = None) -> None:
    for clause in clauses:
        for element in visitors.iterate(clause):
            _refuse_named(element, select)
            if isinstance(element, ColumnElement) and isinstance(element.type, EncryptedType):
                raise refuse_comparison(element.type.context)


def _refuse_named(element: Any, select: Any) -> None:
    """``order_by("name")``: the name of a column of the SELECT."""
    if select is None or element.__visit_name__ != "textual_label_reference":
        return
    for column in select.selected_columns:
        if column.key == element.element and isinstance(column.type, EncryptedType):
            raise refuse_comparison(column.type.context)


class GuardedCompiler(SQLCompiler):
    """Mixed into the dialect's own compiler, whose methods carry no annotations."""

    def visit_binary(self, binary: BinaryExpression[Any], *args: Any, **kwargs: Any) -> str:
        if binary.operator not in _NULL_TESTS:
            for side in (binary.left, binary.right):
                if isinstance(side.type, EncryptedType):
                    raise refuse_comparison(side.type.context)
        return _text(super().visit_binary, binary, *args, **kwargs)

    def order_by_clause(self, select: Any, **kwargs: Any) -> str:
        clauses = select._order_by_clauses  # noqa: SLF001 - there is no public name
        _refuse_encrypted(clauses, select)
        return _text(super().order_by_clause, select, **kwargs)

    def group_by_clause(self, select: Any, **kwargs: Any) -> str:
        clauses = select._group_by_clauses  # noqa: SLF001 - there is no public name
        _refuse_encrypted(clauses, select)
        return _text(super().group_by_clause, select, **kwargs)

    def visit_function(self, func: FunctionElement[Any], *args: Any, **kwargs: Any) -> str:
        if func.name != "count":
            _refuse_encrypted(func.clauses)
        return _text(super().visit_function, func, *args, **kwargs)

    def visit_cast(self, cast: Cast[Any], *args: Any, **kwargs: Any) -> str:
        _refuse_encrypted((cast.clause,))
        return _text(super().visit_cast, cast, *args, **kwargs)

    def visit_over(self, over: Over[Any], **kwargs: Any) -> str:
        _refuse_encrypted(
            part for part in (over.order_by, over.partition_by) if part is not None
        )
        return _text(super().visit_over, over, **kwargs)


def _text(method: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    return str(method(*args, **kwargs))


def guard_statements(engine: Engine) -> None:
    """Gives the engine's dialect a compiler that refuses."""
    plain = engine.dialect.statement_compiler
    guarded = type(f"Guarded{plain.__name__}", (GuardedCompiler, plain), {})
    engine.dialect.statement_compiler = guarded
