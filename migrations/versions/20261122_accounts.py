"""Accounts: users, sessions, API keys, collections, members, audit, installation.

Frozen: imports no model of the application, since models change and history does not.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "20261122_accounts"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_users()
    create_sessions()
    create_api_keys()
    create_collections()
    create_collection_members()
    create_audit_events()
    create_installation()


def downgrade() -> None:
    for table in (
        "installation",
        "audit_events",
        "collection_members",
        "collections",
        "api_keys",
        "sessions",
        "users",
    ):
        op.drop_table(table)


def identity(name: str = "id", *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=null)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def words(name: str, length: int, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=null)


def number(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def octets(name: str, length: int | None = None, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(length), nullable=null)


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


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


def create_users() -> None:
    op.create_table(
        "users",
        identity(),
        octets("email"),
        octets("email_index", 32),
        octets("name"),
        words("password_hash", 255, null=True),
        flag("is_admin"),
        words("state", 16),
        sa.Column("quota_limit", sa.BigInteger(), nullable=True),
        sa.Column("quota_used", sa.BigInteger(), nullable=False),
        flag("auto_delete"),
        number("default_expiry_days", null=True),
        moment("created_at"),
        moment("updated_at"),
        moment("password_changed_at", null=True),
        flag("must_change_password"),
        moment("last_login_at", null=True),
        primary("users", "id"),
        unique("users", "email_index"),
        known("users", "state", "active", "disabled"),
        *sealed("users", "email", "name"),
    )


def create_sessions() -> None:
    op.create_table(
        "sessions",
        octets("id_hash", 32),
        identity("user_id"),
        moment("created_at"),
        moment("last_seen"),
        moment("expires_at"),
        flag("remember"),
        octets("address", null=True),
        octets("agent", null=True),
        primary("sessions", "id_hash"),
        foreign("sessions", "user_id", "users.id", "CASCADE"),
        *sealed("sessions", "address", "agent"),
    )
    index("sessions", "user_id")
    index("sessions", "expires_at")


def create_api_keys() -> None:
    op.create_table(
        "api_keys",
        identity(),
        identity("user_id"),
        octets("key_hash", 32),
        words("prefix", 16),
        octets("name"),
        sa.Column("scopes", sa.Text(), nullable=False),
        words("rate", 64, null=True),
        moment("created_at"),
        moment("expires_at", null=True),
        moment("revoked_at", null=True),
        moment("last_used_at", null=True),
        primary("api_keys", "id"),
        unique("api_keys", "key_hash"),
        foreign("api_keys", "user_id", "users.id", "CASCADE"),
        *sealed("api_keys", "name"),
    )
    index("api_keys", "user_id")


def create_collections() -> None:
    op.create_table(
        "collections",
        identity(),
        words("slug", 64),
        octets("name"),
        octets("description", null=True),
        identity("owner_id"),
        flag("is_personal"),
        flag("labels_closed"),
        words("timeline", 16),
        number("image_count"),
        moment("created_at"),
        moment("updated_at"),
        moment("deleted_at", null=True),
        primary("collections", "id"),
        unique("collections", "slug"),
        known("collections", "timeline", "uploaded", "taken"),
        foreign("collections", "owner_id", "users.id"),
        *sealed("collections", "name", "description"),
    )
    index("collections", "owner_id")


def create_collection_members() -> None:
    roles = ("viewer", "annotator", "reviewer", "editor", "owner")
    op.create_table(
        "collection_members",
        identity("collection_id"),
        identity("user_id"),
        words("role", 16),
        moment("created_at"),
        primary("collection_members", "collection_id", "user_id"),
        known("collection_members", "role", *roles),
        foreign("collection_members", "collection_id", "collections.id", "CASCADE"),
        foreign("collection_members", "user_id", "users.id", "CASCADE"),
    )
    index("collection_members", "user_id", "collection_id")


def create_audit_events() -> None:
    table = "audit_events"
    op.create_table(
        table,
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        identity(),
        moment("at"),
        identity("actor_id", null=True),
        words("action", 64),
        words("subject_kind", 32, null=True),
        words("subject_id", 64, null=True),
        words("outcome", 16),
        octets("details", null=True),
        octets("mac", 32, null=True),
        primary(table, "seq"),
        unique(table, "id"),
        *sealed(table, "details"),
        sqlite_autoincrement=True,
    )
    index(table, "subject_kind", "subject_id", "seq")
    index(table, "actor_id", "seq")
    index(table, "action", "seq")
    index(table, "at")


def create_installation() -> None:
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        identity("store_id"),
        octets("master_check"),
        moment("created_at"),
        primary("installation", "id"),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_single_row")),
    )
