"""Tickets that are related, items set aside until a moment, and replies that may be taken back.

Why: two customers often write about one failed machine, and one ticket often holds two matters:
whoever answers the one wants the other at hand. And what cannot be answered before Thursday should
stay with its owner without standing in the way of what can. A slip of the finger in a reply is
seen in the second after it was sent; until the mail leaves, the reply can be taken back, and what
it did to the clocks counts no more.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0030_related"
down_revision = "0029_risks"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SEEDS = Path(__file__).parent.parent.parent / "seed"
RULES = ("longest_snooze_days", "undo_reply_seconds")


def upgrade() -> None:
    op.add_column("work_items", sa.Column("rests_until", INSTANT, nullable=True))
    op.create_table(
        "ticket_links",
        sa.Column("one_id", BIG, nullable=False),
        sa.Column("other_id", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.CheckConstraint("one_id < other_id", name="ck_ticket_links_in_order"),
        sa.ForeignKeyConstraint(["one_id"], ["tickets.id"], name="fk_ticket_links_one_id"),
        sa.ForeignKeyConstraint(["other_id"], ["tickets.id"], name="fk_ticket_links_other_id"),
        sa.PrimaryKeyConstraint("one_id", "other_id", name="pk_ticket_links"),
    )
    op.create_index("ix_ticket_links_other_id", "ticket_links", ["other_id"])
    taken_back()
    rules()


def taken_back() -> None:
    op.create_table(
        "work_undone",
        sa.Column("event_id", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["work_events.id"], name="fk_work_undone_event_id"),
        sa.PrimaryKeyConstraint("event_id", name="pk_work_undone"),
    )
    op.create_table(
        "ticket_sendings",
        sa.Column("post_id", BIG, nullable=False),
        sa.Column("mail_id", BIG, nullable=True),
        sa.Column("leaves_at", INSTANT, nullable=False),
        sa.Column("event_from", BIG, nullable=False),
        sa.Column("event_to", BIG, nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["ticket_posts.id"], name="fk_ticket_sendings_post_id"
        ),
        sa.PrimaryKeyConstraint("post_id", name="pk_ticket_sendings"),
    )
    op.create_table(
        "ticket_take_backs",
        sa.Column("post_id", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"], ["ticket_posts.id"], name="fk_ticket_take_backs_post_id"
        ),
        sa.PrimaryKeyConstraint("post_id", name="pk_ticket_take_backs"),
    )
    for table in ("work_undone", "ticket_sendings", "ticket_take_backs"):
        only_added(table)


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
