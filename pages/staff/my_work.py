"""One's own work in numbers: exactly what the branch's admin sees of it."""

import streamlit as st

from bank.core.permissions import Permission
from pages.parts import ui, work

desk = ui.enter(Permission.OWN_WORK_VIEW, title="My work")

st.write(
    "Counted from what the bank keeps, with what customers say. Your admin sees the same numbers,"
    " and no others. Nobody is ranked."
)
work.figures(desk, work.own(desk), key="my_work")
