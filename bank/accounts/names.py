"""Names for ids: the book knows people and accounts by number alone, readers want to see who."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import aliased

from bank.accounts.accounts import Account
from bank.book.tables import Posting
from bank.core.desk import Tx, query
from bank.core.permissions import Permission
from bank.people.customers import Customer
from bank.people.identity import NoSuchUser, User, user_by_name


@dataclass(frozen=True)
class Names:
    """People by user id; number and holder of accounts by account id."""

    people: dict[int, str]
    accounts: dict[int, tuple[str, str]]

    def person(self, user_id: int) -> str:
        """The name of a user, or their number when they are unknown here."""
        return self.people.get(user_id, f"user {user_id}")


@query(Permission.JOURNAL_VIEW)
def names_for(tx: Tx, user_ids: Collection[int] = (), account_ids: Collection[int] = ()) -> Names:
    """Look up who stands behind the ids of a page of the journal, in two statements at most.

    A desk of a branch is told of an account of another branch only where an entry it can see has a
    line of it; every account that is named counts as read.
    """
    people: dict[int, str] = {}
    if user_ids:
        found = tx.connection.execute(
            select(User.id, User.name).where(User.id.in_(sorted(set(user_ids))))
        )
        people = {user_id: name for user_id, name in found}
    accounts: dict[int, tuple[str, str]] = {}
    if account_ids:
        wanted = (
            select(Account.id, Account.number, Customer.name)
            .join(Customer, Customer.id == Account.customer_id)
            .where(Account.id.in_(sorted(set(account_ids))))
        )
        if not tx.desk.sees_whole_bank:
            wanted = wanted.where(or_(Account.branch_id == tx.desk.branch_id, _met_here(tx)))
        accounts = {
            account_id: (number, holder)
            for account_id, number, holder in tx.connection.execute(wanted)
        }
        for number, _ in accounts.values():
            tx.looked_at("account", number)
    return Names(people, accounts)


def _met_here(tx: Tx) -> ColumnElement[bool]:
    """Whether an entry with a line at this branch has a line of the account."""
    own, here = aliased(Posting), aliased(Posting)
    return exists().where(
        own.account_id == Account.id,
        here.entry_id == own.entry_id,
        here.branch_id == tx.desk.branch_id,
    )


@query(Permission.JOURNAL_VIEW)
def user_id_of(tx: Tx, username: str) -> int:
    """Whose entries somebody looks for: the id behind a user name, or NoSuchUser."""
    user = user_by_name(tx, username)
    if user is None:
        raise NoSuchUser(field="username")
    return user.id
