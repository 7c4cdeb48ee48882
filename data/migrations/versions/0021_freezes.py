"""Freezes of accounts, by order: what stops money, since when, by whom, and who let it go.

Why: an account that a court or an office has attached is not closed, and the bank answers for every
rupee that leaves it. What stands on an account is kept on it, because every slip asks; the orders
themselves are records: a trigger lets them be lifted once and refuses every other change.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0021_freezes"
down_revision = "0020_book_days"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
NAME = sa.String(length=120)
SEEDS = Path(__file__).parent.parent.parent / "seed"
KEPT = (
    "id",
    "account_id",
    "kind",
    "order_reference",
    "reason",
    "request_id",
    "placed_at",
    "placed_by",
    "placed_by_name",
    "lines_before",
)


def upgrade() -> None:
    op.add_column("accounts", sa.Column("frozen", kind(), nullable=True))
    op.create_table(
        "account_freezes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("kind", kind(), nullable=False),
        sa.Column("order_reference", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("placed_at", INSTANT, nullable=False),
        sa.Column("placed_by", BIG, nullable=False),
        sa.Column("placed_by_name", NAME, nullable=False),
        sa.Column("lines_before", BIG, nullable=False),
        sa.Column("lifted_at", INSTANT, nullable=True),
        sa.Column("lifted_by", BIG, nullable=True),
        sa.Column("lifted_by_name", NAME, nullable=True),
        sa.Column("agreed_by_name", NAME, nullable=True),
        sa.Column("lift_reason", sa.String(length=200), nullable=True),
        sa.Column("lines_after", BIG, nullable=True),
        sa.CheckConstraint(
            "(lifted_at IS NULL) = (lines_after IS NULL)", name="ck_account_freezes_lifted_whole"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_account_freezes_account_id"
        ),
        sa.ForeignKeyConstraint(["placed_by"], ["users.id"], name="fk_account_freezes_placed_by"),
        sa.ForeignKeyConstraint(["lifted_by"], ["users.id"], name="fk_account_freezes_lifted_by"),
        sa.PrimaryKeyConstraint("id", name="pk_account_freezes"),
        sa.UniqueConstraint("request_id", name="uq_account_freezes_request_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_account_freezes_account_id", "account_freezes", ["account_id", "lifted_at"])
    lifted_once()
    second_persons()


def kind() -> sa.Enum:
    """What an order stops, kept as text."""
    return sa.Enum("debit", "credit", "total", name="freezekind", native_enum=False, length=32)


def lifted_once() -> None:
    """A freeze is never deleted, and changed once: when it is lifted."""
    said = "account_freezes: a freeze is lifted once, and never changed or deleted"
    changed = " OR ".join(["OLD.lifted_at IS NOT NULL", *(f"NEW.{c} <> OLD.{c}" for c in KEPT)])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER account_freezes_lift_once BEFORE UPDATE ON account_freezes"
            f" FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION book_refuse('{said}')"
        )
        op.execute(
            "CREATE TRIGGER account_freezes_no_delete BEFORE DELETE OR TRUNCATE ON account_freezes"
            f" FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('{said}')"
        )
        return
    op.execute(
        "CREATE TRIGGER account_freezes_lift_once BEFORE UPDATE ON account_freezes"
        f" WHEN {changed} BEGIN SELECT RAISE(ABORT, '{said}'); END"
    )
    op.execute(
        "CREATE TRIGGER account_freezes_no_delete BEFORE DELETE ON account_freezes"
        f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
    )


def second_persons() -> None:
    """An account is frozen at once by one, and let go by two."""
    table = sa.table(
        "approval_rules",
        *map(sa.column, ("command", "role", "kind", "level", "period", "checkers", "source")),
        *map(sa.column, ("amount_above_minor", "rekey_above_minor", "expires_hours")),
        sa.column("effective_from", sa.Date()),
    )
    with (SEEDS / "freeze_approval_rules.csv").open(encoding="utf-8", newline="") as lines:
        op.bulk_insert(
            table,
            [
                {
                    **row,
                    "level": int(row["level"]),
                    "effective_from": date.fromisoformat(row["effective_from"]),
                    "amount_above_minor": int(row["amount_above_minor"]),
                    "rekey_above_minor": None,
                    "expires_hours": int(row["expires_hours"]),
                }
                for row in csv.DictReader(lines)
            ],
        )
