"""The rate card: what the bank pays on fixed deposits and asks for loans, from a day on.

Why: customers compare rates before they come, and a rate that is not published binds nobody. The
card begins empty: head office publishes each line, decided by two.
"""

import csv
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0028_rate_card"
down_revision = "0027_rules"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SEEDS = Path(__file__).parent.parent.parent / "seed"
CARDS = sa.Enum("deposit", "loan", "benchmark", name="card", native_enum=False, length=32)
RULES = sa.table(
    "approval_rules",
    *map(sa.column, ("command", "role", "kind", "level", "period", "checkers", "source")),
    *map(sa.column, ("amount_above_minor", "rekey_above_minor", "expires_hours")),
    sa.column("effective_from", sa.Date()),
)
BOUNDS = sa.table(
    "rule_bounds",
    *map(sa.column, ("rule_table", "rule", "field", "lowest", "highest", "source")),
    sa.column("effective_from", sa.Date()),
)


def upgrade() -> None:
    op.create_table(
        "rate_lines",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("card", CARDS, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("from_days", BIG, nullable=True),
        sa.Column("to_days", BIG, nullable=True),
        sa.Column("from_minor", BIG, nullable=False),
        sa.Column("below_minor", BIG, nullable=True),
        sa.CheckConstraint("from_days <= to_days", name="ck_rate_lines_days_in_order"),
        sa.CheckConstraint(
            "from_minor >= 0 AND from_minor < below_minor", name="ck_rate_lines_amounts_in_order"
        ),
        sa.PrimaryKeyConstraint("code", name="pk_rate_lines"),
    )
    op.create_table(
        "rate_line_terms",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("rate_bps", BIG, nullable=True),
        sa.Column("extra_bps", BIG, nullable=False),
        sa.Column("over", sa.String(length=32), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "rate_bps >= 0 AND extra_bps >= 0", name="ck_rate_line_terms_not_negative"
        ),
        sa.ForeignKeyConstraint(["code"], ["rate_lines.code"], name="fk_rate_line_terms_code"),
        sa.PrimaryKeyConstraint("code", "effective_from", name="pk_rate_line_terms"),
    )
    op.bulk_insert(RULES, _seed("card_approval_rules.csv"))
    op.bulk_insert(BOUNDS, _seed("card_bounds.csv"))


def _seed(file: str) -> list[dict[str, Any]]:
    with (SEEDS / file).open(encoding="utf-8", newline="") as lines:
        return [
            {name: _value(name, text) for name, text in row.items()}
            for row in csv.DictReader(lines)
        ]


def _value(name: str, text: str) -> Any:
    if name == "effective_from":
        return date.fromisoformat(text)
    if name in {"lowest", "highest", "rekey_above_minor"}:
        return int(text) if text else None
    return int(text) if name in {"level", "amount_above_minor", "expires_hours"} else text
