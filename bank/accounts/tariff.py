"""The tariff: rates, charges and policies as customers read them, today's and those to come.

All are dated data: the row with the latest `effective_from` not after a day is in force on that
day. Head office sets them in `accounts/terms`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.accounts.products import Product, ProductTerm
from bank.accounts.rate_card import CardRate, card_rates
from bank.core import dated
from bank.core.db import Base
from bank.core.desk import Tx, query
from bank.core.permissions import Permission
from bank.office.rule_tables import Field, of_numbers, register

LONGEST_NAME: Final = 60
LONGEST_SOURCE: Final = 200


class What(StrEnum):
    """What a change is about."""

    RATES = "rates"
    CHARGE = "charge"
    POLICY = "policy"
    CARD = "card"


class Charge(Base):
    """What the bank charges for. `per` says for how much of it, as people say it."""

    __tablename__ = "charges"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(LONGEST_NAME))
    per: Mapped[str] = mapped_column(String(LONGEST_NAME))


class ChargeTerm(Base):
    """What a charge comes to from a day on, in paise, without tax."""

    __tablename__ = "charge_terms"
    __table_args__ = (CheckConstraint("amount_minor >= 0", name="not_negative"),)

    code: Mapped[str] = mapped_column(ForeignKey("charges.code"), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    amount_minor: Mapped[int]
    source: Mapped[str] = mapped_column(String(LONGEST_SOURCE))


class PolicyText(Base):
    """What the bank promises about something, in words, from a day on."""

    __tablename__ = "policy_texts"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(LONGEST_NAME))
    body: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(LONGEST_SOURCE))


class TermRule(Base):
    """How many days ahead a change is decided, from a day on."""

    __tablename__ = "term_rules"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    effective_from: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int]
    source: Mapped[str] = mapped_column(String(300))


NOTICE: Final = register(
    of_numbers(
        name="term_rules",
        title="Notice of changes",
        about="How many days ahead a change of rates, charges and policies is decided.",
        model=TermRule,
        named=(
            Field(name="rate_notice_days", label="Rates", noun="day", lowest=1, highest=366),
            Field(
                name="charge_notice_days",
                label="Charges that rise or begin",
                noun="day",
                lowest=1,
                highest=366,
            ),
            Field(name="policy_notice_days", label="Policies", noun="day", lowest=1, highest=366),
        ),
    )
)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """What a product pays and asks from a day on: basis points a year, paise."""

    code: str
    name: str
    effective_from: date
    interest_rate_bps: int
    minimum_balance_minor: int
    overdraft_ceiling_minor: int
    source: str


@dataclass(frozen=True, kw_only=True)
class Charged:
    """What a charge comes to from a day on, in paise."""

    code: str
    name: str
    per: str
    effective_from: date
    amount_minor: int
    source: str


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the bank promises from a day on."""

    code: str
    title: str
    effective_from: date
    body: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Tariff:
    """Everything in force today, in order, and what is to come, the nearest first."""

    rates: Sequence[Rates]
    charges: Sequence[Charged]
    policies: Sequence[Policy]
    card: Sequence[CardRate]
    coming_rates: Sequence[Rates]
    coming_charges: Sequence[Charged]
    coming_policies: Sequence[Policy]
    coming_card: Sequence[CardRate]
    charge_notice_days: int  # before one rises


T = TypeVar("T", Rates, Charged, Policy)


@query(Permission.TERMS_VIEW)
def tariff(tx: Tx) -> Tariff:
    """Show the rates, charges and policies in force, and those to come."""
    rates = _split(tx, _rates(tx))
    charges = _split(tx, _charges(tx))
    policies = _split(tx, _policies(tx))
    card, coming_card = card_rates(tx)
    return Tariff(
        rates=rates[0],
        coming_rates=rates[1],
        charges=charges[0],
        coming_charges=charges[1],
        policies=policies[0],
        coming_policies=policies[1],
        card=card,
        coming_card=coming_card,
        charge_notice_days=notice_days(tx, What.CHARGE, rises=True),
    )


def notice_days(tx: Tx, what: What, *, rises: bool = False) -> int:
    """How many days ahead a change must be decided today; a charge that rises has its own."""
    # What costs a customer no more needs no longer notice than a rate.
    name = {What.POLICY: "policy", What.CHARGE: "charge" if rises else "rate"}.get(what, "rate")
    return dated.value_today(tx, TermRule, f"{name}_notice_days")


def _split(tx: Tx, rows: Sequence[T]) -> tuple[list[T], list[T]]:
    """Of rows by code and date: the newest of each that holds today, and all that are to come."""
    today = tx.business_date
    held = {row.code: row for row in rows if row.effective_from <= today}
    coming = [row for row in rows if row.effective_from > today]
    return list(held.values()), sorted(coming, key=lambda row: row.effective_from)


def _rates(tx: Tx) -> list[Rates]:
    rows = tx.connection.execute(
        select(
            Product.code,
            Product.name,
            ProductTerm.effective_from,
            ProductTerm.interest_rate_bps,
            ProductTerm.minimum_balance_minor,
            ProductTerm.overdraft_ceiling_minor,
            ProductTerm.source,
        )
        .join(ProductTerm, ProductTerm.product_id == Product.id)
        .order_by(Product.id, ProductTerm.effective_from)
    )
    return [Rates(**_named(row)) for row in rows]


def _charges(tx: Tx) -> list[Charged]:
    rows = tx.connection.execute(
        select(
            Charge.code,
            Charge.name,
            Charge.per,
            ChargeTerm.effective_from,
            ChargeTerm.amount_minor,
            ChargeTerm.source,
        )
        .join(ChargeTerm, ChargeTerm.code == Charge.code)
        .order_by(Charge.name, ChargeTerm.effective_from)
    )
    return [Charged(**_named(row)) for row in rows]


def _policies(tx: Tx) -> list[Policy]:
    rows = tx.connection.execute(
        select(
            PolicyText.code,
            PolicyText.title,
            PolicyText.effective_from,
            PolicyText.body,
            PolicyText.source,
        ).order_by(PolicyText.code, PolicyText.effective_from)
    )
    return [Policy(**_named(row)) for row in rows]


def _named(row: Any) -> dict[str, Any]:
    return dict(row._mapping)
