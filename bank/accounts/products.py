"""Products: what kind of account, under which terms, since when.

Terms are dated data: the row with the latest `effective_from` not after a day
is in force on that day. They are filled from data/seed/products.csv.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from bank.core.db import Base
from bank.core.desk import Tx, query
from bank.core.errors import BadInput, NotFound
from bank.core.permissions import Permission
from bank.core.texts import check_search


class UnknownProduct(NotFound):
    """The bank has no such product. Choose savings, current or business."""


class AboveOverdraftCeiling(BadInput):
    """This product does not allow so large an overdraft limit. Choose a smaller one."""


class Product(Base):
    """Savings, current, business. Its accounts add up to one control account of the chart."""

    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(16), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    gl_code: Mapped[str] = mapped_column(String(8))


class ProductTerm(Base):
    """What a product promises and asks from a day on: minimum balance and overdraft ceiling in
    minor units, interest in basis points a year."""

    __tablename__ = "product_terms"
    __table_args__ = (UniqueConstraint("product_id", "effective_from"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    effective_from: Mapped[date]
    minimum_balance_minor: Mapped[int]
    interest_rate_bps: Mapped[int]
    overdraft_ceiling_minor: Mapped[int]
    source: Mapped[str] = mapped_column(String(200))


@dataclass(frozen=True, kw_only=True)
class ProductInForce:
    """A product with the terms of one day."""

    code: str
    name: str
    minimum_balance_minor: int
    interest_rate_bps: int
    overdraft_ceiling_minor: int
    effective_from: date
    source: str


@query(Permission.ACCOUNT_LOOK_UP)
def products_in_force(tx: Tx) -> Sequence[ProductInForce]:
    """Every product with today's terms."""
    newest: dict[str, ProductInForce] = {}
    rows = tx.session.execute(
        select(Product, ProductTerm)
        .join(ProductTerm, ProductTerm.product_id == Product.id)
        .where(ProductTerm.effective_from <= tx.business_date)
        .order_by(Product.id, ProductTerm.effective_from)
    )
    for product, term in rows:
        newest[product.code] = ProductInForce(
            code=product.code,
            name=product.name,
            minimum_balance_minor=term.minimum_balance_minor,
            interest_rate_bps=term.interest_rate_bps,
            overdraft_ceiling_minor=term.overdraft_ceiling_minor,
            effective_from=term.effective_from,
            source=term.source,
        )
    return list(newest.values())


def product(tx: Tx, code: str) -> Product:
    """The product behind a code, or UnknownProduct."""
    check_search(code, "product")
    found = tx.session.scalar(select(Product).where(Product.code == code))
    if found is None:
        raise UnknownProduct
    return found


def term_on(tx: Tx, product_id: int, day: date) -> ProductTerm:
    """The terms of a product in force on a day, or UnknownProduct if it was not sold yet."""
    found = tx.session.scalar(
        select(ProductTerm)
        .where(ProductTerm.product_id == product_id, ProductTerm.effective_from <= day)
        .order_by(ProductTerm.effective_from.desc())
        .limit(1)
    )
    if found is None:
        raise UnknownProduct("This product was not sold yet on that day.")
    return found
