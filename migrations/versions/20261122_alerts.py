"""Alerts: the conditions that hold, messages about them, and pictures that are set aside.

Frozen: imports no model of the application, since models change and history does not.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "20261122_alerts"
down_revision = "20261122_keys_for_life"
branch_labels = None
depends_on = None

QUARANTINED = "status = 'quarantined'"
UNSENT = "sent_at IS NULL"


def upgrade() -> None:
    alerts()
    clause = sa.text(QUARANTINED)
    op.create_index(
        "ix_images_quarantined", "images", ["id"], sqlite_where=clause, postgresql_where=clause
    )


def downgrade() -> None:
    op.drop_index("ix_images_quarantined", "images")
    for table in ("alert_messages", "alerts"):
        op.drop_table(table)


def identity(name: str = "id", *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=null)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def words(name: str, length: int, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=null)


def number(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def known(table: str, column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(
        f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}_known")
    )


def index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def alerts() -> None:
    op.create_table(
        "alerts",
        words("condition", 32),
        words("detail", 300),
        moment("raised_at"),
        moment("seen_at"),
        primary("alerts", "condition"),
    )
    op.create_table(
        "alert_messages",
        identity(),
        words("channel", 16),
        words("event", 16),
        words("condition", 32),
        words("detail", 300),
        moment("at"),
        moment("due_at"),
        number("tries"),
        moment("sent_at", null=True),
        known("alert_messages", "channel", "webhook", "email"),
        known("alert_messages", "event", "raised", "cleared"),
        primary("alert_messages", "id"),
    )
    clause = sa.text(UNSENT)
    op.create_index(
        "ix_alert_messages_due",
        "alert_messages",
        ["due_at"],
        sqlite_where=clause,
        postgresql_where=clause,
    )
    index("alert_messages", "at")
