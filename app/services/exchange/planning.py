"""What an import makes of the annotations that a picture has; pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from app.domain.annotation import Annotation, Attributes
from app.domain.shape_document import shape_json
from app.domain.shapes import Shape
from app.services.exchange.options import Mode

NAMESPACE: Final = UUID("f1c0b7d2-9d53-5b8e-8c1e-3f7a52d06e94")
"""Of the ids of imported annotations; drawn once, never changed."""


@dataclass(frozen=True, slots=True)
class NewItem:
    """One of the file on its way in; ``foreign_id`` None: the file gives none."""

    foreign_id: int | str | None
    label_id: UUID
    label: str
    shape: Shape
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Plan:
    """``wanted``: the whole set afterwards. ``ids``: of the items, in their order. ``kept``:
    what says something else here than in the file, and stays."""

    wanted: tuple[Annotation, ...]
    ids: tuple[UUID, ...]
    added: int = 0
    updated: int = 0
    deleted: int = 0
    kept: int = 0
    left_alone: bool = False


def plan(
    image_id: UUID,
    format_: str,
    current: Sequence[Annotation],
    items: Sequence[NewItem],
    noted: Mapping[int | str, UUID],
    mode: Mode,
) -> Plan:
    """What a picture has after the import, and where each item of the file is in it.

    An item is an annotation that is there already if an earlier import of it says so, if
    its own id says so, or if both say the same. The same import twice changes nothing.
    """
    if mode is Mode.EMPTY and current:
        return Plan(tuple(current), (), left_alone=True)
    drawn = _drawn(image_id, format_, items)
    found = _found(drawn, items, current, noted)
    before = {annotation.id: annotation for annotation in current}
    ids = tuple(known or _free(new.id, before) for known, new in zip(found, drawn, strict=True))
    pairs = [(before.get(id_), _with_id(new, id_)) for id_, new in zip(ids, drawn, strict=True)]
    added = tuple(new for old, new in pairs if old is None)
    differing = sum(old is not None and not old.says_the_same_as(new) for old, new in pairs)
    if mode is not Mode.REPLACE:
        return Plan((*current, *added), ids, added=len(added), kept=differing)
    return Plan(
        tuple(new for _, new in pairs),
        ids,
        added=len(added),
        updated=differing,
        deleted=len(before.keys() - set(ids)),
    )


def _drawn(image_id: UUID, format_: str, items: Sequence[NewItem]) -> tuple[Annotation, ...]:
    """An id is made from what the file calls the item, or from what it says; equal ones
    count one up."""
    seen: Counter[str] = Counter()
    drawn = []
    for item in items:
        told = f"{image_id}|{format_}|{_told(item)}"
        seen[told] += 1
        id_ = uuid5(NAMESPACE, f"{told}|{seen[told]}")
        drawn.append(
            Annotation(id_, 0, item.label_id, item.label, item.shape, 0, item.attributes)
        )
    return tuple(drawn)


def _told(item: NewItem) -> str:
    if item.foreign_id is not None:
        return f"id {json.dumps(item.foreign_id)}"
    shape = shape_json(item.shape) or [*map(repr, _sides(item.shape))]
    return json.dumps([item.label, shape, item.attributes], sort_keys=True)


def _sides(shape: Shape) -> tuple[float, ...]:
    bounds = shape.bounds
    return bounds.x, bounds.y, bounds.w, bounds.h


def _found(
    drawn: Sequence[Annotation],
    items: Sequence[NewItem],
    current: Sequence[Annotation],
    noted: Mapping[int | str, UUID],
) -> list[UUID | None]:
    free = {annotation.id: annotation for annotation in current}
    found: list[UUID | None] = []
    for new, item in zip(drawn, items, strict=True):
        known = noted.get(item.foreign_id) if item.foreign_id is not None else None
        candidates = [id_ for id_ in (known, new.id) if id_ is not None and id_ in free]
        found.append(candidates[0] if candidates else None)
        if candidates:
            del free[candidates[0]]
    alike: dict[str, list[Annotation]] = {}
    for annotation in free.values():
        alike.setdefault(_sense(annotation), []).append(annotation)
    for n, new in enumerate(drawn):
        if found[n] is None and (same := alike.get(_sense(new))):
            found[n] = same.pop(0).id
    return found


def _sense(annotation: Annotation) -> str:
    shape = shape_json(annotation.shape) or [*map(repr, _sides(annotation.shape))]
    told = [annotation.label_id.hex, annotation.frame, shape, annotation.attributes]
    return json.dumps(told, sort_keys=True)


def _free(id_: UUID, taken: Mapping[UUID, Annotation]) -> UUID:
    """Another id, always the same, where an annotation has this one and is meant elsewhere."""
    while id_ in taken:
        id_ = uuid5(NAMESPACE, id_.hex)
    return id_


def _with_id(new: Annotation, id_: UUID) -> Annotation:
    if new.id == id_:
        return new
    return Annotation(id_, 0, new.label_id, new.label, new.shape, new.frame, new.attributes)
