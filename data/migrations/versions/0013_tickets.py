"""Tickets: complaints and feedback of customers, what was written about them, and how it ended.

Why: a complaint on paper has no clock and no history. What was written is a record: triggers
refuse every change, so a reply a customer received is the reply the bank shows later. And
announcements, the words that the bank has for many at once.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0013_tickets"
down_revision = "0012_work"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SEEDS = Path(__file__).parent.parent.parent / "seed"


def upgrade() -> None:
    rules()
    announcements()
    op.create_table(
        "tickets",
        sa.Column("id", BIG, nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("customer_id", BIG, nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("category", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("about_kind", sa.String(length=16), nullable=True),
        sa.Column("about", sa.String(length=40), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("solved_at", INSTANT, nullable=True),
        sa.Column("merged_into", BIG, nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("score_note", sa.String(length=300), nullable=False),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name="ck_tickets_score_known"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_tickets_customer_id"),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.id"], name="fk_tickets_branch_id"),
        sa.ForeignKeyConstraint(["merged_into"], ["tickets.id"], name="fk_tickets_merged_into"),
        sa.PrimaryKeyConstraint("id", name="pk_tickets"),
        sa.UniqueConstraint("request_id", name="uq_tickets_request_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tickets_customer_id", "tickets", ["customer_id", "id"])
    op.create_index("ix_tickets_merged_into", "tickets", ["merged_into"])
    op.create_table(
        "ticket_posts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("ticket_id", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("author_id", BIG, nullable=True),
        sa.Column("author_name", sa.String(length=120), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("question", "reply", "note", name="postkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_ticket_posts_ticket_id"),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_posts"),
        sa.UniqueConstraint("request_id", name="uq_ticket_posts_request_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ticket_posts_ticket_id", "ticket_posts", ["ticket_id", "id"])
    said = "ticket_posts: records are never changed or deleted"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER ticket_posts_no_change BEFORE UPDATE OR DELETE OR TRUNCATE"
            f" ON ticket_posts FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('{said}')"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER ticket_posts_no_{verb.lower()} BEFORE {verb} ON ticket_posts"
            f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )


def rules() -> None:
    categories = op.create_table(
        "ticket_categories",
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("code", "effective_from", name="pk_ticket_categories"),
    )
    values = op.create_table(
        "ticket_rules",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("name", "effective_from", name="pk_ticket_rules"),
    )
    replies = op.create_table(
        "canned_replies",
        sa.Column("id", BIG, nullable=False),
        sa.Column("owner_id", BIG, nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_canned_replies"),
        sa.UniqueConstraint("owner_id", "name", name="uq_canned_replies_owner_id_name"),
        sqlite_autoincrement=True,
    )
    op.bulk_insert(
        categories,
        [{**row, "priority": int(row["priority"]), "effective_from": _day(row)}
         for row in _seed("ticket_categories.csv")],
    )  # fmt: skip
    op.bulk_insert(
        values,
        [{**row, "value": int(row["value"]), "effective_from": _day(row)}
         for row in _seed("ticket_rules.csv")],
    )  # fmt: skip
    op.bulk_insert(
        replies,
        [{"name": row["name"], "body": row["body"].replace("\\n", "\n")}
         for row in _seed("canned_replies.csv")],
    )  # fmt: skip


def announcements() -> None:
    op.create_table(
        "announcements",
        sa.Column("id", BIG, nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("branch_id", BIG, nullable=True),
        sa.Column(
            "audience",
            sa.Enum("everyone", "customers", "staff", name="audience", native_enum=False,
                    length=32),
            nullable=False,
        ),
        sa.Column(
            "severity",
            sa.Enum("info", "warning", "urgent", name="severity", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("announced_at", INSTANT, nullable=False),
        sa.Column("announced_by", BIG, nullable=False),
        sa.Column("announced_by_name", sa.String(length=120), nullable=False),
        sa.Column("mails", BIG, nullable=False),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.Column("withdrawn_by_name", sa.String(length=120), nullable=True),
        sa.CheckConstraint("until_on >= from_on", name="ck_announcements_dates_in_order"),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.id"], name="fk_announcements_branch_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_announcements"),
        sa.UniqueConstraint("request_id", name="uq_announcements_request_id"),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.create_index("ix_announcements_until_on", "announcements", ["until_on", "branch_id"])


def _seed(file: str) -> list[dict[str, str]]:
    with (SEEDS / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _day(row: dict[str, str]) -> date:
    return date.fromisoformat(row["effective_from"])
