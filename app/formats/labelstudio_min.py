"""JSON-MIN of Label Studio: records ``{data…, "id", from_name: values…, "annotator",
"annotation_id", …}`` as tasks, and tasks as these.

https://labelstud.io/guide/export#JSON-MIN: one record an annotation, values without ids and
types; a single choice or text stands there as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.formats.json_text import Record
from app.formats.labelstudio_regions import KINDS

MIN: Final = "min"
"""The member of an annotation that holds its record, the values of results taken out."""

_TAKEN: Final = {"<results>": True}  # stands where results were taken out
_SIZE: Final = ("original_width", "original_height")
_CHOICE: Final = ("choice", "choices")  # as the templates of Label Studio name them
_TYPES: Final = (*(kind for kind in KINDS if kind.endswith("labels")), "choices", "taxonomy")


def is_min(document: Record) -> bool:
    """A record tells its annotation beside its data, where a task has lists of both."""
    is_task = "data" in document or "annotations" in document
    return not is_task and ("annotation_id" in document or "annotator" in document)


def expanded(found: Record) -> Record:
    """The record as a task of one annotation."""
    results: list[Record] = []
    rest: Record = {}
    for name, value in found.items():
        made = _results(name, value)
        results += made
        rest[name] = _TAKEN if made else value
    times = {name: found.get(name) for name in ("created_at", "updated_at")}
    annotation = {**times, "result": results, MIN: rest}
    return {"id": found.get("id"), "data": dict(rest), "annotations": [annotation]}


def collapsed(annotation: Mapping[str, Any], data: Mapping[str, Any]) -> Record:
    """The record again, with the results that the annotation has now, and ``data``."""
    record: Record = {**annotation[MIN], **data}
    made: dict[str, list[Any]] = {}
    for result in annotation["result"]:
        made.setdefault(str(result.get("from_name")), []).append(_value(result))
    record |= {name: _pretty(values) for name, values in made.items()}
    return {name: value for name, value in record.items() if value != _TAKEN}


def _results(name: str, value: object) -> list[Record]:
    if name in _CHOICE and isinstance(value, str):
        return [_result(name, "choices", {"choices": [value]}, {MIN: "plain"})]
    if not isinstance(value, list) or not value:
        return []
    kinds = [_kind(each) for each in value]
    if not all(kinds):
        return []
    return [
        _result(
            name,
            str(kind),
            {k: v for k, v in each.items() if k not in _SIZE},
            {k: v for k, v in each.items() if k in _SIZE},
        )
        for kind, each in zip(kinds, value, strict=True)
    ]


def _kind(value: object) -> str | None:
    told = value if isinstance(value, dict) else {}
    return next((kind for kind in _TYPES if isinstance(told.get(kind), list)), None)


def _result(name: str, kind: str, value: Record, more: Record) -> Record:
    return {"from_name": name, "type": kind, "value": value, **more}


def _value(result: Mapping[str, Any]) -> Any:
    if result.get(MIN) == "plain" and len(result["value"]["choices"]) == 1:
        return result["value"]["choices"][0]
    return {**result["value"], **{name: result[name] for name in _SIZE if name in result}}


def _pretty(values: list[Any]) -> Any:
    """As the converter writes it: one plain value stands alone."""
    return values[0] if len(values) == 1 and isinstance(values[0], str) else values
