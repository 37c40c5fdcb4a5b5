"""What the workbench asks for walks along an index: tasks, labels, history, talk, rounds."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, Select, select, tuple_

from app.db.times import utc_now
from app.domain.states import AnnotationState
from app.models import (
    AgreementCopy,
    AgreementRound,
    AnnotationOp,
    Comment,
    ExchangeNote,
    Image,
    ImageTask,
    LabelSchema,
    LabelSchemaVersion,
    LabelToken,
    Presence,
    SavedFilter,
)
from app.services.annotation_past import entries
from app.services.review_queue import queue_rows
from app.services.task_queue import Wish, walk
from tests.fixtures.plans import plan_of

HERE, SOME_ID, NOW = uuid4(), uuid4(), utc_now()
PAGE = 51
WISH = Wish(HERE, SOME_ID, (AnnotationState.NEW,), NOW)
Row = tuple[Select[Any], str]

TASKS: dict[str, Row] = {
    "next new picture": (walk(WISH, AnnotationState.NEW), "ix_images_state"),
    "next new picture after one": (
        walk(WISH, AnnotationState.NEW).where(tuple_(Image.sort_at, Image.id) > (NOW, SOME_ID)),
        "ix_images_state",
    ),
    "waiting for a reviewer": (
        queue_rows(HERE, AnnotationState.DONE, None, None, NOW),
        "ix_images_state",
    ),
    "waiting for a reviewer, of one": (
        queue_rows(HERE, AnnotationState.DONE, SOME_ID, None, NOW),
        "ix_images_state",
    ),
    "task of a picture": (
        select(ImageTask.id).where(ImageTask.image_id == HERE),
        "uq_image_tasks_image_id",
    ),
    "my leases": (
        select(ImageTask.image_id).where(
            ImageTask.lease_user_id == HERE, ImageTask.lease_until > NOW
        ),
        "ix_image_tasks_lease_user_id_lease_until",
    ),
    "what is assigned to me": (
        select(ImageTask.image_id).where(ImageTask.assignee_id == HERE),
        "ix_image_tasks_assignee_id",
    ),
    "comments of a picture": (
        select(Comment).where(Comment.image_id == HERE).order_by(Comment.created_at),
        "ix_comments_image_id_created_at",
    ),
    "who has a picture open": (
        select(Presence.user_id).where(Presence.image_id == HERE, Presence.seen_at > NOW),
        "sqlite_autoindex_presences",
    ),
}

LABELS: dict[str, Row] = {
    "pictures of a label": (
        select(LabelToken.image_id).where(
            LabelToken.collection_id == HERE, LabelToken.token.in_([b"x" * 8, b"y" * 8])
        ),
        "sqlite_autoindex_label_tokens",
    ),
    "tokens of a picture": (
        select(LabelToken.token).where(LabelToken.image_id == HERE),
        "ix_label_tokens_image_id",
    ),
    "tallies": (
        select(LabelSchema.tallies).where(LabelSchema.collection_id == HERE),
        "uq_label_schemas_collection_id",
    ),
    "versions of a schema": (
        select(LabelSchemaVersion)
        .where(LabelSchemaVersion.collection_id == HERE)
        .order_by(LabelSchemaVersion.version.desc()),
        "uq_label_schema_versions_version",
    ),
    "kept filters": (
        select(SavedFilter.id).where(SavedFilter.user_id == HERE),
        "ix_saved_filters_user_id",
    ),
    "notes of a document": (
        select(ExchangeNote).where(
            ExchangeNote.collection_id == HERE,
            ExchangeNote.format == "coco",
            ExchangeNote.image_id.is_(None),
        ),
        "ix_exchange_notes_collection_id_format_image_id",
    ),
}

PAST: dict[str, Row] = {
    "history of a picture": (
        entries()
        .where(AnnotationOp.image_id == HERE)
        .order_by(AnnotationOp.seq.desc(), AnnotationOp.place.desc()),
        "ix_annotation_ops_image_id_seq",
    ),
    "changes since a revision": (
        entries()
        .where(AnnotationOp.image_id == HERE, AnnotationOp.seq > 5)
        .order_by(AnnotationOp.seq, AnnotationOp.place),
        "ix_annotation_ops_image_id_seq",
    ),
    "rounds": (
        select(AgreementRound)
        .where(AgreementRound.collection_id == HERE)
        .order_by(AgreementRound.created_at.desc()),
        "ix_agreement_rounds_collection_id_created_at",
    ),
    "copies of a picture in a round": (
        select(AgreementCopy.id).where(
            AgreementCopy.round_id == HERE, AgreementCopy.image_id == SOME_ID
        ),
        "uq_agreement_copies_person",
    ),
}
LISTS = TASKS | LABELS | PAST


@pytest.mark.parametrize(("statement", "index"), LISTS.values(), ids=LISTS)
def test_a_list_walks_along_its_index(
    engine: Engine, statement: Select[Any], index: str
) -> None:
    plan = plan_of(engine, statement.limit(PAGE))
    assert index in plan, plan
    steps = [step for step in plan.splitlines() if "RIGHT PART OF ORDER BY" not in step]
    assert not [step for step in steps if "TEMP B-TREE" in step or "SCAN" in step], plan
