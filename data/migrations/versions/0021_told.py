"""What customers and employees are told: how fast answers usually are, words for replies of a branch,
announcements for a role or for who holds a product, and why one was withdrawn.

Why: a place in line is told with how long it usually takes, from as many answers as a dated rule
names; a lead keeps words for all, and what they were is kept; an announcement that concerns few
need not be read by everybody.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0021_told"
down_revision = "0020_book_days"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SEEDS = Path(__file__).parent.parent.parent / "seed"
RULES = ("usual_of_tickets", "usual_least_tickets")
SHARED = "owner_id IS NULL AND retired_at IS NULL"


def upgrade() -> None:
    announcements()
    canned_replies()
    rules()
    # What was mailed to one customer is read by whoever answers them, among all mails of the bank.
    op.create_index("ix_outbox_recipient", "outbox", ["recipient", "id"])


def announcements() -> None:
    """Those of before are for all of their audience, and nobody was asked why they went."""
    for column in (
        sa.Column("roles", sa.String(length=200), nullable=False, server_default=""),
        sa.Column("product", sa.String(length=16), nullable=True),
        sa.Column("withdrawn_reason", sa.String(length=200), nullable=True),
    ):
        op.add_column("announcements", column)


def canned_replies() -> None:
    op.add_column("canned_replies", sa.Column("branch_id", BIG, nullable=True))
    op.add_column("canned_replies", sa.Column("retired_at", INSTANT, nullable=True))
    for name, columns, more in (
        ("uq_canned_replies_branch", ["branch_id", "name"], "branch_id IS NOT NULL"),
        ("uq_canned_replies_bank", ["name"], "branch_id IS NULL"),
    ):
        where = sa.text(f"{SHARED} AND {more}")
        op.create_index(
            name, "canned_replies", columns, unique=True, sqlite_where=where, postgresql_where=where
        )
    op.create_table(
        "canned_reply_changes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("reply_id", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("act", sa.String(length=8), nullable=False),
        sa.Column("by_id", BIG, nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["reply_id"], ["canned_replies.id"], name="fk_canned_reply_changes_reply_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_canned_reply_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_canned_reply_changes_reply_id", "canned_reply_changes", ["reply_id", "id"])
    only_added("canned_reply_changes")


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
