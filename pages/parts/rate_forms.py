"""The forms by which head office sets the card of deposits and loans."""

from collections.abc import Callable
from datetime import date
from typing import Final

import streamlit as st

from bank.accounts import card_terms
from bank.accounts.rate_card import LONGEST_NAME, YEAR_DAYS, Card, CardRate
from bank.accounts.tariff import Tariff, What
from bank.core import money
from bank.core.desk import Desk
from pages.parts import forms, rate_card, tables, waiting, words

NARROW: Final = 560  # pixels
SET: Final = "The change is set. Choose it below to tell customers of it."
FIXED: Final = "Fixed"
LABELS: Final = {
    "name": "Name",
    "interest": "Interest, percent a year",
    "extra": "Senior citizens get more, percent",
    "over": "Goes by",
    "from_days": "For at least, days",
    "to_days": "For at most, days",
    "from_minor": "Amounts from",
    "below_minor": "Amounts below",
    "effective_from": "From",
    "reason": "Reason",
}
WhenAndWhy = Callable[[str], tuple[date, str]]


def part_of_card(desk: Desk, tariff: Tariff, card: Card, when_and_why: WhenAndWhy) -> None:
    """The lines of one part; the form of the one that was chosen, or of a new one."""
    lines = rate_card.of_card(tariff.card, card, offered=False)
    if lines:
        chosen = tables.choose(
            lines,
            [*rate_card.COLUMNS[card], tables.column("Reason", "source", width=280)],
            key=f"terms_card_{card}",
            id_of=lambda rate: rate.code,
            prompt="Choose a line of the card",
        )
        if chosen is not None:
            _change(desk, tariff, chosen, when_and_why)
            return
        st.caption("Choose a line to change what it says, or add one below.")
    else:
        st.caption("Nothing stands on this part of the card. Add the first line.")
    _add(desk, tariff, card, when_and_why)


def _change(desk: Desk, tariff: Tariff, rate: CardRate, when_and_why: WhenAndWhy) -> None:
    """What a line pays or asks from a day on, or that it is off the card then."""
    key = f"terms_card_{rate.code}"
    with st.container(border=True, width=NARROW):
        st.header(words.plain(rate.name))
        st.caption(words.plain(", ".join(part for part in (rate.days, rate.amounts) if part)))
        waiting.banner(desk, What.CARD.value, rate.code)
        is_off = st.checkbox("Not offered from then on", key=f"{key}_off", persist_state="page")
        if not is_off:
            st.session_state.setdefault(f"{key}_interest", _digits(rate.rate_bps))
            st.session_state.setdefault(f"{key}_extra", _digits(rate.extra_bps))
            st.session_state.setdefault(f"{key}_over", rate.over or FIXED)
        interest, extra, over = ("", "", None) if is_off else _rates(tariff, rate.card, key)
        day, reason = when_and_why(key)
        if st.button("Propose this change", type="primary", key=f"{key}_propose"):
            with waiting.attempt(SET, labels=LABELS, then=lambda: forms.forget(f"{key}_")):
                card_terms.set_line(
                    desk,
                    rate.code,
                    day,
                    None if is_off else rate_card.bps_of(interest),
                    0 if is_off else _extra(extra),
                    over,
                    reason,
                )


def _add(desk: Desk, tariff: Tariff, card: Card, when_and_why: WhenAndWhy) -> None:
    """A line that is not on the card yet."""
    key = f"terms_card_new_{card}"
    with st.container(border=True, width=NARROW):
        st.header("A new line")
        waiting.banner(desk, What.CARD.value, None)
        name = st.text_input(
            LABELS["name"],
            key=f"{key}_name",
            persist_state="page",
            max_chars=LONGEST_NAME,
            autocomplete="off",
        )
        days = _days(key) if card is Card.DEPOSIT else (None, None)
        least, below = _amounts(key) if card is not Card.BENCHMARK else ("", "")
        interest, extra, over = _rates(tariff, card, key)
        day, reason = when_and_why(key)
        if st.button("Propose this line", type="primary", key=f"{key}_propose"):
            with waiting.attempt(SET, labels=LABELS, then=lambda: forms.forget(f"{key}_")):
                card_terms.add_line(
                    desk,
                    card,
                    name or "",
                    *days,
                    _amount(least, "from_minor") or 0,
                    _amount(below, "below_minor"),
                    day,
                    rate_card.bps_of(interest),
                    _extra(extra),
                    over,
                    reason,
                )


def _rates(tariff: Tariff, card: Card, key: str) -> tuple[str, str, str | None]:
    """The rate as typed; what senior citizens get more; the benchmark of a loan."""
    over: str | None = None
    extra = ""
    if card is Card.LOAN:
        benchmarks = {
            rate.code: rate.name for rate in rate_card.of_card(tariff.card, Card.BENCHMARK)
        }
        options = [FIXED, *benchmarks]
        chosen = st.selectbox(
            LABELS["over"],
            options,
            format_func=lambda code: benchmarks.get(code, FIXED),
            key=f"{key}_over",
            persist_state="page",
            help="What comes on top of a benchmark moves with it.",
        )
        over = None if chosen in {None, FIXED} else chosen
    interest = st.text_input(
        LABELS["interest"], key=f"{key}_interest", persist_state="page", autocomplete="off"
    )
    if over is not None:
        st.caption("On top of the benchmark.")
    if card is Card.DEPOSIT:
        extra = st.text_input(
            LABELS["extra"], key=f"{key}_extra", persist_state="page", autocomplete="off"
        )
    return interest or "", extra or "", over


def _days(key: str) -> tuple[int | None, int | None]:
    with st.container(horizontal=True):
        first, last = (
            st.number_input(
                LABELS[name],
                min_value=1,
                max_value=99 * YEAR_DAYS,
                value=None,
                step=1,
                key=f"{key}_{name}",
                persist_state="page",
                width=200,
            )
            for name in ("from_days", "to_days")
        )
    return first, last


def _amounts(key: str) -> tuple[str, str]:
    least, below = (
        forms.amount_input(
            LABELS[name], key=f"{key}_{name}", may_be_zero=True, help="Empty: no such limit."
        )
        for name in ("from_minor", "below_minor")
    )
    return least, below


def _amount(text: str, field: str) -> int | None:
    return money.parse(text, field=field, may_be_zero=True) if text.strip() else None


def _extra(text: str) -> int:
    return rate_card.bps_of(text, "extra") if text.strip() else 0


def _digits(bps: int | None) -> str:
    return "" if bps is None else f"{bps / 100:.2f}"
