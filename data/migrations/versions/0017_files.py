"""Files that come with what is written about a ticket.

Why: a complaint without the photo of the slip is answered with a question. The bytes lie in the
store of documents under their digest, the row says with which post they came. Like the post it is
a record: triggers refuse every change.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0017_files"
down_revision = "0016_scores"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SEEDS = Path(__file__).parent.parent.parent / "seed"
RULES = ("post_files", "file_megabytes")


def upgrade() -> None:
    op.create_table(
        "ticket_files",
        sa.Column("id", BIG, nullable=False),
        sa.Column("post_id", BIG, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("pdf", "png", "jpeg", name="filekind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("size", BIG, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.CheckConstraint("size > 0", name="ck_ticket_files_size_positive"),
        sa.ForeignKeyConstraint(["post_id"], ["ticket_posts.id"], name="fk_ticket_files_post_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_files"),
        sa.UniqueConstraint("post_id", "sha256", name="uq_ticket_files_post_id_sha256"),
        sqlite_autoincrement=True,
    )
    only_added("ticket_files")
    rules()


def only_added(table: str) -> None:
    """Rows of this table are never changed or deleted."""
    said = f"{table}: records are never changed or deleted"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON {table} FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('{said}')"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )


def rules() -> None:
    """The rules that the seed has gained. A new bank has got them from the first look at it."""
    table = sa.table(
        "ticket_rules",
        sa.column("name", sa.String()),
        sa.column("effective_from", sa.Date()),
        sa.column("value", BIG),
        sa.column("source", sa.String()),
    )
    known = set(op.get_bind().scalars(sa.select(table.c.name)))
    with (SEEDS / "ticket_rules.csv").open(encoding="utf-8", newline="") as lines:
        missing = [
            {
                **row,
                "effective_from": date.fromisoformat(row["effective_from"]),
                "value": int(row["value"]),
            }
            for row in csv.DictReader(lines)
            if row["name"] in RULES and row["name"] not in known
        ]
    if missing:
        op.bulk_insert(table, missing)
