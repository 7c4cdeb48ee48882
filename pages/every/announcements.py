"""All announcements that hold today: the home page shows only the most severe of them."""

import streamlit as st

from bank.core.permissions import Permission
from bank.office import announcements
from pages.parts import announcements as shown
from pages.parts import ui, words

desk = ui.enter(Permission.TERMS_VIEW, title="All announcements")

NARROW = 640  # pixels

with st.container(width=NARROW):
    cards = announcements.current(desk)
    if not cards:
        ui.empty("Nothing is announced today.", "What the bank says appears here and on Home.")
    for card in cards:
        shown.one(desk, card)
        st.caption(words.plain(f"Until {words.day(card.until_on)}"))
