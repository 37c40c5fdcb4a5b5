"""YAML documents as texts, lists and mappings, with limits.

No tag makes an object, no text becomes a number or a truth value (a class may be called
``no``), aliases are refused: with them a line can stand for a billion.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from app.domain.names import refuse
from app.formats.texts import read_text

MAX_YAML: Final = 128 * 1024
"""Bytes: thousands of classes, and seconds to read at most."""


class _Refused(yaml.YAMLError):
    def __init__(self, mark: Any, message: str) -> None:
        super().__init__(message)
        self.problem_mark, self.words = mark, message


class _Loader(yaml.BaseLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event: Any = self.get_event()  # type: ignore[no-untyped-call]
            raise _Refused(event.start_mark, "Aliases cannot be used here.")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(names) < len(node.value):
            raise _Refused(node.start_mark, "The name of an entry must be text.")
        if len(set(names)) < len(names):
            raise _Refused(node.start_mark, "This mapping has an entry twice.")
        return super().construct_mapping(node, deep)


def read_yaml(data: bytes, name: str) -> dict[str, Any]:
    """A mapping whose leaves are texts; ``InvalidInput`` with ``file:line``, also for what
    ``yaml.safe_load`` would refuse."""
    text = read_text(data, name, longest=MAX_YAML)
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - BaseLoader makes texts only
        yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        place = f"{name}:{mark.line + 1}" if mark else name
        raise refuse(place, getattr(wrong, "words", "This is no YAML.")) from None
    except (RecursionError, ValueError):
        raise refuse(name, "This file is nested too deeply, or a value is none.") from None
    if not isinstance(document, dict):
        raise refuse(name, "This must be a YAML mapping.")
    return document
