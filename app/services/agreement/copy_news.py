"""What is new on one's own copy: a second tab or device of the same person asks for it.

A copy has no log. It remembers the operations that were done with the revision that each made
(`KEPT_OPS` of them), and that tells which annotations changed since; how they are now is told
by the copy itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from app.domain.access import Actor
from app.domain.annotation import Annotation
from app.services.agreement.copy_rows import CopyRow, Opened
from app.services.annotation_changes import MOST, NewChange, News
from app.services.people import people


def no_news(found: Opened) -> News:
    """Nothing but the state may be another; the body was not opened."""
    copy, schema = found.copy, found.picture.schema
    return News(copy.rev, copy.state, (), None, (), schema)


def news_since(
    source: Connection, actor: Actor, found: Opened, placed: Sequence[Annotation], since: int
) -> News:
    """``placed``: the annotations of now, in their order."""
    copy = found.copy
    changes = order = None
    done = _since(copy, since)
    if done is not None:
        who = people(source, actor, [copy.annotator_id]).get(copy.annotator_id)
        now = {each.id: each for each in placed}
        changes = tuple(
            NewChange(rev, op_id, "update" if id_ in now else "delete", id_, now.get(id_), who)
            for op_id, id_, rev in done
            if id_ is not None
        )
        if any(id_ is None for _, id_, _ in done):
            order = tuple(each.id for each in placed)
    return News(copy.rev, copy.state, changes, order, (), found.picture.schema)


def _since(copy: CopyRow, since: int) -> list[tuple[UUID, UUID | None, int]] | None:
    """Operations with what they were about, oldest first; None where they are too many, or
    do not lead from that revision to the one of now."""
    done = [
        (UUID(op_id), UUID(id_) if id_ else None, rev)
        for op_id, (id_, rev) in copy.body.get("ops", {}).items()
        if rev is not None and rev > since
    ]
    whole = {rev for _, _, rev in done} == set(range(since + 1, copy.rev + 1))
    if since > copy.rev or not whole or len(done) > MOST:
        return None
    return sorted(done, key=lambda each: each[2])
