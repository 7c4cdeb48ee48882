"""What approvals need to know of accounts: who has an interest in one, and how its lines read.

`parties` is the one place that says who stands behind an account. Today that is its holder; joint
holders, nominees, guardians and guarantors are added there when they come, and then approvals,
queues and supervision know of them. An employee may be one of these customers: `customer_links`
says who is whom.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import or_, select

from bank.accounts.accounts import Account
from bank.book.chart import GlAccount
from bank.book.tables import JournalEntry, Posting
from bank.core import approvals, checkers
from bank.core.checkers import Interest
from bank.core.desk import Tx
from bank.core.work_rights import Employee
from bank.people import customer_links
from bank.people.branches import Branch
from bank.people.customers import Customer

HOLDER: Final = "holder of the account"


class Party(NamedTuple):
    """A customer who stands behind an account, and how; the account as it was asked about."""

    account: str
    customer_id: int
    words: str


def parties(tx: Tx, accounts: Collection[str]) -> Sequence[Party]:
    """Whoever stands behind these accounts, by number or by `#` and the book's id."""
    numbers = [each for each in accounts if not each.startswith("#")]
    ids = [int(each[1:]) for each in accounts if each.startswith("#")]
    rows = tx.connection.execute(
        select(Account.id, Account.number, Account.customer_id).where(
            or_(Account.number.in_(numbers), Account.id.in_(ids))
        )
    )
    return [
        Party(name, customer_id, HOLDER)
        for account_id, number, customer_id in rows
        for name in (f"#{account_id}", number)
        if name in accounts
    ]


@checkers.interested_parties("parties")
def interested(
    tx: Tx, accounts: Collection[str], employees: Sequence[Employee]
) -> Sequence[Interest]:
    """The employees who stand behind one of the accounts themselves."""
    behind = parties(tx, accounts)
    if not behind:
        return []
    customers = {each.customer_id for each in behind}
    are = customer_links.same_people(tx, customers, [one.id for one in employees])
    return [
        Interest(one.id, each.account, each.words)
        for one in employees
        for each in behind
        if each.customer_id in are.get(one.id, ())
    ]


@approvals.read_lines_by
def lines(tx: Tx, request_id: str) -> Sequence[Mapping[str, Any]]:
    """The lines of the entry with this request id: ledger account, account, branch, amount."""
    rows = tx.connection.execute(
        select(
            GlAccount.code,
            GlAccount.name,
            Account.number,
            Customer.name.label("holder"),
            Branch.name.label("branch"),
            Posting.currency,
            Posting.amount_minor,
            Posting.balance_minor,
        )
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .join(GlAccount, GlAccount.id == Posting.gl_account_id)
        .join(Branch, Branch.id == Posting.branch_id, isouter=True)
        .join(Account, Account.id == Posting.account_id, isouter=True)
        .join(Customer, Customer.id == Account.customer_id, isouter=True)
        .where(JournalEntry.request_id == request_id)
        .order_by(Posting.leg)
    )
    return [
        {
            "ledger": f"{row.code} {row.name}",
            "account": row.number or "",
            "holder": row.holder or "",
            "branch": row.branch or "",
            "currency": row.currency,
            "amount_minor": row.amount_minor,
            "balance_minor": row.balance_minor,
        }
        for row in rows
    ]
