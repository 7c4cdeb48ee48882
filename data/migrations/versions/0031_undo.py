"""What was done to several items of a queue at once may be undone for a while; and each person is
told what has happened to their own things since they last looked.

Why: whoever hands forty cases to the wrong colleague should not write forty reasons to have them
back. What became of each item and where it was before is a record: triggers refuse every change.
How long the undo is offered is data. What has happened stands in the histories
already: kept is only when somebody last looked, and an index leads to what was handed to them.
"""

import csv
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0031_undo"
down_revision = "0030_related"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
KINDS = sa.Enum("claim", "hand over", name="bulkkind", native_enum=False, length=32)
STATES = sa.Enum(
    *("unassigned", "claimed", "waiting", "decided"),
    name="workstatus",
    native_enum=False,
    length=32,
)
SEED = Path(__file__).parent.parent.parent / "seed" / "queue_rules.csv"


def upgrade() -> None:
    rules()
    acts()
    for table in ("bulk_acts", "bulk_items"):
        never_changed(table)
    notices()
    requests()


def rules() -> None:
    table = op.create_table(
        "queue_rules",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("name", "effective_from", name="pk_queue_rules"),
    )
    with SEED.open(encoding="utf-8", newline="") as lines:
        op.bulk_insert(
            table,
            [
                {
                    **row,
                    "effective_from": date.fromisoformat(row["effective_from"]),
                    "value": int(row["value"]),
                }
                for row in csv.DictReader(lines)
            ],
        )


def acts() -> None:
    op.create_table(
        "bulk_acts",
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("kind", KINDS, nullable=False),
        sa.Column("to_id", BIG, nullable=True),
        sa.Column("by_id", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_bulk_acts"),
    )
    op.create_index("ix_bulk_acts_by_id", "bulk_acts", ["by_id", "at"])
    op.create_table(
        "bulk_items",
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("item_id", BIG, autoincrement=False, nullable=False),
        sa.Column("refused", sa.String(length=300), nullable=True),
        sa.Column("event_id", BIG, nullable=True),
        sa.Column("claimed_until", INSTANT, nullable=True),
        sa.Column("was_status", STATES, nullable=True),
        sa.Column("was_owner_id", BIG, nullable=True),
        sa.Column("was_owner_name", sa.String(length=120), nullable=True),
        sa.Column("was_claimed_at", INSTANT, nullable=True),
        sa.Column("was_claimed_until", INSTANT, nullable=True),
        sa.Column("was_assigned_by", BIG, nullable=True),
        sa.Column("was_rests_until", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["request_id"], ["bulk_acts.request_id"], name="fk_bulk_items_request_id"
        ),
        sa.PrimaryKeyConstraint("request_id", "item_id", name="pk_bulk_items"),
    )


def notices() -> None:
    op.create_table(
        "notice_seen",
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_notice_seen_user_id"),
        sa.PrimaryKeyConstraint("user_id", name="pk_notice_seen"),
    )
    handed = sa.text("act IN ('re-assigned', 'handed over')")
    op.create_index(
        "ix_work_events_handed",
        "work_events",
        ["owner_id", "at"],
        sqlite_where=handed,
        postgresql_where=handed,
    )


def requests() -> None:
    """What somebody asked for and may have been told of since, without all they ever asked for."""
    op.create_index("ix_approvals_maker_expires", "approvals", ["maker_id", "expires_at"])


def never_changed(table: str) -> None:
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
