"""The parting of a data set into train, val and test, as paths tell it."""

from __future__ import annotations

import re
from typing import Final

SPLITS: Final = ("train", "val", "test")
_WORDS: Final = {"valid": "val", "validation": "val", "dev": "val"}
_FOUND: Final = re.compile(
    r"(?<![a-z])(train|validation|valid|val|dev|test)(?:\d{4})?(?![a-z0-9])", re.IGNORECASE
)


def split_of(path: str) -> str | None:
    """The last word of a path that names a split: ``annotations/instances_val2017.json``,
    ``valid/_annotations.coco.json`` and ``labels/val/a.txt`` say val."""
    found = _FOUND.findall(path)
    return _WORDS.get(found[-1].lower(), found[-1].lower()) if found else None
