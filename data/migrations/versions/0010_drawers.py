"""Drawers: the vault of a branch, each cashier's drawer of a business date, and what moves between.

Why: the book knows how much cash a branch holds; who holds it was nowhere. From here on every rupee
of a branch's cash stands in its vault or in somebody's drawer, and the two add up to the book. What
a branch held before is carried into its vault. Moves and counts are records: triggers refuse every
change.
"""

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010_drawers"
down_revision = "0009_approvals"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORD = sa.String(length=32)
SEED = Path(__file__).parent.parent.parent / "seed"
LIVE = "status IN ('requested', 'open', 'counting', 'counted')"
RECORDS = (
    "tallies",
    "tally_lines",
    "cash_moves",
    "drawer_counts",
    "cash_exchanges",
    "impounded_notes",
    "cash_declarations",
)


def upgrade() -> None:
    chart()
    rules()
    counted()
    drawers()
    moves()
    papers()
    slips()
    prepared()
    carry_forward()
    for table in RECORDS:
        for statement in _guards(table):
            op.execute(statement)


def chart() -> None:
    """Where cash stands that was found over or short: what the chart of this bank lacks so far."""
    known = set(op.get_bind().scalars(sa.text("SELECT code FROM gl_accounts")))
    columns = ("code", "name", "kind")
    table = sa.table("gl_accounts", *map(sa.column, columns), sa.column("is_control", sa.Boolean))
    missing = [
        {**row, "is_control": row["is_control"] == "1"}
        for row in _rows("chart.csv")
        if row["code"] in {"1500", "2910"} - known
    ]
    if missing:
        op.bulk_insert(table, missing)


def rules() -> None:
    table = op.create_table(
        "cash_rules",
        sa.Column("name", sa.String(48), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("name", "effective_from", name="pk_cash_rules"),
    )
    op.bulk_insert(
        table,
        [
            {
                "name": row["name"],
                "effective_from": date.fromisoformat(row["effective_from"]),
                "value": int(row["value"]),
                "source": row["source"],
            }
            for row in _rows("cash_rules.csv")
        ],
    )


def counted() -> None:
    """Notes and coins, and heaps of them that somebody counted."""
    table = op.create_table(
        "denominations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("value_minor", BIG, nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("accepted_until", sa.Date(), nullable=True),
        sa.Column("source", sa.String(300), nullable=False),
        sa.CheckConstraint("value_minor > 0", name="ck_denominations_value_positive"),
        sa.PrimaryKeyConstraint("id", name="pk_denominations"),
        sa.UniqueConstraint("code", name="uq_denominations_code"),
    )
    op.bulk_insert(
        table,
        [
            {
                **{name: row[name] for name in ("code", "name", "kind", "source")},
                "value_minor": int(row["value_minor"]),
                "effective_from": date.fromisoformat(row["effective_from"]),
                "accepted_until": date.fromisoformat(row["accepted_until"])
                if row["accepted_until"]
                else None,
            }
            for row in _rows("denominations.csv")
        ],
    )
    op.create_table(
        "tallies",
        sa.Column("id", BIG, nullable=False),
        sa.Column("total_minor", BIG, nullable=False),
        sa.Column("counted_at", INSTANT, nullable=False),
        sa.Column("counted_by", BIG, nullable=False),
        sa.CheckConstraint("total_minor >= 0", name="ck_tallies_total_not_negative"),
        sa.PrimaryKeyConstraint("id", name="pk_tallies"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tally_lines",
        sa.Column("tally_id", BIG, autoincrement=False, nullable=False),
        sa.Column("denomination_id", BIG, autoincrement=False, nullable=False),
        sa.Column("pieces", BIG, nullable=False),
        sa.CheckConstraint("pieces > 0", name="ck_tally_lines_pieces_positive"),
        sa.ForeignKeyConstraint(["tally_id"], ["tallies.id"], name="fk_tally_lines_tally_id"),
        sa.ForeignKeyConstraint(
            ["denomination_id"], ["denominations.id"], name="fk_tally_lines_denomination_id"
        ),
        sa.PrimaryKeyConstraint("tally_id", "denomination_id", name="pk_tally_lines"),
    )


def drawers() -> None:
    op.create_table(
        "drawers",
        sa.Column("id", BIG, nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("cashier_id", BIG, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("opening_minor", BIG, nullable=False),
        sa.Column("opening_tally_id", BIG, nullable=False),
        sa.Column("requested_at", INSTANT, nullable=False),
        sa.Column("opened_at", INSTANT, nullable=True),
        sa.Column("opened_by", BIG, nullable=True),
        sa.Column("counted_at", INSTANT, nullable=True),
        sa.Column("counted_minor", BIG, nullable=True),
        sa.Column("expected_minor", BIG, nullable=True),
        sa.Column("settled_by", BIG, nullable=True),
        sa.Column("over_short_entry_id", BIG, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("closed_by", BIG, nullable=True),
        sa.Column("note", sa.String(200), nullable=False),
        sa.CheckConstraint("opening_minor >= 0", name="ck_drawers_opening_not_negative"),
        sa.CheckConstraint("opened_by <> cashier_id", name="ck_drawers_opened_by_another"),
        sa.CheckConstraint("settled_by <> cashier_id", name="ck_drawers_settled_by_another"),
        sa.CheckConstraint("closed_by <> cashier_id", name="ck_drawers_closed_by_another"),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.id"], name="fk_drawers_branch_id"),
        sa.ForeignKeyConstraint(
            ["opening_tally_id"], ["tallies.id"], name="fk_drawers_opening_tally_id"
        ),
        sa.ForeignKeyConstraint(
            ["over_short_entry_id"], ["entries.id"], name="fk_drawers_over_short_entry_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_drawers"),
        sa.UniqueConstraint("request_id", name="uq_drawers_request_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_drawers_cashier_id", "drawers", ["cashier_id", "business_date"])
    op.create_index("ix_drawers_branch_id", "drawers", ["branch_id", "business_date"])
    op.create_index(
        "uq_drawers_live",
        "drawers",
        ["cashier_id"],
        unique=True,
        sqlite_where=sa.text(LIVE),
        postgresql_where=sa.text(LIVE),
    )
    op.create_table(
        "drawer_counts",
        sa.Column("id", BIG, nullable=False),
        sa.Column("drawer_id", BIG, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("tally_id", BIG, nullable=False),
        sa.Column("counted_minor", BIG, nullable=False),
        sa.Column("expected_minor", BIG, nullable=False),
        sa.Column("counted_at", INSTANT, nullable=False),
        sa.Column("counted_by", BIG, nullable=False),
        sa.Column("note", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(["drawer_id"], ["drawers.id"], name="fk_drawer_counts_drawer_id"),
        sa.ForeignKeyConstraint(["tally_id"], ["tallies.id"], name="fk_drawer_counts_tally_id"),
        sa.PrimaryKeyConstraint("id", name="pk_drawer_counts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_drawer_counts_drawer_id", "drawer_counts", ["drawer_id"])


def moves() -> None:
    op.create_table(
        "handovers",
        sa.Column("id", BIG, nullable=False),
        sa.Column("drawer_id", BIG, nullable=False),
        sa.Column("direction", WORD, nullable=False),
        sa.Column("status", WORD, nullable=False),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("tally_id", BIG, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("asked_by", BIG, nullable=False),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("decided_by", BIG, nullable=True),
        sa.Column("note", sa.String(200), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="ck_handovers_amount_positive"),
        sa.CheckConstraint(
            "status = 'withdrawn' OR decided_by <> asked_by",
            name="ck_handovers_decided_by_another",
        ),
        sa.ForeignKeyConstraint(["drawer_id"], ["drawers.id"], name="fk_handovers_drawer_id"),
        sa.ForeignKeyConstraint(["tally_id"], ["tallies.id"], name="fk_handovers_tally_id"),
        sa.PrimaryKeyConstraint("id", name="pk_handovers"),
        sa.UniqueConstraint("request_id", name="uq_handovers_request_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_handovers_drawer_id", "handovers", ["drawer_id", "status"])
    op.create_table(
        "cash_moves",
        sa.Column("id", BIG, nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("drawer_id", BIG, nullable=True),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("entry_id", BIG, nullable=True),
        sa.Column("handover_id", BIG, nullable=True),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("moved_at", INSTANT, nullable=False),
        sa.Column("moved_by", BIG, nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name="ck_cash_moves_amount_not_zero"),
        sa.ForeignKeyConstraint(["drawer_id"], ["drawers.id"], name="fk_cash_moves_drawer_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_cash_moves_entry_id"),
        sa.ForeignKeyConstraint(
            ["handover_id"], ["handovers.id"], name="fk_cash_moves_handover_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_cash_moves"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_cash_moves_drawer_id", "cash_moves", ["drawer_id"])
    op.create_index("ix_cash_moves_branch_id", "cash_moves", ["branch_id", "drawer_id"])


def papers() -> None:
    """What a counter keeps beside deposits and withdrawals."""
    op.create_table(
        "cash_exchanges",
        sa.Column("id", BIG, nullable=False),
        sa.Column("drawer_id", BIG, nullable=False),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("in_tally_id", BIG, nullable=False),
        sa.Column("out_tally_id", BIG, nullable=False),
        sa.Column("person", sa.String(50), nullable=False),
        sa.Column("exchanged_at", INSTANT, nullable=False),
        sa.Column("cashier_id", BIG, nullable=False),
        sa.CheckConstraint("amount_minor > 0", name="ck_cash_exchanges_amount_positive"),
        sa.ForeignKeyConstraint(["drawer_id"], ["drawers.id"], name="fk_cash_exchanges_drawer_id"),
        sa.ForeignKeyConstraint(
            ["in_tally_id"], ["tallies.id"], name="fk_cash_exchanges_in_tally_id"
        ),
        sa.ForeignKeyConstraint(
            ["out_tally_id"], ["tallies.id"], name="fk_cash_exchanges_out_tally_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_cash_exchanges"),
        sa.UniqueConstraint("request_id", name="uq_cash_exchanges_request_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_cash_exchanges_drawer_id", "cash_exchanges", ["drawer_id"])
    op.create_table(
        "impounded_notes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("drawer_id", BIG, nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("denomination_id", BIG, nullable=False),
        sa.Column("serial_number", sa.String(16), nullable=False),
        sa.Column("tendered_by", sa.String(50), nullable=False),
        sa.Column("account_id", BIG, nullable=True),
        sa.Column("remark", sa.String(200), nullable=False),
        sa.Column("impounded_at", INSTANT, nullable=False),
        sa.Column("cashier_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.id"], name="fk_impounded_notes_branch_id"
        ),
        sa.ForeignKeyConstraint(["drawer_id"], ["drawers.id"], name="fk_impounded_notes_drawer_id"),
        sa.ForeignKeyConstraint(
            ["denomination_id"], ["denominations.id"], name="fk_impounded_notes_denomination_id"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_impounded_notes_account_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_impounded_notes"),
        sa.UniqueConstraint("request_id", name="uq_impounded_notes_request_id"),
        sa.UniqueConstraint(
            "denomination_id",
            "serial_number",
            "business_date",
            "branch_id",
            name="uq_impounded_notes_piece",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_impounded_notes_branch_id", "impounded_notes", ["branch_id", "business_date"]
    )
    op.create_table(
        "cash_declarations",
        sa.Column("entry_id", BIG, autoincrement=False, nullable=False),
        sa.Column("customer_id", BIG, nullable=False),
        sa.Column("booking_date", sa.Date(), nullable=False),
        sa.Column("pan", sa.String(10), nullable=True),
        sa.Column("form_60", sa.Boolean(), nullable=False),
        sa.Column("day_total_minor", BIG, nullable=False),
        sa.CheckConstraint("(pan IS NULL) = form_60", name="ck_cash_declarations_pan_or_form_60"),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name="fk_cash_declarations_entry_id"),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name="fk_cash_declarations_customer_id"
        ),
        sa.PrimaryKeyConstraint("entry_id", name="pk_cash_declarations"),
    )
    op.create_index(
        "ix_cash_declarations_customer_id", "cash_declarations", ["customer_id", "booking_date"]
    )


def slips() -> None:
    """Which drawer took or paid the cash of a slip, how it was counted, who stood by."""
    kind = "BIGINT" if op.get_bind().dialect.name == "postgresql" else "INTEGER"
    for column, refers in (("drawer_id", "drawers (id)"), ("tally_id", "tallies (id)")):
        op.execute(
            f"ALTER TABLE cash_slips ADD COLUMN {column} {kind}"
            f" CONSTRAINT fk_cash_slips_{column} REFERENCES {refers}"
        )
    op.execute(f"ALTER TABLE cash_slips ADD COLUMN supervisor_id {kind}")
    op.create_index("ix_cash_slips_drawer_id", "cash_slips", ["drawer_id"])


def prepared() -> None:
    """Slips that customers fill in before they come."""
    open_ones = sa.text("status = 'prepared'")
    op.create_table(
        "prepared_slips",
        sa.Column("id", BIG, nullable=False),
        sa.Column("token", sa.String(6), nullable=False),
        sa.Column("customer_id", BIG, nullable=False),
        sa.Column("account_id", BIG, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("amount_minor", BIG, nullable=False),
        sa.Column("tally_id", BIG, nullable=True),
        sa.Column("status", WORD, nullable=False),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("prepared_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_by", BIG, nullable=True),
        sa.Column("entry_id", BIG, nullable=True),
        sa.CheckConstraint(
            "kind IN ('cash_deposit', 'cash_withdrawal')", name="ck_prepared_slips_kind_known"
        ),
        sa.CheckConstraint("amount_minor > 0", name="ck_prepared_slips_amount_positive"),
        sa.CheckConstraint(
            "(status = 'used') = (entry_id IS NOT NULL)", name="ck_prepared_slips_used_has_entry"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_prepared_slips"),
        sa.UniqueConstraint("request_id", name="uq_prepared_slips_request_id"),
        sa.UniqueConstraint("entry_id", name="uq_prepared_slips_entry_id"),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=f"fk_prepared_slips_{column}")
            for column, table in (
                ("customer_id", "customers"),
                ("account_id", "accounts"),
                ("tally_id", "tallies"),
                ("entry_id", "entries"),
            )
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_prepared_slips_customer_id", "prepared_slips", ["customer_id", "id"])
    op.create_index("ix_prepared_slips_token", "prepared_slips", ["token", "id"])
    op.create_index(
        "uq_prepared_slips_open",
        "prepared_slips",
        ["token"],
        unique=True,
        sqlite_where=open_ones,
        postgresql_where=open_ones,
    )


def carry_forward() -> None:
    """What the book has of a branch's cash today lies in its vault."""
    carried = sa.text(
        "INSERT INTO cash_moves (branch_id, kind, currency, amount_minor, business_date, moved_at,"
        " moved_by) SELECT p.branch_id, 'carried', p.currency, -SUM(p.amount_minor),"
        " MAX(p.booking_date), :now, 1 FROM postings p"
        " JOIN gl_accounts g ON g.id = p.gl_account_id WHERE g.code = '1000'"
        " GROUP BY p.branch_id, p.currency HAVING SUM(p.amount_minor) <> 0"
    ).bindparams(sa.bindparam("now", datetime.now(UTC), INSTANT))
    op.get_bind().execute(carried)


def _rows(name: str) -> list[dict[str, Any]]:
    with (SEED / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


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
