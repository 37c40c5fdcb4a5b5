"""Expiry: what is past its time, in all and by collection, and what is being destroyed.

Frozen: imports no model of the application, since models change and history does not.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_expiry"
down_revision = "20261122_images"
branch_labels = None
depends_on = None

KEPT_UNTIL = "expires_at IS NOT NULL AND trashed_at IS NULL"


def upgrade() -> None:
    op.drop_index("ix_images_expires_at", "images")
    partial_index("ix_images_expires_at", KEPT_UNTIL, "expires_at")
    partial_index("ix_images_expiring", KEPT_UNTIL, "collection_id", "expires_at", "id")
    partial_index("ix_images_destroyed", "status = 'destroyed'", "id")


def downgrade() -> None:
    op.drop_index("ix_images_destroyed", "images")
    op.drop_index("ix_images_expiring", "images")
    op.drop_index("ix_images_expires_at", "images")
    partial_index("ix_images_expires_at", "expires_at IS NOT NULL", "expires_at")


def partial_index(name: str, condition: str, *columns: str) -> None:
    clause = sa.text(condition)
    op.create_index(name, "images", list(columns), sqlite_where=clause, postgresql_where=clause)
