"""Which column of an older table says what, and what one of its rows says."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.crypto.keys import SecretKey
from app.crypto.legacy_cbc import is_sealed_text, open_text
from app.domain.annotation_document import MAX_FRAME
from app.domain.attributes import check_attributes
from app.errors import ConfigurationError, DecryptionFailed, InvalidInput
from app.formats.labelled_box import Corners, LabelledBox, Units, box_of

ALWAYS: Final = ("id", "image", "label")
SIDES: Final = ("x", "y", "w", "h")
ATTRIBUTE: Final = "attributes."
_NUMBERS = re.compile(r"[\s,;()\[\]]+")
_KEYS: Final = (
    (("x", "y", "w", "h"), None),
    (("x", "y", "width", "height"), None),
    (("left", "top", "width", "height"), Corners.XYWH),
    (("x1", "y1", "x2", "y2"), Corners.XYXY),
    (("xmin", "ymin", "xmax", "ymax"), Corners.XYXY),
    (("x_min", "y_min", "x_max", "y_max"), Corners.XYXY),
    (("left", "top", "right", "bottom"), Corners.XYXY),
    (("cx", "cy", "w", "h"), Corners.CXCYWH),
)
"""The members that a JSON object of a box may have; None: as ``Mapped.form`` says."""


@dataclass(frozen=True, slots=True)
class RowBox:
    """What a row tells; ``image`` is the reference to its picture as it stands there."""

    row: str
    image: str
    box: LabelledBox
    frame: int
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Mapped:
    """The columns by what they say: ``{"id": "id", "image": "path", "label": …}``."""

    columns: Mapping[str, str]
    form: Corners = Corners.XYWH
    units: Units = Units.PIXEL

    def read(self, row: Sequence[Any], key: SecretKey | None) -> RowBox:
        """The row, whose values stand in the order of ``columns``.

        Raises ``DecryptionFailed`` for a sealed value that does not open, ``InvalidInput``
        for anything that is no box with a label.
        """
        told = {name: _clear(value, key) for name, value in zip(self.columns, row, strict=True)}
        if any(told[name] in (None, "") for name in ALWAYS):
            raise InvalidInput("Its id, its picture or its label is empty.")
        numbers, form = self._numbers(told)
        attributes = {
            name.removeprefix(ATTRIBUTE): str(value)
            for name, value in told.items()
            if name.startswith(ATTRIBUTE) and value is not None
        }
        check_attributes(attributes, "attributes")
        return RowBox(
            row=str(told["id"]),
            image=str(told["image"]).strip(),
            box=box_of(str(told["label"]), numbers, form, self.units),
            frame=_frame(told.get("frame")),
            attributes=attributes,
        )

    def _numbers(
        self, told: Mapping[str, Any]
    ) -> tuple[tuple[float, float, float, float], Corners]:
        if "box" not in self.columns:
            return _four([told[side] for side in SIDES]), self.form
        value = _parsed(told["box"])
        if not isinstance(value, dict):
            return _four(value), self.form
        for names, form in _KEYS:
            if all(name in value for name in names):
                return _four([value[name] for name in names]), form or self.form
        raise InvalidInput("The box is an object without the members of one.")


def parse_columns(told: Sequence[str]) -> dict[str, str]:
    """Read ``id=id,image=path,label=label,box=bbox``; ``ConfigurationError``.

    ``id``, ``image`` and ``label`` are needed, and either ``box`` or ``x``, ``y``, ``w`` and
    ``h``; ``frame`` and any ``attributes.NAME`` may be told.
    """
    pairs = [part.partition("=") for text in told for part in text.split(",") if part.strip()]
    columns = {role.strip(): name.strip() for role, _, name in pairs}
    box = [("box",), SIDES]
    known = {*ALWAYS, "box", "frame", *SIDES}
    complete = all(role in columns for role in ALWAYS) and (
        sum(all(role in columns for role in roles) for roles in box) == 1
    )
    strange = [r for r in columns if r not in known and not r.startswith(ATTRIBUTE)]
    if not complete or strange or not all(columns.values()):
        raise ConfigurationError(
            "--columns names what each column says: id=…,image=…,label=… and either box=… or"
            " x=…,y=…,w=…,h=…; frame=… and attributes.NAME=… if there are any.",
            operation="older.columns",
        )
    return columns


def _clear(value: Any, key: SecretKey | None) -> Any:
    """A value in clear, opened where it is ``hex(iv):hex(ct)``."""
    if isinstance(value, bytes | memoryview):
        try:
            value = bytes(value).decode()
        except UnicodeDecodeError:
            raise InvalidInput("A value is neither text nor a number.") from None
    if not isinstance(value, str) or not is_sealed_text(value):
        return value
    if key is None:
        raise InvalidInput("A value is encrypted, and IMAGE_ENCRYPTION_KEY is not set.")
    try:
        return open_text(value, key).decode()
    except UnicodeDecodeError:
        raise DecryptionFailed(operation="legacy.open") from None


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return [part for part in _NUMBERS.split(value) if part]


def _four(values: Any) -> tuple[float, float, float, float]:
    try:
        a, b, c, d = (float(value) for value in values)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput("The box is not four numbers.") from None
    return a, b, c, d


def _frame(value: Any) -> int:
    try:
        frame = int(value or 0)
    except (TypeError, ValueError, OverflowError):
        frame = -1
    if not 0 <= frame <= MAX_FRAME:
        raise InvalidInput("The frame is not a whole number from 0 on.")
    return frame
