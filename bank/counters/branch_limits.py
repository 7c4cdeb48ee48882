"""Limits of one branch: head office lets its drawers hold more or less than the bank's rule says,
and its cashiers pay out more or less without a supervisor.

A limit counts from a business date until a later row; a row without a value returns to the bank's
rule. None goes above the ceiling of `cash_rules`. A second person of head office agrees, and the
branch's admins are told by mail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import select

from bank.core import dated, money, outbox
from bank.core.checked import About, Checked, Given
from bank.core.dated import Standing
from bank.core.desk import Tx, command, query
from bank.core.errors import BadInput
from bank.core.permissions import Permission, Role
from bank.counters import cash_rules
from bank.counters.cash_rules import LONGEST_REASON, BranchLimit, BranchLimitName, CashRules
from bank.people.branches import Branch, NoSuchBranch, asked_for, branch_by_ifsc
from bank.people.fields import clean_text
from bank.people.identity import User
from bank.people.limits import (
    BeginsInThePast,
    LimitStep,
    NothingChanged,
    coming_of,
    setters,
    steps_of,
)

WORDS: Final = {
    BranchLimitName.DRAWER: "cash in a drawer",
    BranchLimitName.SUPERVISED: "withdrawal without a supervisor",
}


class AboveCeiling(BadInput):
    """No branch may have a limit as high as this. Choose a lower one."""


@dataclass(frozen=True, kw_only=True)
class BranchLimitCard:
    """What counts at a branch today, beside the bank's rule and its ceiling, in minor units.

    `own` is the row that makes it so, None where the bank's rule counts; `coming` are those after
    it, the next one first; `steps` is every row, newest first.
    """

    name: BranchLimitName
    counts_minor: int
    bank_minor: int
    ceiling_minor: int
    own: LimitStep | None
    coming: Sequence[LimitStep]
    steps: Sequence[LimitStep]


@query(Permission.VAULT_VIEW)
def limits_of_branch(tx: Tx, branch_id: int | None = None) -> Sequence[BranchLimitCard]:
    """Show which limits count at a branch, and which are coming."""
    where = asked_for(tx, branch_id)
    bank = cash_rules.cash_rules_on(tx, tx.business_date, None)
    rows = cash_rules.limit_rows(tx, where)
    own = cash_rules.own_values(rows, bank, tx.business_date)
    names = setters(tx, {row.set_by for row in rows})
    return [
        _card(name, [row for row in rows if row.name is name], bank, own, names, tx.business_date)
        for name in BranchLimitName
    ]


def _about(tx: Tx, given: Given) -> About:
    branch = branch_by_ifsc(tx, given["ifsc"], field="branch")
    return About(kind=BranchLimitName(given["limit"]).value, branch_id=branch.id)


@command(
    Permission.LIMIT_SET,
    checked=Checked(
        about=_about, ends=(NoSuchBranch, BeginsInThePast, AboveCeiling, NothingChanged)
    ),
)
def set_limit(
    tx: Tx,
    ifsc: str,
    limit: BranchLimitName,
    effective_from: date,
    amount_minor: int | None,
    reason: str,
) -> int:
    """Set what a branch's drawers may hold, or what it pays out without a supervisor.

    Without an amount the bank's rule counts again. From today means within a minute: counters keep
    their rules for so long. Answers the id of the row.
    """
    why = clean_text(reason, field="reason", longest=LONGEST_REASON)
    if effective_from < tx.business_date:
        raise BeginsInThePast(field="effective_from")
    found = branch_by_ifsc(tx, ifsc, field="branch")
    branch = tx.locked(Branch, found.id)  # of two who set it at once, the second sees the first
    bank = cash_rules.cash_rules_on(tx, effective_from, None)
    if amount_minor is not None:
        _check_amount(amount_minor, bank.ceiling_minor(limit))
    of_it = [row for row in cash_rules.limit_rows(tx, branch.id) if row.name is limit]
    now = dated.in_force(of_it, effective_from)
    if (now.value if now is not None else None) == amount_minor:
        raise NothingChanged(field="amount")
    assert tx.desk.user_id is not None
    row = BranchLimit(
        branch_id=branch.id,
        name=limit,
        effective_from=effective_from,
        value=amount_minor,
        reason=why,
        set_by=tx.desk.user_id,
        set_at=tx.now,
    )
    tx.session.add(row)
    tx.session.flush()
    cash_rules.changes(tx)
    before = _in_words(now.value if now is not None else None, bank.bank_minor(limit))
    after = _in_words(amount_minor, bank.bank_minor(limit))
    tx.concerns("branch", branch.ifsc)
    tx.changed(
        {"branch": branch.name, WORDS[limit]: before, "from": None},
        {"branch": branch.name, WORDS[limit]: after, "from": effective_from.isoformat()},
    )
    _tell(tx, branch, f"{WORDS[limit].capitalize()}: {after} from {effective_from:%d %b %Y}", why)
    return row.id


def _check_amount(amount_minor: int, ceiling_minor: int) -> None:
    money.check_positive(amount_minor)
    if amount_minor > ceiling_minor:
        raise AboveCeiling(
            f"No branch may have more than {money.show(ceiling_minor)}. Choose a lower limit.",
            field="amount",
        )


def _in_words(amount_minor: int | None, bank_minor: int) -> str:
    own = amount_minor is not None
    shown = money.show(amount_minor if amount_minor is not None else bank_minor)
    return shown if own else f"{shown}, the bank's rule"


def _card(
    name: BranchLimitName,
    rows: Sequence[BranchLimit],
    bank: CashRules,
    own: Mapping[str, int],
    names: Mapping[int, str],
    today: date,
) -> BranchLimitCard:
    steps = steps_of(rows, name, lambda row: row.value, names, today)
    return BranchLimitCard(
        name=name,
        counts_minor=own.get(name.value, bank.bank_minor(name)),
        bank_minor=bank.bank_minor(name),
        ceiling_minor=bank.ceiling_minor(name),
        own=next(
            (s for s in steps if s.standing is Standing.IN_FORCE and s.amount_minor is not None),
            None,
        ),
        coming=coming_of(steps),
        steps=steps,
    )


def _tell(tx: Tx, branch: Branch, what: str, why: str) -> None:
    """The admins of the branch, who answer for its cash."""
    admins = select(User).where(
        User.branch_id == branch.id,
        User.role == Role.BRANCH_ADMIN,
        User.active,
        User.email.is_not(None),
    )
    for admin in tx.session.scalars(admins.order_by(User.id)):
        outbox.queue_mail(
            tx,
            to=admin.email or "",
            subject="A limit of your branch",
            body=f"Hello {admin.name},\n\n{what} at {branch.name}. Reason: {why}.\n",
            purpose="limit",
            user_id=admin.id,
        )
