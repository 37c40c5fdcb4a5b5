"""Theme: how an account wants the pages to look.

Frozen: imports no model of the application, since models change and history does not.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261122_theme"
down_revision = "20261122_expiry"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("theme", sa.String(8), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "theme")
