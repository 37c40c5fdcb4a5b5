"""Provenance: which pictures came from files that nothing had authenticated.

Frozen: imports no model of the application, since models change and history does not.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_provenance"
down_revision = "20261122_alerts"
branch_labels = None
depends_on = None

UNVERIFIED = "provenance <> 'sealed'"


def upgrade() -> None:
    column = sa.Column(
        "provenance", sa.String(32), nullable=False, server_default=sa.text("'sealed'")
    )
    op.add_column("images", column)
    clause = sa.text(UNVERIFIED)
    op.create_index(
        "ix_images_unverified",
        "images",
        ["provenance", "id"],
        sqlite_where=clause,
        postgresql_where=clause,
    )


def downgrade() -> None:
    op.drop_index("ix_images_unverified", "images")
    op.drop_column("images", "provenance")
