"""Approvals: dated rules that make a command wait for a second person, and what waits or waited.

Why: a large amount, a large correction and a new employee are never one person's alone. What waits
is kept with the arguments it was given, so that it can be executed as its maker's command; its
history is a record that triggers keep from being changed.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0009_approvals"
down_revision = "0008_names"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORD = sa.String(length=32)
SEED = Path(__file__).parent.parent.parent / "seed" / "approval_rules.csv"
OPEN = sa.text("status IN ('pending', 'returned')")


def upgrade() -> None:
    rules()
    op.create_table(
        "approvals",
        sa.Column("id", BIG, nullable=False),
        sa.Column("command", sa.String(length=80), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("object_kind", sa.String(length=32), nullable=True),
        sa.Column("object_id", sa.String(length=64), nullable=True),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("amount_minor", BIG, nullable=True),
        sa.Column("compared_minor", BIG, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("maker_id", BIG, nullable=False),
        sa.Column("maker_name", sa.String(length=120), nullable=False),
        sa.Column("maker_role", WORD, nullable=False),
        sa.Column("maker_branch_id", BIG, nullable=True),
        sa.Column("branch_id", BIG, nullable=True),
        sa.Column("session_id", BIG, nullable=True),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("from_where", sa.String(length=64), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("checkers", sa.String(length=200), nullable=False),
        sa.Column("rule_source", sa.String(length=300), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("question", sa.String(length=300), nullable=True),
        sa.Column("status", WORD, nullable=False),
        sa.Column("checker_id", BIG, nullable=True),
        sa.Column("checker_name", sa.String(length=120), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_approvals"),
        sa.UniqueConstraint("command", "request_id", name="uq_approvals_command_request_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_approvals_open",
        "approvals",
        ["command", "maker_id", "digest"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index("ix_approvals_status", "approvals", ["status", "branch_id", "id"])
    op.create_index("ix_approvals_maker_id", "approvals", ["maker_id", "id"])
    op.create_index("ix_approvals_object", "approvals", ["object_kind", "object_id"])
    op.create_table(
        "approval_accounts",
        sa.Column("approval_id", BIG, autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approvals.id"], name="fk_approval_accounts_approval_id"
        ),
        sa.PrimaryKeyConstraint("approval_id", "account", name="pk_approval_accounts"),
    )
    op.create_index("ix_approval_accounts_account", "approval_accounts", ["account", "approval_id"])
    op.create_table(
        "approval_events",
        sa.Column("id", BIG, nullable=False),
        sa.Column("approval_id", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("by_id", BIG, nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("said", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["approval_id"], ["approvals.id"], name="fk_approval_events_approval_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_approval_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_approval_events_approval_id", "approval_events", ["approval_id", "id"])
    # What one cashier moved on one account and day is asked before every deposit and withdrawal.
    op.create_index(
        "ix_cash_slips_account_id", "cash_slips", ["account_id", "booking_date", "cashier_id"]
    )
    for table in ("approval_accounts", "approval_events"):
        for statement in _guards(table):
            op.execute(statement)


def rules() -> None:
    table = op.create_table(
        "approval_rules",
        sa.Column("command", sa.String(length=80), nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("level", BIG, autoincrement=False, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("amount_above_minor", BIG, nullable=False),
        sa.Column("period", WORD, nullable=False),
        sa.Column("checkers", sa.String(length=200), nullable=False),
        sa.Column("rekey_above_minor", BIG, nullable=True),
        sa.Column("expires_hours", BIG, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.CheckConstraint(
            "amount_above_minor >= 0", name=op.f("ck_approval_rules_amount_not_negative")
        ),
        sa.CheckConstraint("expires_hours > 0", name=op.f("ck_approval_rules_expires")),
        sa.PrimaryKeyConstraint(
            "command", "role", "kind", "level", "effective_from", name="pk_approval_rules"
        ),
    )
    with SEED.open(newline="") as file:
        op.bulk_insert(
            table,
            [
                {
                    **row,
                    "level": int(row["level"]),
                    "effective_from": date.fromisoformat(row["effective_from"]),
                    "amount_above_minor": int(row["amount_above_minor"]),
                    "rekey_above_minor": int(row["rekey_above_minor"] or 0) or None,
                    "expires_hours": int(row["expires_hours"]),
                }
                for row in csv.DictReader(file)
            ],
        )


def _guards(table: str) -> list[str]:
    said = f"{table}: records are never changed or deleted"
    if op.get_bind().dialect.name == "postgresql":
        return [
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('{said}')"
        ]
    return [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
        for verb in ("UPDATE", "DELETE")
    ]
