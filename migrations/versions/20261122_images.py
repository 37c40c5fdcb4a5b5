"""Images: images, tags, label classes, annotations, month counts, file keys.

Frozen: imports no model of the application, since models change and history does not.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "20261122_images"
down_revision = "20261122_accounts"
branch_labels = None
depends_on = None

LIVE = "trashed_at IS NULL"
IMAGE_CHECKS = {
    "kind": ("image", "video"),
    "status": ("uploading", "processing", "ready", "error", "quarantined", "destroyed"),
    "annotation_state": ("new", "in_progress", "done", "skipped", "rejected", "accepted"),
}


def upgrade() -> None:
    create_images()
    index_images()
    create_month_counts()
    create_tags()
    create_label_classes()
    create_annotations()
    create_file_keys()


def downgrade() -> None:
    for table in (
        "file_keys",
        "annotations",
        "label_classes",
        "image_tags",
        "tags",
        "month_counts",
        "images",
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


def partial_index(
    name: str, table: str, condition: str, *columns: str, once: bool = False
) -> None:
    clause = sa.text(condition)
    op.create_index(
        name,
        table,
        list(columns),
        unique=once,
        sqlite_where=clause,
        postgresql_where=clause,
    )


def create_images() -> None:
    op.create_table(
        "images",
        identity(),
        identity("collection_id"),
        identity("uploader_id", null=True),
        words("store_slug", 64),
        words("stored_name", 128),
        words("kind", 16),
        words("mime_type", 64),
        size("size"),
        size("enc_size"),
        words("status", 16),
        moment("trashed_at", null=True),
        moment("destroy_at", null=True),
        moment("sort_at"),
        moment("created_at"),
        moment("updated_at"),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        moment("expires_at", null=True),
        words("annotation_state", 16),
        *map(number, ("annotation_rev", "annotation_count", "content_rev", "link_epoch")),
        octets("dedupe", 32, null=True),
        octets("card", null=True),
        octets("meta", null=True),
        primary("images", "id"),
        unique("images", "stored_name"),
        *(known("images", column, *values) for column, values in IMAGE_CHECKS.items()),
        foreign("images", "collection_id", "collections.id"),
        foreign("images", "uploader_id", "users.id", "SET NULL"),
        *sealed("images", "card", "meta"),
    )


def index_images() -> None:
    table, page = "images", ("sort_at", "id")
    index(table, "uploader_id")
    partial_index("ix_images_timeline", table, LIVE, "collection_id", *page)
    partial_index("ix_images_status", table, LIVE, "collection_id", "status", *page)
    partial_index("ix_images_state", table, LIVE, "collection_id", "annotation_state", *page)
    partial_index("ix_images_kind", table, LIVE, "collection_id", "kind", *page)
    partial_index("ix_images_size", table, LIVE, "collection_id", "size", "id")
    trashed = ("collection_id", "trashed_at", "id")
    partial_index("ix_images_trash", table, "trashed_at IS NOT NULL", *trashed)
    partial_index("ix_images_destroy_at", table, "destroy_at IS NOT NULL", "destroy_at")
    partial_index("ix_images_expires_at", table, "expires_at IS NOT NULL", "expires_at")
    kept = "status <> 'destroyed'"
    partial_index("uq_images_dedupe", table, kept, "collection_id", "dedupe", once=True)


def create_month_counts() -> None:
    op.create_table(
        "month_counts",
        identity("collection_id"),
        words("month", 7),
        number("count"),
        primary("month_counts", "collection_id", "month"),
        foreign("month_counts", "collection_id", "collections.id", "CASCADE"),
    )


def create_tags() -> None:
    op.create_table(
        "tags",
        identity(),
        identity("collection_id"),
        octets("name"),
        primary("tags", "id"),
        foreign("tags", "collection_id", "collections.id", "CASCADE"),
        *sealed("tags", "name"),
    )
    index("tags", "collection_id")
    op.create_table(
        "image_tags",
        identity("image_id"),
        identity("tag_id"),
        moment("sort_at"),
        primary("image_tags", "image_id", "tag_id"),
        foreign("image_tags", "image_id", "images.id", "CASCADE"),
        foreign("image_tags", "tag_id", "tags.id", "CASCADE"),
    )
    op.create_index("ix_image_tags_timeline", "image_tags", ["tag_id", "sort_at", "image_id"])


def create_label_classes() -> None:
    op.create_table(
        "label_classes",
        identity(),
        identity("collection_id"),
        number("position"),
        octets("body"),
        moment("created_at"),
        moment("deprecated_at", null=True),
        primary("label_classes", "id"),
        foreign("label_classes", "collection_id", "collections.id", "CASCADE"),
        *sealed("label_classes", "body"),
    )
    index("label_classes", "collection_id", "position")


def create_annotations() -> None:
    op.create_table(
        "annotations",
        identity(),
        identity("image_id"),
        number("rev"),
        octets("label"),
        octets("box"),
        number("frame", null=True),
        octets("attributes", null=True),
        number("position"),
        identity("author_id", null=True),
        moment("created_at"),
        moment("updated_at"),
        primary("annotations", "id"),
        foreign("annotations", "image_id", "images.id", "CASCADE"),
        foreign("annotations", "author_id", "users.id", "SET NULL"),
        *sealed("annotations", "label", "box", "attributes"),
    )
    index("annotations", "image_id", "position")


def create_file_keys() -> None:
    table = "file_keys"
    op.create_table(
        table,
        identity(),
        identity("file_id"),
        words("key_reference", 127),
        number("generation"),
        octets("version_id", 16),
        words("state", 16),
        words("mode", 16),
        octets("wrapped_dek", null=True),
        words("vault_version", 127, null=True),
        moment("created_at"),
        moment("expires_at", null=True),
        moment("lease_until", null=True),
        words("lease_token", 64, null=True),
        primary(table, "id"),
        unique(table, "file_id", "generation"),
        known(table, "state", "pending", "active", "retiring", "retired", "destroyed"),
        known(table, "mode", "direct", "envelope"),
    )
    index(table, "state", "expires_at")
    partial_index("uq_file_keys_active", table, "state = 'active'", "file_id", once=True)
