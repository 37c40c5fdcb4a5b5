"""The declarative base: naming conventions, client-made ids, CHECKs of encrypted columns."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, MetaData, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.db.encrypted_types import EncryptedType, StartsSealed
from app.db.row_binding import watch_rows
from app.db.times import UtcDateTime
from app.db.tracked_json import track_encrypted_json

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

track_encrypted_json()


class Base(DeclarativeBase):
    """Every table. Encrypted columns get their CHECK and row binding here, by themselves."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class attribute
        UUID: Uuid(),
        datetime: UtcDateTime(),
        bytes: LargeBinary(),
    }

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for column in cls.__table__.columns:
            if isinstance(column.type, EncryptedType):
                check = CheckConstraint(StartsSealed(column.name), name=f"{column.name}_sealed")
                cls.__table__.append_constraint(check)  # type: ignore[attr-defined]
        watch_rows(cls)

    def __repr__(self) -> str:
        """The class alone: columns may hold opened secrets."""
        return f"<{type(self).__name__}>"


class HasId:
    """A UUIDv4 made by the client when the object is made: row binding needs it early."""

    id: Mapped[UUID] = mapped_column(primary_key=True, sort_order=-1)

    def __init__(self, **values: Any) -> None:
        values.setdefault("id", uuid4())
        super().__init__(**values)


def references(target: str, *, on_delete: str | None = None) -> ForeignKey:
    """A foreign key that is checked at commit, so that rows may be added in any order."""
    return ForeignKey(target, ondelete=on_delete, deferrable=True, initially="DEFERRED")


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """``CHECK``: the column holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")
