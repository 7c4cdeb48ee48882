"""Limits of a branch and of an employee: what counts today beside the rule for all, what is coming,
what was set before, and the form that sets another one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

import streamlit as st

from bank.core import money
from bank.core.desk import Desk
from bank.core.errors import BadInput
from bank.core.permissions import Role
from bank.counters.branch_limits import BranchLimitCard
from bank.counters.cash_rules import LONGEST_REASON, BranchLimitName
from bank.people import limits
from bank.people.limits import EmployeeLimitCard, LimitKind, LimitStep
from pages.parts import forms, tables, words
from pages.parts.tables import Kind, column

LABELS: Final = {
    "amount": "Amount",
    "branch": "Branch",
    "effective_from": "First day",
    "reason": "Reason",
    "what": "Limit",
}
OF_BRANCH: Final = {
    BranchLimitName.DRAWER: "Cash in a drawer",
    BranchLimitName.SUPERVISED: "Withdrawal without a supervisor",
}
OF_EMPLOYEE: Final = {
    LimitKind.PAY_OUT: "Pays out alone",
    LimitKind.TAKE_IN: "Takes in alone",
}
EMPTY_FOR_THE_RULE: Final = "Leave it empty, and the bank's rule for everybody counts."
NARROW: Final = 560  # pixels: an input is no wider than what belongs into it
DAYS_AHEAD: Final = 366  # how far a form offers first days
W = TypeVar("W", bound=StrEnum)


@dataclass(frozen=True, kw_only=True)
class Typed(Generic[W]):
    """What was typed into the form. Reading it may raise BadInput, inside an attempt."""

    what: W
    amount: str
    is_back: bool
    first: date | None
    reason: str

    @property
    def amount_minor(self) -> int | None:
        """The limit, None where the rule for all shall count again."""
        return None if self.is_back else money.parse(self.amount)

    @property
    def effective_from(self) -> date:
        """The first day."""
        if self.first is None:
            raise BadInput("Choose the day from which it counts.", field="effective_from")
        return self.first


def of_branch(cards: Sequence[BranchLimitCard], *, key: str) -> None:
    """What counts at a branch, beside the bank's rule."""
    tables.show(
        cards,
        [
            column("Limit", lambda card: OF_BRANCH[card.name], key=True),
            column("Counts today", "counts_minor", Kind.AMOUNT, key=True),
            column("Bank's rule", "bank_minor", Kind.AMOUNT),
            column("Since", lambda card: _since(card)),
            column("Coming", lambda card: _coming(card.coming)),
            column(
                "Ceiling", "ceiling_minor", Kind.AMOUNT, help="No branch may have more than this."
            ),
        ],
        key=key,
    )


def of_employee(cards: Sequence[EmployeeLimitCard], *, key: str) -> None:
    """What an employee does alone, beside the rule for all."""
    tables.show(
        cards,
        [
            column("Limit", lambda card: OF_EMPLOYEE[card.kind], key=True),
            column("Counts today", "counts_minor", Kind.AMOUNT, key=True),
            column("Own limit", "own_minor", Kind.AMOUNT),
            column("Bank's rule", "rule_minor", Kind.AMOUNT),
            column("Coming", lambda card: _coming(card.coming)),
        ],
        key=key,
    )


def own_inputs(desk: Desk, *, key: str) -> tuple[str, str]:
    """What a newcomer at a counter does alone, each beside the ceiling; empty for the bank's rule.
    Whoever takes and pays no cash has none."""
    rules = limits.rules_for(desk, Role.CASHIER)
    st.caption("At a counter only: above it, a day and account, a second person decides.")
    typed = []
    for kind, label in (
        (LimitKind.PAY_OUT, "Pays out alone up to"),
        (LimitKind.TAKE_IN, "Takes in alone up to"),
    ):
        ceiling = rules.get(kind)
        most = "without a ceiling" if ceiling is None else f"at most {money.show(ceiling)}"
        typed.append(
            forms.amount_input(f"{label} ({most})", key=f"{key}_{kind}", help=EMPTY_FOR_THE_RULE)
        )
    return typed[0], typed[1]


def own_typed(pay_out: str, take_in: str) -> tuple[int | None, int | None]:
    """The two amounts, None for one that was left empty. Call it inside an attempt."""
    return (
        money.parse(pay_out, field="pays out") if pay_out.strip() else None,
        money.parse(take_in, field="takes in") if take_in.strip() else None,
    )


def before(steps: Iterable[LimitStep], names: Mapping[Any, str], *, key: str) -> None:
    """Every limit that was set, newest first; nothing while there is none."""
    rows = sorted(steps, key=lambda step: -step.id)
    if not rows:
        return
    st.subheader("Limits that were set")
    tables.show(
        rows,
        [
            column("Limit", lambda step: names[step.what], key=True),
            column("From", "effective_from", Kind.DAY, key=True),
            column("Amount", lambda step: _amount(step.amount_minor), key=True),
            column("State", "standing", Kind.STATE),
            column("Reason", "reason"),
            column("Set by", "set_by"),
            column("Set at", "set_at", Kind.MOMENT),
        ],
        key=key,
        file_name="limits.csv",
    )


def form(desk: Desk, names: Mapping[W, str], *, key: str) -> Typed[W] | None:
    """The form of another limit; what was typed once its button is pressed."""
    today = desk.bank.clock.business_date()
    with st.container(border=True, width=NARROW):
        st.subheader("Set a limit")
        st.caption("A second person agrees before it counts.")
        what = st.selectbox(
            LABELS["what"],
            list(names),
            format_func=names.__getitem__,
            key=f"{key}_what",
            persist_state="page",
        )
        is_back = st.checkbox("Back to the bank's rule", key=f"{key}_back", persist_state="page")
        amount = "" if is_back else forms.amount_input(LABELS["amount"], key=f"{key}_amount")
        first = forms.day_input(
            LABELS["effective_from"],
            today,
            first=today,
            last=today + timedelta(days=DAYS_AHEAD),
            key=f"{key}_from",
            persist_state="page",
        )
        reason = st.text_input(
            LABELS["reason"],
            key=f"{key}_reason",
            max_chars=LONGEST_REASON,
            autocomplete="off",
            persist_state="page",
        )
        asked = st.button("Set limit", type="primary", key=f"{key}_set")
    if not asked:
        return None
    return Typed(what=what, amount=amount, is_back=is_back, first=first, reason=reason or "")


def _since(card: BranchLimitCard) -> str:
    return words.day(card.own.effective_from) if card.own else "the bank's rule"


def _amount(amount_minor: int | None) -> str:
    return "the bank's rule" if amount_minor is None else money.show(amount_minor)


def _coming(steps: Sequence[LimitStep]) -> str:
    """`₹ 3,00,000.00 from 1 Apr 2026; the bank's rule from 1 May 2026`."""
    return "; ".join(
        f"{_amount(step.amount_minor)} from {words.day(step.effective_from)}" for step in steps
    )
