"""One's own work in numbers: exactly what the branch's admin sees of it."""

import streamlit as st

from bank.core.permissions import Permission
from bank.office import performance, scores
from pages.parts import banks_here, ui, work

desk = ui.enter(Permission.OWN_WORK_VIEW, title="My work")

st.write(
    "Counted from the trail, with what customers say. Your admin sees the same numbers, and no"
    " others."
)
work.figures(
    desk,
    lambda start, end: performance.own_work(desk, start, end),
    lambda start, end: scores.own_scores(desk, start, end),
    key="my_work",
)
banks_here.own(desk)
