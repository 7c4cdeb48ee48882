"""An announcement drafted from a change of rates, charges or policies; a person reads it before it
is said."""

from datetime import date, timedelta
from typing import Final, NoReturn

import streamlit as st

from bank.accounts.tariff import Charged, Policy, Rates, Tariff
from bank.core import money
from bank.office.announcements import LONGEST_TITLE, Audience
from pages.parts import forms, words
from pages.parts.announcements import FORM

SHOWN_AFTER: Final = timedelta(days=7)  # it has begun
WHERE: Final = "Everything the bank pays and asks stands under Rates and charges."


def announcement_of(tariff: Tariff, row: Rates | Charged | Policy) -> tuple[str, str]:
    """Title and message that tell customers of a change, with what holds until then."""
    day = words.day(row.effective_from)
    if isinstance(row, Rates):
        title, said = _of_rates(tariff, row, day)
    elif isinstance(row, Charged):
        title, said = _of_charge(tariff, row, day)
    else:
        title, said = f"{row.title}: new words from {day}", row.body
    return title[:LONGEST_TITLE], f"{said}\n\nReason: {row.source}\n\n{WHERE}"


def write(tariff: Tariff, row: Rates | Charged | Policy, today: date) -> NoReturn:
    """Open the page of announcements with the draft in its form."""
    title, body = announcement_of(tariff, row)
    forms.forget(f"{FORM}_")
    filled = {
        "audience": Audience.CUSTOMERS,
        "title": title,
        "body": body,
        "from": today,
        "until": row.effective_from + SHOWN_AFTER,
        "mail": isinstance(row, Charged),  # whoever pays is told, not only whoever looks
    }
    for name, value in filled.items():
        st.session_state[f"{FORM}_{name}"] = value
    st.switch_page("pages/admin/announcements.py")


def _of_rates(tariff: Tariff, row: Rates, day: str) -> tuple[str, str]:
    old = next((one for one in tariff.rates if one.code == row.code), None)
    rate = money.percent(row.interest_rate_bps)
    title = f"{row.name}: {rate} from {day}"
    said = [f"From {day}, {row.name} pays {rate}{_until(old, 'interest_rate_bps', row)}."]
    for name, words_of_it in (
        ("minimum_balance_minor", "The minimum balance is"),
        ("overdraft_ceiling_minor", "An overdraft is possible up to"),
    ):
        if old is None or getattr(old, name) != getattr(row, name):
            said.append(f"{words_of_it} {money.show(getattr(row, name))}{_until(old, name, row)}.")
    if old is not None and old.interest_rate_bps == row.interest_rate_bps:
        title = f"{row.name}: new balances from {day}"
    return title, " ".join(said)


def _of_charge(tariff: Tariff, row: Charged, day: str) -> tuple[str, str]:
    old = next((one for one in tariff.charges if one.code == row.code), None)
    amount = money.show(row.amount_minor)
    until = _until(old, "amount_minor", row)
    return (
        f"{row.name}: {amount} from {day}",
        f"From {day} the charge for {row.name.lower()} is {amount} for each {row.per}{until}.",
    )


def _until(old: Rates | Charged | None, name: str, row: Rates | Charged) -> str:
    """What holds until the change, where it is not the same."""
    if old is None or getattr(old, name) == getattr(row, name):
        return ""
    value: int = getattr(old, name)
    shown = money.percent(value) if name.endswith("_bps") else money.show(value)
    return f", until then {shown}"
