"""A bank that exists only as Arrow tables: what the feed would have read of a large one.

Deterministic. Every entry has two lines, a customer's and the cash of the same branch; a hundredth
of the accounts is in another currency.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import pyarrow as pa

from bank.night.feed import ROWS_AT_ONCE, Mark, Take

GL: Final = [
    (1, "1000", "Cash in hand", "asset", False),
    (2, "1200", "Loans outstanding", "asset", False),
    (3, "2000", "Savings deposits", "liability", True),
    (4, "2010", "Current deposits", "liability", True),
    (5, "2020", "Business deposits", "liability", True),
]
PRODUCTS: Final = [
    (1, "savings", "Savings account", "2000"),
    (2, "current", "Current account", "2010"),
    (3, "business", "Business account", "2020"),
]
LAST_DAY: Final = date(2026, 3, 16)
DAYS: Final = 730


class MadeFeed:
    """Stands in for `Feed`: everything at the first reading, nothing new after it."""

    def __init__(self, postings: int, *, branches: int = 200, accounts: int = 50_000) -> None:
        self.postings, self.branches, self.accounts = postings, branches, accounts

    def read(self, mark: Mark, take: Take, *, small: bool = False) -> Mark:
        """What `Feed.read` does."""
        if mark.upto is None:
            for name, rows in self.small().items():
                take(name, iter([rows]))
            take("entries", self.entries())
            take("postings", self.lines())
        return Mark(upto=str(self.postings // 2))

    def close(self) -> None:
        """There is nothing to close."""

    def small(self) -> dict[str, pa.Table]:
        """The tables that come whole."""
        ids = np.arange(1, self.accounts + 1)
        day = np.full(self.accounts, LAST_DAY - timedelta(days=DAYS)).astype("datetime64[D]")
        return {
            "gl_accounts": _rows(("id", "code", "name", "kind", "is_control"), GL),
            "products": _rows(("id", "code", "name", "gl_code"), PRODUCTS),
            "branches": _rows(
                ("id", "ifsc", "name"),
                [(i, f"DEMO0{i:06d}", f"Branch {i:03d}") for i in range(1, self.branches + 1)],
            ),
            "customers": _rows(
                ("id", "number", "branch_id", "created_at"), [(1, "C1", 1, "2024-01-01")]
            ),
            "accounts": pa.table(
                {
                    "id": ids,
                    "last_digits": pa.array([f"{i % 10_000:04d}" for i in ids]),
                    "customer_id": np.ones(self.accounts, dtype=np.int64),
                    "product_id": ids % 3 + 1,
                    "branch_id": ids % self.branches + 1,
                    "currency": pa.array(["CZK" if i % 100 == 0 else "INR" for i in ids]),
                    "opened_on": day,
                    "status": pa.array(["active"] * self.accounts),
                }
            ),
        }

    def entries(self) -> Iterator[pa.Table]:
        """Half as many entries as lines."""
        for ids in _pieces(self.postings // 2):
            day = self._days(ids)
            yield pa.table(
                {
                    "id": ids,
                    "kind": pa.array(["cash_deposit"] * len(ids)),
                    "narration": pa.array([f"Slip {i}" for i in ids]),
                    "branch_id": self._accounts(ids) % self.branches + 1,
                    "actor_id": np.full(len(ids), 7),
                    "channel": pa.array(["branch"] * len(ids)),
                    "booked_at": day.astype("datetime64[us]"),
                    "booking_date": day,
                    "value_date": day,
                    "reverses_id": pa.nulls(len(ids), pa.int64()),
                }
            )

    def lines(self) -> Iterator[pa.Table]:
        """The customer's line, then the cash."""
        for ids in _pieces(self.postings // 2):
            account, day = self._accounts(ids), self._days(ids)
            amount = (ids * 7_919 % 500_000 + 1) * np.where(ids % 5 == 0, -1, 1)
            customers = np.tile([True, False], len(ids))
            both = np.repeat(account, 2)
            yield pa.table(
                {
                    "entry_id": np.repeat(ids, 2),
                    "leg": np.tile([1, 2], len(ids)),
                    "gl_account_id": np.where(customers, both % 3 + 3, 1),
                    "account_id": pa.array(both, mask=~customers),
                    "branch_id": both % self.branches + 1,
                    "currency": pa.array(np.where(both % 100 == 0, "CZK", "INR")),
                    "amount_minor": np.repeat(amount, 2) * np.tile([1, -1], len(ids)),
                    "booking_date": np.repeat(day, 2),
                    "value_date": np.repeat(day, 2),
                }
            )

    def _accounts(self, ids: Any) -> Any:
        return ids * 104_729 % self.accounts + 1

    def _days(self, ids: Any) -> Any:
        before = DAYS - 1 - (ids - 1) * DAYS // (self.postings // 2)
        return np.datetime64(LAST_DAY) - before.astype("timedelta64[D]")


def _pieces(count: int) -> Iterator[Any]:
    step = ROWS_AT_ONCE // 2
    for start in range(1, count + 1, step):
        yield np.arange(start, min(start + step, count + 1))


def _rows(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> pa.Table:
    return pa.table({name: [row[at] for row in rows] for at, name in enumerate(names)})
