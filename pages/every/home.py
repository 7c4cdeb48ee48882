"""Where an employee starts: branch, day, last sign-in, and what their role does here."""

import streamlit as st

from bank.core.permissions import Permission
from bank.people import attempts
from bank.people.attempts import SignInStatus
from pages.parts import announcements, frame, menu, ui, words

desk = ui.enter(Permission.SESSION_KEEP, title="Home")

announcements.show(desk)
here = frame.branch_of(desk)
earlier = [
    sign_in
    for sign_in in attempts.own_sign_ins(desk, newest=20)
    if sign_in.outcome is SignInStatus.OPENED
][1:]
branch, day, last = st.columns(3)
branch.metric("Branch", here.name if here else "All branches", border=True)
day.metric("Business date", words.day(desk.bank.clock.business_date()), border=True)
last.metric(
    "Last sign-in",
    words.age(earlier[0].at, desk.bank.clock.now()) if earlier else "This is the first",
    help=f"{words.moment(earlier[0].at)}, from {earlier[0].from_where}" if earlier else None,
    border=True,
)

st.header("What you can do here")
for entry in menu.entries_for(desk):
    if not entry.front:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            st.page_link(f"pages/{entry.file}", label=entry.title, icon=f":material/{entry.icon}:")
            st.caption(entry.about)
