"""Rates, charges and policies: what holds today, since when, and what changes when."""

import streamlit as st

from bank.accounts import tariff as tariffs
from bank.accounts.rate_card import Card
from bank.core import money
from bank.core.permissions import Permission
from pages.parts import rate_card, tables, ui, words
from pages.parts.tables import Kind, column

desk = ui.enter(Permission.TERMS_VIEW, title="Rates and charges")

RATES = [
    column("Product", "name", key=True),
    column("Interest", lambda row: money.percent(row.interest_rate_bps), key=True),
    column("Minimum balance", "minimum_balance_minor", Kind.AMOUNT),
    column("Overdraft up to", "overdraft_ceiling_minor", Kind.AMOUNT),
    column("Since", "effective_from", Kind.DAY),
]
CHARGES = [
    column("Charge", "name", key=True),
    column("For each", "per"),
    column("Amount", "amount_minor", Kind.AMOUNT, key=True),
    column("Since", "effective_from", Kind.DAY),
]


def coming(tariff: tariffs.Tariff) -> None:
    """What changes, the nearest first: one sentence each."""
    for rates in tariff.coming_rates:
        said = (
            f"{rates.name}: {money.percent(rates.interest_rate_bps)}, minimum balance "
            f"{money.show(rates.minimum_balance_minor)}."
        )
        tell(said, rates.effective_from)
    for charge in tariff.coming_charges:
        tell(f"{charge.name}: {money.show(charge.amount_minor)}.", charge.effective_from)
    for line in tariff.coming_card:
        tell(f"{line.name}: {rate_card.becomes(line)}.", line.effective_from)
    for policy in tariff.coming_policies:
        tell(f"{policy.title}: new words.", policy.effective_from)
        with st.expander(f"{policy.title} from {words.day(policy.effective_from)}"):
            st.markdown(words.plain_lines(policy.body))


def card(tariff: tariffs.Tariff) -> None:
    """What fixed deposits pay and loans cost."""
    for part, title in rate_card.TITLES.items():
        lines = rate_card.of_card(tariff.card, part)
        if part is Card.BENCHMARK and not lines:
            continue  # nothing goes by one
        st.header(title)
        if not lines:
            ui.empty(
                f"The bank publishes no rates of {title.lower()} yet.",
                "They stand here from the day on which they count. Ask at your branch until then.",
            )
            continue
        tables.show(lines, rate_card.COLUMNS[part], key=f"tariff_{part}", file_name=f"{part}s.csv")
        if part is Card.DEPOSIT:
            st.caption(
                "The rate of the day on which a deposit is opened holds until its end. Senior "
                "citizens are 60 years old or more."
            )


def tell(said: str, day: object) -> None:
    """A change to come."""
    st.info(words.plain(f"From {words.day(day)}: {said}"), icon=":material/event_upcoming:")


with ui.attempt():
    tariff = tariffs.tariff(desk)
    coming(tariff)
    st.header("Interest and balances")
    tables.show(tariff.rates, RATES, key="tariff_rates", file_name="rates.csv")
    card(tariff)
    st.header("Charges")
    tables.show(tariff.charges, CHARGES, key="tariff_charges", file_name="charges.csv")
    st.caption(
        "Without tax. A higher charge is on this page "
        f"{words.counted(tariff.charge_notice_days, 'day')} before it holds."
    )
    st.header("Policies")
    for policy in tariff.policies:
        with st.container(border=True):
            st.subheader(words.plain(policy.title))
            st.markdown(words.plain_lines(policy.body))
            st.caption(words.plain(f"Since {words.day(policy.effective_from)}. {policy.source}."))
