"""Notes and coins: the grid in which somebody counts them, and a tally to be read."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from bank.core import money
from bank.core.desk import Desk
from bank.counters import tallies
from bank.counters.tallies import DenominationKind, NoteOrCoin, TallyRow
from pages.parts import words

COLUMNS: Final = 4
WORDS: Final = {DenominationKind.NOTE: "Notes", DenominationKind.COIN: "Coins"}


def grid(
    desk: Desk,
    *,
    key: str,
    should_be_minor: int | None = None,
    offered: Sequence[NoteOrCoin] | None = None,
) -> dict[str, int]:
    """Inputs for how many of each there are, with the total below; answers what was typed.

    `should_be_minor` is the amount it has to come to, where that is known already; `offered` are
    the notes and coins, where the counter's list is not for who is asking.
    """
    pieces: dict[str, int] = {}
    total = 0
    offered = tallies.denominations(desk) if offered is None else offered
    for kind, title in WORDS.items():
        st.caption(title)
        some = [each for each in offered if each.kind is kind]
        for start in range(0, len(some), COLUMNS):
            for place, each in zip(
                st.columns(COLUMNS), some[start : start + COLUMNS], strict=False
            ):
                count = place.number_input(
                    each.name,
                    min_value=0,
                    max_value=tallies.MOST_PIECES,
                    step=1,
                    key=f"{key}_{each.code}",
                    persist_state="page",
                )
                if count:
                    pieces[each.code] = int(count)
                    total += int(count) * each.value_minor
    st.markdown(f"**Total {money.show(total)}**")
    if should_be_minor is not None and total != should_be_minor:
        left = should_be_minor - total
        said = f"{money.show(abs(left))} {'missing' if left > 0 else 'too much'}"
        st.caption(f":{words.Tone.WARNING}[{words.plain(said)}]")
    return pieces


def in_words(rows: Sequence[TallyRow]) -> str:
    """A tally in one line: `4 x ₹ 500 note, 2 x ₹ 100 note`."""
    return ", ".join(f"{row.pieces:,} x {row.name}" for row in rows) or "nothing"
