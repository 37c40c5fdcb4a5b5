"""The key inventory: how many files under which generation, how old, where from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import case, func, literal_column, select
from sqlalchemy.orm import Session

from app.models import FileKey, Image
from app.models.file_key import KEY_MODES, KEY_STATES
from app.models.image import NOT_DESTROYED

FORMAT: Final = "DKRM v1"
"""The one format that is written; what else lay in a store was never taken in."""
AGES: Final = (
    ("under a week", 7),
    ("under a month", 30),
    ("under 3 months", 90),
    ("under a year", 365),
)
OLDER: Final = "a year or more"
ACTIVE: Final = FileKey.state == "active"


@dataclass(frozen=True, slots=True)
class Inventory:
    """Counts of this moment; ``sealed_bytes`` are those of the originals.

    ``by_state`` and ``by_mode`` name every state and mode, with 0 where there is none.
    ``by_generation`` and ``by_age`` are of active keys. ``past_cryptoperiod``: active keys
    that are due for rotation. ``oldest`` None: there is no key.
    """

    files: int
    sealed_bytes: int
    by_format: Mapping[str, int]
    by_state: Mapping[str, int]
    by_mode: Mapping[str, int]
    by_generation: Mapping[int, int]
    by_age: Mapping[str, int]
    past_cryptoperiod: int
    oldest: datetime | None
    unverified: int
    quarantined: int


def take_inventory(session: Session, now: datetime) -> Inventory:
    """Count; a handful of aggregates over the keys, one over the pictures."""
    kept = select(func.count(), func.coalesce(func.sum(Image.enc_size), 0)).where(NOT_DESTROYED)
    files, sealed_bytes = session.execute(kept).one()
    due, oldest = session.execute(
        select(
            func.count(case((FileKey.expires_at <= now, 1))), func.min(FileKey.created_at)
        ).where(ACTIVE)
    ).one()
    return Inventory(
        files=files,
        sealed_bytes=int(sealed_bytes),
        by_format={FORMAT: files},
        by_state=_counted(session, FileKey.state, KEY_STATES),
        by_mode=_counted(session, FileKey.mode, KEY_MODES),
        by_generation=_generations(session),
        by_age=_ages(session, now),
        past_cryptoperiod=due,
        oldest=oldest,
        unverified=_unverified(session),
        quarantined=_quarantined(session),
    )


def _counted(session: Session, column: object, known: tuple[str, ...]) -> dict[str, int]:
    grouped = select(column, func.count()).select_from(FileKey).group_by(column)  # type: ignore[call-overload]
    found: dict[str, int] = dict(session.execute(grouped).all())
    return {name: found.get(name, 0) for name in known}


def _generations(session: Session) -> dict[int, int]:
    grouped = (
        select(FileKey.generation, func.count())
        .where(ACTIVE)
        .group_by(FileKey.generation)
        .order_by(FileKey.generation)
    )
    return dict(session.execute(grouped).all())


def _ages(session: Session, now: datetime) -> dict[str, int]:
    whens = [(FileKey.created_at > now - timedelta(days=days), name) for name, days in AGES]
    age = case(*whens, else_=OLDER).label("age")
    grouped = select(age, func.count()).where(ACTIVE).group_by(age)
    found: dict[str, int] = dict(session.execute(grouped).all())
    return {name: found.get(name, 0) for name in (*(name for name, _ in AGES), OLDER)}


def _unverified(session: Session) -> int:
    where = Image.provenance != literal_column("'sealed'")
    return session.scalar(select(func.count()).select_from(Image).where(where)) or 0


def _quarantined(session: Session) -> int:
    where = Image.status == literal_column("'quarantined'")
    return session.scalar(select(func.count()).select_from(Image).where(where)) or 0
