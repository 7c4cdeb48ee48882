"""Several approvals at once: only money of one kind below the limit, each decided by itself."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle
from typing import Final

import pytest

from bank.core.approvals import AwaitingApproval
from bank.core.clock import FixedClock
from bank.core.errors import NotAllowed, NotFound
from bank.core.ids import new_request_id
from bank.counters import cash
from bank.office import approvals, approvals_together
from bank.office.approvals_together import NotOfOneKind, TooManyTogether
from tests.support.checkers import LAKH, Checking

ACCOUNTS: Final = ("asha", "vikram", "nila")
pytestmark = pytest.mark.feature("B26", "B4")


def deposits(at: Checking, *amounts_minor: int, accounts: Sequence[str] = ACCOUNTS) -> list[int]:
    """So many deposits that wait, each on the next account; their numbers."""
    found = []
    for number, (amount_minor, whose) in enumerate(zip(amounts_minor, cycle(accounts))):
        with pytest.raises(AwaitingApproval) as waits:
            cash.deposit(
                at.desks["ravi"],
                at.market.number(whose),
                amount_minor,
                f"T{number}",
                form_60=whose == "nila",  # she has no PAN
                request_id=new_request_id(),
            )
        found.append(waits.value.approval_id)
    return found


def outcomes(at: Checking, ids: list[int], who: str = "vera", note: str = "") -> list[str | None]:
    """What became of each when somebody approves them together."""
    found = approvals_together.approve_together(at.desks[who], ids, note)
    assert [each.row.id for each in found] == ids
    return [each.refused for each in found]


def test_each_is_booked_as_if_it_had_been_approved_alone(checking: Checking) -> None:
    ids = deposits(checking, 11 * LAKH, 12 * LAKH, 13 * LAKH)
    before = [checking.market.balance(whose) for whose in ACCOUNTS]
    assert outcomes(checking, ids[:2], note="Seen the slips") == [None, None]
    assert [checking.market.balance(whose) for whose in ACCOUNTS] == [
        before[0] + 11 * LAKH, before[1] + 12 * LAKH, before[2],
    ]  # fmt: skip
    assert [checking.status(number) for number in ids] == ["executed", "executed", "pending"]
    for number in ids[:2]:
        assert checking.card("vera", number).row.reason == "Seen the slips"
        assert checking.history(number)[-1] == ("executed", checking.desks["vera"].name)


def test_the_same_click_again_books_nothing_twice(sqlite_checking: Checking) -> None:
    ids = deposits(sqlite_checking, 11 * LAKH, 12 * LAKH)
    outcomes(sqlite_checking, ids)
    before = sqlite_checking.footprint()
    assert outcomes(sqlite_checking, ids) == ["This was executed by Vera Lobo already."] * 2
    assert sqlite_checking.footprint() == before


def test_what_cannot_be_done_stops_no_other(checking: Checking) -> None:
    first, second, third = deposits(checking, 11 * LAKH, 12 * LAKH, 13 * LAKH)
    approvals.withdraw(checking.desks["ravi"], second)
    [one, two, three] = outcomes(checking, [third, second, first])
    assert (one, three) == (None, None)
    assert two is not None
    assert "withdrawn" in two
    assert [checking.status(each) for each in (first, second, third)] == [
        "executed", "withdrawn", "executed",
    ]  # fmt: skip


def test_a_refusal_while_booking_is_told_and_written_down(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    ids = deposits(at, 11 * LAKH, 12 * LAKH)
    at.market.close_account("asha")
    [refused, done] = outcomes(at, ids)
    assert refused is not None
    assert refused.startswith("This has failed:")
    assert done is None
    assert [at.status(number) for number in ids] == ["failed", "executed"]


def test_a_large_amount_is_typed_again_by_itself(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    small, large = deposits(at, 25 * LAKH, 25 * LAKH + 1)
    [small_row, large_row] = approvals_together.side_by_side(at.desks["vera"], [small, large])
    assert small_row.why_not == ""
    assert large_row.why_not == (
        "Open it and decide it by itself: the amount is above ₹ 25,00,000.00."
    )
    assert outcomes(at, [small, large]) == [None, large_row.why_not]
    assert at.status(large) == "pending"


def test_a_large_amount_cut_into_small_ones_does_not_go_together(
    sqlite_checking: Checking,
) -> None:
    at = sqlite_checking
    ids = deposits(at, 11 * LAKH, 12 * LAKH, 13 * LAKH, accounts=["asha"])
    looked = approvals_together.side_by_side(at.desks["vera"], ids)
    assert [each.compared_minor for each in looked] == [11 * LAKH, 23 * LAKH, 36 * LAKH]
    assert all("with the others of this day it is above ₹ 25,00,000.00" in each.why_not
               for each in looked)  # fmt: skip
    assert None not in outcomes(at, ids)
    assert [at.status(number) for number in ids] == ["pending"] * 3


def test_what_went_back_or_is_overdue_does_not_go(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    back, late = deposits(at, 11 * LAKH, 12 * LAKH)
    approvals.send_back(at.desks["vera"], back, "Whose money is it?")
    assert "went back to its maker" in str(outcomes(at, [back])[0])
    assert isinstance(at.market.bank.clock, FixedClock)
    at.market.bank.clock.at += timedelta(hours=9)
    assert outcomes(at, [late]) == ["This was expired already."]


def test_the_reason_of_a_reversal_stands_beside_it(sqlite_checking: Checking) -> None:
    waits = sqlite_checking.ask("reverse")
    [looked] = approvals_together.side_by_side(sqlite_checking.desks["vera"], [waits.approval_id])
    assert looked.asked["reason"] == "typed twice"


def test_what_moves_no_money_is_decided_by_itself(sqlite_checking: Checking) -> None:
    waits = sqlite_checking.ask("hire")
    [refused] = outcomes(sqlite_checking, [waits.approval_id], who="vera")
    assert refused is not None
    assert refused.startswith("Open it and decide it by itself: no rule gives a limit")
    assert sqlite_checking.status(waits.approval_id) == "pending"


def test_a_rule_that_has_become_stricter_counts(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    ids = deposits(at, 11 * LAKH, 12 * LAKH)
    at.new_rule(
        "counters.cash.deposit",
        role="cashier",
        checkers="reviewer branch_admin",
        rekey_above_minor=11 * LAKH,
    )
    [one, two] = outcomes(at, ids)
    assert one is None
    assert two is not None
    assert "above ₹ 11,00,000.00" in two


@pytest.mark.parametrize("who", ["ravi", "meera", "auditor", "executive"])
def test_who_decides_nothing_decides_nothing_together(sqlite_checking: Checking, who: str) -> None:
    ids = deposits(sqlite_checking, 11 * LAKH, 12 * LAKH)
    with pytest.raises(NotAllowed):
        approvals_together.approve_together(sqlite_checking.desks[who], ids)
    assert [sqlite_checking.status(number) for number in ids] == ["pending", "pending"]


def test_another_branch_sees_none_of_them(sqlite_checking: Checking) -> None:
    ids = deposits(sqlite_checking, 11 * LAKH, 12 * LAKH)
    with pytest.raises(NotFound):
        approvals_together.side_by_side(sqlite_checking.desks["girish"], ids)


def test_who_has_an_interest_approves_none_of_them(sqlite_checking: Checking) -> None:
    ids = deposits(sqlite_checking, 11 * LAKH, 12 * LAKH, accounts=["asha"])
    refused = outcomes(sqlite_checking, ids, who="holder")
    assert all(each and "somebody else must decide" in each for each in refused)
    assert [sqlite_checking.status(number) for number in ids] == ["pending", "pending"]


def test_two_kinds_or_too_many_are_refused_as_a_whole(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    ids = deposits(at, 11 * LAKH)
    waits = at.ask("withdraw")
    with pytest.raises(NotOfOneKind):
        outcomes(at, [*ids, waits.approval_id])
    with pytest.raises(TooManyTogether):
        outcomes(at, [*range(1, approvals_together.MOST_TOGETHER + 2)])
    assert at.status(ids[0]) == "pending"


def test_what_the_maker_said_stands_beside_it(sqlite_checking: Checking) -> None:
    at = sqlite_checking
    first, second = deposits(at, 11 * LAKH, 12 * LAKH)
    for said in ("From the sale of a flat.", "The deed was shown."):
        approvals.add_note(at.desks["ravi"], first, said)
    looked = approvals_together.side_by_side(at.desks["vera"], [second, first])
    assert [(each.row.id, each.said) for each in looked] == [
        (second, ""), (first, "The deed was shown."),
    ]  # fmt: skip
