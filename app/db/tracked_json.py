"""JSON whose changes in place are noticed, at any depth, so that they reach the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Self, SupportsIndex

from sqlalchemy.ext.mutable import Mutable

from app.db.encrypted_types import EncryptedJSON


class TrackedJson(Mutable):
    """A node of a JSON tree: a change tells the node above, the root tells the row."""

    above: TrackedJson | None = None

    @classmethod
    def coerce(cls, key: str, value: Any) -> Any:
        """What SQLAlchemy calls for a loaded or assigned value."""
        del key
        return tracked(value, None)

    def touch(self) -> None:
        node = self
        while node.above is not None:
            node = node.above
        node.changed()

    def _adopt(self, value: Any) -> Any:
        return tracked(value, self)


def tracked(value: Any, above: TrackedJson | None) -> Any:
    """``value`` with objects and lists replaced by nodes below ``above``.

    A node that already hangs in a tree is copied: one tree never changes another's row.
    """
    if isinstance(value, Mapping):
        node: TrackedJson = TrackedObject(value)
    elif isinstance(value, list | tuple):
        node = TrackedList(value)
    else:
        return value
    node.above = above
    return node


class TrackedObject(TrackedJson, dict[str, Any]):
    def __init__(self, values: Mapping[str, Any]) -> None:
        dict.__init__(self, {key: self._adopt(value) for key, value in values.items()})

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key, self._adopt(value))
        self.touch()

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.touch()

    def __ior__(self, other: Any) -> Self:  # type: ignore[override,misc]
        self.update(other)
        return self

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)

    def update(self, *others: Any, **values: Any) -> None:
        for key, value in dict(*others, **values).items():
            super().__setitem__(key, self._adopt(value))
        self.touch()

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, *args: Any) -> Any:
        value = super().pop(*args)
        self.touch()
        return value

    def popitem(self) -> tuple[str, Any]:
        item = super().popitem()
        self.touch()
        return item

    def clear(self) -> None:
        super().clear()
        self.touch()


class TrackedList(TrackedJson, list[Any]):
    def __init__(self, values: Iterable[Any]) -> None:
        list.__init__(self, [self._adopt(value) for value in values])

    def __setitem__(self, index: Any, value: Any) -> None:
        if isinstance(index, slice):
            super().__setitem__(index, [self._adopt(each) for each in value])
        else:
            super().__setitem__(index, self._adopt(value))
        self.touch()

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        super().__delitem__(index)
        self.touch()

    def __iadd__(self, values: Iterable[Any]) -> Self:  # type: ignore[misc]
        self.extend(values)
        return self

    def __imul__(self, times: SupportsIndex) -> Self:
        self[:] = list(self) * int(times)
        return self

    def __reduce_ex__(
        self, protocol: SupportsIndex
    ) -> tuple[type[list[Any]], tuple[list[Any]]]:
        return list, (list(self),)

    def append(self, value: Any) -> None:
        super().append(self._adopt(value))
        self.touch()

    def extend(self, values: Iterable[Any]) -> None:
        super().extend([self._adopt(value) for value in values])
        self.touch()

    def insert(self, index: SupportsIndex, value: Any) -> None:
        super().insert(index, self._adopt(value))
        self.touch()

    def pop(self, index: SupportsIndex = -1) -> Any:
        value = super().pop(index)
        self.touch()
        return value

    def remove(self, value: Any) -> None:
        super().remove(value)
        self.touch()

    def clear(self) -> None:
        super().clear()
        self.touch()

    def sort(self, **how: Any) -> None:
        super().sort(**how)
        self.touch()

    def reverse(self) -> None:
        super().reverse()
        self.touch()


def track_encrypted_json() -> None:
    """Watches every mapped ``EncryptedJSON`` column; called once, beside the base class."""
    TrackedJson.associate_with(EncryptedJSON)
