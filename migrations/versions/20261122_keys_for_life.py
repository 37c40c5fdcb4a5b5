"""Keys for life: jobs, runs of the upkeep, replaced keys, records that are behind.

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

KEY_AT_WORK = "lease_token IS NOT NULL OR state = 'pending'"
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

# What a record of an image says of its row; annotations and tags count as a whole.
IMAGE_COLUMNS = (
    "collection_id, uploader_id, kind, mime_type, status, trashed_at, destroy_at, sort_at,"
    " created_at, updated_at, is_public, expires_at, annotation_state, annotation_rev,"
    " content_rev, link_epoch, card, meta"
)
# Table -> what the directory record says of it.
DIRECTORY = {
    "users": (
        "email, name, is_admin, state, quota_limit, auto_delete, default_expiry_days, theme,"
        " created_at"
    ),
    "collections": (
        "slug, name, description, owner_id, is_personal, labels_closed, timeline, created_at,"
        " updated_at, deleted_at"
    ),
    "collection_members": "collection_id, user_id, role, created_at",
    "label_classes": "collection_id, position, body, created_at, deprecated_at",
    "tags": "collection_id, name",
}
STORE = "(SELECT store_id FROM installation)"
# Trigger -> (table, event, the ids of the files whose record it marks).
TRIGGERS = {
    "stale_images_insert": ("images", "INSERT", ("NEW.id",)),
    "stale_images_update": ("images", f"UPDATE OF {IMAGE_COLUMNS}", ("NEW.id",)),
    **{
        f"stale_{table}_{event.lower()}": (table, event, files)
        for table in ("annotations", "image_tags")
        for event, files in (
            ("INSERT", ("NEW.image_id",)),
            ("UPDATE", ("NEW.image_id", "OLD.image_id")),
            ("DELETE", ("OLD.image_id",)),
        )
    },
    "stale_installation_insert": ("installation", "INSERT", (STORE,)),
    **{
        f"stale_{table}_{event.split()[0].lower()}": (table, event, (STORE,))
        for table, columns in DIRECTORY.items()
        for event in ("INSERT", f"UPDATE OF {columns}", "DELETE")
    },
}


def upgrade() -> None:
    jobs()
    maintenance_runs()
    stale_records()
    former_masters()
    kek_versions()
    keys_at_work()
    create_triggers()
    mark_everything()


def downgrade() -> None:
    drop_triggers()
    op.drop_index("ix_file_keys_at_work", table_name="file_keys")
    tables = ("kek_versions", "former_masters", "stale_records", "maintenance_runs", "jobs")
    for table in tables:
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
        sa.Column("again", sa.Boolean(), nullable=False),
        number("tries"),
        moment("run_at"),
        moment("lease_until", null=True),
        words("lease_token", 64, null=True),
        octets("wrapped_dek", 56, null=True),
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
        moment("since"),
        identity("writer", null=True),
        primary("stale_records", "file_id"),
    )
    index("stale_records", "since")


def former_masters() -> None:
    op.create_table(
        "former_masters",
        octets("check_value", 32),
        moment("replaced_at"),
        primary("former_masters", "check_value"),
    )


def kek_versions() -> None:
    op.create_table(
        "kek_versions",
        words("kek", 127),
        words("version", 127),
        moment("superseded_at"),
        moment("retired_at", null=True),
        primary("kek_versions", "kek", "version"),
    )


def keys_at_work() -> None:
    clause = sa.text(KEY_AT_WORK)
    op.create_index(
        "ix_file_keys_at_work",
        "file_keys",
        ["file_id"],
        sqlite_where=clause,
        postgresql_where=clause,
    )


def create_triggers() -> None:
    """A change marks its record in its own transaction, whoever makes it and however."""
    if postgresql():
        op.execute(MARK_FUNCTION)
    for name, (table, event, files) in TRIGGERS.items():
        make = postgresql_trigger if postgresql() else sqlite_trigger
        for statement in make(name, table, event, files):
            op.execute(statement)


def drop_triggers() -> None:
    for name, (table, _, _) in TRIGGERS.items():
        if postgresql():
            op.execute(f"DROP TRIGGER {name} ON {table}")
            op.execute(f"DROP FUNCTION {name}()")
        else:
            op.execute(f"DROP TRIGGER {name}")
    if postgresql():
        op.execute("DROP FUNCTION mark_stale(uuid)")


def postgresql() -> bool:
    return bool(op.get_context().dialect.name == "postgresql")


# As SQLAlchemy writes times into SQLite: UTC, microseconds.
SQLITE_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'"


def behind(file: str) -> str:
    """It is marked, and no writer has taken note yet: nothing is left to say."""
    marked = f"file_id = {file} AND writer IS NULL"
    return f"EXISTS (SELECT 1 FROM stale_records WHERE {marked})"  # noqa: S608


def marking(file: str, now: str) -> str:
    return (
        "INSERT INTO stale_records (file_id, since)"
        f" SELECT {file}, {now} WHERE {file} IS NOT NULL AND NOT {behind(file)}"
        " ON CONFLICT (file_id) DO UPDATE SET writer = NULL, since = excluded.since"
    )


def sqlite_trigger(name: str, table: str, event: str, files: tuple[str, ...]) -> list[str]:
    done = " ".join(f"{marking(file, SQLITE_NOW)};" for file in files)
    return [f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {done} END"]


MARK_FUNCTION = (
    "CREATE FUNCTION mark_stale(file uuid) RETURNS void LANGUAGE plpgsql AS"
    f" $$ BEGIN {marking('file', 'now()')}; END $$"
)


def postgresql_trigger(name: str, table: str, event: str, files: tuple[str, ...]) -> list[str]:
    done = " ".join(f"PERFORM mark_stale({file});" for file in files)
    returns = "RETURNS trigger LANGUAGE plpgsql"
    each = "FOR EACH STATEMENT" if files == (STORE,) else "FOR EACH ROW"
    return [
        f"CREATE FUNCTION {name}() {returns} AS $$ BEGIN {done} RETURN NULL; END $$",
        f"CREATE TRIGGER {name} AFTER {event} ON {table} {each} EXECUTE FUNCTION {name}()",
    ]


def mark_everything() -> None:
    """What is there already has no record yet."""
    now = "now()" if postgresql() else SQLITE_NOW
    for file, table in (("store_id", "installation"), ("id", "images")):
        op.execute(
            f"INSERT INTO stale_records (file_id, since) SELECT {file}, {now} FROM {table}"  # noqa: S608
        )
