"""What waits for a second person, drawn the same wherever it is seen: on the record it is about, on
the form that asked for it, and in the checker's queue."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import streamlit as st

from bank.core import money
from bank.core.approvals import LONGEST_TEXT, ApprovalStatus, AwaitingApproval
from bank.core.desk import Desk
from bank.core.permissions import Permission
from bank.counters import branch_limits
from bank.office import approval_cards, approval_notices, approvals
from bank.office.approval_notices import ApprovalNotice
from bank.office.approval_rows import ApprovalCard, ApprovalRow, WaitsFor
from bank.people import limits
from pages.parts import forms, tables, ui, words
from pages.parts.tables import Kind, column

OPEN: Final = (ApprovalStatus.PENDING, ApprovalStatus.RETURNED)
LOOK_AGAIN_SECONDS: Final = 3.0
# How people call what a command does; one that is not here is called by its own sentence.
TITLES: Final = {
    "counters.cash.withdraw": "Cash withdrawal",
    "counters.cash.deposit": "Cash deposit",
    "book.journal.reverse_entry": "Reversal of an entry",
    "counters.corrections.reverse_own_slip": "Reversal of a cash slip",
    "people.identity.record_staff": "New employee",
    "people.staff.add_employee": "New employee",
    "people.staff.edit_employee": "Change of name or mail address",
    "people.staff.change_role": "Change of role or branch",
    "people.staff.reset_password": "New link to choose a password",
    "people.staff.reset_device": "Reset of a device for codes",
    "people.grants.give_grant": "Named grant",
    "accounts.freezes.lift_freeze": "Lifting of a freeze",
    "accounts.terms.set_rates": "New rates",
    "accounts.terms.set_charge": "New charge",
    "accounts.terms.add_charge": "New charge",
    "accounts.card_terms.add_line": "New line of the rate card",
    "accounts.card_terms.set_line": "New rate of a deposit or loan",
    "accounts.terms.set_policy": "New policy",
    "accounts.terms.call_off": "Change called off",
    "people.staff_customers.declare_customer": "Customer number of an employee",
    "people.staff_customers.link_customer": "Customer number of an employee",
    "people.staff_customers.end_customer_link": "End of a customer number of an employee",
    "office.dated_rules.set_rule": "Change of a rule",
    "office.dated_rules.withdraw_rule": "Change of a rule withdrawn",
    "people.limits.set_limit": "Limit of an employee",
    "counters.branch_limits.set_limit": "Limit of a branch",
    "book.book_close.close_book": "Closing of the book",
    "book.book_close.reopen_book": "Opening of the book again",
    "book.backdating.set_limit": "How far back imports book",
}
HAPPENED: Final = {
    "asked": "Asked",
    "noted": "Note",
    "returned": "Question",
    "pending": "Answer",
    "executed": "Approved",
    "refused": "Could not be done",
}
# Words of the code, as people say them, in what was chosen and not typed.
CHOSEN: Final = ("role", "kind", "limit")
SPELLED: Final[Mapping[str, str]] = {
    **{role.value: name for role, name in words.ROLES.items()},
    **{kind.value: said for kind, said in limits.WORDS.items()},
    **{name.value: said for name, said in branch_limits.WORDS.items()},
}
LINES: Final = [
    column("Ledger account", "ledger_account", key=True),
    column("Account", "account", Kind.ACCOUNT),
    column("Holder", "holder"),
    column("Branch", "branch"),
    column("Amount", "amount_minor", Kind.SIDE, key=True, currency=lambda line: line.currency),
    column("Balance after", "balance_minor", Kind.SIDE, currency=lambda line: line.currency),
]


class _Line:
    """A line as the table wants it: names instead of keys."""

    def __init__(self, line: Mapping[str, Any]) -> None:
        self.ledger_account = line["ledger"]
        self.account = line["account"]
        self.holder = line["holder"]
        self.branch = line["branch"]
        self.currency = line["currency"]
        self.amount_minor = line["amount_minor"]
        self.balance_minor = line["balance_minor"]


def title_of(row: ApprovalRow) -> str:
    """What is asked for, in a few words."""
    return TITLES.get(row.command, row.sentence)


def amount_of(row: ApprovalRow) -> str:
    """The amount, or nothing where none is moved."""
    return "" if row.amount_minor is None else money.show(row.amount_minor, row.currency)


def either(names: Sequence[str], word: str = "or") -> str:
    """`A`, `A or B`, `A, B or C`."""
    *most, last = names
    return f"{', '.join(most)} {word} {last}" if most else last


def waits_for(waits: WaitsFor) -> str:
    """Who has it, or who may take it and is here to do so."""
    if waits.held_since is not None:
        who = "You have" if waits.held_by_me else f"{waits.held_by} has"
        return f"{who} this since {words.moment(waits.held_since)}."
    if not waits.names:
        return "Waits for approval by nobody who works here now: tell head office."
    roles = either([words.role_name(role).lower() for role in waits.roles])
    return f"Waits for approval by {either(waits.names)} ({roles}). {_there(waits)}"


def _there(waits: WaitsFor) -> str:
    """Who of them could look at it at this moment."""
    if waits.here:
        said = f"Signed in now: {either(waits.here, 'and')}."
    else:
        said = "None of them is signed in now."
    if waits.opens_at is None:
        return said
    return f"{said} The bank is closed until {words.moment(waits.opens_at)}."


def said_of(card: ApprovalCard) -> str:
    """Where an approval stands, in a sentence."""
    row = card.row
    if row.status is ApprovalStatus.PENDING:
        return waits_for(card)
    if row.status is ApprovalStatus.RETURNED:
        return f"Came back with a question: {row.question}"
    by = f" by {row.checker_name}" if row.checker_name else ""
    why = f": {row.reason}" if row.reason else ""
    return f"{words.sentence(row.status)}{by}{why}"


def banner(desk: Desk, object_kind: str, object_id: str | None) -> bool:
    """On a record, for whoever may read it: what waits on it, since when and for whom. Answers
    whether anything does.

    Without an id it is about records that are not there yet.
    """
    notices = approval_notices.waiting_on(desk, object_kind, object_id)
    now = desk.bank.clock.now()
    for notice in notices:
        row = notice.row
        whom = "" if row.object_id else row.person  # on a record it stands above
        what = f"{title_of(row)} {amount_of(row) or whom}".strip()
        since = words.age(row.made_at, now)
        st.info(
            words.plain(
                f"{what}, asked for by {row.maker_name} {since}, approval {row.id}: "
                f"{_stands(notice)}"
            ),
            icon=":material/pending_actions:",
        )
    return bool(notices)


def _stands(notice: ApprovalNotice) -> str:
    """Whom it waits for. What was asked back is between the maker and those who decide."""
    row = notice.row
    if not notice.is_asked:
        return waits_for(notice)
    if notice.is_in_sight:
        return f"Came back with a question: {row.question}"
    return f"Waits for an answer by {row.maker_name}."


@contextmanager
def attempt(
    done: str, *, labels: Mapping[str, str] | None = None, then: Callable[[], None] | None = None
) -> Iterator[None]:
    """Like ui.attempt, for what may wait: either way the page is drawn anew and says what became
    of it; `then` clears the form."""
    with ui.attempt(labels=labels):
        try:
            yield
            said = done
        except AwaitingApproval as waits:
            said = str(waits)
        if then is not None:
            then()
        ui.flash(said)
        st.rerun()


def in_full(card: ApprovalCard, *, key: str) -> None:
    """Everything a checker looks at: what is asked, before and after, the lines, the history."""
    row = card.row
    st.header(f"{title_of(row)}, approval {row.id}")
    st.markdown(words.badge(row.status))
    if row.amount_minor is not None:
        forms.amount_line(row.amount_minor, row.currency)
    for risk in card.risks:
        st.warning(words.plain(risk), icon=":material/flag:")
    facts = {
        "Asked for by": f"{row.maker_name}, {words.moment(row.made_at)}",
        # Once is enough where it is among what was typed.
        "About": "" if row.object_id in card.asked.values() else row.about,
        **{words.sentence(name): _spelled(name, value) for name, value in card.asked.items()},
        "Rule": card.rule_source,
        "Expires": words.moment(row.expires_at) if row.status in OPEN else "",
        "Decided": f"{said_of(card)}, {words.moment(row.decided_at)}" if row.decided_at else "",
        "The maker in 90 days": ", ".join(
            f"{count} {state}" for state, count in sorted(card.record.items())
        ),
    }
    compared = card.compared_minor
    if compared is not None and compared != row.amount_minor:
        facts["Together on this day"] = money.show(compared, row.currency)
    tables.facts(facts)
    if card.changes:
        st.markdown("**Before and after**")
        tables.show(
            card.changes,
            [
                column("Field", lambda change: words.sentence(change[0]), key=True),
                column("Before", lambda change: change[1], key=True),
                column("After", lambda change: change[2], key=True),
            ],
            key=f"{key}_changes",
        )
    if card.lines:
        booked = row.status is ApprovalStatus.EXECUTED
        st.markdown("**Lines that were booked**" if booked else "**Lines it would book**")
        tables.show([_Line(line) for line in card.lines], LINES, key=f"{key}_lines")
    history(card, key=key)


def _spelled(name: str, value: str) -> str:
    return SPELLED.get(value, value) if name in CHOSEN else value


def history(card: ApprovalCard, *, key: str) -> None:
    """Who said and did what, oldest first."""
    st.markdown("**History**")
    tables.show(
        card.history,
        [
            column("When", "at", Kind.MOMENT, key=True),
            column(
                "What", lambda each: HAPPENED.get(each.what, words.sentence(each.what)), key=True
            ),
            column("Who", "by_name"),
            column("Words", "said", key=True, width=320),
        ],
        key=f"{key}_history",
    )


def follow(desk: Desk, approval_id: int, *, key: str) -> ApprovalCard:
    """For the maker: where it stands, drawn again when it moves; a note, an answer, a way back.

    Answers the card, so that a form can go on once it is decided.
    """
    card = approval_cards.approval_card(desk, approval_id)
    row = card.row
    with st.container(border=True):
        st.header(f"{title_of(row)} {amount_of(row)}".strip())
        st.markdown(f"{words.badge(row.status)} {words.plain(said_of(card))}")
        if row.status in OPEN:
            st.caption(f"Approval {row.id}. Expires {words.moment(row.expires_at)}.")
            _watch(approval_id, row.status)
            _say(desk, card, key=f"{key}_{approval_id}")
        history(card, key=f"{key}_{approval_id}")
    return card


def _say(desk: Desk, card: ApprovalCard, *, key: str) -> None:
    """What the maker may add: the answer to a question, a note, or that it is off."""
    row = card.row
    is_asked = row.status is ApprovalStatus.RETURNED
    label = "Answer" if is_asked else "Note for the checker"
    with st.form(f"{key}_say_{row.status}_{len(card.history)}", border=False):
        said = st.text_input(label, max_chars=LONGEST_TEXT, autocomplete="off")
        with st.container(horizontal=True):
            sent = st.form_submit_button("Send answer" if is_asked else "Add note")
            off = st.form_submit_button("Withdraw", type="tertiary")
    if off:
        with ui.attempt("Withdrawn. Nothing was done."):
            approvals.withdraw(desk, row.id)
    elif sent:
        with ui.attempt("The checker sees it now."):
            verb = approvals.answer if is_asked else approvals.add_note
            verb(desk, row.id, said)


@ui.live(LOOK_AGAIN_SECONDS, Permission.APPROVAL_VIEW)
def _watch(desk: Desk, approval_id: int, status: ApprovalStatus) -> None:
    """Draw the page again as soon as somebody has decided."""
    if approval_cards.approval_card(desk, approval_id).row.status is not status:
        st.rerun()
