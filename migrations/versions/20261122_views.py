"""Views: who looked at a picture, found without reading the rest of the audit log.

Frozen: imports no model of the application, since models change and history does not.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_views"
down_revision = "20261122_theme"
branch_labels = None
depends_on = None


def upgrade() -> None:
    condition = sa.text("action = 'image.view'")
    op.create_index(
        "ix_audit_events_views",
        "audit_events",
        ["subject_id", "action", "actor_id", "at"],
        sqlite_where=condition,
        postgresql_where=condition,
    )


def downgrade() -> None:
    op.drop_index("ix_audit_events_views", "audit_events")
