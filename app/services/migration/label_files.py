"""The label file beside a plain picture, read before anything of the picture is stored."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from app.errors import InvalidInput
from app.formats.labelled_box import LabelledBox
from app.formats.sidecar_labelme import read_labelme
from app.formats.sidecar_yolo import read_classes, read_yolo
from app.services.migration.sources import Source

MAX_LABELS: Final = 32 * 1024 * 1024
"""Bytes of one label file: far above 10,000 boxes; LabelMe may hold the picture as well."""


def read_labels(source: Source) -> tuple[LabelledBox, ...]:
    """The boxes beside a picture; () where there are none.

    Raises ``InvalidInput`` with what is wrong, and ``OSError``.
    """
    if not source.labels:
        return ()
    if len(source.labels) > 1:
        raise InvalidInput("There are several label files beside this picture: keep one.")
    (path,) = source.labels
    if path.suffix.lower() == ".json":
        return read_labelme(_text(path))
    if source.classes is None:
        raise InvalidInput(
            "There is no classes.txt that names the classes of the label file. Where the .txt"
            " files are no labels, say --no-labels."
        )
    return read_yolo(_text(path), read_classes(_text(source.classes)))


def _text(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(MAX_LABELS + 1)
    try:
        if len(raw) <= MAX_LABELS:
            return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    raise InvalidInput("The label file is no text in UTF-8, or longer than 32 MiB.")
