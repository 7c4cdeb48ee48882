"""Branches, customers and accounts of an import: set against what the bank has, then inserted.

Each `take_...` gets a chunk of rows and one transaction, asks the database once for
what it knows of them, and inserts the rest in one statement. A row that the bank
has with other content is rejected: an import adds, it never changes.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import insert, select

from bank.accounts.accounts import Account, AccountStatus
from bank.accounts.products import Product
from bank.book import ledger
from bank.book.ledger import NewBalance
from bank.book.tables import Balance
from bank.core import search
from bank.core.desk import Tx
from bank.night.import_files import shown
from bank.night.import_rows import AccountRow, BadCell, BranchRow, CustomerRow
from bank.people.branches import Branch
from bank.people.customers import EARLIEST_BIRTH, SEARCHED, Customer, taken_pans
from bank.people.fields import masked_pan

R = TypeVar("R", BranchRow, CustomerRow, AccountRow)


@dataclass
class Taken:
    """What became of a chunk of rows; `rejected` holds (line, reason)."""

    new: int = 0
    known: int = 0
    repeated: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)


def take_branches(tx: Tx, rows: Sequence[BranchRow], seen: set[str]) -> Taken:
    """Add the branches that the bank does not have. `seen` holds the keys of rows before."""
    found = select(Branch.ifsc, Branch.name, Branch.address).where(
        Branch.ifsc.in_([row.ifsc for row in rows])
    )
    fresh, taken = _sort_out(
        rows,
        seen,
        key=lambda row: row.ifsc,
        content=lambda row: (row.name, row.address),
        known={row[0]: tuple(row[1:]) for row in tx.connection.execute(found)},
    )
    _insert(
        tx,
        Branch,
        [
            {
                "ifsc": row.ifsc,
                "micr": None,
                "name": row.name,
                "address": row.address,
                "opened_on": tx.business_date,
            }
            for row in fresh
        ],
    )
    return taken


def take_customers(tx: Tx, rows: Sequence[CustomerRow], seen: set[str]) -> Taken:
    """Add the customers that the bank does not have, under the number their bank gave them."""
    codes = select(Branch.ifsc, Branch.id).where(Branch.ifsc.in_({row.branch_ifsc for row in rows}))
    branches = {ifsc: branch_id for ifsc, branch_id in tx.connection.execute(codes)}
    found = (
        select(
            Customer.number,
            Customer.name,
            Customer.date_of_birth,
            Customer.pan,
            Customer.email,
            Customer.mobile,
            Branch.ifsc,
        )
        .join(Branch, Branch.id == Customer.branch_id)
        .where(Customer.number.in_([row.ref for row in rows]))
    )
    known: dict[str, Hashable] = {row[0]: tuple(row[1:]) for row in tx.connection.execute(found)}
    pans = taken_pans(tx, {row.pan for row in rows if row.pan and row.ref not in known})

    def check(row: CustomerRow) -> None:
        if row.branch_ifsc not in branches:
            raise BadCell(
                f"branch_ifsc {row.branch_ifsc} is not in the bank; branches.csv must bring it"
            )
        if row.date_of_birth < EARLIEST_BIRTH:
            raise BadCell(
                f"date_of_birth {row.date_of_birth} lies before {EARLIEST_BIRTH}; check the year"
            )
        if row.date_of_birth > tx.business_date:
            raise BadCell(f"date_of_birth {row.date_of_birth} does not lie in the past")
        if row.pan and row.ref not in known:
            if row.pan in pans:
                raise BadCell(f"pan {masked_pan(row.pan)} belongs to another customer")
            pans.add(row.pan)

    fresh, taken = _sort_out(
        rows, seen, key=lambda row: row.ref, content=lambda row: row[2:], known=known, check=check
    )
    _insert(
        tx,
        Customer,
        [
            {
                "number": row.ref,
                "name": row.name,
                "date_of_birth": row.date_of_birth,
                "pan": row.pan,
                "email": row.email,
                "mobile": row.mobile,
                "branch_id": branches[row.branch_ifsc],
                "created_at": tx.now,
            }
            for row in fresh
        ],
    )
    _find_by_name(tx, [row.ref for row in fresh])
    return taken


def _find_by_name(tx: Tx, numbers: Sequence[str]) -> None:
    """Make new customers findable by their names, as those are that the branch adds."""
    named = select(Customer.id, Customer.name).where(Customer.number.in_(numbers))
    search.keep_many(tx, SEARCHED, ((key, name) for key, name in tx.connection.execute(named)))


def take_accounts(tx: Tx, rows: Sequence[AccountRow], seen: set[str]) -> Taken:
    """Open the accounts that the bank does not have, at the branch of their customer, at zero."""
    products = {
        code: (product_id, gl_code)
        for code, product_id, gl_code in tx.connection.execute(
            select(Product.code, Product.id, Product.gl_code)
        )
    }
    owners = {
        ref: (customer_id, branch_id)
        for ref, customer_id, branch_id in tx.connection.execute(
            select(Customer.number, Customer.id, Customer.branch_id).where(
                Customer.number.in_({row.customer_ref for row in rows})
            )
        )
    }
    found = (
        select(
            Account.number,
            Customer.number,
            Product.code,
            Account.currency,
            Account.opened_on,
            Balance.overdraft_limit_minor,
        )
        .join(Customer, Customer.id == Account.customer_id)
        .join(Product, Product.id == Account.product_id)
        .join(Balance, Balance.account_id == Account.id)
        .where(Account.number.in_([row.number for row in rows]))
    )

    def check(row: AccountRow) -> None:
        if row.product not in products:
            raise BadCell(
                f"product {shown(row.product)} is not known; use one of "
                f"{', '.join(sorted(products))}"
            )
        if row.customer_ref not in owners:
            raise BadCell(
                f"customer_ref {row.customer_ref} is not in the bank; customers.csv must bring it, "
                "without a rejected row"
            )
        if row.opened_on > tx.business_date:
            raise BadCell(f"opened_on {row.opened_on} is in the future")

    fresh, taken = _sort_out(
        rows,
        seen,
        key=lambda row: row.number,
        content=lambda row: row[2:],
        known={row[0]: tuple(row[1:]) for row in tx.connection.execute(found)},
        check=check,
    )
    if fresh:
        _open_accounts(tx, fresh, products, owners)
    return taken


def _open_accounts(
    tx: Tx,
    fresh: Sequence[AccountRow],
    products: Mapping[str, tuple[int, str]],
    owners: Mapping[str, tuple[int, int]],
) -> None:
    ids = ledger.open_balances(
        tx,
        [
            NewBalance(
                products[row.product][1],
                owners[row.customer_ref][1],
                row.currency,
                row.overdraft_limit_minor,
            )
            for row in fresh
        ],
    )
    _insert(
        tx,
        Account,
        [
            {
                "id": account_id,
                "number": row.number,
                "customer_id": owners[row.customer_ref][0],
                "product_id": products[row.product][0],
                "branch_id": owners[row.customer_ref][1],
                "currency": row.currency,
                "opened_on": row.opened_on,
                "opened_by": tx.desk.user_id or ledger.SYSTEM_USER_ID,
                "opened_at": tx.now,
                "status": AccountStatus.ACTIVE,
                "request_id": None,
            }
            for account_id, row in zip(ids, fresh, strict=True)
        ],
    )


def _insert(tx: Tx, table: type[Any], values: Sequence[dict[str, object]]) -> None:
    if values:
        tx.connection.execute(insert(table), values)


def _sort_out(
    rows: Sequence[R],
    seen: set[str],
    *,
    key: Callable[[R], str],
    content: Callable[[R], Hashable],
    known: dict[str, Hashable],
    check: Callable[[R], None] = lambda row: None,
) -> tuple[list[R], Taken]:
    """The rows that the bank does not have yet, and what became of the others."""
    taken = Taken()
    fresh: list[R] = []
    for row in rows:
        name = key(row)
        try:
            check(row)
            if name not in known:
                known[name] = content(row)
                fresh.append(row)
                taken.new += 1
            elif known[name] != content(row):
                raise BadCell(
                    f"{name} is in the bank already, or stands above, with other content; "
                    "an import adds and never changes"
                )
            elif name in seen:
                taken.repeated += 1
            else:
                taken.known += 1
            seen.add(name)
        except BadCell as wrong:
            taken.rejected.append((row.line, str(wrong)))
    return fresh, taken
