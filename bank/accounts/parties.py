"""What approvals need to know of accounts: who has an interest in one, and how its lines read.

An employee may bank here, too. Their user at the counter and their customer record are two rows;
what they share is the mail address, so by that a holder is recognised. Nominees, guardians and
guarantors register beside this one (`checkers.interested_parties`) when they come.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, or_, select

from bank.accounts.accounts import Account
from bank.book.chart import GlAccount
from bank.book.tables import JournalEntry, Posting
from bank.core import approvals, checkers
from bank.core.checkers import Interest
from bank.core.desk import Tx
from bank.core.work_rights import Employee
from bank.people.branches import Branch
from bank.people.customers import Customer
from bank.people.identity import User

HOLDER: Final = "holder of the account"


@checkers.interested_parties("holder")
def holders(tx: Tx, accounts: Collection[str], employees: Sequence[Employee]) -> Sequence[Interest]:
    """The employees who hold one of the accounts themselves."""
    numbers = [each for each in accounts if not each.startswith("#")]
    ids = [int(each[1:]) for each in accounts if each.startswith("#")]
    rows = tx.connection.execute(
        select(Account.id, Account.number, func.lower(Customer.email), func.lower(User.email))
        .join(Account, Account.customer_id == Customer.id)
        .join(User, User.customer_id == Customer.id, isouter=True)
        .where(or_(Account.number.in_(numbers), Account.id.in_(ids)))
    )
    held = [
        (f"#{account_id}" if f"#{account_id}" in accounts else number, addresses)
        for account_id, number, *addresses in rows
    ]
    return [
        Interest(one.id, account, HOLDER)
        for account, addresses in held
        for one in employees
        if one.email and one.email.lower() in addresses
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
