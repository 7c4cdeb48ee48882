"""Who holds an account of a product, for what the office tells to them alone."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select

from bank.accounts.accounts import Account, AccountStatus
from bank.accounts.products import Product
from bank.core.desk import Tx
from bank.office import announcements


def _names(tx: Tx) -> Mapping[str, str]:
    rows = tx.connection.execute(select(Product.code, Product.name).order_by(Product.id))
    return {code: name for code, name in rows}


def _held() -> Select[*tuple[Any, ...]]:
    """Customer and product of every account that is open."""
    found: Select[*tuple[Any, ...]] = select(Account.customer_id, Product.code)
    return found.join(Product, Product.id == Account.product_id).where(
        Account.status == AccountStatus.ACTIVE
    )


announcements.HOLDINGS[:] = [announcements.Holdings(names=_names, held=_held)]
