"""Which customer an employee is: links registered by two, with their days.

Why: an employee has a mail address at work and another one at home, so an equal address does not
tell who may not decide about an account. A link is a record: it is ended once, never deleted.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0022_customer_links"
down_revision = "0021_freezes"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.String(length=120)
OPEN = sa.text("until IS NULL")
SEEDS = Path(__file__).parent.parent.parent / "seed"
KEPT = ("id", "user_id", "customer_id", "since", "registered_by", "registered_by_name")


def upgrade() -> None:
    op.create_table(
        "customer_links",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("customer_id", BIG, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("registered_by", BIG, nullable=False),
        sa.Column("registered_by_name", NAME, nullable=False),
        sa.Column("agreed_by_name", NAME, nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("ended_by", BIG, nullable=True),
        sa.Column("ended_by_name", NAME, nullable=True),
        sa.Column("end_agreed_by_name", NAME, nullable=True),
        sa.Column("ended_because", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "(until IS NULL) = (ended_by IS NULL)", name="ck_customer_links_ended_whole"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_customer_links_user_id"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="fk_customer_links_customer_id"
        ),
        sa.ForeignKeyConstraint(
            ["registered_by"], ["users.id"], name="fk_customer_links_registered_by"
        ),
        sa.ForeignKeyConstraint(["ended_by"], ["users.id"], name="fk_customer_links_ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_customer_links"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_links_user_id", "customer_links", ["user_id"])
    op.create_index(
        "uq_customer_links_open",
        "customer_links",
        ["customer_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    ended_once()
    second_persons()


def ended_once() -> None:
    """A link is never deleted, and changed once: when it ends."""
    said = "customer_links: a link is ended once, and never changed or deleted"
    changed = " OR ".join(["OLD.until IS NOT NULL", *(f"NEW.{c} <> OLD.{c}" for c in KEPT)])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER customer_links_end_once BEFORE UPDATE ON customer_links"
            f" FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION book_refuse('{said}')"
        )
        op.execute(
            "CREATE TRIGGER customer_links_no_delete BEFORE DELETE OR TRUNCATE ON customer_links"
            f" FOR EACH STATEMENT EXECUTE FUNCTION book_refuse('{said}')"
        )
        return
    op.execute(
        "CREATE TRIGGER customer_links_end_once BEFORE UPDATE ON customer_links"
        f" WHEN {changed} BEGIN SELECT RAISE(ABORT, '{said}'); END"
    )
    op.execute(
        "CREATE TRIGGER customer_links_no_delete BEFORE DELETE ON customer_links"
        f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
    )


def second_persons() -> None:
    """Which customer an employee is, two have seen; also that they are none any more."""
    table = sa.table(
        "approval_rules",
        *map(sa.column, ("command", "role", "kind", "level", "period", "checkers", "source")),
        *map(sa.column, ("amount_above_minor", "rekey_above_minor", "expires_hours")),
        sa.column("effective_from", sa.Date()),
    )
    with (SEEDS / "link_approval_rules.csv").open(encoding="utf-8", newline="") as lines:
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
