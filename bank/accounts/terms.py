"""Head office changes what the bank promises and asks: rates, charges, policies, from a day on;
those of fixed deposits and loans in `card_terms`.

Each change waits for a second person by dated rule (data/seed/term_approval_rules.csv) and keeps
its notice (data/seed/term_rules.csv), also on the day it is decided. What is to come can be called
off; what has begun is only replaced by a later row, so what held on a day stays known.
"""

import re
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import func, select

from bank.accounts.accounts import Account
from bank.accounts.products import Product, ProductTerm, UnknownProduct, product, term_on
from bank.accounts.rate_card import LONGEST_CODE, RateLine, RateLineTerm
from bank.accounts.tariff import (
    LONGEST_NAME,
    LONGEST_SOURCE,
    Charge,
    ChargeTerm,
    PolicyText,
    TermRule,
    What,
    notice_days,
)
from bank.book.tables import Balance
from bank.core import money
from bank.core.checked import Checked
from bank.core.clock import day_in_words
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput, NotFound, WrongState
from bank.core.permissions import Permission
from bank.people.fields import clean_text

HIGHEST_RATE_BPS: Final = 10_000  # a hundred percent: what is above is a slip of the pen
LONGEST_BODY: Final = 4_000


class TooSoon(BadInput):
    """This change needs more notice. Choose a later day."""


class ChangeThere(WrongState):
    """Another change is to come on that day already. Call it off first, or choose another day."""


class NothingChanges(BadInput):
    """This is what holds on that day anyway. Change something, or leave it."""


class NothingToCome(NotFound):
    """No such change is to come. What has begun is replaced by a later change, not taken back."""


class ThereAlready(BadInput):
    """There is one of this name already. Choose it in the list, or give another name."""


class UsedByLoans(WrongState):
    """Loans go by this benchmark. Call their change off first."""


class NoSuchCharge(NotFound):
    """There is no such charge. Choose one of the list."""


CHECKED: Final = Checked(
    ends=(
        TooSoon,
        ChangeThere,
        NothingChanges,
        NothingToCome,
        UnknownProduct,
        NoSuchCharge,
        ThereAlready,
    )
)


@command(Permission.TERMS_SET, checked=CHECKED)
def set_rates(
    tx: Tx,
    product_code: str,
    effective_from: date,
    interest_rate_bps: int,
    minimum_balance_minor: int,
    overdraft_ceiling_minor: int,
    reason: str,
) -> None:
    """Let a product pay and ask something else from a day on: basis points a year, paise."""
    why = why_of(reason)
    one_at_a_time(tx)
    sold = product(tx, product_code)
    in_time(tx, effective_from, What.RATES)
    if not 0 <= interest_rate_bps <= HIGHEST_RATE_BPS:
        raise BadInput("Give a rate between 0 and 100 percent.", field="interest")
    for field, amount in (
        ("minimum", minimum_balance_minor),
        ("overdraft", overdraft_ceiling_minor),
    ):
        if amount < 0:
            raise BadInput("This may not be below zero.", field=field)
    there = tx.session.scalar(
        select(ProductTerm).where(
            ProductTerm.product_id == sold.id, ProductTerm.effective_from == effective_from
        )
    )
    if there is not None:
        raise ChangeThere
    before, new = (
        _rate_facts(term_on(tx, sold.id, effective_from)),
        {
            "interest rate": money.percent(interest_rate_bps),
            "minimum balance": money.show(minimum_balance_minor),
            "overdraft up to": money.show(overdraft_ceiling_minor),
        },
    )
    if before == new:
        raise NothingChanges(field="interest")
    tx.session.add(
        ProductTerm(
            product_id=sold.id,
            effective_from=effective_from,
            minimum_balance_minor=minimum_balance_minor,
            interest_rate_bps=interest_rate_bps,
            overdraft_ceiling_minor=overdraft_ceiling_minor,
            source=why,
        )
    )
    recorded(tx, What.RATES, sold.code, before, {**new, "from": effective_from.isoformat()})


@command(Permission.TERMS_SET, checked=CHECKED)
def set_charge(tx: Tx, code: str, effective_from: date, amount_minor: int, reason: str) -> None:
    """Let a charge come to something else from a day on, in paise."""
    why = why_of(reason)
    one_at_a_time(tx)
    if tx.session.get(Charge, code) is None:
        raise NoSuchCharge(field="charge")
    if amount_minor < 0:
        raise BadInput("This may not be below zero.", field="amount")
    held = tx.session.scalar(
        select(ChargeTerm)
        .where(ChargeTerm.code == code, ChargeTerm.effective_from <= effective_from)
        .order_by(ChargeTerm.effective_from.desc())
        .limit(1)
    )
    if held is not None and held.effective_from == effective_from:
        raise ChangeThere
    if held is not None and held.amount_minor == amount_minor:
        raise NothingChanges(field="amount")
    rises = held is None or amount_minor > held.amount_minor
    in_time(tx, effective_from, What.CHARGE, rises=rises)
    tx.session.add(
        ChargeTerm(code=code, effective_from=effective_from, amount_minor=amount_minor, source=why)
    )
    recorded(
        tx,
        What.CHARGE,
        code,
        {"charge": money.show(held.amount_minor) if held is not None else None},
        {"charge": money.show(amount_minor), "from": effective_from.isoformat()},
    )


@command(Permission.TERMS_SET, checked=CHECKED)
def add_charge(
    tx: Tx, name: str, per: str, effective_from: date, amount_minor: int, reason: str
) -> str:
    """Begin to charge for something from a day on, in paise without tax. Answers its code."""
    why = why_of(reason)
    one_at_a_time(tx)
    called = clean_text(name, field="name", longest=LONGEST_NAME)
    code = code_of(called)
    counted = clean_text(per, field="per", longest=LONGEST_NAME)
    if tx.session.get(Charge, code) is not None:
        raise ThereAlready(field="name")
    if amount_minor < 0:
        raise BadInput("This may not be below zero.", field="amount")
    in_time(tx, effective_from, What.CHARGE, rises=True)
    tx.session.add(Charge(code=code, name=called, per=counted))
    tx.session.flush()
    tx.session.add(
        ChargeTerm(code=code, effective_from=effective_from, amount_minor=amount_minor, source=why)
    )
    new = {"name": called, "for each": counted, "charge": money.show(amount_minor)}
    recorded(tx, What.CHARGE, code, {}, {**new, "from": effective_from.isoformat()})
    return code


@command(Permission.TERMS_SET, checked=CHECKED)
def set_policy(tx: Tx, code: str, effective_from: date, title: str, body: str, reason: str) -> None:
    """Say something else about a policy from a day on, or say it for the first time."""
    why = why_of(reason)
    one_at_a_time(tx)
    name = clean_text(title, field="title", longest=LONGEST_NAME)
    key = "_".join(clean_text(code, field="policy", longest=32).lower().split())
    text = _body(body)
    in_time(tx, effective_from, What.POLICY)
    held = tx.session.scalar(
        select(PolicyText)
        .where(PolicyText.code == key, PolicyText.effective_from <= effective_from)
        .order_by(PolicyText.effective_from.desc())
        .limit(1)
    )
    if held is not None and held.effective_from == effective_from:
        raise ChangeThere
    if held is not None and (held.title, held.body) == (name, text):
        raise NothingChanges(field="message")
    tx.session.add(
        PolicyText(code=key, effective_from=effective_from, title=name, body=text, source=why)
    )
    recorded(
        tx,
        What.POLICY,
        key,
        {"title": held.title, "words": held.body} if held is not None else {},
        {"title": name, "words": text, "from": effective_from.isoformat()},
    )


@command(Permission.TERMS_SET, checked=CHECKED)
def call_off(tx: Tx, what: What, code: str, effective_from: date, reason: str) -> None:
    """Take back a change that is still to come; what holds until then goes on."""
    one_at_a_time(tx)
    tx.facts["reason"] = why_of(reason)
    row = tx.session.scalar(_change(what, code, effective_from).with_for_update())
    if row is None or effective_from <= tx.business_date:
        raise NothingToCome
    before = _facts(row)
    tx.session.delete(row)
    tx.session.flush()
    if what in {What.CHARGE, What.CARD}:
        _forget_what_never_began(tx, what, code)
    recorded(tx, what, code, {**before, "from": effective_from.isoformat()}, {"from": None})


def _change(what: What, code: str, day: date) -> Any:
    """The row that begins on a day."""
    if what is What.RATES:
        wanted = select(ProductTerm).join(Product, Product.id == ProductTerm.product_id)
        return wanted.where(Product.code == code, ProductTerm.effective_from == day)
    table: Any = {
        What.CHARGE: ChargeTerm, What.POLICY: PolicyText, What.CARD: RateLineTerm
    }[what]  # fmt: skip
    return select(table).where(table.code == code, table.effective_from == day)


def _forget_what_never_began(tx: Tx, what: What, code: str) -> None:
    """A charge or a line of the card without any term is none: its name is free again."""
    terms: Any = ChargeTerm if what is What.CHARGE else RateLineTerm
    if tx.session.scalar(select(terms).where(terms.code == code).limit(1)) is not None:
        return
    if tx.session.scalar(select(RateLineTerm).where(RateLineTerm.over == code).limit(1)):
        raise UsedByLoans
    named: Any = tx.session.get(Charge if what is What.CHARGE else RateLine, code)
    tx.session.delete(named)


@query(Permission.TERMS_SET)
def yearly_interest(tx: Tx, product_code: str, interest_rate_bps: int) -> tuple[int, int]:
    """What a product's interest costs a year on today's balances, now and at this rate: paise."""
    sold = product(tx, product_code)
    held = tx.connection.execute(
        select(func.coalesce(func.sum(Balance.booked_minor), 0))
        .join(Account, Account.id == Balance.account_id)
        .where(
            Account.product_id == sold.id,
            Account.currency == money.HOME,
            Balance.booked_minor > 0,
        )
    ).scalar_one()
    now = term_on(tx, sold.id, tx.business_date).interest_rate_bps
    total = int(held)
    return total * now // 10_000, total * interest_rate_bps // 10_000


def _facts(row: ProductTerm | ChargeTerm | PolicyText | RateLineTerm) -> dict[str, object]:
    if isinstance(row, ProductTerm):
        return _rate_facts(row)
    if isinstance(row, RateLineTerm):
        return line_facts(row)
    if isinstance(row, ChargeTerm):
        return {"charge": money.show(row.amount_minor)}
    return {"title": row.title, "words": row.body}


def _rate_facts(term: ProductTerm) -> dict[str, object]:
    return {
        "interest rate": money.percent(term.interest_rate_bps),
        "minimum balance": money.show(term.minimum_balance_minor),
        "overdraft up to": money.show(term.overdraft_ceiling_minor),
    }


def line_facts(term: RateLineTerm | None) -> dict[str, object]:
    """What a line of the card says, for who decides and for the trail."""
    if term is None:
        return {}
    offered = term.rate_bps is not None
    return {
        "rate": money.percent(term.rate_bps) if term.rate_bps is not None else "not offered",
        "senior citizens more": money.percent(term.extra_bps) if offered else "",
        "on top of": term.over or "",
    }


def code_of(name: str) -> str:
    """The code of something new, made of its name; or BadInput(name)."""
    code = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:LONGEST_CODE]
    if not code:
        raise BadInput("Give it a name with letters.", field="name")
    return code


def in_time(tx: Tx, effective_from: date, what: What, *, rises: bool = False) -> None:
    """Refuse a change that has less notice than its rule asks."""
    earliest = tx.business_date + timedelta(days=notice_days(tx, what, rises=rises))
    if effective_from < earliest:
        raise TooSoon(
            f"This change needs notice: it can hold from {day_in_words(earliest)} on.",
            field="effective_from",
        )


def one_at_a_time(tx: Tx) -> None:
    """Of two who set terms at once the second sees what the first has set."""
    tx.connection.execute(select(TermRule.name).with_for_update())


def why_of(reason: str) -> str:
    """The reason of a change, which customers read beside it."""
    return clean_text(reason, field="reason", longest=LONGEST_SOURCE)


def _body(body: str) -> str:
    lines = [" ".join(line.split()) for line in body.strip().splitlines()]
    text = "\n".join(lines)
    if not text:
        raise BadInput("Write what holds from then on.", field="message")
    if len(text) > LONGEST_BODY:
        raise BadInput(f"At most {LONGEST_BODY:,} characters fit here.", field="message")
    if not all(line.isprintable() for line in lines):
        raise BadInput("This holds characters that cannot be printed.", field="message")
    return text


def recorded(
    tx: Tx, what: What, code: str, before: dict[str, object], after: dict[str, object]
) -> None:
    """Into the trail, with the values before and after."""
    tx.session.flush()
    tx.concerns(what.value, code)
    tx.changed(before, after)
