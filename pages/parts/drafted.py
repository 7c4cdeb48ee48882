"""An announcement drafted from a change of rates, charges, policies or the card of deposits and
loans; a person reads it before it
is said."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final, TypeVar

import streamlit as st

from bank.accounts.rate_card import CardRate
from bank.accounts.tariff import Charged, Policy, Rates, Tariff
from bank.core import money
from bank.office.announcements import LONGEST, LONGEST_TITLE, Audience
from pages.parts import forms, rate_card, ui, words
from pages.parts.announcements import FORM

SHOWN_AFTER: Final = timedelta(days=7)  # it has begun
PAGE: Final = "admin/announcements.py"
WHERE: Final = "Everything the bank pays and asks stands under Rates and charges."
T = TypeVar("T", Rates, Charged, CardRate)


def announcement_of(tariff: Tariff, row: Rates | Charged | Policy | CardRate) -> tuple[str, str]:
    """Title and message that tell customers of a change, with what holds until then."""
    day = words.day(row.effective_from)
    if isinstance(row, Rates):
        title, said = _of_rates(tariff, row, day)
    elif isinstance(row, Charged):
        title, said = _of_charge(tariff, row, day)
    elif isinstance(row, CardRate):
        title, said = _of_line(tariff, row, day)
    else:
        title, said = f"{row.title}: new words from {day}", row.body
    return title[:LONGEST_TITLE], f"{said}\n\nReason: {row.source}\n\n{WHERE}"


def write(tariff: Tariff, row: Rates | Charged | Policy | CardRate, today: date) -> None:
    """Open the page of announcements with the draft in its form; where another one is being looked
    at before it is said, say so instead."""
    if forms.Slip[object, object](FORM).step is forms.Step.PREVIEW:
        st.warning("You are about to announce something else. Announce it or change it first.")
        st.page_link(f"pages/{PAGE}", label="Announcements", icon=":material/campaign:")
        return
    title, body = announcement_of(tariff, row)
    forms.forget(f"{FORM}_")
    filled = {
        "audience": Audience.CUSTOMERS,
        "title": title,
        "body": body,
        "from": today,
        "until": min(row.effective_from + SHOWN_AFTER, today + LONGEST),
        "mail": isinstance(row, Charged),  # whoever pays is told, not only whoever looks
    }
    for name, value in filled.items():
        st.session_state[f"{FORM}_{name}"] = value
    ui.go(PAGE)


def _of_rates(tariff: Tariff, row: Rates, day: str) -> tuple[str, str]:
    old = _before((*tariff.rates, *tariff.coming_rates), row)
    said = []
    for name, shown, before, after in (
        ("interest_rate_bps", money.percent, "it pays ", ""),
        ("minimum_balance_minor", money.show, "the minimum balance is ", ""),
        ("overdraft_ceiling_minor", money.show, "an overdraft of up to ", " is possible"),
    ):
        new = getattr(row, name)
        if old is None or getattr(old, name) != new:
            until = "" if old is None else f" (until then {shown(getattr(old, name))})"
            said.append(f"{before}{shown(new)}{after}{until}")
    new_rate = old is None or old.interest_rate_bps != row.interest_rate_bps
    title = money.percent(row.interest_rate_bps) if new_rate else "new terms"
    return f"{row.name}: {title} from {day}", f"{row.name}, from {day}: {', '.join(said)}."


def _of_charge(tariff: Tariff, row: Charged, day: str) -> tuple[str, str]:
    old = _before((*tariff.charges, *tariff.coming_charges), row)
    amount = money.show(row.amount_minor)
    until = "" if old is None else f" (until then {money.show(old.amount_minor)})"
    said = f"{row.name}, from {day}: {amount} for each {row.per}{until}."
    return f"{row.name}: {amount} from {day}", said


def _of_line(tariff: Tariff, row: CardRate, day: str) -> tuple[str, str]:
    old = _before((*tariff.card, *tariff.coming_card), row)
    until = "" if old is None else f" (until then {rate_card.becomes(old)})"
    rate = "not offered any more" if row.total_bps is None else money.percent(row.total_bps)
    return f"{row.name}: {rate} from {day}", (
        f"{row.name}, from {day}: {rate_card.becomes(row)}{until}."
    )


def _before(rows: Iterable[T], row: T) -> T | None:
    """What holds until the change begins; another change may come first."""
    earlier = [
        one for one in rows if one.code == row.code and one.effective_from < row.effective_from
    ]
    return max(earlier, key=lambda one: one.effective_from, default=None)
