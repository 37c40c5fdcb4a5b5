"""Operations as JSON: read with the place of every mistake.

``{"state"?, "ops": [{"op": "add"|"update"|"delete", "op_id", "id", "rev", "label" |
"label_id", "box" | "shape", "frame", "attributes"}, {"op": "order", "op_id", "ids": […]}]}``.
An ``add`` needs a label and a box or a shape; an ``update`` tells what is to be another. Both
it and a ``delete`` need the ``id`` and, unless an ``add`` of that id stands before them, the
``rev``. Who leaves ``op_id`` out cannot send the operation again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.domain.annotation import MAX_BOXES, Attributes
from app.domain.annotation_document import (
    Json,
    Reading,
    read_count,
    read_label,
    read_member_id,
    read_state,
)
from app.domain.attributes import check_attributes
from app.domain.ids import new_id, read_id
from app.domain.names import refuse
from app.domain.shapes import Shape
from app.domain.states import AnnotationState
from app.errors import Mistake

#: In one document: a minute of the fastest work, or a large paste.
MAX_OPS: Final = 2000
_NOBODY: Final = UUID(int=0)


class OpKind(StrEnum):
    ADD = "add"
    UPDATE = "update"
    DELETE = "delete"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class Op:
    """One operation as it was sent; what is None was not told, and stays as it is.

    ``op_id`` is the sender's, so that one sent twice is done once. ``rev`` is what the sender
    saw; None where it added the box itself before, in the same document. ``ids`` is the
    wanted order from the bottom to the top, of a set and not of a box. ``path`` is where it
    stood.
    """

    kind: OpKind
    op_id: UUID
    id: UUID
    path: str
    rev: int | None = None
    label: str | None = None
    label_id: UUID | None = None
    shape: Shape | None = None
    frame: int | None = None
    attributes: Attributes | None = None
    ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class OpsDocument:
    """``state`` None: the sender says nothing about it."""

    state: AnnotationState | None
    ops: tuple[Op, ...]


def read_ops(document: object) -> OpsDocument:
    """The operations of a parsed JSON document; ``InvalidInput`` with paths as ``$.ops[3]``."""
    if not isinstance(document, dict):
        raise refuse("$", "This must be an object with ops.")
    items = document.get("ops", [])
    if not isinstance(items, list):
        raise refuse("$.ops", "This must be a list.")
    if len(items) > MAX_OPS:
        raise refuse("$.ops", f"At most {MAX_OPS} operations can be sent at once.")
    reading = _OpsReading()
    state = reading.take(read_state, document.get("state"), "$.state")
    ops = tuple(reading.ops(items))
    reading.finish("This list of operations")
    return OpsDocument(state, ops)


class _OpsReading(Reading):
    """The ids that are seen once are those of the operations."""

    def __init__(self) -> None:
        super().__init__()
        self._added: set[UUID] = set()

    def ops(self, items: list[object]) -> Iterator[Op]:
        for place, item in enumerate(items):
            if self.is_enough:
                return
            path = f"$.ops[{place}]"
            kind = self._kind(item, path)
            if kind is not None and isinstance(item, dict):
                yield self._op(kind, item, path)

    def _kind(self, item: object, path: str) -> OpKind | None:
        if not isinstance(item, dict):
            self.mistakes.append(Mistake(path, "This must be an object."))
            return None
        kind = next((kind for kind in OpKind if kind == item.get("op")), None)
        if kind is None:
            words = "An operation is one of " + ", ".join(OpKind) + "."
            self.mistakes.append(Mistake(f"{path}.op", words))
        return kind

    def _op(self, kind: OpKind, item: Json, path: str) -> Op:
        """After a mistake the operation is of no use; the reading ends with a refusal."""
        op_id = self.take(read_member_id, item.get("op_id"), f"{path}.op_id") or new_id()
        self.see(op_id, f"{path}.op_id")
        if kind is OpKind.ORDER:
            ids = self.take(_ids, item.get("ids"), f"{path}.ids") or ()
            return Op(kind, op_id, _NOBODY, path, ids=ids)
        id_ = self.take(read_member_id, item.get("id"), f"{path}.id")
        rev = self.take(read_count, item.get("rev"), f"{path}.rev")
        if kind is OpKind.ADD:
            self._added.add(id_ := id_ or new_id())
        else:
            self._check_named(item, path)
        op = Op(kind, op_id, id_ or _NOBODY, path, rev)
        return op if kind is OpKind.DELETE else self._told(op, item)

    def _check_named(self, item: Json, path: str) -> None:
        if item.get("id") is None:
            self.mistakes.append(Mistake(f"{path}.id", "Say which box this is about."))
        elif item.get("rev") is None and read_id(item["id"]) not in self._added:
            words = "Say which revision of the box you saw."
            self.mistakes.append(Mistake(f"{path}.rev", words))

    def _told(self, op: Op, item: Json) -> Op:
        """The operation with what was told of its box: an ``add`` tells all of it."""
        path, whole = op.path, op.kind is OpKind.ADD
        name: str | None = None
        label_id: UUID | None = None
        shape: Shape | None = None
        if whole or item.get("label") is not None or item.get("label_id") is not None:
            label = self.take(lambda _, at: _label(item, at), None, path)
            name, label_id = label or (None, None)
        if whole or item.get("box") is not None or item.get("shape") is not None:
            shape = self.shape(item, path)
        frame = self.take(read_count, item.get("frame"), f"{path}.frame")
        attributes: Attributes | None = self.take(
            check_attributes, item.get("attributes"), f"{path}.attributes"
        )
        return Op(
            op.kind, op.op_id, op.id, path, op.rev, name, label_id, shape, frame, attributes
        )


def _label(item: Json, path: str) -> tuple[str | None, UUID | None]:
    """The id of the class wins over its name: somebody may have renamed it since."""
    label_id = read_member_id(item.get("label_id"), f"{path}.label_id")
    return read_label(item, path) if label_id is None else (None, label_id)


def _ids(value: object, path: str) -> tuple[UUID, ...]:
    if not isinstance(value, list) or len(value) > MAX_BOXES:
        raise refuse(path, f"This must be a list of at most {MAX_BOXES} ids.")
    found = [read_id(entry) for entry in value]
    if None in found:
        raise refuse(f"{path}[{found.index(None)}]", "This is not an id.")
    return tuple(id_ for id_ in found if id_ is not None)
