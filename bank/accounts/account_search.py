"""Accounts by whose they are: for whoever stands at a desk without the number.

By the holder's name a branch finds its own accounts, and no others (an auditor, those of every
branch); the number finds any account (`accounts.find_account`). What was looked for and what was
shown is in the trail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, select

from bank.accounts.accounts import Account, AccountStatus
from bank.accounts.papers import masked
from bank.accounts.products import Product
from bank.core import search
from bank.core.desk import Tx, query
from bank.core.errors import BadInput, NotAllowed
from bank.core.permissions import Permission
from bank.core.texts import check_search
from bank.people.customers import SEARCHED, Customer

SHORTEST: Final = 3  # letters: fewer begin the names of half a branch
MOST_FOUND: Final = 20
LONGEST_ASKED: Final = 64  # of what is looked for, as the trail keeps it


class SearchTooShort(BadInput):
    """Type at least three letters of the holder's name, or the whole customer number."""


class NamesNotForYou(NotAllowed):
    """Accounts are found by their holders' names at a branch. Type the account number."""


@dataclass(frozen=True, kw_only=True)
class FoundAccount:
    """An account among those that were found; screens show its number masked (`account`)."""

    id: int
    number: str
    holder: str
    customer_number: str
    product_name: str
    status: AccountStatus

    @property
    def account(self) -> str:
        """The number, masked."""
        return masked(self.number)


@dataclass(frozen=True, kw_only=True)
class FoundAccounts:
    """At most MOST_FOUND accounts; `is_more` says that there are others."""

    rows: Sequence[FoundAccount]
    is_more: bool


@query(Permission.ACCOUNT_LOOK_UP)
def accounts_of_holder(tx: Tx, holder: str) -> FoundAccounts:
    """Find accounts of the branch by words of the holder's name, or by their customer number.

    `holder` is beginnings of words, all of which must be in the name, one of them of three letters
    or more; or a customer number in full. Who sees the whole bank finds those of every branch, if
    they may see customers at all. Raises SearchTooShort(holder) and NamesNotForYou.
    """
    if tx.desk.sees_whole_bank and not tx.desk.may(Permission.CUSTOMER_VIEW):
        raise NamesNotForYou
    check_search(holder, "holder")
    rows = _found(tx, [Customer.number == holder.strip()]) if holder.strip() else []
    asked = search.folded(holder)
    if not rows:
        if max(map(len, asked[: search.MOST_ASKED]), default=0) < SHORTEST:
            raise SearchTooShort(field="holder")
        rows = _found(tx, search.found_by(tx, SEARCHED, holder, Account.customer_id.expression))
    tx.looked_at("account search", " ".join(asked)[:LONGEST_ASKED] or "a number")
    shown = rows[:MOST_FOUND]
    for row in shown:
        tx.looked_at("account", row.number)
    return FoundAccounts(rows=shown, is_more=len(rows) > len(shown))


def _found(tx: Tx, conditions: Sequence[ColumnElement[bool]]) -> list[FoundAccount]:
    """What this desk may find by a name, oldest account first, one more than is shown."""
    wanted: Select[*tuple[Any, ...]] = (
        select(
            Account.id,
            Account.number,
            Customer.name.label("holder"),
            Customer.number.label("customer_number"),
            Product.name.label("product_name"),
            Account.status,
        )
        .join(Customer, Customer.id == Account.customer_id)
        .join(Product, Product.id == Account.product_id)
        .where(*conditions)
        .order_by(Account.id)
        .limit(MOST_FOUND + 1)
    )
    if not tx.desk.sees_whole_bank:
        wanted = wanted.where(Account.branch_id == tx.desk.branch_id)
    return [FoundAccount(**row._mapping) for row in tx.connection.execute(wanted)]
