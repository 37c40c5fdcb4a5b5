"""The workbench: shapes, operations, comments, tasks, agreement, label schemas, exchange.

Frozen: imports no model of the application, since models change and history does not.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "20261123_workbench"
down_revision = "20261122_provenance"
branch_labels = None
depends_on = None

TABLES = (
    "annotation_ops",
    "comments",
    "image_tasks",
    "agreement_rounds",
    "agreement_copies",
    "label_schemas",
    "label_schema_versions",
    "label_tokens",
    "saved_filters",
    "exchange_notes",
    "preferences",
    "presences",
)

#: Of the triggers that mark a picture's record, on PostgreSQL.
FUNCTIONS = tuple(
    f"stale_{table}_{event}"
    for table in (
        "comments",
        "image_tasks",
        "agreement_rounds",
        "agreement_copies",
        "label_schemas",
        "label_schema_versions",
        "saved_filters",
        "exchange_notes",
        "preferences",
    )
    for event in ("insert", "update", "delete")
)
STORE = "(SELECT store_id FROM installation)"
# As SQLAlchemy writes times into SQLite: UTC, microseconds.
SQLITE_NOW = "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'"


def upgrade() -> None:
    shapes()
    annotation_ops()
    comments()
    image_tasks()
    agreement_rounds()
    agreement_copies()
    label_schemas()
    label_schema_versions()
    label_tokens()
    saved_filters()
    exchange_notes()
    preferences()
    presences()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    for function in FUNCTIONS if postgresql() else ():
        op.execute(f"DROP FUNCTION {function}()")
    if postgresql():
        op.drop_constraint(op.f("ck_annotations_shape_sealed"), "annotations")
    op.drop_column("annotations", "shape")


def postgresql() -> bool:
    return bool(op.get_context().dialect.name == "postgresql")


def shapes() -> None:
    """Written out for SQLite: Alembic would copy the table, and lose its triggers."""
    kind, mark = ("BYTEA", r"'\xDC01'::bytea") if postgresql() else ("BLOB", "x'DC01'")
    check = f"CHECK (substr(shape, 1, 2) = {mark})"
    named = f"CONSTRAINT ck_annotations_shape_sealed {check}"
    op.execute(f"ALTER TABLE annotations ADD COLUMN shape {kind} {named}")


def identity(name: str = "id", *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Uuid(), nullable=null)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def words(name: str, length: int, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=null)


def number(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=null)


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def octets(name: str, length: int | None = None, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary(length), nullable=null)


def primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


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


def unique_index(name: str, table: str, *columns: str) -> None:
    op.create_index(name, table, list(columns), unique=True)


def index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def marks_record(table: str, changed: str, file_of: str = "{row}.image_id") -> None:
    """What a record says: a change of it marks the record, in its transaction.

    ``file_of``: the id of the picture whose record it is, or of the store for the directory's.
    """
    for event, row in (("INSERT", "NEW"), (changed, "NEW"), ("DELETE", "OLD")):
        name = f"stale_{table}_{event.split()[0].lower()}"
        file = file_of.format(row=row)
        if postgresql():
            done = f"BEGIN PERFORM mark_stale({file}); RETURN NULL; END"
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {done} $$"
            )
            op.execute(
                f"CREATE TRIGGER {name} AFTER {event} ON {table}"
                f" FOR EACH ROW EXECUTE FUNCTION {name}()"
            )
        else:
            op.execute(
                f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {marking(file)}; END"
            )


def marking(file: str) -> str:
    """Nothing where it is marked and no writer has taken note yet, nor for one that is gone."""
    marked = f"file_id = {file} AND writer IS NULL"
    behind = f"EXISTS (SELECT 1 FROM stale_records WHERE {marked})"  # noqa: S608
    return (
        "INSERT INTO stale_records (file_id, since)"
        f" SELECT {file}, {SQLITE_NOW} WHERE {file} IS NOT NULL AND NOT {behind}"
        " ON CONFLICT (file_id) DO UPDATE SET writer = NULL, since = excluded.since"
    )


def annotation_ops() -> None:
    op.create_table(
        "annotation_ops",
        identity(),
        identity("image_id"),
        number("seq"),
        number("place"),
        moment("at"),
        identity("actor_id", null=True),
        words("kind", 16),
        identity("annotation_id", null=True),
        octets("body"),
        foreign("annotation_ops", "image_id", "images.id", "CASCADE"),
        foreign("annotation_ops", "actor_id", "users.id", "SET NULL"),
        primary("annotation_ops", "id"),
        *sealed("annotation_ops", "body"),
    )
    index("annotation_ops", "image_id", "seq", "place")


def comments() -> None:
    op.create_table(
        "comments",
        identity(),
        identity("image_id"),
        identity("annotation_id", null=True),
        identity("author_id", null=True),
        moment("created_at"),
        moment("updated_at"),
        moment("resolved_at", null=True),
        identity("resolved_by", null=True),
        octets("body"),
        foreign("comments", "image_id", "images.id", "CASCADE"),
        foreign("comments", "author_id", "users.id", "SET NULL"),
        foreign("comments", "resolved_by", "users.id", "SET NULL"),
        primary("comments", "id"),
        *sealed("comments", "body"),
    )
    index("comments", "image_id", "created_at")
    marks_record("comments", "UPDATE")


def image_tasks() -> None:
    op.create_table(
        "image_tasks",
        identity(),
        identity("image_id"),
        identity("assignee_id", null=True),
        identity("lease_user_id", null=True),
        moment("lease_until", null=True),
        identity("submitted_by", null=True),
        moment("submitted_at", null=True),
        identity("reviewed_by", null=True),
        moment("reviewed_at", null=True),
        number("worked_seconds"),
        octets("body", null=True),
        moment("active_at", null=True),
        foreign("image_tasks", "image_id", "images.id", "CASCADE"),
        foreign("image_tasks", "assignee_id", "users.id", "SET NULL"),
        foreign("image_tasks", "lease_user_id", "users.id", "SET NULL"),
        foreign("image_tasks", "submitted_by", "users.id", "SET NULL"),
        foreign("image_tasks", "reviewed_by", "users.id", "SET NULL"),
        primary("image_tasks", "id"),
        *sealed("image_tasks", "body"),
    )
    index("image_tasks", "assignee_id")
    index("image_tasks", "lease_user_id", "lease_until")
    index("image_tasks", "submitted_by", "submitted_at")
    unique_index("uq_image_tasks_image_id", "image_tasks", "image_id")
    kept = "assignee_id, submitted_by, submitted_at, reviewed_by, reviewed_at, body"
    marks_record("image_tasks", f"UPDATE OF {kept}")


def agreement_rounds() -> None:
    op.create_table(
        "agreement_rounds",
        identity(),
        identity("collection_id"),
        identity("created_by", null=True),
        moment("created_at"),
        moment("closed_at", null=True),
        octets("body"),
        foreign("agreement_rounds", "collection_id", "collections.id", "CASCADE"),
        foreign("agreement_rounds", "created_by", "users.id", "SET NULL"),
        primary("agreement_rounds", "id"),
        *sealed("agreement_rounds", "body"),
    )
    index("agreement_rounds", "collection_id", "created_at")
    marks_record("agreement_rounds", "UPDATE", STORE)


def agreement_copies() -> None:
    op.create_table(
        "agreement_copies",
        identity(),
        identity("round_id"),
        identity("image_id"),
        identity("annotator_id"),
        words("state", 16),
        number("rev"),
        moment("submitted_at", null=True),
        moment("adjudicated_at", null=True),
        identity("adjudicated_by", null=True),
        octets("body", null=True),
        known("agreement_copies", "state", "new", "in_progress", "done", "skipped"),
        foreign("agreement_copies", "round_id", "agreement_rounds.id", "CASCADE"),
        foreign("agreement_copies", "image_id", "images.id", "CASCADE"),
        foreign("agreement_copies", "annotator_id", "users.id", "CASCADE"),
        foreign("agreement_copies", "adjudicated_by", "users.id", "SET NULL"),
        primary("agreement_copies", "id"),
        *sealed("agreement_copies", "body"),
    )
    index("agreement_copies", "annotator_id", "state")
    index("agreement_copies", "image_id")
    op.create_index(
        "uq_agreement_copies_person",
        "agreement_copies",
        ["round_id", "image_id", "annotator_id"],
        unique=True,
    )
    marks_record("agreement_copies", "UPDATE")


def label_schemas() -> None:
    op.create_table(
        "label_schemas",
        identity(),
        identity("collection_id"),
        number("version"),
        flag("is_indexed"),
        octets("tallies", null=True),
        foreign("label_schemas", "collection_id", "collections.id", "CASCADE"),
        primary("label_schemas", "id"),
        *sealed("label_schemas", "tallies"),
    )
    op.create_index(
        "uq_label_schemas_collection_id", "label_schemas", ["collection_id"], unique=True
    )
    marks_record("label_schemas", "UPDATE OF collection_id, version, is_indexed", STORE)


def label_schema_versions() -> None:
    op.create_table(
        "label_schema_versions",
        identity(),
        identity("collection_id"),
        number("version"),
        moment("at"),
        identity("actor_id", null=True),
        octets("body"),
        foreign("label_schema_versions", "collection_id", "collections.id", "CASCADE"),
        foreign("label_schema_versions", "actor_id", "users.id", "SET NULL"),
        primary("label_schema_versions", "id"),
        *sealed("label_schema_versions", "body"),
    )
    op.create_index(
        "uq_label_schema_versions_version",
        "label_schema_versions",
        ["collection_id", "version"],
        unique=True,
    )
    marks_record("label_schema_versions", "UPDATE", STORE)


def label_tokens() -> None:
    op.create_table(
        "label_tokens",
        identity("collection_id"),
        octets("token", 8),
        identity("image_id"),
        foreign("label_tokens", "collection_id", "collections.id", "CASCADE"),
        foreign("label_tokens", "image_id", "images.id", "CASCADE"),
        primary("label_tokens", "collection_id", "token", "image_id"),
    )
    index("label_tokens", "image_id")


def saved_filters() -> None:
    op.create_table(
        "saved_filters",
        identity(),
        identity("user_id"),
        identity("collection_id", null=True),
        moment("created_at"),
        octets("body"),
        foreign("saved_filters", "user_id", "users.id", "CASCADE"),
        foreign("saved_filters", "collection_id", "collections.id", "CASCADE"),
        primary("saved_filters", "id"),
        *sealed("saved_filters", "body"),
    )
    index("saved_filters", "user_id", "created_at")
    marks_record("saved_filters", "UPDATE", STORE)


def exchange_notes() -> None:
    op.create_table(
        "exchange_notes",
        identity(),
        identity("collection_id"),
        identity("image_id", null=True),
        words("format", 16),
        moment("created_at"),
        octets("body"),
        foreign("exchange_notes", "collection_id", "collections.id", "CASCADE"),
        foreign("exchange_notes", "image_id", "images.id", "CASCADE"),
        primary("exchange_notes", "id"),
        *sealed("exchange_notes", "body"),
    )
    index("exchange_notes", "collection_id", "format", "image_id")
    index("exchange_notes", "image_id")
    marks_record("exchange_notes", "UPDATE", f"COALESCE({{row}}.image_id, {STORE})")


def preferences() -> None:
    op.create_table(
        "preferences",
        identity(),
        identity("user_id"),
        moment("updated_at"),
        octets("body"),
        foreign("preferences", "user_id", "users.id", "CASCADE"),
        primary("preferences", "id"),
        *sealed("preferences", "body"),
    )
    unique_index("uq_preferences_user_id", "preferences", "user_id")
    marks_record("preferences", "UPDATE", STORE)


def presences() -> None:
    op.create_table(
        "presences",
        identity("image_id"),
        identity("user_id"),
        identity("tab"),
        moment("seen_at"),
        foreign("presences", "image_id", "images.id", "CASCADE"),
        foreign("presences", "user_id", "users.id", "CASCADE"),
        primary("presences", "image_id", "user_id", "tab"),
    )
    index("presences", "seen_at")
