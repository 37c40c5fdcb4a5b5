"""Label sets, their index, searches and kept filters, and the jobs of these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.jobs.registry import Handler, JobKind, JobRun
from app.services import label_indexing, label_schema
from app.services.label_index import LabelIndex
from app.services.label_indexing import LabelIndexing
from app.services.label_schema import LabelSchemas, Rule
from app.services.labels import Labels
from app.services.library import Library
from app.services.relabelling import Relabelling
from app.services.saved_filters import SavedFilters
from app.services.search import Search

if TYPE_CHECKING:
    from app.wiring import House


def label_services(house: House, library: Library) -> dict[str, Any]:
    """The services by the name of their field."""
    uow, audit, jobs = house.uow, house.audit, house.jobs.service
    labels, index = Labels(uow, audit), LabelIndex(house.roots)
    return {
        "label_indexing": LabelIndexing(uow=uow, index=index, jobs=jobs, audit=audit),
        "label_schemas": LabelSchemas(
            uow=uow,
            labels=labels,
            relabelling=Relabelling(uow, house.writing, index),
            jobs=jobs,
            audit=audit,
        ),
        "labels": labels,
        "saved_filters": SavedFilters(uow),
        "search": Search(uow, library, index),
    }


def label_kinds(house: House) -> tuple[JobKind, ...]:
    """What is too long for a request."""
    return (
        JobKind(label_indexing.JOB, "Build or drop an index of labels", _index(house)),
        JobKind(label_schema.JOB, "Merge or split labels", _relabel(house)),
    )


def _index(house: House) -> Handler:
    def build(run: JobRun) -> Mapping[str, Any]:
        collection, on = UUID(run.params["collection"]), bool(run.params["on"])
        done = house.services.label_indexing.run(collection, on=on, watch=run)
        return {"on": on, "pictures" if on else "rows": done}

    return build


def _relabel(house: House) -> Handler:
    def relabel(run: JobRun) -> Mapping[str, Any]:
        rule = Rule.of(run.params)
        return {"annotations": house.services.label_schemas.run(run.owner_id, rule, run)}

    return relabel
