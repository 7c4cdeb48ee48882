"""Work that is handed over stays with its new owner, customers who write again get their reply in
time, and a queue is looked through by what its items are about, how they came and how high up.

Why: what a lead assigned at noon was anybody's at half past twelve. How long it waits is data, as is
the promise of the next reply. Whoever is away hands over what they hold, and is handed nothing.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0021_handed"
down_revision = "0020_book_days"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
CHANNELS = sa.Enum("portal", "desk", "file", name="channel", native_enum=False, length=32)
SEED = Path(__file__).parent.parent.parent / "seed" / "work_spans.csv"
OPEN = "level > 0 AND status <> 'decided'"


def upgrade() -> None:
    items()
    indexes()
    spans()
    absences()


def items() -> None:
    for column in (
        sa.Column("category", sa.String(length=24), nullable=True),
        sa.Column("channel", CHANNELS, nullable=True),
        sa.Column("assigned_by", BIG, nullable=True),
        sa.Column("reply_due_at", INSTANT, nullable=True),
        sa.Column("reply_left_seconds", BIG, nullable=True),
    ):
        op.add_column("work_items", column)
    op.execute(
        "UPDATE work_items SET category = (SELECT category FROM tickets"
        " WHERE tickets.id = work_items.subject_id) WHERE kind = 'ticket'"
    )
    # What a customer wrote has an author; what came in a file has the customer's name alone.
    op.execute(
        "UPDATE work_items SET channel = CASE WHEN (SELECT author_id FROM ticket_posts"
        " WHERE ticket_posts.ticket_id = work_items.subject_id ORDER BY id LIMIT 1) IS NULL"
        " THEN 'file' ELSE 'portal' END WHERE kind = 'ticket'"
    )
    op.execute("UPDATE work_items SET channel = 'desk' WHERE kind <> 'ticket'")


def indexes() -> None:
    for name in ("category", "kind"):
        op.create_index(
            f"ix_work_items_{name}",
            "work_items",
            [name, "status", "branch_id", "priority", "next_due_at", "id"],
        )
    for name, columns, only in (
        ("escalated", ["priority", "next_due_at", "id"], OPEN),
        ("escalated_decided", ["decided_at", "id"], "level > 0"),
    ):
        op.create_index(
            f"ix_work_items_{name}",
            "work_items",
            columns,
            sqlite_where=sa.text(only),
            postgresql_where=sa.text(only),
        )
    # Whether one thing has a word is now asked of the index alone.
    op.drop_index("ix_search_words_object_id", "search_words")
    op.create_index("ix_search_words_object_id", "search_words", ["kind", "object_id", "word"])


def spans() -> None:
    table = op.create_table(
        "work_spans",
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("priority", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("reply_minutes", BIG, nullable=False),
        sa.Column("assigned_minutes", BIG, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("kind", "priority", "effective_from", name="pk_work_spans"),
    )
    with SEED.open(encoding="utf-8", newline="") as lines:
        op.bulk_insert(
            table,
            [
                {name: _value(name, text) for name, text in row.items()}
                for row in csv.DictReader(lines)
            ],
        )


def _value(name: str, text: str) -> Any:
    if name == "effective_from":
        return date.fromisoformat(text)
    return int(text) if text.isdecimal() else text


def absences() -> None:
    op.create_table(
        "absences",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("colleague_id", BIG, nullable=True),
        sa.Column("recorded_by", BIG, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("handed_over_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", BIG, nullable=True),
        sa.Column("ended_because", sa.String(length=200), nullable=True),
        sa.CheckConstraint("first_day <= last_day", name="ck_absences_days_in_order"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_absences_user_id"),
        sa.ForeignKeyConstraint(["colleague_id"], ["users.id"], name="fk_absences_colleague_id"),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name="fk_absences_recorded_by"),
        sa.ForeignKeyConstraint(["ended_by"], ["users.id"], name="fk_absences_ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_absences"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_absences_user_id", "absences", ["user_id", "last_day"])
    op.create_index("ix_absences_last_day", "absences", ["last_day"])
