"""Work: every case that waits for a person, the business calendar its clock runs by, and search.

Why: queues of every kind share one table, one clock and one history, so a new queue is a
declaration. What happened to an item is a record: triggers refuse every change of its history.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012_work"
down_revision = "0011_staff"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
NAME = sa.String(length=120)
SEEDS = Path(__file__).parent.parent.parent / "seed"
STATES = ("unassigned", "claimed", "waiting", "decided")


def upgrade() -> None:
    calendar()
    items()
    history()
    found_again()


def seed(table: sa.Table, file: str) -> None:
    with (SEEDS / file).open(encoding="utf-8", newline="") as lines:
        op.bulk_insert(table, [{name: _value(name, text) for name, text in row.items()}
                               for row in csv.DictReader(lines)])  # fmt: skip


def _value(name: str, text: str) -> Any:
    if name in {"effective_from", "day"}:
        return date.fromisoformat(text)
    return int(text) if text.isdecimal() else text


def calendar() -> None:
    table = op.create_table(
        "opening_hours",
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("weekday", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("week_of_month", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("opens_minute", sa.SmallInteger(), nullable=False),
        sa.Column("closes_minute", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="ck_opening_hours_weekday_known"),
        sa.CheckConstraint("week_of_month BETWEEN 0 AND 5", name="ck_opening_hours_week_known"),
        sa.CheckConstraint(
            "opens_minute BETWEEN 0 AND closes_minute AND closes_minute <= 1440",
            name="ck_opening_hours_hours_sane",
        ),
        sa.PrimaryKeyConstraint(
            "effective_from", "weekday", "week_of_month", name="pk_opening_hours"
        ),
    )
    seed(table, "opening_hours.csv")
    table = op.create_table(
        "holidays",
        sa.Column("id", BIG, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("branch_id", BIG, nullable=True),
        sa.Column("name", NAME, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_holidays"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_holidays_day", "holidays", ["day", "branch_id"])
    seed(table, "holidays.csv")


def items() -> None:
    op.create_table(
        "work_items",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("subject_id", BIG, nullable=False),
        sa.Column("branch_id", BIG, nullable=True),
        sa.Column("customer_id", BIG, nullable=True),
        sa.Column("for_roles", sa.String(length=200), nullable=False),
        sa.Column("not_for", BIG, nullable=True),
        sa.Column("reference", sa.String(length=24), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(*STATES, name="workstatus", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("owner_id", BIG, nullable=True),
        sa.Column("owner_name", NAME, nullable=True),
        sa.Column("claimed_at", INSTANT, nullable=True),
        sa.Column("claimed_until", INSTANT, nullable=True),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("first_due_at", INSTANT, nullable=True),
        sa.Column("first_left_seconds", BIG, nullable=True),
        sa.Column("solve_due_at", INSTANT, nullable=True),
        sa.Column("solve_left_seconds", BIG, nullable=True),
        sa.Column("next_due_at", INSTANT, nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decided_by", BIG, nullable=True),
        sa.Column("decided_by_name", NAME, nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_work_items"),
        sa.UniqueConstraint("kind", "subject_id", name="uq_work_items_kind_subject_id"),
        sqlite_autoincrement=True,
    )
    for name, columns in {
        "queue": ["status", "branch_id", "priority", "next_due_at", "id"],
        "bank": ["status", "priority", "next_due_at", "id"],
        "owner": ["owner_id", "status", "priority", "next_due_at", "id"],
        "due": ["branch_id", "next_due_at", "id"],
        "bank_due": ["next_due_at", "id"],
        "decided": ["branch_id", "decided_at", "id"],
        "bank_decided": ["decided_at", "id"],
    }.items():
        op.create_index(f"ix_work_items_{name}", "work_items", columns)
    table = op.create_table(
        "work_rules",
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("priority", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("first_minutes", BIG, nullable=False),
        sa.Column("solve_minutes", BIG, nullable=False),
        sa.Column("claim_minutes", BIG, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("kind", "priority", "effective_from", name="pk_work_rules"),
    )
    seed(table, "work_rules.csv")


def history() -> None:
    op.create_table(
        "work_events",
        sa.Column("id", BIG, nullable=False),
        sa.Column("item_id", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("act", sa.String(length=16), nullable=False),
        sa.Column("actor_id", BIG, nullable=True),
        sa.Column("actor_name", NAME, nullable=False),
        sa.Column("owner_id", BIG, nullable=True),
        sa.Column("owner_name", NAME, nullable=True),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["work_items.id"], name="fk_work_events_item_id"),
        sa.PrimaryKeyConstraint("id", name="pk_work_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_work_events_item_id", "work_events", ["item_id", "id"])
    op.create_index("ix_work_events_actor_id", "work_events", ["actor_id", "at"])
    said = "work_events: records are never changed or deleted"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER work_events_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON work_events"
            f" FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('{said}')"
        )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER work_events_no_{verb.lower()} BEFORE {verb} ON work_events"
            f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
        )


def found_again() -> None:
    word: Any = sa.String(length=32)
    op.create_table(
        "work_looks",
        sa.Column("item_id", BIG, autoincrement=False, nullable=False),
        sa.Column("user_id", BIG, autoincrement=False, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("item_id", "user_id", name="pk_work_looks"),
    )
    op.create_table(
        "search_words",
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column(
            "word",
            word.with_variant(sa.String(length=32, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("object_id", BIG, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("kind", "word", "object_id", name="pk_search_words"),
    )
    op.create_index("ix_search_words_object_id", "search_words", ["kind", "object_id"])
    op.create_table(
        "saved_views",
        sa.Column("id", BIG, nullable=False),
        sa.Column("page", sa.String(length=48), nullable=False),
        sa.Column("owner_id", BIG, nullable=False),
        sa.Column("shared_with", sa.String(length=16), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saved_views"),
        sa.UniqueConstraint("owner_id", "page", "name", name="uq_saved_views_owner_id_page_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_saved_views_shared_with", "saved_views", ["page", "shared_with"])
