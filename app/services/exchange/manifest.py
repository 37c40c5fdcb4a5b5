"""``manifest.json`` of an exported archive: what is in it, with the hash of each file.

``{"darkroom": 1, "format", "made_at", "schema_version", "collection", "options", "counts",
"losses", "missing", "pictures": [{"file", "name", "id", "split"}], "crops": {"folder", "table",
"count"}, "files": [{"name", "size", "sha256"}]}``; the hashes of crops stand in their table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from app.domain.ids import read_id
from app.formats.dataset import Task

MANIFEST: Final = "manifest.json"
VERSION: Final = 1
MARK: Final = "darkroom"


class Manifest:
    """Grows with the archive; what it holds of each file is some 150 bytes."""

    def __init__(self, head: Mapping[str, Any]) -> None:
        self._head = dict(head)
        self._files: list[dict[str, Any]] = []

    def hashed(self, name: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The same blocks; the file is noted when they end."""
        digest, size = hashlib.sha256(), 0
        for block in blocks:
            digest.update(block)
            size += len(block)
            yield block
        self._files.append({"name": name, "size": size, "sha256": digest.hexdigest()})

    def encode(self, more: Mapping[str, Any]) -> bytes:
        told = {MARK: VERSION, **self._head, **more, "files": self._files}
        return json.dumps(told, ensure_ascii=False, indent=1).encode()


def pictures_in_manifest(raw: bytes) -> dict[str, UUID]:
    """The ids of pictures by their paths and by what the documents call them, of a manifest
    that we wrote; {} for any other."""
    pictures = _ours(raw).get("pictures")
    found = pictures if isinstance(pictures, list) else []
    names: dict[str, set[UUID]] = {}
    for each in found:
        id_ = read_id(each.get("id")) if isinstance(each, dict) else None
        for name in (each.get("file"), each.get("name")) if id_ is not None else ():
            if isinstance(name, str) and id_ is not None:
                names.setdefault(name, set()).add(id_)
    return {name: min(ids) for name, ids in names.items() if len(ids) == 1}


def hashes_in_manifest(raw: bytes) -> dict[str, tuple[UUID, str]]:
    """The id of each picture by its path, with the SHA-256 that the file of it had."""
    told = _ours(raw)
    files, pictures = told.get("files"), told.get("pictures")
    hashes = {
        each.get("name"): each.get("sha256")
        for each in (files if isinstance(files, list) else ())
        if isinstance(each, dict) and isinstance(each.get("name"), str)
    }
    found: dict[str, tuple[UUID, str]] = {}
    for each in pictures if isinstance(pictures, list) else ():
        place = each.get("file") if isinstance(each, dict) else None
        id_ = read_id(each.get("id")) if isinstance(place, str) else None
        hashed = hashes.get(place)
        if isinstance(place, str) and id_ is not None and isinstance(hashed, str):
            found[place] = id_, hashed
    return found


def task_in_manifest(raw: bytes) -> Task | None:
    """What the lines of a YOLO set of ours mean; they do not tell it themselves."""
    options = _ours(raw).get("options")
    word = options.get("task") if isinstance(options, dict) else None
    return next((task for task in Task if task == word), None)


def crops_in_manifest(raw: bytes) -> str | None:
    """Below which path an archive of ours has crops, which are no pictures of the data set."""
    crops = _ours(raw).get("crops")
    folder = crops.get("folder") if isinstance(crops, dict) else None
    return f"{folder}/" if isinstance(folder, str) and folder else None


def _ours(raw: bytes) -> dict[str, Any]:
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) and told.get(MARK) == VERSION else {}
