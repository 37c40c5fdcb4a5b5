"""Every list of the gallery and of GET /images walks along an index: no scan, no sort."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, Select, and_, select, tuple_, union_all

from app.db.times import utc_now
from app.models import (
    LIVE,
    MARKED_DESTROYED,
    NOT_DESTROYED,
    Annotation,
    AuditEvent,
    Collection,
    CollectionMember,
    FileKey,
    Image,
    ImageTag,
    LabelClass,
    MonthCount,
    Session,
    Tag,
)
from app.services.cursor import Cursor
from app.services.expiry import run_out, unexpired
from app.services.listing import ListQuery, Sort, _counted, _lines, walks_of
from app.services.rotation.files import not_set_aside, past_expiry, retiring, unfinished
from app.services.views import last_views, recent_views
from tests.fixtures.plans import plan_of

HERE, SOME_ID, NOW = uuid4(), uuid4(), utc_now()
PAGE = 51

gallery = select(Image.id, Image.card, Image.sort_at).where(
    Image.collection_id == HERE, LIVE, unexpired(NOW), NOT_DESTROYED
)
newest = (Image.sort_at.desc(), Image.id.desc())
older = tuple_(Image.sort_at, Image.id) < (NOW, SOME_ID)


def of_tag(tag_id: UUID) -> Select[Any]:
    return (
        select(Image.id, Image.card)
        .join(ImageTag, ImageTag.image_id == Image.id)
        .where(ImageTag.tag_id == tag_id, LIVE, unexpired(NOW), NOT_DESTROYED)
        .where(tuple_(ImageTag.sort_at, ImageTag.image_id) < (NOW, SOME_ID))
        .order_by(ImageTag.sort_at.desc(), ImageTag.image_id.desc())
    )


LISTS: dict[str, tuple[Select[Any], str]] = {
    "first page": (gallery.order_by(*newest), "ix_images_timeline"),
    "next page": (gallery.where(older).order_by(*newest), "ix_images_timeline"),
    "page before": (
        gallery.where(tuple_(Image.sort_at, Image.id) > (NOW, SOME_ID)).order_by(
            Image.sort_at, Image.id
        ),
        "ix_images_timeline",
    ),
    "from and to": (
        gallery.where(Image.sort_at >= NOW, Image.sort_at < NOW).order_by(*newest),
        "ix_images_timeline",
    ),
    "status": (
        gallery.where(Image.status == "error", older).order_by(*newest),
        "ix_images_status",
    ),
    "annotation state": (
        gallery.where(Image.annotation_state == "new", older).order_by(*newest),
        "ix_images_state",
    ),
    "kind": (gallery.where(Image.kind == "video", older).order_by(*newest), "ix_images_kind"),
    "size": (
        gallery.where(tuple_(Image.size, Image.id) > (5, SOME_ID)).order_by(
            Image.size, Image.id
        ),
        "ix_images_size",
    ),
    "trash": (
        select(Image.id)
        .where(Image.collection_id == HERE, Image.trashed_at.is_not(None), NOT_DESTROYED)
        .where(tuple_(Image.trashed_at, Image.id) < (NOW, SOME_ID))
        .order_by(Image.trashed_at.desc(), Image.id.desc()),
        "ix_images_trash",
    ),
    "tag": (of_tag(SOME_ID), "ix_image_tags_timeline"),
    "to destroy": (select(Image.id).where(Image.destroy_at <= NOW), "ix_images_destroy_at"),
    "run out": (select(Image.id).where(run_out(NOW)), "ix_images_expires_at"),
    "run out in a collection": (
        select(Image.sort_at).where(Image.collection_id == HERE, run_out(NOW)),
        "ix_images_expiring",
    ),
    "run out in collections": (
        select(Image.sort_at).where(Image.collection_id.in_([HERE, SOME_ID]), run_out(NOW)),
        "ix_images_expiring",
    ),
    "duplicate": (
        select(Image.id).where(
            Image.collection_id == HERE, Image.dedupe == b"x" * 32, NOT_DESTROYED
        ),
        "uq_images_dedupe",
    ),
    "address": (select(Image.id).where(Image.stored_name == "x"), "sqlite_autoindex_images"),
    "uploads of an account": (
        select(Image.id).where(Image.uploader_id == SOME_ID),
        "ix_images_uploader_id",
    ),
    "boxes of an image": (
        select(Annotation).where(Annotation.image_id == HERE).order_by(Annotation.position),
        "ix_annotations_image_id_position",
    ),
    "classes": (
        select(LabelClass)
        .where(LabelClass.collection_id == HERE)
        .order_by(LabelClass.position),
        "ix_label_classes_collection_id_position",
    ),
    "tags": (select(Tag).where(Tag.collection_id == HERE), "ix_tags_collection_id"),
    "tags of an image": (
        select(ImageTag).where(ImageTag.image_id == HERE),
        "sqlite_autoindex_image_tags",
    ),
    "months": (
        select(MonthCount).where(MonthCount.collection_id == HERE).order_by(MonthCount.month),
        "sqlite_autoindex_month_counts",
    ),
    "my collections": (
        select(CollectionMember).where(CollectionMember.user_id == HERE),
        "ix_collection_members_user_id_collection_id",
    ),
    "collection by slug": (
        select(Collection).where(Collection.slug == "x"),
        "sqlite_autoindex_collections",
    ),
    "active key": (
        select(FileKey).where(FileKey.file_id == HERE),
        "sqlite_autoindex_file_keys",
    ),
    "keys to rotate": (
        select(FileKey).where(FileKey.state == "active", FileKey.expires_at < NOW),
        "ix_file_keys_state_expires_at",
    ),
    "sessions": (select(Session).where(Session.user_id == HERE), "ix_sessions_user_id"),
    "old sessions": (
        select(Session.id_hash).where(Session.expires_at < NOW),
        "ix_sessions_expires_at",
    ),
    "history of a subject": (
        select(AuditEvent)
        .where(AuditEvent.subject_kind == "image", AuditEvent.subject_id == "x")
        .order_by(AuditEvent.seq.desc()),
        "ix_audit_events_subject_kind_subject_id_seq",
    ),
}


@pytest.mark.parametrize(("statement", "index"), LISTS.values(), ids=LISTS)
def test_a_list_walks_along_its_index(
    engine: Engine, statement: Select[Any], index: str
) -> None:
    plan = plan_of(engine, statement.limit(PAGE))
    assert index in plan, plan
    assert "TEMP B-TREE" not in plan, plan
    assert "SCAN" not in plan, plan


WALKS = {
    "first page": (ListQuery(), ["ix_images_timeline"]),
    "next page": (ListQuery(cursor=Cursor(1, SOME_ID)), ["ix_images_timeline"]),
    "kind": (ListQuery(kind="image"), ["ix_images_kind"]),
    "state": (ListQuery(state="new"), ["ix_images_state"]),
    "status": (ListQuery(status="ready"), ["ix_images_status"]),
    "size": (ListQuery(sort=Sort.SIZE, cursor=Cursor(1, SOME_ID)), ["ix_images_size"]),
    "trash": (ListQuery(trashed=True), ["ix_images_trash", "ix_images_expiring"]),
    "trash, next page": (
        ListQuery(trashed=True, cursor=Cursor(1, SOME_ID)),
        ["ix_images_trash", "ix_images_expiring"],
    ),
}


@pytest.mark.parametrize(("query", "indexes"), WALKS.values(), ids=WALKS)
def test_the_walks_of_the_lists(engine: Engine, query: ListQuery, indexes: list[str]) -> None:
    """The statements themselves, as the gallery, the API and the trash send them."""
    for walk, index in zip(walks_of(query, HERE, None), indexes, strict=True):
        plan = plan_of(engine, walk)
        assert f"USING INDEX {index}" in plan, plan
        assert "TEMP B-TREE" not in plan, plan
        assert "MULTI-INDEX" not in plan, plan


def test_who_has_seen_a_picture_is_found_by_an_index(engine: Engine) -> None:
    """The last step, a sort of at most a few accounts, is outside."""
    index = "USING COVERING INDEX ix_audit_events_views"
    search = f"SEARCH audit_events {index} (subject_id=? AND action=?"
    recent = plan_of(engine, recent_views(HERE, SOME_ID, NOW))
    assert recent == f"{search} AND actor_id=? AND at>?)"
    plan = plan_of(engine, last_views(HERE))
    assert search in plan, plan
    assert "SCAN" not in plan, plan


@pytest.mark.parametrize(("query", "indexes"), WALKS.values(), ids=WALKS)
@pytest.mark.parametrize("tags", [(), (SOME_ID,)])
def test_a_total_is_counted_along_an_index(
    engine: Engine, tags: tuple[UUID, ...], query: ListQuery, indexes: list[str]
) -> None:
    of_two = replace(query, collections=(HERE, SOME_ID), tag_ids=tags)
    for line in _lines(of_two):
        assert "SCAN" not in (plan := plan_of(engine, _counted(of_two, line))), plan


def test_what_is_marked_for_destruction_is_all_of_its_index(engine: Engine) -> None:
    """Asked every minute; the index holds nothing but what a crash left behind."""
    plan = plan_of(engine, select(Image.id, Image.stored_name).where(MARKED_DESTROYED))
    assert plan == "SCAN images USING INDEX ix_images_destroyed"


@pytest.mark.parametrize("after", [True, False])
def test_rotations_that_were_cut_short_are_all_of_their_index(
    engine: Engine, after: bool
) -> None:
    """Asked before every run, and every hour; the index holds only what is at work."""
    wanted = and_(unfinished(NOW), not_set_aside())
    chosen = select(FileKey.file_id).where(wanted)
    if after:
        chosen = chosen.where(FileKey.file_id > SOME_ID).distinct().order_by(FileKey.file_id)
    plan = plan_of(engine, chosen.limit(PAGE))
    assert "file_keys USING INDEX ix_file_keys_at_work" in plan, plan
    assert "images USING INDEX ix_images_quarantined" in plan, plan
    assert "TEMP B-TREE" not in plan, plan


@pytest.mark.parametrize(
    "wanted", [past_expiry(NOW, None), past_expiry(NOW, NOW), retiring(NOW)]
)
def test_keys_that_are_due_are_found_by_an_index(engine: Engine, wanted: Any) -> None:
    plan = plan_of(engine, select(FileKey.id).where(wanted))
    assert "ix_file_keys_state_expires_at (state=?" in plan, plan
    assert "SCAN" not in plan, plan


def test_several_collections_are_merged_from_pages(engine: Engine) -> None:
    """All collections of an account: a page from each index, then one small sort."""
    pages = [
        select(gallery.where(older).order_by(*newest).limit(PAGE).subquery(f"page_{number}"))
        for number in range(3)
    ]
    plan = plan_of(engine, union_all(*pages))
    assert plan.count("SEARCH images USING INDEX ix_images_timeline") == 3, plan
    assert "TEMP B-TREE" not in plan, plan


def test_the_check_can_fail(engine: Engine) -> None:
    by_kind = select(Image.id).where(Image.mime_type == "x").order_by(Image.enc_size)
    plan = plan_of(engine, by_kind)
    assert "SCAN" in plan
    assert "TEMP B-TREE" in plan
    unindexed = gallery.where(and_(Image.status == "ready")).order_by(Image.updated_at)
    assert "TEMP B-TREE" in plan_of(engine, unindexed)
