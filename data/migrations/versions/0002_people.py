"""Branches, people and how they prove who they are.

Why: the book names actors and branches by number; here they become somebody. User 1 is the bank
itself (import, worker, day end): it has no password and cannot sign in.
"""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0002_people"
down_revision = "0001_book"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORD = sa.String(length=32)
SEED = Path(__file__).parent.parent.parent / "seed" / "security_rules.csv"
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    rules()
    people()
    signing_in()
    op.bulk_insert(
        sa.table(
            "users",
            sa.column("id", BIG),
            sa.column("username"),
            sa.column("role"),
            sa.column("name"),
            sa.column("active", sa.Boolean()),
            sa.column("must_change_password", sa.Boolean()),
            sa.column("totp_last_step", BIG),
            sa.column("created_at", INSTANT),
        ),
        [
            {
                "id": 1,
                "username": "system",
                "role": "system",
                "name": "The bank itself",
                "active": True,
                "must_change_password": False,
                "totp_last_step": 0,
                "created_at": EPOCH,
            }
        ],
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT setval(pg_get_serial_sequence('users', 'id'), 1)")


def rules() -> None:
    table = op.create_table(
        "security_rules",
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("name", "effective_from", name="pk_security_rules"),
    )
    with SEED.open(newline="") as file:
        op.bulk_insert(
            table,
            [
                {
                    "name": row["name"],
                    "effective_from": date.fromisoformat(row["effective_from"]),
                    "value": int(row["value"]),
                    "source": row["source"],
                }
                for row in csv.DictReader(file)
            ],
        )


def people() -> None:
    op.create_table(
        "branches",
        sa.Column("id", BIG, nullable=False),
        sa.Column("ifsc", sa.String(length=11), nullable=False),
        sa.Column("micr", sa.String(length=9), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.CheckConstraint("length(ifsc) = 11", name=op.f("ck_branches_ifsc_length")),
        sa.CheckConstraint(
            "micr IS NULL OR length(micr) = 9", name=op.f("ck_branches_micr_length")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_branches")),
        sa.UniqueConstraint("ifsc", name=op.f("uq_branches_ifsc")),
        sa.UniqueConstraint("micr", name=op.f("uq_branches_micr")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "customers",
        sa.Column("id", BIG, nullable=False),
        sa.Column("number", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("date_of_birth", sa.Date(), nullable=False),
        sa.Column("pan", sa.String(length=10), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("mobile", sa.String(length=16), nullable=True),
        sa.Column("branch_id", BIG, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("pan IS NULL OR length(pan) = 10", name=op.f("ck_customers_pan_length")),
        sa.ForeignKeyConstraint(
            ["branch_id"], ["branches.id"], name=op.f("fk_customers_branch_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("number", name=op.f("uq_customers_number")),
        sa.UniqueConstraint("pan", name=op.f("uq_customers_pan")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_customers_branch_id"), "customers", ["branch_id"])
    op.create_table(
        "users",
        sa.Column("id", BIG, nullable=False),
        sa.Column("username", sa.String(length=32), nullable=False),
        sa.Column("role", choice("role", ROLES), nullable=False),
        sa.Column("branch_id", BIG, nullable=True),
        sa.Column("customer_id", BIG, nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(length=60), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("transaction_password_hash", sa.String(length=60), nullable=True),
        sa.Column("totp_secret", sa.String(length=250), nullable=True),
        sa.Column("totp_pending", sa.String(length=250), nullable=True),
        sa.Column("totp_last_step", BIG, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("username = lower(username)", name=op.f("ck_users_username_lower")),
        sa.CheckConstraint(
            "(role = 'customer') = (customer_id IS NOT NULL)", name=op.f("ck_users_customer_known")
        ),
        sa.CheckConstraint(
            "branch_id IS NOT NULL OR role IN ('auditor', 'super_admin', 'system')",
            name=op.f("ck_users_branch_known"),
        ),
        sa.ForeignKeyConstraint(["branch_id"], ["branches.id"], name=op.f("fk_users_branch_id")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_users_customer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_users_customer_id")),
        sa.UniqueConstraint("username", name=op.f("uq_users_username")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_users_branch_id"), "users", ["branch_id"])


def signing_in() -> None:
    op.create_table(
        "tries",
        sa.Column("user_id", BIG, autoincrement=False, nullable=False),
        sa.Column("what", choice("guarded", ("sign_in", "confirmation")), nullable=False),
        sa.Column("count", BIG, nullable=False),
        sa.Column("locked_until", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_tries_user_id")),
        sa.PrimaryKeyConstraint("user_id", "what", name=op.f("pk_tries")),
    )
    op.create_table(
        "codes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("purpose", WORD, nullable=False),
        sa.Column("mac", sa.String(length=16), nullable=False),
        sa.Column("status", choice("codestatus", ("live", "used", "void")), nullable=False),
        sa.Column("tries", BIG, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_codes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_codes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_codes_user_id", "codes", ["user_id", "purpose", "id"])
    op.create_table(
        "sessions",
        sa.Column("id", BIG, nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("status", choice("sessionstatus", ("active", "locked", "ended")), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("last_seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_because", WORD, nullable=True),
        sa.Column("from_where", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_sessions_fingerprint")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"])
    op.create_table(
        "sign_ins",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=True),
        sa.Column("session_id", BIG, nullable=True),
        sa.Column("status", choice("signinstatus", SIGN_IN_STATES), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("from_where", sa.String(length=64), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("token_fingerprint", sa.String(length=64), nullable=True),
        sa.Column("expires_at", INSTANT, nullable=True),
        sa.Column("code_tries", BIG, nullable=False),
        sa.Column("ticket_fingerprint", sa.String(length=64), nullable=True),
        sa.Column("ticket_bound_to", sa.String(length=64), nullable=True),
        sa.Column("ticket_expires_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_sign_ins_session_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sign_ins_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
        sa.UniqueConstraint("ticket_fingerprint", name=op.f("uq_sign_ins_ticket_fingerprint")),
        sa.UniqueConstraint("token_fingerprint", name=op.f("uq_sign_ins_token_fingerprint")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_sign_ins_at"), "sign_ins", ["at"])
    op.create_index(op.f("ix_sign_ins_session_id"), "sign_ins", ["session_id"])
    op.create_index("ix_sign_ins_user_id", "sign_ins", ["user_id", "id"])
    op.create_table(
        "confirmations",
        sa.Column("id", BIG, nullable=False),
        sa.Column("user_id", BIG, nullable=False),
        sa.Column("session_id", BIG, nullable=True),
        sa.Column("purpose", WORD, nullable=False),
        sa.Column("bound_to", sa.String(length=300), nullable=False),
        sa.Column("proof", sa.String(length=8), nullable=False),
        sa.Column("status", choice("confirmationstatus", ("given", "used")), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_confirmations_session_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_confirmations_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmations")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_confirmations_user_id"), "confirmations", ["user_id"])


ROLES = (
    "customer",
    "cashier",
    "banker",
    "executive",
    "reviewer",
    "branch_admin",
    "auditor",
    "super_admin",
    "guest",
    "system",
)
SIGN_IN_STATES = (
    "tried",
    "refused",
    "code_due",
    "set_up_due",
    "password_due",
    "passed",
    "opened",
    "unlocked",
)


def choice(name: str, values: tuple[str, ...]) -> sa.Enum:
    """A word out of a few, kept as text so that a new one needs no migration of the type."""
    return sa.Enum(*values, name=name, native_enum=False, length=32)
