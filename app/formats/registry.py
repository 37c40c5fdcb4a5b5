"""Every format by its name, in the order in which pages list them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.formats import coco, csv_rows, cvat, labelme, labelstudio, voc, yolo
from app.formats.dataset import Format

FORMATS: Final[Mapping[str, Format]] = {
    "coco": coco,
    "yolo": yolo,
    "voc": voc,
    "labelme": labelme,
    "labelstudio": labelstudio,
    "cvat": cvat,
    "csv": csv_rows,
}
