"""The ledger against a model that fits on a page: any series of acts ends with the same balances.

`make soak` runs many more and longer series.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bank import app
from bank.book import holds, ledger
from bank.core.desk import Bank, Desk, chunk
from bank.core.errors import BankError
from bank.core.permissions import Role
from bank.counters import drawer_cash
from bank.counters.drawer_cash import MoveKind
from bank.night import integrity
from tests.bank.test_ledger_rules import cash_in, draft, move, open_at
from tests.support.bank import desk, staff
from tests.support.soak import times

LIMITS = (0, 0, 300)
BRANCHES = (1, 2, 1)


@dataclass
class Model:
    """What the balances should be: a dozen lines instead of the ledger."""

    booked: list[int] = field(default_factory=lambda: [0] * len(LIMITS))
    held: list[int] = field(default_factory=lambda: [0] * len(LIMITS))
    open_holds: list[tuple[int, int, int]] = field(default_factory=list)  # id, account, amount
    entries: list[tuple[int, list[tuple[int, int]]]] = field(default_factory=list)
    reversed: set[int] = field(default_factory=set)

    def can(self, moves: list[tuple[int, int]]) -> bool:
        """Whether these debits and credits, in order, keep every floor."""
        now = list(self.booked)
        for account, amount in moves:
            now[account] += amount
            if amount < 0 and now[account] - self.held[account] < -LIMITS[account]:
                return False
        return True

    def do(self, moves: list[tuple[int, int]]) -> None:
        """Move."""
        for account, amount in moves:
            self.booked[account] += amount


account = st.integers(0, len(LIMITS) - 1)
amount = st.integers(1, 400)
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("cash"), account, amount),
        st.tuples(st.just("batch"), st.lists(st.tuples(account, account, amount), max_size=5)),
        st.tuples(st.just("hold"), account, amount),
        st.tuples(st.just("release"), st.integers(0, 9)),
        st.tuples(st.just("reverse"), st.integers(0, 99)),
        st.tuples(st.just("replay"), st.integers(0, 99)),
    ),
    max_size=times(normal=12, soak=40),
)


class Series:
    """One series of acts on fresh accounts of a bank, and the model beside it."""

    def __init__(self, bank: Bank) -> None:
        self.poster = desk(bank, Role.CASHIER)
        self.checker = desk(bank, Role.BRANCH_ADMIN)
        self.model = Model()
        self.drafts: list[tuple[ledger.Draft, int]] = []
        with chunk(self.poster, "tests.model") as tx:
            self.ids = [
                open_at(tx, branch, overdraft_limit_minor=limit)
                for branch, limit in zip(BRANCHES, LIMITS, strict=True)
            ]

    def expect(self, allowed: bool, act: Callable[[], Any]) -> Any:
        """Do it; what the model forbids must be refused, and what it allows must not."""
        done, refusal = None, ""
        try:
            done = act()
        except BankError as refused:
            refusal = f"refused: {refused}"
        assert allowed == (not refusal), refusal or "the model forbids this"
        return done

    def post(self, who: Desk, drafts: list[ledger.Draft]) -> list[ledger.Posted]:
        """Book in one transaction."""
        with chunk(who, "tests.model") as tx:
            return ledger.post_many(tx, drafts)

    def book(self, moves: list[list[tuple[int, int]]], drafts: list[ledger.Draft]) -> None:
        """Book drafts whose account lines are `moves`."""
        flat = [one for each in moves for one in each]
        posted = self.expect(self.model.can(flat), lambda: self.post(self.poster, drafts))
        for each, made, one in zip(moves, posted or (), drafts, strict=bool(posted)):
            self.model.do(each)
            self.model.entries.append((made.entry_id, each))
            self.drafts.append((one, made.entry_id))

    def cash(self, to: int, minor: int) -> None:
        """Pay in."""
        self.book([[(to, minor)]], [cash_in(self.ids[to], minor)])

    def batch(self, moves: list[tuple[int, int, int]]) -> None:
        """Several transfers at once."""
        wanted = [(a, b, minor) for a, b, minor in moves if a != b]
        if wanted:
            self.book(
                [[(a, -minor), (b, minor)] for a, b, minor in wanted],
                [move(self.ids[a], self.ids[b], minor) for a, b, minor in wanted],
            )

    def hold(self, on: int, minor: int) -> None:
        """Reserve."""

        def act() -> int:
            with chunk(self.poster, "tests.model") as tx:
                return holds.place(tx, self.ids[on], minor, "model")

        free = self.model.booked[on] - self.model.held[on] + LIMITS[on]
        made = self.expect(minor <= free, act)
        if made is not None:
            self.model.held[on] += minor
            self.model.open_holds.append((made, on, minor))

    def release(self, which: int) -> None:
        """Give one hold back."""
        if which < len(self.model.open_holds):
            hold_id, on, minor = self.model.open_holds.pop(which)
            with chunk(self.poster, "tests.model") as tx:
                holds.release(tx, hold_id)
            self.model.held[on] -= minor

    def reverse(self, which: int) -> None:
        """Reverse an entry, once."""
        if which >= len(self.model.entries):
            return
        entry_id, moves = self.model.entries[which]
        back = [(on, -minor) for on, minor in moves]

        def act() -> ledger.Posted:
            with chunk(self.checker, "tests.model") as tx:
                fresh = draft(reason="x").request_id
                return ledger.reverse(tx, entry_id, reason="model", request_id=fresh)

        allowed = entry_id not in self.model.reversed and self.model.can(back)
        if self.expect(allowed, act) is not None:
            self.model.reversed.add(entry_id)
            self.model.do(back)

    def replay(self, which: int) -> None:
        """Click once more."""
        if which < len(self.drafts):
            one, entry_id = self.drafts[which]
            [again] = self.post(self.poster, [one])
            assert (again.entry_id, again.replayed) == (entry_id, True)

    def check(self) -> None:
        """The book says what the model says."""
        with chunk(self.poster, "tests.model") as tx:
            found = [ledger.balance_of(tx, one) for one in self.ids]
        assert [one.booked_minor for one in found] == self.model.booked
        assert [one.held_minor for one in found] == self.model.held


@pytest.mark.soak
@pytest.mark.feature("B1", "A13.1", "A13.2")
def test_any_series_of_acts_ends_as_the_model_says(bank: Bank) -> None:
    staff(bank)
    with chunk(app.system_desk(bank), "tests.arrange") as tx:
        for branch in BRANCHES:  # enough for every reversal: the vault is no part of this model
            drawer_cash.put(tx, branch, 10**9, MoveKind.CARRIED)

    @given(ACTS)
    def run(acts: list[Any]) -> None:
        series = Series(bank)
        for name, *arguments in acts:
            getattr(series, name)(*arguments)
            series.check()

    run()
    results = integrity.run_checks(app.system_desk(bank))
    # No customers and no vaults stand behind these: the ledger is below their floors.
    above = {"accounts_have_balance", "cash_lies_somewhere"}
    found = [result for result in results if result.name not in above]
    assert len(found) == len(results) - len(above)
    assert [result for result in found if result.rows] == []
