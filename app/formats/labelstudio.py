"""Label Studio JSON: a list of tasks with annotations, or JSON-MIN.

https://labelstud.io/guide/task_format. Of several annotations of a task the ground truth is
taken, else the newest that was not cancelled; the others, predictions, drafts and relations
are kept. A task with a cancelled annotation alone was skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from app.domain.names import refuse
from app.formats import labelstudio_writing, reading
from app.formats.dataset import (
    ClassDef,
    Dataset,
    Options,
    Parsed,
    Picture,
    Written,
    extra,
)
from app.formats.json_text import Record, array, read_json, record, records
from app.formats.labelstudio_items import Read, read_results
from app.formats.labelstudio_min import expanded, is_min
from app.formats.labelstudio_names import image_key, picture_path
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import Known
from app.formats.positions import ASIDE

NAME: Final = labelstudio_writing.NAME
WORDS: Final = "Label Studio JSON"
READS: Final = ("*.json",)


def parse(files: Mapping[str, bytes], options: Options) -> Parsed:
    """``InvalidInput`` with ``file:$.path``."""
    reader = _Reader(options)
    for name in (name for name in files if fnmatchcase(name.lower(), READS[0])):
        reader.read(name, read_json(files[name], name))
    if not reader.files:
        raise refuse("", "There is no JSON file among these files.")
    return Parsed(reader.dataset(), reader.ledger.losses)


def write(dataset: Dataset, options: Options) -> Written:
    return labelstudio_writing.write(dataset, options)


class _Reader:
    def __init__(self, options: Options) -> None:
        self.ledger = Ledger()
        self.files: dict[str, Any] = {}
        self._known = Known(options.sizes, options.same)
        self._pictures: dict[str, Picture] = {}

    def dataset(self) -> Dataset:
        pictures = tuple(self._pictures.values())
        labels = dict.fromkeys(item.label for p in pictures for item in p.items)
        classes = tuple(ClassDef(label) for label in labels)
        return Dataset(classes, pictures, extra({"files": self.files}, {}), NAME)

    def read(self, name: str, document: object) -> None:
        alone = isinstance(document, dict)
        left: list[list[Any]] = []
        for place, task, told in self._tasks([document] if alone else document, name):
            key = image_key(record(task.get("data"), f"{place}.data"))
            if key is None:
                self.ledger.add(LossCode.RECORDS_KEPT, place)
                left += [[at, found] for at, found in told]
                continue
            form = {"at": [at for at, _ in told], "key": key, "file": name}
            picture = self._picture(task, form, place)
            if picture.file_name in self._pictures:
                raise refuse(f"{place}.data", "Another task is of this picture, too.")
            self._pictures[picture.file_name] = picture
        self.files[name] = {"alone": alone, ASIDE: left}

    def _tasks(
        self, document: object, name: str
    ) -> Iterator[tuple[str, Record, list[tuple[int, Record]]]]:
        """Place, task and its records with their positions: those of JSON-MIN are one task
        where they have one id."""
        merged: dict[object, list[tuple[int, Record]]] = {}
        for at, (place, found) in enumerate(records(document, f"{name}:$")):
            if not is_min(found):
                yield place, found, [(at, found)]
                continue
            id_ = found.get("id")
            own = isinstance(id_, int | str)
            merged.setdefault(("id", id_) if own else ("at", at), []).append((at, found))
        for told in merged.values():
            tasks = [expanded(found) for _, found in told]
            whole = {**tasks[0], "annotations": [t["annotations"][0] for t in tasks]}
            yield f"{name}:$[{told[0][0]}]", whole, told

    def _picture(self, task: Record, form: Record, place: str) -> Picture:
        path = picture_path(task["data"][form["key"]], f"{place}.data", self.ledger)
        real = self._known.size(path, f"{place}.data", self.ledger)
        name = "annotations" if "annotations" in task else "completions"
        listed = [] if task.get(name) is None else task[name]
        told = [found for _, found in records(listed, f"{place}.{name}")]
        chosen = _chosen(told)
        read, size = Read(), real
        if chosen is not None:
            where = f"{place}.{name}[{chosen}].result"
            results = array(told[chosen].get("result"), where)
            reading.check_count(len(results), where)
            read = read_results(results, real, where, self.ledger)
            size = labelstudio_writing.told_size(results) or real
            told[chosen] = {**told[chosen], "result": []}
        reading.note_size(size, real, place, self.ledger)
        for item in read.items:
            reading.note_outside(item.shape, size, place, self.ledger)
        self._note_further(task, told, chosen, place)
        rest = {**task, name: told} if told else task
        fields = {"task": rest} | ({ASIDE: read.aside} if read.aside else {})
        width, height = size or (None, None)
        state = labelstudio_writing.state_of(told if task.get(name) is not None else None)
        was = extra(fields, {**form, "chosen": chosen, "name": name, "loose": list(read.loose)})
        id_ = task.get("id")
        foreign_id = id_ if isinstance(id_, int | str) else None
        return Picture(path, width, height, read.items, state, None, was, foreign_id)

    def _note_further(
        self, task: Record, told: list[Record], chosen: int | None, place: str
    ) -> None:
        predictions = task.get("predictions")
        count = len(told) - (chosen is not None)
        count += len(predictions) if isinstance(predictions, list) else 0
        if count:
            self.ledger.add(LossCode.FURTHER_ANNOTATIONS, place, count)


def _chosen(annotations: list[Record]) -> int | None:
    """The index of the one that is taken; None where there is none, or all were cancelled."""
    able = [
        n for n, each in enumerate(annotations) if not labelstudio_writing.is_cancelled(each)
    ]

    def rank(n: int) -> tuple[bool, str, int]:
        each = annotations[n]
        newest = str(each.get("updated_at") or each.get("created_at") or "")
        return each.get("ground_truth") is True, newest, n

    return max(able, key=rank, default=None)
