"""Statements: what was booked on an account between two days, on the screen and to take away.

A customer reads their own accounts, a counter any account of the bank by its exact number, other
staff of a branch those of their branch; the trail says so. `statement_lines` says what one is.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import select

from bank.accounts import accounts, statement_papers
from bank.accounts.accounts import Account
from bank.accounts.statement_lines import Statement, StatementLine, newest, statement_of
from bank.core.desk import Tx, query
from bank.core.permissions import Permission


@query(Permission.OWN_ACCOUNTS_VIEW)
def lines(
    tx: Tx, number: str, start: date, end: date, skip: int = 0, take: int | None = None
) -> Statement:
    """Read the statement of an own account; `skip` and `take` choose a page of its lines."""
    card = accounts.own_card(tx, number)
    tx.looked_at("account", card.number)
    return statement_of(tx, card, start, end, skip, take)


@query(Permission.ACCOUNT_LOOK_UP)
def account_lines(
    tx: Tx, number: str, start: date, end: date, skip: int = 0, take: int | None = None
) -> Statement:
    """Read the statement of an account, as an employee who has its exact number."""
    card = accounts.card_for_staff(tx, number)
    tx.looked_at("account", card.number)
    return statement_of(tx, card, start, end, skip, take)


@query(Permission.OWN_ACCOUNTS_VIEW)
def last_lines(tx: Tx, take: int = 5) -> Mapping[str, Sequence[StatementLine]]:
    """Read the newest lines of each own account, newest first, by account number."""
    wanted = select(Account.id, Account.number).where(Account.customer_id == tx.desk.customer_id)
    own = tx.connection.execute(wanted.order_by(Account.id)).all()
    for _, number in own:
        tx.looked_at("account", number)
    found = newest(tx, [account_id for account_id, _ in own], take)
    return {number: found[account_id] for account_id, number in own}


@query(Permission.ACCOUNT_LOOK_UP)
def account_last_lines(tx: Tx, number: str, take: int = 10) -> Sequence[StatementLine]:
    """Read the newest lines of an account, as an employee who has its exact number."""
    card = accounts.card_for_staff(tx, number)
    tx.looked_at("account", card.number)
    return newest(tx, [card.id], take)[card.id]


@query(Permission.OWN_ACCOUNTS_VIEW)
def statement_csv(tx: Tx, number: str, start: date, end: date) -> bytes:
    """Take the statement of an own account away as CSV (UTF-8 with a mark, harmless text)."""
    card = accounts.own_card(tx, number)
    tx.looked_at("account", card.number)
    return statement_papers.csv_of(statement_of(tx, card, start, end, whole=True))


@query(Permission.OWN_ACCOUNTS_VIEW)
def statement_pdf(tx: Tx, number: str, start: date, end: date) -> bytes:
    """Take the statement of an own account away as PDF."""
    card = accounts.own_card(tx, number)
    tx.looked_at("account", card.number)
    return statement_papers.pdf_of(tx, statement_of(tx, card, start, end, whole=True))


@query(Permission.ACCOUNT_LOOK_UP)
def account_statement_pdf(tx: Tx, number: str, start: date, end: date) -> bytes:
    """Print the statement of an account as PDF, as an employee who has its exact number."""
    card = accounts.card_for_staff(tx, number)
    tx.looked_at("account", card.number)
    return statement_papers.pdf_of(tx, statement_of(tx, card, start, end, whole=True))
