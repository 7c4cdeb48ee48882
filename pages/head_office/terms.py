"""Head office sets rates, charges and policies: from a day on, for a reason, decided by two."""

from collections.abc import Callable
from datetime import date, timedelta

import streamlit as st

from bank.accounts import tariff as tariffs
from bank.accounts import terms
from bank.accounts.rate_card import Card, CardRate
from bank.accounts.tariff import LONGEST_NAME, LONGEST_SOURCE, Charged, Policy, Rates, Tariff, What
from bank.accounts.terms import LONGEST_BODY
from bank.core import money
from bank.core.errors import BadInput
from bank.core.permissions import Permission
from pages.parts import drafted, forms, rate_card, rate_forms, tables, ui, waiting, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.TERMS_SET, title="Set rates and charges")

NARROW = 560  # pixels
FURTHEST = timedelta(days=366)
LABELS = {
    "interest": "Interest, percent a year",
    "minimum": "Minimum balance",
    "overdraft": "Overdraft up to",
    "effective_from": "From",
    "amount": "Amount",
    "charge": "Charge",
    "policy": "Policy",
    "title": "Title",
    "message": "Words",
    "name": "Name",
    "per": "For each",
    "reason": "Reason",
}
NEW = "A new policy"
SET = "The change is set. Choose it below to tell customers of it."
SUBJECTS = {
    What.RATES: "Interest and balances",
    What.CARD: "Deposits and loans",
    What.CHARGE: "Charges",
    What.POLICY: "Policies",
}


def when_and_why(key: str, notice_days: int = 1) -> tuple[date, str]:
    """From which day, and why: the same for every change. The bank itself says what is too soon."""
    today = desk.bank.clock.business_date()
    day = forms.day_input(
        LABELS["effective_from"],
        today + timedelta(days=notice_days),
        key=f"{key}_from",
        first=today,
        last=today + FURTHEST,
        persist_state="page",
    )
    reason = st.text_input(
        LABELS["reason"],
        key=f"{key}_reason",
        persist_state="page",
        max_chars=LONGEST_SOURCE,
        help="Customers read it beside the change: a decision of the board, a rule of the RBI.",
        autocomplete="off",
    )
    return day or today, reason or ""


def propose(what: What, code: str, key: str, change: Callable[[], None]) -> None:
    """Ask for the change; what waits on the same thing stands above the button."""
    waiting.banner(desk, what.value, code)
    if st.button("Propose this change", type="primary", key=f"{key}_propose"):
        with waiting.attempt(SET, labels=LABELS, then=lambda: forms.forget(f"{key}_")):
            change()


def rates(tariff: Tariff) -> None:
    """What a product pays and asks."""
    chosen: Rates | None = tables.choose(
        tariff.rates,
        [
            column("Product", "name", key=True),
            column("Interest", lambda row: money.percent(row.interest_rate_bps), key=True),
            column("Minimum balance", "minimum_balance_minor", Kind.AMOUNT),
            column("Overdraft up to", "overdraft_ceiling_minor", Kind.AMOUNT),
            column("Since", "effective_from", Kind.DAY),
            column("Reason", "source", width=280),
        ],
        key="terms_rates",
        id_of=lambda row: row.code,
        prompt="Choose a product",
    )
    if chosen is None:
        st.caption("Choose a product to change what it pays and asks.")
        return
    key = f"terms_rates_{chosen.code}"
    with st.container(border=True, width=NARROW):
        st.header(words.plain(chosen.name))
        interest = st.text_input(
            LABELS["interest"],
            f"{chosen.interest_rate_bps / 100:.2f}",
            key=f"{key}_interest",
            persist_state="page",
            autocomplete="off",
        )
        cost(chosen.code, interest or "")
        st.session_state.setdefault(f"{key}_minimum", money.digits(chosen.minimum_balance_minor))
        minimum = forms.amount_input(LABELS["minimum"], key=f"{key}_minimum", may_be_zero=True)
        st.session_state.setdefault(
            f"{key}_overdraft", money.digits(chosen.overdraft_ceiling_minor)
        )
        overdraft = forms.amount_input(
            LABELS["overdraft"], key=f"{key}_overdraft", may_be_zero=True
        )
        day, reason = when_and_why(key)

        def change() -> None:
            terms.set_rates(
                desk,
                chosen.code,
                day,
                rate_card.bps_of(interest or ""),
                _amount(minimum, "minimum"),
                _amount(overdraft, "overdraft"),
                reason,
            )

        propose(What.RATES, chosen.code, key, change)


def cost(code: str, interest: str) -> None:
    """What the proposed rate would cost in a year, beside today's."""
    try:
        bps = rate_card.bps_of(interest)
    except BadInput as refusal:
        st.caption(words.plain(str(refusal)))
        return
    now, then = terms.yearly_interest(desk, code, bps)
    st.caption(
        words.plain(
            f"On today's balances: {money.show(then)} a year, now {money.show(now)} "
            f"({'+' if then >= now else '-'}{money.show(abs(then - now))})."
        )
    )


def _amount(text: str, field: str) -> int:
    return money.parse(text, field=field, may_be_zero=True)


def charges(tariff: Tariff) -> None:
    """What the bank charges for."""
    chosen: Charged | None = tables.choose(
        tariff.charges,
        [
            column("Charge", "name", key=True),
            column("For each", "per"),
            column("Amount", "amount_minor", Kind.AMOUNT, key=True),
            column("Since", "effective_from", Kind.DAY),
            column("Reason", "source", width=280),
        ],
        key="terms_charges",
        id_of=lambda row: row.code,
        prompt="Choose a charge",
    )
    if chosen is None:
        notice = words.counted(tariff.charge_notice_days, "day")
        st.caption(f"Choose a charge to change it. A higher one needs {notice} of notice.")
        new_charge(tariff)
        return
    key = f"terms_charge_{chosen.code}"
    with st.container(border=True, width=NARROW):
        st.header(words.plain(chosen.name))
        amount = forms.amount_input(LABELS["amount"], key=f"{key}_amount", may_be_zero=True)
        day, reason = when_and_why(key, tariff.charge_notice_days)
        propose(
            What.CHARGE,
            chosen.code,
            key,
            lambda: terms.set_charge(desk, chosen.code, day, _amount(amount, "amount"), reason),
        )


def new_charge(tariff: Tariff) -> None:
    """Something the bank did not charge for until now."""
    key = "terms_charge_new"
    with st.container(border=True, width=NARROW):
        st.header("A new charge")
        waiting.banner(desk, What.CHARGE.value, None)
        name, per = (
            st.text_input(
                LABELS[field],
                key=f"{key}_{field}",
                persist_state="page",
                max_chars=LONGEST_NAME,
                help=help,
                autocomplete="off",
            )
            or ""
            for field, help in (("name", None), ("per", "A transfer, a month, an instruction."))
        )
        amount = forms.amount_input(LABELS["amount"], key=f"{key}_amount", may_be_zero=True)
        day, reason = when_and_why(key, tariff.charge_notice_days)
        if st.button("Propose this charge", key=f"{key}_propose"):
            with waiting.attempt(SET, labels=LABELS, then=lambda: forms.forget(f"{key}_")):
                terms.add_charge(desk, name, per, day, _amount(amount, "amount"), reason)


def card(tariff: Tariff) -> None:
    """What fixed deposits pay and loans cost."""
    part = st.selectbox(
        "Part of the card",
        list(rate_card.TITLES),
        format_func=rate_card.TITLES.__getitem__,
        key="terms_card_part",
        width=NARROW,
    )
    rate_forms.part_of_card(desk, tariff, part or Card.DEPOSIT, when_and_why)


def policies(tariff: Tariff) -> None:
    """What the bank promises in words."""
    known: dict[str, Policy] = {policy.code: policy for policy in tariff.policies}
    code = st.selectbox(
        LABELS["policy"],
        [*known, NEW],
        format_func=lambda one: known[one].title if one in known else NEW,
        key="terms_policy",
        width=NARROW,
    )
    old = known.get(code or "")
    key = f"terms_policy_{code}"
    with st.container(border=True, width=NARROW):
        st.session_state.setdefault(f"{key}_title", old.title if old else "")
        st.session_state.setdefault(f"{key}_body", old.body if old else "")
        title = st.text_input(
            LABELS["title"],
            key=f"{key}_title",
            persist_state="page",
            max_chars=LONGEST_NAME,
            autocomplete="off",
        )
        body = st.text_area(
            LABELS["message"],
            key=f"{key}_body",
            persist_state="page",
            max_chars=LONGEST_BODY,
            height=160,
        )
        day, reason = when_and_why(key)
        named = old.code if old else title or ""
        propose(
            What.POLICY,
            named,
            key,
            lambda: terms.set_policy(desk, named, day, title or "", body or "", reason),
        )


def to_come(tariff: Tariff) -> None:
    """What was decided and has not begun, with the way to call it off."""
    st.header("To come")
    rows = [
        *((What.RATES, row.code, row.name, row) for row in tariff.coming_rates),
        *((What.CHARGE, row.code, row.name, row) for row in tariff.coming_charges),
        *((What.POLICY, row.code, row.title, row) for row in tariff.coming_policies),
        *((What.CARD, row.code, row.name, row) for row in tariff.coming_card),
    ]
    if not rows:
        ui.empty("No change is to come.", "What two people have decided is listed here.")
        return
    chosen = tables.choose(
        rows,
        [
            column("What", lambda row: row[2], key=True),
            column("Becomes", lambda row: becomes(row[3]), key=True, width=280),
            column("From", lambda row: row[3].effective_from, Kind.DAY),
            column("Reason", lambda row: row[3].source, width=280),
        ],
        key="terms_coming",
        id_of=lambda row: f"{row[0]} {row[1]} {row[3].effective_from}",
        prompt="Choose a change",
    )
    if chosen is None:
        st.caption("Choose a change to tell customers of it, or to call it off.")
        return
    what, code, _, row = chosen
    key = f"terms_off_{what}_{code}"
    with st.container(border=True, width=NARROW):
        waiting.banner(desk, what.value, code)
        if desk.may(Permission.ANNOUNCE) and st.button(
            "Draft an announcement", key=f"{key}_announce", icon=":material/campaign:"
        ):
            drafted.write(tariff, row, desk.bank.clock.business_date())
        reason = st.text_input(
            LABELS["reason"], key=f"{key}_reason", max_chars=LONGEST_SOURCE, autocomplete="off"
        )
        if st.button("Call it off", key=f"{key}_go", icon=":material/undo:"):
            with waiting.attempt(
                "The change is called off.", labels=LABELS, then=lambda: forms.forget(f"{key}_")
            ):
                terms.call_off(desk, what, code, row.effective_from, reason or "")


def becomes(row: Rates | Charged | Policy | CardRate) -> str:
    """What a change leads to, in a few words."""
    if isinstance(row, CardRate):
        return rate_card.becomes(row)
    if isinstance(row, Rates):
        least = money.show(row.minimum_balance_minor)
        return f"{money.percent(row.interest_rate_bps)}, at least {least}"
    if isinstance(row, Charged):
        return money.show(row.amount_minor)
    return "new words"


SHOWN = {What.RATES: rates, What.CARD: card, What.CHARGE: charges, What.POLICY: policies}

with ui.attempt():
    tariff = tariffs.tariff(desk)
    subject = st.segmented_control(
        "Set",
        list(SUBJECTS),
        format_func=SUBJECTS.__getitem__,
        default=What.RATES,
        required=True,
        key="terms_subject",
    )
    SHOWN[subject or What.RATES](tariff)
    to_come(tariff)
