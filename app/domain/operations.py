"""Operations: the small changes that an editor sends, and what they do to a set.

An operation names the revision of its box that its sender saw. Where the box is another by
now, the operation is not done: the sender is told what it was, what it is and what was
wanted. Operations on different boxes never meet. One that was done before is not done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from app.domain.annotation import (
    Annotation,
    Change,
    Changes,
    Kept,
    Move,
    Reorder,
    rising,
)
from app.domain.operation_document import Op, OpKind, OpsDocument, read_ops

__all__ = [
    "Applied",
    "Conflict",
    "Done",
    "Op",
    "OpKind",
    "OpsDocument",
    "SaveKind",
    "apply_ops",
    "read_ops",
    "wanted_by",
]


class SaveKind(StrEnum):
    """By which way a save came; the log and the audit log say so."""

    PUT = "put"
    PATCH = "patch"
    RESTORE = "restore"
    IMPORT = "import"
    ADJUDICATE = "adjudicate"
    TASK = "task"  # submitted, skipped, reviewed, reopened
    RELABEL = "relabel"  # a class was merged or split
    MOVE = "move"  # the picture went to another collection

    @property
    def leaves_the_state(self) -> bool:
        """A change of the classes is nobody's work on the picture."""
        return self in {SaveKind.RELABEL, SaveKind.MOVE}


@dataclass(frozen=True, slots=True)
class Done:
    """An operation that is done. ``rev``: of its box since then, None where it changed
    nothing by taking away what was gone.
    """

    op_id: UUID
    id: UUID | None
    rev: int | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """All operations of a document on a box that is another than their sender saw.

    ``rev`` is of what the sender saw, None for nothing; ``theirs`` is what is there now.
    """

    id: UUID
    rev: int | None
    theirs: Annotation | None
    ops: tuple[Op, ...]


@dataclass(frozen=True, slots=True)
class Applied:
    changes: Changes
    done: tuple[Done, ...]
    conflicts: tuple[Conflict, ...]


def apply_ops(
    current: Mapping[UUID, Annotation],
    ops: Iterable[Op],
    revision: int,
    *,
    known: Mapping[UUID, Done] | None = None,
    places: Mapping[UUID, int] | None = None,
) -> Applied:
    """What operations change in a set, box by box.

    ``current`` has every box that they name and the set has; in each operation on one, label
    and ``label_id`` are both told or both None. ``revision`` is the one that they make.
    ``known`` are those that were done before. ``places`` of all boxes, from the bottom to the
    top, are needed for an operation on the order.
    """
    applying = _Applying(current, revision, known or {}, places)
    for op in ops:
        applying.take(op)
    return Applied(
        Changes(tuple(applying.steps), tuple(applying.orders), tuple(applying.kept)),
        tuple(applying.done),
        tuple(applying.conflicts.values()),
    )


def wanted_by(ops: Iterable[Op], base: Annotation | None) -> Annotation | None:
    """What these operations on one box make of ``base``; None: no box.

    None too for a box that nobody knows any more, when not all of it was told.
    """
    wanted = base
    for op in ops:
        if op.kind is OpKind.DELETE:
            wanted = None
        elif op.kind is OpKind.UPDATE and wanted is not None:
            wanted = _edited(wanted, op)
        else:
            wanted = _drawn(op)
    return wanted


class _Applying:
    """Goes through the operations in their order; ``now`` is the set as they leave it."""

    def __init__(
        self,
        current: Mapping[UUID, Annotation],
        revision: int,
        known: Mapping[UUID, Done],
        places: Mapping[UUID, int] | None,
    ) -> None:
        self._now: dict[UUID, Annotation] = dict(current)
        self._revision = revision
        self._known = known
        self._places = dict(places) if places is not None else None
        self._own: dict[UUID, int] = {}  # what the sender itself made of a box, as a revision
        self.steps: list[Change] = []
        self.orders: list[Reorder] = []
        self.kept: list[Kept] = []
        self.done: list[Done] = []
        self.conflicts: dict[UUID, Conflict] = {}

    def take(self, op: Op) -> None:
        known = self._known.get(op.op_id)
        if known is not None:
            self.done.append(known)
            if known.rev is not None and op.kind is not OpKind.ORDER:
                self._own[op.id] = known.rev
        elif op.kind is OpKind.ORDER:
            self._order(op)
        elif op.id in self.conflicts:
            conflict = self.conflicts[op.id]
            self.conflicts[op.id] = replace(conflict, ops=(*conflict.ops, op))
        else:
            self._box(op)

    def _box(self, op: Op) -> None:
        now = self._now.get(op.id)
        wanted = wanted_by([op], now)
        if (wanted is None and now is None and op.kind is OpKind.DELETE) or (
            wanted is not None and now is not None and wanted.says_the_same_as(now)
        ):
            self._is_so(op, op.id, now)
        elif self._sees(op, now):
            self._step(op, now, wanted)
        else:
            rev = self._own.get(op.id, op.rev)
            self.conflicts[op.id] = Conflict(op.id, rev, now, (op,))

    def _is_so(self, op: Op, id_: UUID | None, now: Annotation | None) -> None:
        """Nothing to do; what follows in the document was made on top of this."""
        rev = now.rev if now is not None else None
        self.kept.append(Kept(op.op_id, id_, rev))
        self.done.append(Done(op.op_id, id_, rev))
        if rev is not None:
            self._own[op.id] = rev

    def _sees(self, op: Op, now: Annotation | None) -> bool:
        """Whether the sender knows the box as it is: nobody else changed it since."""
        if op.kind is OpKind.ADD:
            return now is None
        return now is not None and now.rev in {op.rev, self._own.get(op.id)}

    def _step(self, op: Op, now: Annotation | None, wanted: Annotation | None) -> None:
        after = replace(wanted, rev=self._revision) if wanted is not None else None
        if self._places is not None:
            after = self._placed(self._places, op.id, now, after)
        self.steps.append(Change(op.op_id, now, after))
        self.done.append(Done(op.op_id, op.id, self._revision))
        self._own[op.id] = self._revision
        if after is None:
            del self._now[op.id]
        else:
            self._now[op.id] = after

    def _placed(
        self,
        places: dict[UUID, int],
        id_: UUID,
        now: Annotation | None,
        after: Annotation | None,
    ) -> Annotation | None:
        if after is None:
            places.pop(id_, None)
        elif now is None:
            places[id_] = max(places.values(), default=-1) + 1
            after = replace(after, position=places[id_])
        return after

    def _order(self, op: Op) -> None:
        """Ids that the set does not have are passed over; those not named lie on top."""
        now = self._places or {}
        named = [id_ for id_ in dict.fromkeys(op.ids) if id_ in now]
        rest = sorted(now.keys() - set(named), key=lambda id_: (now[id_], id_))
        places = rising(now, [*named, *rest])
        moves = [Move(i, now[i], place) for i, place in places.items() if now[i] != place]
        if not moves:
            self._is_so(op, None, None)
            return
        self.orders.append(Reorder(op.op_id, tuple(moves)))
        self.done.append(Done(op.op_id, None, self._revision))
        self._places = places


def _edited(annotation: Annotation, op: Op) -> Annotation:
    """The box with what was told of it."""
    told = {
        name: getattr(op, name)
        for name in ("label", "label_id", "shape", "frame", "attributes")
        if getattr(op, name) is not None
    }
    return replace(annotation, **told)


def _drawn(op: Op) -> Annotation | None:
    """The box that was told whole."""
    if op.label is None or op.label_id is None or op.shape is None:
        return None
    return Annotation(
        id=op.id,
        rev=0,
        label_id=op.label_id,
        label=op.label,
        shape=op.shape,
        frame=op.frame or 0,
        attributes=op.attributes or {},
    )
