"""Lines of YOLO label files: a class's number, then coordinates of 1 = the whole picture.

4 numbers: cx, cy, w, h. 8 numbers: the corners of a turned box, or an outline of four points.
6 and more: an outline. One number more than these is a confidence, as predictions have.
A written number is the ``repr`` of x / width. x * width leads back to the same float64 or to
one within a few units of its last place: where it is another one, that is told.
https://docs.ultralytics.com/datasets/, …/obb/, …/segment/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.names import refuse
from app.domain.shapes import MAX_POINTS, Box, Point, Polygon, RotatedBox, Shape
from app.formats import leaving_out, reading
from app.formats.corners import box_of_corners
from app.formats.dataset import Item, Size, Task, extra, fields_of, form_of
from app.formats.json_text import number_pairs, same
from app.formats.losses import Ledger, LossCode
from app.formats.texts import decimal, number

CONFIDENCE: Final = "confidence"


@dataclass(frozen=True, slots=True)
class Page:
    """What a line needs to be understood."""

    names: Mapping[int, str]
    size: Size
    task: Task
    keypoints: int = 0


def read_line(line: str, page: Page, place: str, ledger: Ledger) -> Item | None:
    """None, and told, for a box without an area; ``InvalidInput``."""
    class_, *words = line.split()
    label = page.names.get(_class_number(class_, place))
    if label is None:
        raise refuse(place, "No class has this number.")
    if len(words) > 2 * MAX_POINTS + 1:
        raise refuse(place, f"One outline has at most {MAX_POINTS} points.")
    fields: dict[str, object] = {}
    if page.keypoints and len(words) in {4 + page.keypoints, 5 + page.keypoints}:
        ledger.add(LossCode.KEYPOINTS, place)
        fields["keypoints"] = words[4 : 4 + page.keypoints]
        words = words[:4] + words[4 + page.keypoints :]
    numbers = [number(word, place) for word in words]
    attributes = {}
    if len(numbers) % 2:
        ledger.add(LossCode.CONFIDENCE, place)
        attributes[CONFIDENCE] = numbers.pop()
    shape = _shape(numbers, page, place, ledger)
    if shape is None:
        return None
    reading.note_outside(shape, page.size, place, ledger)
    return Item(label, shape, attributes, extra(fields, {"line": line}))


def columns(line: str) -> int:
    """How many coordinates a line without keypoints has."""
    found = len(line.split()) - 1
    return found - found % 2


def write_line(item: Item, page: Page, ledger: Ledger) -> str | None:
    """The line as it was while it says the same, else a new one; None, and told, for what
    has no place in the picture."""
    class_ = next(n for n, name in page.names.items() if name == item.label)
    was = str(form_of(item.extra).get("line", ""))
    for line in (was, re.sub(r"\S+", str(class_), was, count=1)):
        if was and _says(line, item, page):
            return line
    leaving_out.note_attributes(item, ledger)
    shape = _writable(item, page.task, ledger)
    if shape is None:
        return None
    coordinates = map(repr, _coordinates(shape, page))
    told = fields_of(item.extra).get("keypoints")
    keypoints = told if isinstance(told, list) else []
    if page.keypoints and not keypoints:
        keypoints = ["0"] * page.keypoints
    line = " ".join([str(class_), *coordinates, *map(str, keypoints)])
    read = read_line(line, page, "", Ledger())
    if read is None or read.shape != shape:
        ledger.add(LossCode.ROUNDED)
    return line


def _says(line: str, item: Item, page: Page) -> bool:
    read = read_line(line, page, "", Ledger())
    return (
        read is not None
        and (read.label, read.shape) == (item.label, item.shape)
        and same(read.attributes, item.attributes)
        and fields_of(read.extra) == fields_of(item.extra)
    )


def _class_number(word: str, place: str) -> int:
    told = decimal(word, place)
    if told != told.to_integral_value() or abs(told) > 10**6:
        raise refuse(place, "A line begins with the number of a class.")
    return int(told)


def _shape(numbers: Sequence[float], page: Page, place: str, ledger: Ledger) -> Shape | None:
    width, height = page.size
    if len(numbers) == 4:
        cx, w = numbers[0] * width, numbers[2] * width
        cy, h = numbers[1] * height, numbers[3] * height
        return reading.box(cx - w / 2, cy - h / 2, w, h, place, ledger)
    if len(numbers) < 6:
        raise refuse(place, "A line has a class and 4 numbers, or 6 and more for an outline.")
    points = [(x * width, y * height) for x, y in number_pairs(numbers)]
    found = box_of_corners(points, place, ledger) if _is_turned(numbers, page) else None
    return found or reading.polygon(points, place)


def _is_turned(numbers: Sequence[float], page: Page) -> bool:
    return page.task is Task.OBB and len(numbers) == 8


def _writable(item: Item, task: Task, ledger: Ledger) -> Shape | None:
    """What the lines of a task can hold of a shape."""
    shape = item.shape
    if task is Task.SEGMENT:
        if isinstance(shape, Box | RotatedBox):
            ledger.add(LossCode.CORNERS)
            return Polygon(_corners(shape))
        if isinstance(shape, Polygon):
            return shape
    if task is Task.OBB:
        is_four = isinstance(shape, Polygon) and len(shape.points) == 4
        if isinstance(shape, RotatedBox) or is_four:
            return shape
    return leaving_out.upright(item, ledger)


def _coordinates(shape: Shape, page: Page) -> Sequence[float]:
    width, height = page.size
    if isinstance(shape, Box) and page.task is Task.DETECT:
        cx, cy = (shape.x + shape.w / 2) / width, (shape.y + shape.h / 2) / height
        return cx, cy, shape.w / width, shape.h / height
    return [side for x, y in _corners(shape) for side in (x / width, y / height)]


def _corners(shape: Shape) -> tuple[Point, ...]:
    if isinstance(shape, Box):
        right, bottom = shape.x + shape.w, shape.y + shape.h
        return (shape.x, shape.y), (right, shape.y), (right, bottom), (shape.x, bottom)
    if isinstance(shape, RotatedBox):
        return shape.corners
    return shape.points if isinstance(shape, Polygon) else ()
