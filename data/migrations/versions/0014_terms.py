"""Rates, charges and policies: what the bank promises and asks, from a day on.

Why: customers read what they pay before they pay it, and who changes it says from when and why.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0014_terms"
down_revision = "0013_tickets"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SEEDS = Path(__file__).parent.parent.parent / "seed"
RULES = sa.table(
    "approval_rules",
    *map(sa.column, ("command", "role", "kind", "level", "period", "checkers", "source")),
    *map(sa.column, ("amount_above_minor", "rekey_above_minor", "expires_hours")),
    sa.column("effective_from", sa.Date()),
)


def upgrade() -> None:
    charges()
    policies()
    rules = op.create_table(
        "term_rules",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("name", "effective_from", name="pk_term_rules"),
    )
    op.bulk_insert(
        rules,
        [{**row, "value": int(row["value"]), "effective_from": _day(row)}
         for row in _seed("term_rules.csv")],
    )  # fmt: skip
    op.bulk_insert(
        RULES,
        [
            {
                **row,
                "level": int(row["level"]),
                "effective_from": _day(row),
                "amount_above_minor": int(row["amount_above_minor"]),
                "rekey_above_minor": None,
                "expires_hours": int(row["expires_hours"]),
            }
            for row in _seed("term_approval_rules.csv")
        ],
    )


def charges() -> None:
    named = op.create_table(
        "charges",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("per", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_charges"),
    )
    terms = op.create_table(
        "charge_terms",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name="ck_charge_terms_not_negative"),
        sa.ForeignKeyConstraint(["code"], ["charges.code"], name="fk_charge_terms_code"),
        sa.PrimaryKeyConstraint("code", "effective_from", name="pk_charge_terms"),
    )
    seeds = _seed("charges.csv")
    op.bulk_insert(named, [{name: row[name] for name in ("code", "name", "per")} for row in seeds])
    op.bulk_insert(
        terms,
        [
            {
                "code": row["code"],
                "effective_from": _day(row),
                "amount_minor": int(row["amount_minor"]),
                "source": row["source"],
            }
            for row in seeds
        ],
    )


def policies() -> None:
    texts = op.create_table(
        "policy_texts",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("code", "effective_from", name="pk_policy_texts"),
    )
    op.bulk_insert(
        texts,
        [{**row, "effective_from": _day(row), "body": row["body"].replace("\\n", "\n")}
         for row in _seed("policies.csv")],
    )  # fmt: skip


def _seed(file: str) -> list[dict[str, str]]:
    with (SEEDS / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _day(row: dict[str, str]) -> date:
    return date.fromisoformat(row["effective_from"])
