"""Keys for life: jobs, runs of the upkeep, records that are behind.

Frozen: imports no model of the application, since models change and history does not.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "20261122_keys_for_life"
down_revision = "20261122_views"
branch_labels = None
depends_on = None

OPEN_JOB = "state IN ('waiting', 'running')"
RUN_KINDS = (
    "rotation",
    "rewrap",
    "rekey",
    "vault_move",
    "root_rotation",
    "kek_rotation",
    "verify",
    "scrub",
    "reconcile",
    "heal",
    "backup",
    "drill",
    "restore",
    "rebuild",
    "migration",
)


def upgrade() -> None:
    jobs()
    maintenance_runs()
    stale_records()


def downgrade() -> None:
    for table in ("stale_records", "maintenance_runs", "jobs"):
        op.drop_table(table)


def identity(name: str = "id", *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=null)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def words(name: str, length: int, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=null)


def number(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def size(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def octets(name: str, length: int | None = None, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(length), nullable=null)


def primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def sealed(table: str, *columns: str) -> list[sa.CheckConstraint]:
    """Each value begins with DC 01 (docs/store-format.md section 5)."""
    postgresql = op.get_context().dialect.name == "postgresql"
    mark = r"'\xDC01'::bytea" if postgresql else "x'DC01'"
    return [
        sa.CheckConstraint(
            f"substr({column}, 1, 2) = {mark}", name=op.f(f"ck_{table}_{column}_sealed")
        )
        for column in columns
    ]


def known(table: str, column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(
        f"{column} IN ({listed})", name=op.f(f"ck_{table}_{column}_known")
    )


def foreign(
    table: str, column: str, target: str, on_delete: str | None = None
) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [target],
        name=op.f(f"fk_{table}_{column}"),
        ondelete=on_delete,
        deferrable=True,
        initially="DEFERRED",
    )


def index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def jobs() -> None:
    op.create_table(
        "jobs",
        identity(),
        identity("owner_id", null=True),
        words("kind", 64),
        words("purpose", 128, null=True),
        words("state", 16),
        octets("params", null=True),
        octets("result", null=True),
        words("error", 64, null=True),
        size("done"),
        size("total", null=True),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        number("tries"),
        moment("run_at"),
        moment("lease_until", null=True),
        words("lease_token", 64, null=True),
        octets("wrapped_dek", 64, null=True),
        size("result_size", null=True),
        moment("created_at"),
        moment("started_at", null=True),
        moment("finished_at", null=True),
        known("jobs", "state", "waiting", "running", "done", "failed", "stopped"),
        foreign("jobs", "owner_id", "users.id", "CASCADE"),
        primary("jobs", "id"),
        *sealed("jobs", "params", "result"),
    )
    clause = sa.text(OPEN_JOB)
    op.create_index(
        "uq_jobs_purpose",
        "jobs",
        ["purpose"],
        unique=True,
        sqlite_where=clause,
        postgresql_where=clause,
    )
    index("jobs", "state", "run_at")
    index("jobs", "owner_id", "created_at", "id")
    index("jobs", "finished_at")


def maintenance_runs() -> None:
    op.create_table(
        "maintenance_runs",
        identity(),
        words("kind", 32),
        words("state", 16),
        moment("started_at"),
        moment("finished_at", null=True),
        words("cursor", 128, null=True),
        size("found"),
        size("done"),
        size("failed"),
        size("remaining"),
        sa.Column("figures", sa.JSON(), nullable=False),
        known("maintenance_runs", "kind", *RUN_KINDS),
        known("maintenance_runs", "state", "running", "done", "failed", "stopped"),
        primary("maintenance_runs", "id"),
    )
    index("maintenance_runs", "kind", "started_at")


def stale_records() -> None:
    op.create_table(
        "stale_records",
        identity("file_id"),
        number("mark"),
        moment("since"),
        primary("stale_records", "file_id"),
    )
    index("stale_records", "since")
