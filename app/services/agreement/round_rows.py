"""The rows of rounds: what is counted of all of them, and what one is told from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from app.models import AgreementCopy, AgreementRound, Image
from app.models.image import LIVE
from app.services.image_card import COLUMNS, ImageCard, card_of


def counted(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """Copies by round: rows (annotator_id, state, live, copies); what is in the trash may
    come back, and waits for nobody until then."""
    found: dict[UUID, list[Any]] = defaultdict(list)
    live = LIVE.label("live")
    rows = connection.execute(
        select(
            AgreementCopy.round_id,
            AgreementCopy.annotator_id,
            AgreementCopy.state,
            live,
            func.count().label("copies"),
        )
        .join(AgreementRound, AgreementRound.id == AgreementCopy.round_id)
        .join(Image, Image.id == AgreementCopy.image_id)
        .where(
            AgreementCopy.round_id.in_(ids),
            Image.collection_id == AgreementRound.collection_id,
        )
        .group_by(AgreementCopy.round_id, AgreementCopy.annotator_id, AgreementCopy.state, live)
    )
    for row in rows:
        found[row.round_id].append(row)
    return found


def cards(connection: Connection, ids: set[UUID], now: datetime) -> list[ImageCard]:
    """The pictures that are there, oldest first."""
    wanted = select(*COLUMNS).where(Image.id.in_(ids), LIVE)
    rows = connection.execute(wanted.order_by(Image.sort_at, Image.id))
    return [card_of(row, now) for row in rows]
